"""What one iteration of every solver is, with or without a safeguard around its preconditioner."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from deepinv.optim import PnP
from deepinv.optim.data_fidelity import L2
from deepinv.optim.optim_iterators import OptimIterator
from deepinv.physics import LinearPhysics

from ..operators import gradient
from ..preconditioners import Identity, Preconditioner, State
from .rules import relax
from .safeguard import Direction, Safeguard


@dataclass(frozen=True)
class Problem:
    """What stays the same along the iterations for one batch of measurements.

    Attributes
    ----------
    y : Tensor
        The measurements.
    physics : LinearPhysics
        The operator A.
    adjoint : Tensor, shape (N, C, H, W)
        Aᵀy, computed once.
    prior : PnP
        The denoiser as deepinv's prior.
    params : dict
        deepinv's parameters: ``"stepsize"`` is α, ``"g_param"`` is σ, ``"tau"`` the splitting's τ.
    weight : callable
        k ↦ γ_k.
    """

    y: torch.Tensor
    physics: LinearPhysics
    adjoint: torch.Tensor
    prior: PnP
    params: dict[str, float]
    weight: Callable[[int], float]

    def gradient(self, z: torch.Tensor) -> torch.Tensor:
        """∇g(z) = AᵀA z − Aᵀy."""
        return gradient(self.physics, z, self.adjoint)

    def state(self, z: torch.Tensor, k: int) -> State:
        """Return what a preconditioner is told at z in iteration k."""
        return State(z, k, self.physics, self.y)

    def denoise(self, u: torch.Tensor, k: int) -> torch.Tensor:
        """Return u + γ_k (D_σ(u) − u)."""
        return relax(self.prior.prox(u, self.params["g_param"]), u, self.weight(k))

    def fade(self, preconditioner: Direction, k: int) -> Direction:
        """Return g ↦ g + γ_k (P(g) − g)."""
        return lambda grad, state: relax(preconditioner(grad, state), grad, self.weight(k))

    def part(self, images: torch.Tensor) -> "Problem":
        """Return the problem of some images of the batch, given by a mask (N,); A is shared by all."""
        return replace(self, y=self.y[images], adjoint=self.adjoint[images])


@dataclass(frozen=True)
class Step:
    """What one iteration made, and what a safeguard looks at.

    Attributes
    ----------
    est : tuple of Tensors
        The new iterates, x_{k+1} first.
    z : Tensor
        The point at which the iteration first took the gradient.
    grad : Tensor
        ∇g(z).
    """

    est: tuple[torch.Tensor, ...]
    z: torch.Tensor
    grad: torch.Tensor


class PreconditionedIteration(OptimIterator):
    """One iteration of a solver with a preconditioner; a subclass says how in :meth:`step`.

    Parameters
    ----------
    preconditioner : Preconditioner
        P.
    prior_weight : callable
        k ↦ γ_k for k = 0, 1, …, the weight of what is learned: the denoiser's step, and P's change of the gradient.
    safeguard : Safeguard, optional
        When to turn P off for an image; by default never.
    """

    def __init__(
        self,
        preconditioner: Preconditioner,
        prior_weight: Callable[[int], float],
        safeguard: Safeguard | None = None,
    ) -> None:
        super().__init__()
        self.preconditioner = preconditioner
        self.prior_weight = prior_weight
        self.safeguard = safeguard

    def step(self, est: tuple[torch.Tensor, ...], k: int, problem: Problem, direction: Direction) -> Step:
        """Return iteration k with ``direction(grad, state)`` in the place of the gradient."""
        raise NotImplementedError

    def forward(
        self,
        X: dict[str, Any],
        cur_data_fidelity: L2,
        cur_prior: PnP,
        cur_params: dict[str, float],
        y: torch.Tensor,
        physics: LinearPhysics,
    ) -> dict[str, Any]:
        """Return the next iterates as deepinv's ``{"est": …, "it": k + 1, "cost": None}``, and Aᵀy for later.

        With a safeguard, ``"rejected"`` says for which images P is off, and ``"watch"`` what the safeguard remembers.
        """
        k = X.get("it", 0)
        adjoint = X["adjoint"] if "adjoint" in X else physics.A_adjoint(y)
        problem = Problem(y, physics, adjoint, cur_prior, cur_params, self.prior_weight)
        following = {"it": k + 1, "cost": None, "adjoint": adjoint}
        if self.safeguard is None:
            return {
                "est": self.step(X["est"], k, problem, problem.fade(self.preconditioner, k)).est
            } | following
        start = X.get("start", X["est"])
        watch = X["watch"] if "watch" in X else self.safeguard.watch(y, cur_params["stepsize"] * adjoint)
        step = self.step(X["est"], k, problem, watch.direction(problem.fade(self.preconditioner, k)))
        seen = watch.after(step.z, step.est[0], step.grad, adjoint)
        est = self._without_preconditioner(step.est, start, seen.rejected & ~watch.rejected, k, problem)
        return {"est": est, "start": start, "watch": seen, "rejected": seen.rejected} | following

    def _without_preconditioner(
        self,
        est: tuple[torch.Tensor, ...],
        start: tuple[torch.Tensor, ...],
        images: torch.Tensor,
        k: int,
        problem: Problem,
    ) -> tuple[torch.Tensor, ...]:
        """Give these images (a mask) the iterates that they would have had P been off from the start."""
        if not images.any():
            return est
        plain, part = tuple(tensor[images] for tensor in start), problem.part(images)
        for j in range(k + 1):
            plain = self.step(plain, j, part, Identity()).est
        return tuple(
            tensor.masked_scatter(_spread(images, tensor), new)
            for tensor, new in zip(est, plain, strict=True)
        )


def _spread(mask: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
    """Reshape a mask (N,) so that it broadcasts against a tensor (N, …)."""
    return mask.reshape(-1, *[1] * (tensor.ndim - 1))
