"""What one iteration of every solver is, with or without a safeguard around its preconditioner."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from deepinv.optim import PnP
from deepinv.optim.data_fidelity import L2
from deepinv.optim.optim_iterators import OptimIterator
from deepinv.physics import LinearPhysics
from deepinv.utils import TensorList

from ..arguments import require, require_callable
from ..operators import gradient, noise_of, norms, single_precision, squared_norm
from ..operators.iterative import spread
from ..preconditioners import Identity, Preconditioner, State
from ..preconditioners.base import ask, like_images, prepared_by
from .following import followed_sigma
from .held_out import KeptRows, hold_out
from .measurements import Measurements, back_project
from .rules import relax
from .safeguard import Direction, Safeguard


@dataclass(frozen=True)
class Run:
    """What is computed once for a batch of measurements.

    Attributes
    ----------
    adjoint : Tensor, shape (N, C, H, W)
        Aᵀy.
    stepsize : float
        α, 1/‖A‖² where the solver has none of its own.
    shown : Tensor or TensorList
        What a preconditioner is shown of y: a copy, which it may change.
    noise : float or None
        ν, the standard deviation of the noise, where the operator tells it.
    prepared : Tensor, shape (N, …), or None
        What the preconditioner has made of y.
    """

    adjoint: torch.Tensor
    stepsize: float
    shown: Measurements
    noise: float | None = None
    prepared: torch.Tensor | None = None

    @classmethod
    def begin(
        cls, y: Measurements, physics: LinearPhysics, stepsize: float | None, preconditioner: Preconditioner
    ) -> "Run":
        """Check the measurements and compute it; raises a ``ValueError`` if they are not the operator's."""
        adjoint = back_project(y, physics)
        if stepsize is None:
            top = squared_norm(physics, tuple(adjoint.shape[1:]))
            require(
                top > 0,
                "physics",
                type(physics).__name__,
                "an operator that is not zero, for the step 1/‖A‖²",
            )
            stepsize = 1 / top
        shown = y if isinstance(preconditioner, Identity) else y.clone()
        prepared = prepared_by(preconditioner, shown, physics)
        return cls(adjoint, stepsize, shown, noise_of(physics), prepared)


@dataclass(frozen=True)
class Problem:
    """What stays the same along the iterations for one batch of measurements.

    Attributes
    ----------
    y : Tensor or TensorList
        The measurements.
    physics : LinearPhysics
        The operator A.
    run : Run
        What is computed once for them.
    prior : PnP
        The denoiser as deepinv's prior.
    params : dict
        deepinv's parameters of this iteration: ``"stepsize"`` is α, ``"g_param"`` is σ, ``"sigma_noise"`` the noise
        that σ was tuned for, ``"tau"`` the splitting's τ.
    weight : callable
        k ↦ γ_k.
    """

    y: Measurements
    physics: LinearPhysics
    run: Run
    prior: PnP
    params: dict[str, Any]
    weight: Callable[[int], float]

    @property
    def stepsize(self) -> float:
        """α."""
        return self.run.stepsize if self.params["stepsize"] is None else self.params["stepsize"]

    @property
    def sigma(self) -> float:
        """σ, as it follows the noise where the solver was told for which it was tuned.

        A splitting's data step counts as a gradient step of ατ/(α + τ), which one inner step is.
        """
        tau, tuned_for = self.params.get("tau", math.inf), self.params.get("sigma_noise")
        step = self.stepsize / (1 + self.stepsize / tau)
        return followed_sigma(self.params["g_param"], self.run.noise, tuned_for, step)

    def gradient(self, z: torch.Tensor) -> torch.Tensor:
        """∇g(z) = AᵀA z − Aᵀy."""
        return gradient(self.physics, z, self.run.adjoint)

    def state(self, z: torch.Tensor, k: int) -> State:
        """Return what a preconditioner is told at z in iteration k."""
        return State(z, k, self.physics, self.run.shown, prepared=self.run.prepared)

    def denoise(self, u: torch.Tensor, k: int) -> torch.Tensor:
        """Return u + γ_k (D_σ(u) − u).

        Raises
        ------
        ValueError
            If what the denoiser gives is not a tensor of the shape, type and device of u.
        """
        return relax(like_images("denoiser(x, sigma)", self.prior.prox(u, self.sigma), u), u, self.weight(k))

    def fade(self, preconditioner: Direction, k: int) -> Direction:
        """Return g ↦ g + γ_k (P(g) − g), with copies for P, and a check of what it returns."""
        if isinstance(preconditioner, Identity):
            return preconditioner

        def direction(grad: torch.Tensor, state: State) -> torch.Tensor:
            return relax(ask(preconditioner, grad, state), grad, self.weight(k))

        return direction

    def part(self, images: torch.Tensor) -> "Problem":
        """Return the problem of some images of the batch, given by a mask (N,); A is shared by all."""
        prepared = None if self.run.prepared is None else self.run.prepared[images]
        shown = _select(self.run.shown, images)
        run = replace(self.run, adjoint=self.run.adjoint[images], shown=shown, prepared=prepared)
        return replace(self, y=_select(self.y, images), run=run)


@dataclass(frozen=True)
class Trial:
    """Two runs on a part of the measurements, with P and without, and what is held out from both.

    Attributes
    ----------
    held : Tensor, shape (N, …)
        1 where a measurement is held out.
    physics : KeptRows
        The operator without these rows.
    run : Run
        What is computed once for it.
    with_p, without : tuple of Tensors
        Their iterates, x_k first.
    """

    held: torch.Tensor
    physics: KeptRows
    run: Run
    with_p: tuple[torch.Tensor, ...]
    without: tuple[torch.Tensor, ...]

    @classmethod
    def begin(
        cls,
        est: tuple[torch.Tensor, ...],
        problem: Problem,
        safeguard: Safeguard,
        preconditioner: Preconditioner,
    ) -> "Trial":
        """Draw what is held out, and start both runs where the solver does, less what is held out of it."""
        run, physics, data = problem.run, problem.physics, cast(torch.Tensor, problem.y)
        img_size = tuple(run.adjoint.shape[1:])
        held = hold_out(physics, data, img_size, safeguard.held_out, safeguard.seed)
        norm = squared_norm(physics, img_size)
        kept, dropped = KeptRows(physics, 1 - held, norm), KeptRows(physics, held, norm)
        start = tuple(tensor - dropped.range_projection(tensor) for tensor in est)
        y = kept.kept * data
        prepared = prepared_by(preconditioner, y, kept)
        run = replace(run, adjoint=kept.A_adjoint(y), shown=y, prepared=prepared)
        return cls(held, kept, run, start, start)

    def residual(self, est: tuple[torch.Tensor, ...], problem: Problem) -> torch.Tensor:
        """Return ‖H (A x − y)‖ of each image."""
        y = cast(torch.Tensor, problem.y)
        return norms(self.held * (single_precision(problem.physics.A)(est[0]) - y))


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
        require_callable("preconditioner", preconditioner, "a preconditioner, called as P(grad, state)")
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
        """Return the next iterates as deepinv's ``{"est": …, "it": k + 1, "cost": None}``, and the run for later.

        With a safeguard, ``"rejected"`` says for which images P is off, and ``"watch"`` what the safeguard remembers.
        """
        k = X.get("it", 0)
        run = X["run"] if "run" in X else Run.begin(y, physics, cur_params["stepsize"], self.preconditioner)
        problem = Problem(y, physics, run, cur_prior, cur_params, self.prior_weight)
        following = {"it": k + 1, "cost": None, "run": run}
        direction = problem.fade(self.preconditioner, k)
        if self.safeguard is None:
            return {"est": self.step(X["est"], k, problem, direction).est} | following
        start = X.get("start", X["est"])
        watch = X["watch"] if "watch" in X else self.safeguard.watch(y, problem.stepsize * run.adjoint)
        step = self.step(X["est"], k, problem, watch.direction(direction))
        seen = watch.after(step.z, step.est[0], step.grad, run.adjoint)
        if self.safeguard.held_out and not isinstance(self.preconditioner, Identity):
            begun = "trial" in X
            trial = X["trial"] if begun else Trial.begin(start, problem, self.safeguard, self.preconditioner)
            trial, contradicted = self._try(trial, k, problem, direction, self.safeguard)
            seen, following["trial"] = replace(seen, rejected=seen.rejected | contradicted), trial
        est = self._without_preconditioner(step.est, start, seen.rejected & ~watch.rejected, k, problem)
        return {"est": est, "start": start, "watch": seen, "rejected": seen.rejected} | following

    def _try(
        self, trial: Trial, k: int, problem: Problem, direction: Direction, safeguard: Safeguard
    ) -> tuple[Trial, torch.Tensor]:
        """Advance both runs of a trial; return it, and the images (N,) in which P is contradicted."""
        y = cast(torch.Tensor, problem.y)
        part = replace(problem, y=trial.physics.kept * y, physics=trial.physics, run=trial.run)
        with_p = self.step(trial.with_p, k, part, direction).est
        without = self.step(trial.without, k, part, Identity()).est
        tried, plain = (trial.residual(est, problem) for est in (with_p, without))
        contradicted = safeguard.contradicts(tried, plain, norms(trial.held * y))
        return replace(trial, with_p=with_p, without=without), contradicted

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
            tensor.masked_scatter(spread(images, tensor), new) for tensor, new in zip(est, plain, strict=True)
        )


def _select(y: Measurements, images: torch.Tensor) -> Measurements:
    """Return the measurements of some images, given by a mask (N,)."""
    return y[images] if isinstance(y, torch.Tensor) else TensorList([_select(part, images) for part in y])
