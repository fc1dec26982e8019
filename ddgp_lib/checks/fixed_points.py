"""Whether an iteration has arrived."""

from collections.abc import Callable
from itertools import pairwise

import torch

from ..arguments import require, require_tensor
from ._inputs import Call, require_function, require_tolerance
from ._vectors import minus, norm
from .failure import CheckFailed, likeliest

FURTHER = 10
"""Steps that are taken to see where an iteration that has not arrived is going."""


def check_fixed_point(
    step: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, *, tolerance: float = 1e-3
) -> float:
    """Check that an iteration has arrived: ‖step(x) − x‖ ≤ ``tolerance`` · ‖x‖.

    Parameters
    ----------
    step : callable
        One iteration, x ↦ step(x).  An iteration with momentum has arrived only if x is all it remembers.
    x : Tensor
        Where it stands; the first dimension is the batch where there are four or more.
    tolerance : float
        Largest relative movement, between 0 and 1.

    Returns
    -------
    float
        ‖step(x) − x‖ / ‖x‖, of the worst image of a batch; no unit.

    Raises
    ------
    CheckFailed
        If it still moves.  Ten more steps tell the cause: it is not yet converged, it is repelled, it goes around,
        or it goes on as it is.
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.checks import CheckFailed, check_fixed_point
    >>> check_fixed_point(lambda x: 0.5 * x + 1, torch.full((3,), 2.0))
    0.0
    >>> try:
    ...     check_fixed_point(lambda x: 0.5 * x + 1, torch.full((3,), 3.0))
    ... except CheckFailed as failed:
    ...     print(failed.found)
    one more step moves x by 0.17 of its norm
    """
    require_tolerance(tolerance)
    require_function("step", step)
    require_tensor("x", x)
    require(x.numel() > 0, "x.shape", tuple(x.shape), "a tensor with entries")
    call = Call("the step", step)
    following = call(x, like=x)
    movement = _movement(x, following)
    if not movement <= tolerance:
        raise CheckFailed(
            f"one more step moves x by {movement:.2g} of its norm",
            f"at most {tolerance:g}: at a fixed point step(x) = x",
            likeliest([lambda: _course(call, x, following)], DIVERGES),
        )
    return movement


DIVERGES = f"this fixed point repels, or momentum still carries the iterates: {FURTHER} more steps overflow"


def _movement(x: torch.Tensor, following: torch.Tensor) -> float:
    """‖step(x) − x‖ / ‖x‖, the largest over a batch."""
    images = zip(x, following, strict=True) if x.ndim >= 4 else [(x, following)]
    return max(norm(minus(b, a)) / (norm(a) or norm(b) or 1.0) for a, b in images)


def _course(call: Call, x: torch.Tensor, following: torch.Tensor) -> str:
    """Say what ten more steps do."""
    points = [x, following]
    for _ in range(FURTHER):
        points.append(call(points[-1], like=x))
    path = [norm(minus(b, a)) for a, b in pairwise(points)]
    change = sum(path[-3:]) / sum(path[:3])
    outcome = f"over {FURTHER} more steps the movement changes by a factor of {change:.2g}"
    if change < 0.9:
        return f"not yet converged, run on: {outcome}"
    if change > 1.1:
        return (
            "this fixed point repels, or momentum still carries the iterates, or they come out of a slow stretch: "
            f"{outcome}"
        )
    if norm(minus(points[-1], x)) > 0.5 * sum(path):
        return f"the iterates go on in one direction, slowly: run on, or look for a constant that is added; {outcome}"
    return (
        f"a limit cycle: the iterates go around, and {outcome}; take a shorter step, or let the prior decay"
    )
