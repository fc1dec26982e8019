"""Judge a reconstruction: its residual on used measurements, its error on held-out ones, and its gain."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from ...scores import score
from ..heldout import HeldOut, HeldOutError, held_out_difference, held_out_error, used_residual
from .meter import Step, metered
from .records import Row


@dataclass(frozen=True)
class Judge:
    """Measurements, and which of them judge.

    Attributes
    ----------
    measured : Tensor, any shape
        All measurements, real or complex.
    split : HeldOut
        Which were used and which are held out; both broadcast to ``measured``.
    sigma : float or Tensor
        Standard deviation of the noise, as :func:`~ddgp_lib.experiments.heldout.held_out_error` takes it.
    sigma_rtol : float
        Its relative standard error.
    dim : int or None
        Dimension of the masks whose places are the groups, for the standard error.
    """

    measured: torch.Tensor
    split: HeldOut
    sigma: float | torch.Tensor
    sigma_rtol: float = 0.0
    dim: int | None = None

    def residual(self, prediction: torch.Tensor) -> float:
        """‖prediction − y‖/‖y‖ on the used measurements."""
        return used_residual(prediction, self.measured, self.sigma, self.split.used).relative

    def error(self, prediction: torch.Tensor) -> HeldOutError:
        """Return the estimate of the true error on the held-out measurements."""
        return held_out_error(
            prediction,
            self.measured,
            self.sigma,
            self.split.held_out,
            dim=self.dim,
            sigma_rtol=self.sigma_rtol,
        )

    def gain(self, first: torch.Tensor, second: torch.Tensor) -> tuple[float | None, float | None]:
        """Return by how many decibels the first prediction is better than the second, and the standard error."""
        found = held_out_difference(
            first,
            second,
            self.measured,
            self.split.held_out,
            sigma=self.sigma,
            dim=self.dim,
            sigma_rtol=self.sigma_rtol,
        )
        return found.decibels, found.decibels_error


def relative(found: HeldOutError) -> tuple[float, float]:
    """Return the root of an error relative to the root of the signal's energy, and its standard error."""
    if not (found.value > 0 and found.signal > 0):
        return math.nan, math.nan
    root = math.sqrt(found.nmse)
    return root, 0.5 * root * found.error / found.value


def chosen(iterates: Iterable[torch.Tensor], iterations: Iterable[int]) -> Iterator[Step]:
    """Yield the iterates of some iterations, with their cost."""
    wanted = set(iterations)
    for step in metered(iterates):
        if step.number in wanted:
            yield step


def over_best(judge: Judge, predictions: Mapping[str, torch.Tensor], learned: torch.Tensor) -> dict[str, Any]:
    """Compare a prediction with the best of others, as hindsight finds it.

    Parameters
    ----------
    judge : Judge
        Measurements, and which of them judge.
    predictions : mapping of str to Tensor
        Of the others, by what they are called; one at least.
    learned : Tensor
        The prediction.

    Returns
    -------
    dict
        ``"best"``, which of the others has the lowest error; the ``"gain"`` over it in dB, from paired differences,
        and its standard error, ``"gain_error"``; both None where they cannot be told.
    """
    best = max(predictions, key=lambda name: score(-judge.error(predictions[name]).value))
    gain, error = judge.gain(learned, predictions[best])
    return {"best": best, "gain": gain, "gain_error": error}


def judged(
    judge: Judge,
    condition: str,
    method: str,
    step: Step,
    prediction: torch.Tensor,
    first: torch.Tensor | None,
) -> Row:
    """Return the row of a method, whose prediction is compared with that of the condition's ``first`` method."""
    row = Row(
        condition,
        method,
        step.number,
        residual=math.inf,
        error=math.inf,
        standard_error=math.nan,
        seconds=step.seconds,
        transforms=step.transforms,
    )
    if not bool(torch.isfinite(prediction).all()):
        return row
    error, standard_error = relative(judge.error(prediction))
    gain, gain_error = (None, None) if first is None else judge.gain(prediction, first)
    return replace(
        row,
        residual=judge.residual(prediction),
        error=error,
        standard_error=standard_error,
        gain=gain,
        gain_error=gain_error,
    )
