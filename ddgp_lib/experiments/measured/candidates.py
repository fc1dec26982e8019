"""A method with the grid of its settings, and the choice among them that nothing measured has a part in."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import torch
from deepinv.physics import LinearPhysics

from ...kinds.base import SCHEDULE
from ...names import Momentum
from ...preconditioners import Preconditioner
from ...solvers import Geometric, PreconditionedADMM, PreconditionedFISTA, PreconditionedSolver
from .choosing import Point, Tried, choose_inside, edges_in_words, run_longer
from .judging import chosen

LONGEST = 4
"""Times the iterations of a comparison that a method's best setting may run where it is still getting better."""
MOMENTUM: Momentum = "chambolle_dossal"
"""Momentum where nothing else is said."""
FADING = 10
"""k₀ with which the updates of a method fade, where they do."""
LEARNED = "P"
"""Name of the method that learns a preconditioner."""

Solve = Callable[[Any, torch.Tensor, int], Iterable[torch.Tensor]]
"""An operator, measurements and a number of iterations ↦ the iterates."""


@dataclass(frozen=True)
class Candidate:
    """A method and the grid of its settings.

    Attributes
    ----------
    name : str
        What it is called.
    axes : mapping of str to tuple of float
        For each parameter, by its symbol, two values or more above zero, rising; none where there is nothing to set.
    make : callable
        Takes a value for each parameter; returns what yields the iterates.
    note : str
        What else is particular to it.
    classical : bool
        Whether it learns no preconditioner.
    """

    name: str
    axes: Mapping[str, tuple[float, ...]]
    make: Callable[..., Solve]
    note: str = ""
    classical: bool = True

    def label(self, point: Point) -> str:
        """Return the method with a setting in words."""
        values = [f"{symbol} {value:.2g}" for symbol, value in zip(self.axes, point, strict=True)]
        return ", ".join([self.name, *values, *([self.note] if self.note else [])])


class Choice(NamedTuple):
    """A setting that was chosen."""

    point: Point
    """A value for each parameter."""
    stop: int
    """Iterations."""
    error: float
    """What it came to."""
    edges: tuple[str, ...]
    """What of it is the last that was tried."""

    @property
    def decibels(self) -> float:
        """The error in dB, the lower the higher: the mean PSNR where it was chosen in simulation."""
        return -10 * math.log10(self.error) if self.error > 0 else math.inf


def choose_setting(
    candidate: Candidate,
    run: Callable[[Point, tuple[int, ...]], Tried],
    iterations: tuple[int, ...],
    limit: int,
) -> Choice:
    """Choose a method's setting, and where it stops.

    Parameters
    ----------
    candidate : Candidate
        The method with its grid, which grows until the best lies inside it.
    run : callable
        A point and the iterations that it is judged at ↦ :class:`~.choosing.Tried`.
    iterations : tuple of int
        Where it may stop, rising.
    limit : int
        Iterations that the best setting may run while it is still getting better.
    """
    if not candidate.axes:
        tried = run((), (1,))
        return Choice((), tried.stop, tried.error, ())
    best = choose_inside(list(candidate.axes.values()), lambda point: run(point, iterations))
    tried, marks = run_longer(best.tried, iterations, limit, partial(run, best.point))
    edges = edges_in_words(list(candidate.axes), best.edges, tried.stop, marks)
    return Choice(best.point, tried.stop, tried.error, edges)


def best_by_name(tried: Iterable[tuple[Candidate, Choice]]) -> list[tuple[Candidate, Choice]]:
    """Return the best of each name: methods with what was chosen of them, in the order of the names."""
    groups: dict[str, list[tuple[Candidate, Choice]]] = {}
    for method, choice in tried:
        groups.setdefault(method.name, []).append((method, choice))
    return [min(group, key=rank) for group in groups.values()]


def best_first(each: Sequence[tuple[Candidate, Choice]]) -> list[tuple[Candidate, Choice]]:
    """Put the best of the classical methods before all others, which are compared with it."""
    first = min((pair for pair in each if pair[0].classical), key=rank)
    return [first, *(pair for pair in each if pair is not first)]


def solve_of(row: Mapping[str, Any], methods: Iterable[Candidate]) -> Solve:
    """Return the method of a row with the setting that was chosen for it.

    Parameters
    ----------
    row : mapping of str to Any
        With ``"method"``, a label, and ``"setting"``, as rows of results have them.
    methods : iterable of Candidate
        Among which the method is.

    Raises
    ------
    ValueError
        If none of them has this label.
    """
    point = tuple(row["setting"])
    for method in methods:
        if len(method.axes) == len(point) and method.label(point) == row["method"]:
            return method.make(*point)
    raise ValueError(f"row={row['method']!r}: expected one of {[method.name for method in methods]}")


def rank(pair: tuple[Candidate, Choice]) -> float:
    """Return the error of what was chosen, or infinity where it is not finite: what is lowest is best."""
    return Tried(pair[1].error, pair[1].stop).rank


def choose_in_simulation(
    candidate: Candidate,
    physics: LinearPhysics,
    y: torch.Tensor,
    decibels: Callable[[torch.Tensor], torch.Tensor],
    iterations: tuple[int, ...],
) -> Choice:
    """Choose a method's setting, and where it stops, by the mean PSNR of images whose measurements were simulated.

    Parameters
    ----------
    candidate : Candidate
        The method with its grid.
    physics : LinearPhysics
        The operator.
    y : Tensor
        Its simulated measurements.
    decibels : callable
        Images ↦ the PSNR of each in dB; infinite, or not a number, where an image is lost.
    iterations : tuple of int
        Where it may stop.

    Returns
    -------
    Choice
        Its ``error`` is 10 to the power of minus a tenth of the mean PSNR.
    """

    def error(x: torch.Tensor) -> float:
        return float(10 ** (-decibels(x).double().mean() / 10)) if bool(torch.isfinite(x).all()) else math.inf

    def run(point: Point, marks: tuple[int, ...]) -> Tried:
        steps = chosen(candidate.make(*point)(physics, y, max(marks)), marks)
        return min((Tried(error(step.image), step.number) for step in steps), key=lambda tried: tried.rank)

    return choose_setting(candidate, run, iterations, LONGEST * iterations[-1])


def iterated(make: Callable[[int], PreconditionedSolver]) -> Solve:
    """Return what yields the iterates of a solver that is made for a number of iterations."""

    def solve(physics: LinearPhysics, y: torch.Tensor, iterations: int) -> Iterator[torch.Tensor]:
        return (x for x, _ in islice(make(iterations).iterates(y, physics, iterations), 1, None))

    return solve


def fista(prior: Any, step: Preconditioner | None, sigma: Any, momentum: Momentum, **options: Any) -> Solve:
    """Return plug-and-play FISTA with the default step size as what yields the iterates."""
    return iterated(
        lambda iterations: PreconditionedFISTA(
            prior, step, sigma=sigma, momentum=momentum, max_iter=iterations, **options
        )
    )


def by_level(
    prior: Any, step: Preconditioner | None, momentum: Momentum, **options: Any
) -> Callable[[float], Solve]:
    """Return σ ↦ plug-and-play FISTA, as a candidate of one parameter makes it."""
    return lambda sigma: fista(prior, step, sigma, momentum, **options)


def annealed(prior: Any, first: float, last: float) -> Solve:
    """Return plug-and-play FISTA with a σ that falls in 20 iterations, and stays."""
    return fista(prior, None, Geometric(first, last, SCHEDULE), MOMENTUM)


def admm(prior: Any, sigma: Any, tau: float, **options: Any) -> Solve:
    """Return plug-and-play ADMM with an exact data step, and τ for ‖A‖ = 1, as what yields the iterates."""
    return iterated(
        lambda iterations: PreconditionedADMM(
            prior, sigma=sigma, tau=tau, inner_steps=None, max_iter=iterations, **options
        )
    )


def exact_admm(prior: Any, first: float, last: float, tau: float) -> Solve:
    """Return plug-and-play ADMM with an exact data step and a σ that falls in 20 iterations, then stops.

    τ is for ‖A‖ = 1.  It is the rival ``"admm"`` of the book's cameras, see :class:`~ddgp_lib.kinds.ExactADMM`.
    """
    return admm(prior, Geometric(first, last, SCHEDULE), tau, stop_after=SCHEDULE)
