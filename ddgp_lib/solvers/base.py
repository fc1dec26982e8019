"""What all solvers share: their arguments, their start, and the sequence of their iterates."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from deepinv.models import Denoiser
from deepinv.optim import BaseOptim, PnP
from deepinv.optim.data_fidelity import L2
from deepinv.physics import LinearPhysics

from ..arguments import require, require_positive
from .iteration import PreconditionedIteration, Problem
from .rules import decaying_weight
from .safeguard import Safeguard


class PreconditionedSolver(BaseOptim):
    """A plug-and-play solver with a preconditioner: a deepinv reconstructor, called as ``solver(y, physics)``.

    Its subclasses are the methods; they share these arguments.

    Parameters
    ----------
    iteration : PreconditionedIteration
        The method.
    denoiser : Denoiser
        D_σ, called as ``denoiser(x, sigma)``.
    stepsize : float
        α, above zero.
    sigma : float
        Noise level for the denoiser, above zero.
    max_iter : int
        Number of iterations.
    **params
        Further parameters of the method, above zero.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or when called with measurements of a wrong shape or with
        entries that are not finite.
    """

    def __init__(
        self,
        iteration: PreconditionedIteration,
        denoiser: Denoiser,
        *,
        stepsize: float,
        sigma: float,
        max_iter: int,
        **params: float,
    ) -> None:
        for name, value in {"stepsize": stepsize, "sigma": sigma, **params}.items():
            require_positive(name, value)
        require(max_iter >= 1, "max_iter", max_iter, "an integer, 1 or above")
        super().__init__(
            iteration,
            data_fidelity=L2(),
            prior=PnP(denoiser),
            params_algo={"stepsize": stepsize, "g_param": sigma, **params},
            max_iter=max_iter,
            custom_init=self.start,
        )

    def start(self, y: torch.Tensor, physics: LinearPhysics) -> dict[str, Any]:
        """Return deepinv's record of the iterates before the first iteration: x_0 = z_0 = Aᵀy."""
        adjoint = physics.A_adjoint(y)
        return {"est": (adjoint, adjoint), "adjoint": adjoint}

    def problem(self, y: torch.Tensor, physics: LinearPhysics) -> Problem:
        """Return what the solver's iterations are given for these measurements."""
        _require_measurements(y, physics)
        params = {name: values[0] for name, values in self.init_params_algo.items()}
        weight = self.fixed_point.iterator.prior_weight
        return Problem(y, physics, physics.A_adjoint(y), self.prior[0], params, weight)

    def forward(self, y: torch.Tensor, physics: LinearPhysics, **kwargs: Any) -> Any:
        """Reconstruct images (N, C, H, W) from measurements ``y``; see ``deepinv.optim.BaseOptim.forward``.

        With a safeguard and ``compute_metrics=True``, the metrics have an entry ``"rejected"``: for each image a list
        over the iterations of whether P was off.
        """
        _require_measurements(y, physics)
        return super().forward(y, physics, **kwargs)

    def states(
        self, y: torch.Tensor, physics: LinearPhysics, max_iter: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield deepinv's record of the iterates for k = 0, …, ``max_iter``, without gradients.

        ``"est"`` holds the iterates; from k = 1 a solver with a safeguard adds ``"rejected"``, a bool for each image.
        ``max_iter`` is the solver's own where none is given.
        """
        _require_measurements(y, physics)
        with torch.no_grad():  # and never around a yield: the caller's gradients are the caller's
            X = self.init_iterate_fn(y, physics)
        yield X
        for k in range(self.max_iter if max_iter is None else max_iter):
            with torch.no_grad():
                X = self.fixed_point.single_iteration(X, k, y, physics)
            yield X

    def iterates(
        self, y: torch.Tensor, physics: LinearPhysics, max_iter: int | None = None
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield (x_k, z_k) for k = 0, …, ``max_iter``, starting at x_0 = z_0 = Aᵀy, without gradients.

        z_k is where iteration k starts; it is x_k where a method does not extrapolate.
        """
        for X in self.states(y, physics, max_iter):
            yield self.point(X)

    def point(self, X: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (x_k, z_k) of deepinv's record of the iterates."""
        x = X["est"][0]
        return x, x

    def init_metrics_fn(self, X_init: dict[str, Any], x_gt: torch.Tensor | None = None) -> dict[str, Any]:
        """Begin deepinv's metrics, with ``"rejected"`` where there is a safeguard."""
        metrics = super().init_metrics_fn(X_init, x_gt=x_gt)
        if self.fixed_point.iterator.safeguard is not None:
            metrics["rejected"] = [[] for _ in self.get_output(X_init)]
        return metrics

    def update_metrics_fn(
        self,
        metrics: dict[str, Any],
        X_prev: dict[str, Any],
        X: dict[str, Any],
        x_gt: torch.Tensor | None = None,
    ) -> dict[str, Any]:
        """Add an iteration to deepinv's metrics."""
        metrics = super().update_metrics_fn(metrics, X_prev, X, x_gt=x_gt)
        if metrics is not None and "rejected" in X:
            for history, rejected in zip(metrics["rejected"], X["rejected"].tolist(), strict=True):
                history.append(rejected)
        return metrics


def as_weight(name: str, start: int | None) -> Callable[[int], float]:
    """Return the rule k ↦ γ_k that an argument ``prior_decay`` or ``update_decay`` asks for."""
    require(start is None or start >= 1, name, start, "None, or an integer, 1 or above")
    return decaying_weight(start)


def as_safeguard(safeguard: bool | Safeguard) -> Safeguard | None:
    """Return the safeguard that an argument ``safeguard`` asks for: the default one for True, none for False."""
    if isinstance(safeguard, bool):
        return Safeguard() if safeguard else None
    accepted = isinstance(safeguard, Safeguard)
    require(accepted, "safeguard", safeguard, "True, False or a ddgp_lib.solvers.Safeguard")
    return safeguard


def _require_measurements(y: torch.Tensor, physics: LinearPhysics) -> None:
    require(bool(torch.isfinite(y).all()), "y", "tensor with NaN or infinite entries", "finite entries only")
    mask, img_size = getattr(physics, "mask", None), getattr(physics, "img_size", None)
    if isinstance(mask, torch.Tensor) and img_size is not None and mask.ndim == 1 + len(img_size):
        coils = getattr(physics, "coil_maps", None)
        shape = (len(y), *img_size) if coils is None else (len(y), 2, *coils.shape[1:])
        require(tuple(y.shape) == shape, "y.shape", tuple(y.shape), f"{shape}, as the physics measures")
