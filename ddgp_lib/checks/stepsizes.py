"""Whether a step size is stable."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..arguments import require, require_integer
from ..preconditioners import State
from ._inputs import (
    UNWRITTEN,
    Call,
    as_number,
    probes_for,
    require_function,
    require_physics,
    require_tolerance,
)
from ._reference import measured, top_eigenvalue
from ._vectors import Probes
from .failure import CheckFailed
from .linearity import nonlinearity

NEAR = 0.02
"""Two numbers that differ by less than 2 % are taken for the same formula."""


def check_stepsize(
    stepsize: Any,
    physics: Any,
    shape: Sequence[int],
    *,
    preconditioner: Callable[[torch.Tensor, State], torch.Tensor] | None = None,
    at_least: float | None = None,
    iterations: int = 200,
    tolerance: float = 5e-3,
    seed: int = 0,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> float:
    r"""Check that gradient steps on ½‖A x − y‖² converge: 0 < α < 2/L with L = ‖AᵀA‖ = ‖A‖².

    With a preconditioner, L is the largest eigenvalue of P AᵀA.  It is found by power iteration, from below: a random
    start makes the expected error at most 0.87 ln(n) / (``iterations`` − 1) of L for n pixels, and it stayed below
    0.5 % for the operators of this book and deepinv's.  So a step within ``tolerance`` of 2/L is refused too.

    Parameters
    ----------
    stepsize : float or Tensor with one element
        α.
    physics : LinearPhysics
        The operator A.
    shape : sequence of int
        Shape of the images, with the batch.
    preconditioner : callable, optional
        P, linear in the gradient, called as ``P(grad, state)``.
    at_least : float, optional
        The smallest α L that is accepted, between 0 and 2; by default any above 0.  Far below 1 steps are stable, and
        slow.
    iterations : int
        Products with A P Aᵀ, at most.
    tolerance : float
        Relative accuracy that is asked of L, between 0 and 1.
    seed : int
        Seed of the start.
    dtype, device : torch.dtype, torch.device, optional
        Number format and device of the images; by default those of the operator's tensors, with real numbers.

    Returns
    -------
    float
        α L; 1 is the usual choice, and 2 the limit.

    Raises
    ------
    CheckFailed
        If α is outside the range.  Causes that are told apart: ‖A‖ or ‖A‖⁴ in the place of ‖A‖², L in the place of
        1/L, an L without the preconditioner, and a P that turns the gradient around.
    ValueError
        If an argument is outside what is accepted; P must be linear.

    References
    ----------
    Polyak, "Introduction to optimization", 1987, section 1.4; Kuczyński and Woźniakowski, "Estimating the largest
    eigenvalue by the power and Lanczos algorithms with a random start", 1992, for the error of power iteration.

    Examples
    --------
    >>> from ddgp_lib.checks import CheckFailed, check_stepsize
    >>> from ddgp_lib.operators import HadamardCamera
    >>> camera = HadamardCamera(0.25, (1, 8, 8))
    >>> round(check_stepsize(1.5, camera, (1, 1, 8, 8)), 3)
    1.5
    >>> try:
    ...     check_stepsize(2.5, camera, (1, 1, 8, 8))
    ... except CheckFailed as failed:
    ...     print(failed.expected)
    0 < α < 2/L = 2, with the largest eigenvalue L = 1 of AᵀA; 1/L is usual
    """
    require_tolerance(tolerance)
    require_integer("iterations", iterations, lowest=2)
    enough = at_least is None or 0 < as_number("at_least", at_least) < 2
    require(enough, "at_least", at_least, "None, or a number between 0 and 2")
    require_physics(physics)
    alpha = _positive(stepsize)
    probes = probes_for(physics, shape, seed, dtype, device)
    plain = _positive_eigenvalue(physics, probes, iterations)
    top = plain if preconditioner is None else _preconditioned(physics, preconditioner, probes, iterations)
    name = "AᵀA" if preconditioner is None else "P AᵀA"
    largest = f"the largest eigenvalue L = {top:.4g} of {name}"
    found = f"α = {alpha:.4g}, which is {alpha * top:.4g} / L"
    if alpha * top >= 2 * (1 - tolerance):
        expected = f"0 < α < 2/L = {2 / top:.4g}, with {largest}; 1/L is usual"
        raise CheckFailed(found, expected, _too_large(alpha, top, plain))
    if at_least is not None and alpha * top < at_least * (1 - tolerance):
        least = f"at least {at_least:g} / L = {at_least / top:.4g}"
        raise CheckFailed(found, least, _confused(alpha, plain) or SLOW)
    return alpha * top


def _positive(stepsize: Any) -> float:
    """Return α as a number above zero."""
    if stepsize is None or stepsize is Ellipsis:
        raise CheckFailed(f"the step size is nothing yet ({stepsize})", "a number above 0", UNWRITTEN)
    alpha = as_number("stepsize", stepsize)
    if not math.isfinite(alpha):
        cause = "a division by zero, such as by the norm of an operator that returns zero"
        raise CheckFailed(f"α = {alpha}", "a finite number above 0", cause)
    if alpha <= 0:
        cause = "a sign, or a rounding to an integer: a step of zero stays, and a negative one climbs"
        raise CheckFailed(f"α = {alpha:.4g}", "a number above 0: z − α ∇g(z) goes downhill", cause)
    return alpha


def _positive_eigenvalue(physics: Any, probes: Probes, iterations: int) -> float:
    """‖AᵀA‖, which is above zero."""
    top = top_eigenvalue(physics, probes, iterations)
    if top <= 0:
        cause = "A returns zero, or A_adjoint is not its adjoint: run check_adjoint(physics, shape)"
        raise CheckFailed(f"the dominant eigenvalue of A Aᵀ is {top:.4g}", "above 0", cause)
    return top


def _preconditioned(physics: Any, preconditioner: Any, probes: Probes, iterations: int) -> float:
    """Largest eigenvalue of P AᵀA, for a P that is linear."""
    require_function("preconditioner", preconditioner)
    z = probes.uniform()
    state = State(z, 0, physics, measured(physics)(z))
    P = Call("the preconditioner", lambda grad: preconditioner(grad, state), ("grad",))
    why = nonlinearity(P, probes.normal(), probes.normal(), 1e-3)
    require(why is None, "preconditioner", preconditioner, f"a linear map of the gradient; {why}")
    top = top_eigenvalue(physics, probes, iterations, P)
    if top <= 0:
        raise CheckFailed(
            f"the dominant eigenvalue of P AᵀA is {top:.4g}",
            "eigenvalues above 0, so that −P g goes downhill",
            "P returns −g times something positive: leave the sign to the step z − α P(g)",
        )
    return top


def _too_large(alpha: float, top: float, plain: float) -> str:
    """Say how a step size of 2/L or above may have come about."""
    if cause := _confused(alpha, plain):
        return cause
    if abs(plain - top) > 0.05 * top and (_near(alpha, 1 / plain) or _near(alpha, 2 / plain)):
        return f"α is made for AᵀA alone, with L = {plain:.4g}; the preconditioner changes L"
    return "the error along the strongest component is multiplied by 1 − α L in each step: at −1 or below it diverges"


SLOW = "a step that was chosen for another operator, or for safety: it is stable, and needlessly slow"


def _confused(alpha: float, squared: float) -> str | None:
    """Look for another power of ‖A‖ than 1/‖A‖²; where ‖A‖ is near 1 they cannot be told apart."""
    size = squared**0.5
    if abs(size - 1) < 0.05:
        return None
    if _near(alpha, 1 / size) or _near(alpha, 2 / size):
        return f"the norm instead of its square: ‖A‖ = {size:.4g}, and ‖AᵀA‖ = ‖A‖² = {squared:.4g}"
    if _near(alpha, squared) or _near(alpha, size):
        return "L itself, or ‖A‖, stands in the place of 1/L"
    if _near(alpha, 1 / squared**2) or _near(alpha, 2 / squared**2):
        return "the square is taken twice: compute_sqnorm and squared_norm give ‖A‖² already"
    return None


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= NEAR * abs(b)
