r"""A safeguard: where a preconditioner makes the iteration grow, the image gets the plain solver's iterates.

An iteration that goes on without P from wherever P left an image need not come back: in the null space of A no data
call it back.  So an image that is rejected is given the iterates of the plain solver *from its start*, computed again
for that image alone.  From then on its iterates are those of the solver without P, whatever P did and whatever the
denoiser is; the price is at most as many plain iterations as had been run.

An image that is never rejected has both residuals of :class:`Safeguard` within their bounds in every iteration, so
its output is bounded by :math:`\|A x_{k+1} - y\| \le \|A z_k - y\| + \|A\|\, \|x_{k+1} - z_k\|`.  What no residual
can see is a wrong image that fits the data and at which the iteration rests.
"""

import math
from dataclasses import dataclass, replace
from typing import Protocol

import torch

from ..arguments import require
from ..operators import norms
from ..preconditioners import State


class Direction(Protocol):
    """What gives the direction of a step: a preconditioner, or something in its place."""

    def __call__(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return the direction that replaces the gradient ``grad``."""


@dataclass(frozen=True)
class Safeguard:
    r"""When to turn a preconditioner off for an image, and for good.

    Two residuals are watched in each image: that of the data, :math:`d_k = \|A z_k - y\| / \|y\|`, and that of the
    fixed point, :math:`r_k = \|x_{k+1} - z_k\| / \|\alpha A^\top y\|`.  P is turned off where one of them is not
    finite or

    .. math::

        d_k > c\,\max(\eta_d, \min_{j<k} d_j) \quad\text{or}\quad r_k > c\,\max(\eta_r, \min_{j<k} r_j),

    where both minima start at 1, the size of y and of one gradient step from zero.  A solver without a preconditioner
    stays below the default bounds unless it diverges itself; an image rejected then gets the iterates that it had.

    Parameters
    ----------
    growth : float
        c, the factor by which a residual may exceed the smallest so far; above 1.
    data_floor, fixed_point_floor : float
        η_d and η_r, below which a residual counts as small; above 0 and at most 1.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Zhang, O'Donoghue and Boyd, "Globally convergent type-I Anderson acceleration for nonsmooth fixed-point
    iterations", 2020, and Heaton et al., "Safeguarded learned convex optimization", 2023, for watching the
    fixed-point residual; going back to the start is this book's.
    """

    growth: float = 4.0
    data_floor: float = 0.2
    fixed_point_floor: float = 0.05

    def __post_init__(self) -> None:
        accepted = math.isfinite(self.growth) and self.growth > 1
        require(accepted, "growth", self.growth, "a finite number above 1")
        for name in ("data_floor", "fixed_point_floor"):
            floor = getattr(self, name)
            require(0 < floor <= 1, name, floor, "a number above 0 and at most 1")

    def bound(self, smallest: torch.Tensor) -> torch.Tensor:
        """Return what d_k and r_k may not exceed, from their smallest values so far, each (2, N)."""
        floors = smallest.new_tensor([[self.data_floor], [self.fixed_point_floor]])
        return self.growth * torch.maximum(smallest, floors)

    def watch(self, y: torch.Tensor, first_step: torch.Tensor) -> "Watch":
        """Begin to watch a batch, with ``first_step`` = αAᵀy for the size of an image."""
        sizes = torch.stack([norms(y), norms(first_step)])
        return Watch(self, sizes, torch.ones_like(sizes), torch.zeros_like(sizes[0], dtype=torch.bool))


@dataclass(frozen=True)
class Watch:
    """What a safeguard remembers of a batch between two iterations.

    Attributes
    ----------
    safeguard : Safeguard
        Its bounds.
    sizes : Tensor, shape (2, N)
        ‖y‖ and ‖αAᵀy‖.
    smallest : Tensor, shape (2, N)
        The smallest d_j and r_j so far.
    rejected : Tensor, shape (N,), bool
        Where P is off.
    """

    safeguard: Safeguard
    sizes: torch.Tensor
    smallest: torch.Tensor
    rejected: torch.Tensor

    def direction(self, preconditioner: Direction) -> Direction:
        """Return what gives P where it is on, the gradient itself where it is off."""
        if self.rejected.all():
            return lambda grad, state: grad
        off = self.rejected[:, None, None, None]
        return lambda grad, state: torch.where(off, grad, preconditioner(grad, state))

    def after(self, z: torch.Tensor, x: torch.Tensor, grad: torch.Tensor, adjoint: torch.Tensor) -> "Watch":
        """Look at an iteration from z to ``x``, with ∇g(z) and Aᵀy; no operator is called."""
        residuals = torch.stack([self.data_residual(z, grad, adjoint), norms(x - z)]) / self.sizes
        bound = self.safeguard.bound(self.smallest)
        grown = ~(residuals <= bound).all(dim=0)  # a residual that is not a number is not within its bound
        return replace(self, smallest=torch.fmin(self.smallest, residuals), rejected=self.rejected | grown)

    def data_residual(self, z: torch.Tensor, grad: torch.Tensor, adjoint: torch.Tensor) -> torch.Tensor:
        r"""Return ‖A z − y‖, by :math:`\|A z - y\|^2 = \langle z, \nabla g(z) - A^\top y \rangle + \|y\|^2`."""
        square = (z * (grad - adjoint)).flatten(1).sum(dim=1) + self.sizes[0] ** 2
        return square.clamp(min=0).sqrt()
