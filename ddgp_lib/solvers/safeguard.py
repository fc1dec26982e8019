r"""A safeguard: where a preconditioner makes the iteration grow, the image gets the plain solver's iterates.

An iteration that goes on without P from wherever P left an image need not come back: in the null space of A no data
call it back.  So an image that is rejected is given the iterates of the plain solver *from its start*, computed again
for that image alone.  From then on its iterates are those of the solver without P, whatever P did and whatever the
denoiser is; the price is at most as many plain iterations as had been run.

An image that is never rejected has both residuals of :class:`Safeguard` within their bounds in every iteration, so
its output is bounded by :math:`\|A x_{k+1} - y\| \le \|A z_k - y\| + \|A\|\, \|x_{k+1} - z_k\|`.  What no residual
can see is a wrong image that fits the data and at which the iteration rests.  Measurements that are held out can
contradict it, as in cross-validation.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import torch

from ..arguments import require_number, require_seed
from ..operators import norms
from ..preconditioners import State

HELD_OUT_FLOOR = 0.01
"""Part of ‖H y‖ below which a residual on the measurements that were held out counts as small."""


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

    With ``held_out`` a share of the measurements, H y, is drawn from the weaker half of each image's and kept from
    two further runs, one with P and one without, on the other measurements; x^P_k and x^0_k are their iterates.  P is
    also turned off where

    .. math::

        \|H (A x^P_k - y)\| > c_h \max\bigl(\|H (A x^0_k - y)\|,\ 0.01\, \|H y\|\bigr) .

    The noise w of these measurements plays no part in either run, so that in both, but for the choice by strength,

    .. math::

        \mathbb{E} \|H (A x - y)\|^2 = \mathbb{E} \|H A (x - x^*)\|^2 + \mathbb{E} \|H w\|^2 .

    Where P is kept, its error on what was held out is thus at most about c_h times that of the solver without P, with
    the noise included.  What P invents in the null space of the measurements that were kept is seen as far as those
    held out see it; what no measurement sees is seen only by what it does to the others.  It is P on fewer
    measurements that is tried; the run that is returned has all of them.  Three runs take three times as long.

    Measured by ``python -m ddgp_lib.experiments.adversaries TASK`` with a fifth held out.  On 24 digits of the
    single-pixel camera the shipped P is left on for all; four preconditioners that lose 1.0 to 5.8 dB, none of which
    the residuals reject, lose 0.0 to 1.3 dB, and the worst image still 5.5 dB.  A fifth, which takes twice the
    shipped correction and gains 6.1 dB, is turned off for all 24.  On four slices of MRI the shipped P is left on;
    three that lose 10 to 22 dB, which the residuals miss, are turned off for all four, and a random network that
    loses 0.4 dB passes.

    Parameters
    ----------
    growth : float
        c, the factor by which a residual may exceed the smallest so far; above 1.
    data_floor, fixed_point_floor : float
        η_d and η_r, below which a residual counts as small; above 0 and at most 1.
    held_out : float
        Share of the measurements that is held out, from 0, for none, to 0.4.  It needs an operator whose rows are
        orthogonal and of one length, as a single-pixel camera's, those of MRI with one coil, and inpainting's.
    excess : float
        c_h, above 1.
    seed : int
        Seed of the choice of what is held out.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted; in a run, if measurements are to be held out and the operator's
        rows are not orthogonal.

    References
    ----------
    Zhang, O'Donoghue and Boyd, "Globally convergent type-I Anderson acceleration for nonsmooth fixed-point
    iterations", 2020, and Heaton et al., "Safeguarded learned convex optimization", 2023, for watching the
    fixed-point residual; going back to the start is this book's.  Stone, "Cross-validatory choice and assessment of
    statistical predictions", 1974, and Yaman et al., "Self-supervised learning of physics-guided reconstruction
    neural networks without fully sampled reference data", 2020, for holding out measurements.
    """

    growth: float = 4.0
    data_floor: float = 0.2
    fixed_point_floor: float = 0.05
    held_out: float = 0.0
    excess: float = 1.5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("growth", "excess"):
            require_number(name, getattr(self, name), above=1)
        for name in ("data_floor", "fixed_point_floor"):
            require_number(name, getattr(self, name), above=0, highest=1)
        require_number("held_out", self.held_out, lowest=0, highest=0.4)
        require_seed("seed", self.seed)

    def bound(self, smallest: torch.Tensor) -> torch.Tensor:
        """Return what d_k and r_k may not exceed, from their smallest values so far, each (2, N)."""
        floors = smallest.new_tensor([[self.data_floor], [self.fixed_point_floor]])
        return self.growth * torch.maximum(smallest, floors)

    def contradicts(self, with_p: torch.Tensor, without: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
        """Say for which images what was held out contradicts P, from both residuals on it and ‖H y‖, each (N,)."""
        return ~(with_p <= self.excess * torch.maximum(without, HELD_OUT_FLOOR * size))

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
