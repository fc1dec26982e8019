r"""Means and their errors, as JSON can hold them; paired differences over images and seeds.

A difference of two methods on image i, trained with seed s, is taken as

.. math:: d_{si} = \mu + a_s + b_i + e_{si}

with independent random effects of the seed, the image and both (a two-way layout with random effects).  Their mean
squares are

.. math::

   M_a = \frac{N}{S - 1} \sum_s (\bar d_s - \bar d)^2, \qquad
   M_b = \frac{S}{N - 1} \sum_i (\bar d_i - \bar d)^2, \qquad
   M_e = \frac{\sum_{si} (d_{si} - \bar d_s - \bar d_i + \bar d)^2}{(S - 1)(N - 1)},

and the variance of the mean :math:`\bar d`, as it would vary with other seeds *and* other images, is estimated by

.. math:: \frac{\max(M_a + M_b - M_e,\; M_a,\; M_b)}{S N}.

The first entry is :math:`\sigma_a^2 / S + \sigma_b^2 / N + \sigma_e^2 / S N`; the others stand for it where an effect
would be estimated to have a variance below zero.  Degrees of freedom are Satterthwaite's.

References
----------
Satterthwaite, An approximate distribution of estimates of variance components, Biometrics Bulletin 2(6), 1946.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..arguments import require, require_integer, require_number, require_tensor
from ..scores import scored


@dataclass(frozen=True)
class Difference:
    """How much higher one method's values are than another's, on the same images.

    Attributes
    ----------
    mean : float
        Over seeds and images; it and its errors are not finite where a value is not.
    over_images : float
        Standard error over images, of their means over seeds: how the mean varies with other images.
    over_seeds : float or None
        Standard error over seeds, of their means over images: how it varies with other trainings; None for one seed.
    error : float
        Standard error over both, by the model of this module; that over images for one seed.
    freedom : float
        Degrees of freedom of ``error``.
    interval : float
        Half the width of the confidence interval around ``mean``: ``error`` times the quantile of Student's t.
    worst : float
        Lowest difference of an image, in the mean over seeds.
    worst_image : int
        Its index.
    trained_once : bool
        Whether a method was trained with one seed alone, so that no error here knows how trainings differ.
    """

    mean: float
    over_images: float
    over_seeds: float | None
    error: float
    freedom: float
    interval: float
    worst: float
    worst_image: int
    trained_once: bool


def paired_difference(
    values: torch.Tensor, reference: torch.Tensor, *, confidence: float = 0.95
) -> Difference:
    """Compare two methods on the same images: the mean of their differences, and its errors.

    Parameters
    ----------
    values, reference : Tensor, shape (S, N) or (N,)
        Measures, such as PSNR in dB, by seed of the training and image, with two images or more.  One seed in one of
        them, as of a method that learns nothing, is paired with all of the other's.
    confidence : float
        Share of experiments whose interval holds the true mean, in (0, 1).

    Returns
    -------
    Difference

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or the shapes do not fit each other.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.statistics import paired_difference
    >>> found = paired_difference(torch.tensor([31.0, 34.0, 29.0]), torch.tensor([30.0, 32.0, 29.0]))
    >>> found.mean, round(found.error, 3), found.worst, found.worst_image
    (1.0, 0.577, 0.0, 2)
    """
    values, reference = _table("values", values), _table("reference", reference)
    require_number("confidence", confidence, above=0, below=1)
    fits = values.shape[1] == reference.shape[1] and (
        1 in (len(values), len(reference)) or len(values) == len(reference)
    )
    require(fits, "reference.shape", tuple(reference.shape), f"seeds and images of {tuple(values.shape)}")
    found = values.double() - reference.double()
    seeds, images = found.shape
    of_seeds, of_images = found.mean(dim=1), found.mean(dim=0)
    variance, freedom = _variance(found)
    error = math.sqrt(variance)
    return Difference(
        mean=found.mean().item(),
        over_images=of_images.std().item() / math.sqrt(images),
        over_seeds=of_seeds.std().item() / math.sqrt(seeds) if seeds > 1 else None,
        error=error,
        freedom=freedom,
        interval=error * _quantile(freedom, confidence) if error > 0 else error,
        worst=of_images.min().item(),
        worst_image=int(of_images.argmin()),
        trained_once=seeds == 1,
    )


def t_quantile(n: int, confidence: float = 0.95) -> float:
    """Two-sided quantile of Student's t for the mean of n values: standard errors in half an interval.

    Parameters
    ----------
    n : int
        Number of values, 2 or more; there are n − 1 degrees of freedom.
    confidence : float
        Share of the distribution between −t and t, in (0, 1).

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> from ddgp_lib.experiments.statistics import t_quantile
    >>> round(t_quantile(3), 2), round(t_quantile(200), 2)
    (4.3, 1.97)
    """
    require_integer("n", n, lowest=2)
    require_number("confidence", confidence, above=0, below=1)
    return _quantile(n - 1, confidence)


def best_beside_at(
    curves: torch.Tensor,
    reference: torch.Tensor,
    *,
    k: int = 20,
    chosen_on: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> dict[str, Any]:
    """Compare two methods at one iteration, and each at its own best, so that early stopping helps both.

    Parameters
    ----------
    curves, reference : Tensor, shape (K, S, N) or (K, N)
        Measures of x_1, …, x_K, by seed and image.
    k : int
        The iteration at which both are compared, from 1 to K.
    chosen_on : pair of Tensor, optional
        The same two curves on validation images, whose mean is highest at the best iterations.  By default each
        method has its own best on the images that are compared, which flatters both a little.

    Returns
    -------
    dict
        ``"k"``, and the differences ``"at"`` that iteration and ``"best"`` against best, each a :class:`Difference`;
        ``"iterations"`` of the two bests; and what they were ``"chosen_on"``, ``"validation images"`` or
        ``"the same images"``.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.statistics import best_beside_at
    >>> falls, rises = torch.tensor([[[3.0, 5.0], [2.0, 4.0]], [[1.0, 2.0], [2.0, 4.0]]])
    >>> found = best_beside_at(falls, rises, k=2)
    >>> found["at"].mean, found["best"].mean, found["iterations"]
    (0.0, 1.0, (1, 2))
    """
    for name, given in {"curves": curves, "reference": reference}.items():
        require_tensor(name, given, finite=False)
        require(given.ndim in (2, 3), f"{name}.shape", tuple(given.shape), "(K, S, N) or (K, N)")
        require_integer("k", k, lowest=1, highest=len(given))
    pair = chosen_on is None or (isinstance(chosen_on, tuple | list) and len(chosen_on) == 2)
    require(pair, "chosen_on", chosen_on, "None, or two tensors: curves and reference of other images")
    judged = (curves, reference) if chosen_on is None else chosen_on
    for number, given in enumerate(judged):
        require_tensor(f"chosen_on[{number}]", given, finite=False)
    first, second = (_best_iteration(given) for given in judged)
    for name, given, iteration in (("curves", curves, first), ("reference", reference, second)):
        require(iteration <= len(given), f"{name}.shape", tuple(given.shape), f"{iteration} iterations")
    return {
        "k": k,
        "at": paired_difference(curves[k - 1], reference[k - 1]),
        "best": paired_difference(curves[first - 1], reference[second - 1]),
        "iterations": (first, second),
        "chosen_on": "the same images" if chosen_on is None else "validation images",
    }


def mean_and_error(values: torch.Tensor) -> list[float | None]:
    """Mean over images (N,) and its standard error, s / √N; None where a value is not finite."""
    return [as_number(values.mean()), as_number(values.std() / math.sqrt(len(values)))]


def mean_or_none(values: Sequence[float | None]) -> float | None:
    """Mean of numbers, None where one of them is missing."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def as_number(value: torch.Tensor) -> float | None:
    """Round a number to six digits; JSON has none that are not finite."""
    return float(f"{value.item():.6g}") if torch.isfinite(value) else None


def as_numbers(values: torch.Tensor) -> list[float | None]:
    """Round numbers (N,) as :func:`as_number` does."""
    return [as_number(value) for value in values]


def without_nan(value: Any) -> Any:
    """Return dicts and lists of values with None in the place of numbers that JSON has not: NaN and infinities."""
    if isinstance(value, dict):
        return {key: without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _table(name: str, values: torch.Tensor) -> torch.Tensor:
    """Return values as a table (S, N)."""
    require_tensor(name, values, finite=False)
    require(values.is_floating_point(), f"{name}.dtype", values.dtype, "real numbers")
    table = values[None] if values.ndim == 1 else values
    fits = table.ndim == 2 and len(table) >= 1 and table.shape[1] >= 2
    require(fits, f"{name}.shape", tuple(values.shape), "(S, N) or (N,), with two images or more")
    return table


def _variance(found: torch.Tensor) -> tuple[float, float]:
    """Variance of the mean of differences (S, N) and its degrees of freedom, by the model of this module."""
    seeds, images = found.shape
    if seeds == 1:
        return found.var().item() / images, images - 1
    of_seeds, of_images = found.mean(dim=1, keepdim=True), found.mean(dim=0, keepdim=True)
    rest = found - of_seeds - of_images + found.mean()
    squares = [images * of_seeds.var().item(), seeds * of_images.var().item()]
    freedoms = [seeds - 1, images - 1]
    both = rest.square().sum().item() / (freedoms[0] * freedoms[1])
    total = sum(squares) - both
    largest = max(squares)
    if total <= largest:
        return largest / (seeds * images), freedoms[squares.index(largest)]
    spread = sum(square**2 / free for square, free in zip(squares, freedoms, strict=True))
    spread += both**2 / (freedoms[0] * freedoms[1])
    return total / (seeds * images), total**2 / spread


def _quantile(freedom: float, confidence: float) -> float:
    from scipy.special import stdtrit  # importing takes long, and few ask for it

    return float(stdtrit(freedom, (1 + confidence) / 2))


def _best_iteration(curves: torch.Tensor) -> int:
    """Return the iteration, from 1, whose mean over seeds and images is highest."""
    return int(scored(curves.flatten(1).mean(dim=1)).argmax()) + 1
