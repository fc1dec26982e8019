"""Choose settings on a grid that grows until the best lies inside it, so that no method is held back by its grid."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import NamedTuple

from ...arguments import require, require_callable, require_integer, require_number

Point = tuple[float, ...]
"""A value for each parameter."""

MOST = 6
"""Values that a parameter's grid may gain at either end."""


class Tried(NamedTuple):
    """What a setting came to."""

    error: float
    """Its error at its best iteration; the lower the better, and what is not finite is the worst."""
    stop: int
    """That iteration."""

    @property
    def rank(self) -> float:
        """The error, or infinity where it is not finite: what is lowest is best."""
        return self.error if math.isfinite(self.error) else math.inf


class Chosen(NamedTuple):
    """The best setting of a grid."""

    point: Point
    """A value for each parameter."""
    tried: Tried
    """What it came to."""
    edges: tuple[int, ...]
    """Numbers of the parameters, from 0, whose best value is still the last that was tried at one end."""


def choose_inside(
    axes: Sequence[Sequence[float]], run: Callable[[Point], Tried], *, most: int = MOST
) -> Chosen:
    """Choose the best setting of a grid that grows where the best is at an edge.

    All combinations are tried.  While the best value of a parameter is the lowest or the highest of its grid, the
    grid grows by the next value of the geometric sequence that its last two make, tried with the other parameters at
    their best.  A best value inside thus has a worse neighbour on either side.

    Parameters
    ----------
    axes : sequence of sequence of float
        For each parameter two values or more above zero, rising.
    run : callable
        A point ↦ :class:`Tried`; called once for each point.
    most : int
        Values that a grid may gain at either end, 0 or above.

    Returns
    -------
    Chosen

    Raises
    ------
    ValueError
        If ``axes`` is no such grid.

    Examples
    --------
    >>> from ddgp_lib.experiments.measured.choosing import Tried, choose_inside
    >>> chosen = choose_inside([(1, 2)], lambda point: Tried(abs(point[0] - 9), 1))
    >>> chosen.point, chosen.edges
    ((8.0,), ())
    """
    _require_axes(axes)
    require_callable("run", run, "a function of a point")
    require_integer("most", most, lowest=0)
    grids = [list(axis) for axis in axes]
    known = {point: run(point) for point in product(*grids)}
    left = {(place, end): most for place in range(len(grids)) for end in (0, -1)}
    while True:
        best = min(known, key=lambda point: known[point].rank)
        at = [(place, end) for place, grid in enumerate(grids) for end in (0, -1) if best[place] == grid[end]]
        open_ends = [edge for edge in at if left[edge] > 0]
        if not open_ends:
            return Chosen(best, known[best], tuple(place for place, _ in at))
        place, end = open_ends[0]
        left[place, end] -= 1
        grid = grids[place]
        beyond = grid[0] ** 2 / grid[1] if end == 0 else grid[-1] ** 2 / grid[-2]
        grid.insert(0 if end == 0 else len(grid), beyond)
        point = (*best[:place], beyond, *best[place + 1 :])
        known[point] = run(point)


def run_longer(
    tried: Tried,
    marks: tuple[int, ...],
    limit: int,
    run: Callable[[tuple[int, ...]], Tried],
) -> tuple[Tried, tuple[int, ...]]:
    """Run a setting for twice as long, and again, while it is best at its last iteration.

    Parameters
    ----------
    tried : Tried
        What it came to by now.
    marks : tuple of int
        Iterations that it was judged at, rising.
    limit : int
        Iterations that a run may have at most.
    run : callable
        Marks ↦ :class:`Tried`.

    Returns
    -------
    tried : Tried
        What it came to at the end.
    marks : tuple of int
        The iterations that it was judged at then.
    """
    while tried.stop == marks[-1] and 2 * marks[-1] <= limit:
        marks = (*marks, 2 * marks[-1])
        tried = run(marks)
    return tried, marks


def edges_in_words(
    symbols: Sequence[str], edges: Sequence[int], stop: int, marks: Sequence[int]
) -> tuple[str, ...]:
    """Say which parameters are at the last value that was tried, and whether a run stops at its last mark."""
    words = [f"{symbols[place]} is the last that was tried" for place in edges]
    return (*words, *([f"{stop} iterations are the most that were allowed"] if stop == marks[-1] else []))


def _require_axes(axes: Sequence[Sequence[float]]) -> None:
    """Refuse what is no grid."""
    wanted = "for each parameter two rising values or more"
    require(isinstance(axes, list | tuple) and len(axes) > 0, "axes", axes, wanted)
    for axis in axes:
        require(isinstance(axis, list | tuple) and len(axis) >= 2, "axes", axis, wanted)
        for value in axis:
            require_number("axes", value, above=0)
        require(all(a < b for a, b in pairwise(axis)), "axes", axis, wanted)
