"""Plug-and-play FISTA with a preconditioned gradient step."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from deepinv.models import Denoiser
from deepinv.optim import BaseOptim, PnP
from deepinv.optim.data_fidelity import L2
from deepinv.optim.optim_iterators import FISTAIteration
from deepinv.physics import LinearPhysics

from .checks import require, require_positive
from .operators import gradient
from .preconditioners import Identity, Preconditioner, State


def chambolle_dossal(k: int, a: float = 3.0) -> float:
    """β_k = (k − 1) / (k + a) for z_k, k = 1, 2, …, with a > 2: zero at first; no condition number is needed."""
    return (k - 1) / (k + a)


def deepinv_momentum(k: int, a: float = 3.0) -> float:
    """β_k = (k + a − 2) / (k + a − 1) for z_k, k = 1, 2, …: the rule of ``deepinv.optim.FISTA``, 2/3 at first."""
    return (k + a - 2) / (k + a - 1)


def no_momentum(k: int) -> float:
    """β_k = 0: proximal gradient descent."""
    return 0.0


MOMENTUM: dict[str, Callable[[int], float]] = {
    "chambolle_dossal": chambolle_dossal,
    "deepinv": deepinv_momentum,
    "none": no_momentum,
}


def decaying_weight(start: int | None) -> Callable[[int], float]:
    """γ_k = min(1, (k₀ / (k + 1))²) for k = 0, 1, … with k₀ = ``start``; γ_k = 1 where ``start`` is None.

    The weights of a decaying rule add up to less than 2 k₀, so the denoiser moves the iterates by a bounded total.
    """
    return (lambda k: 1.0) if start is None else (lambda k: min(1.0, (start / (k + 1)) ** 2))


class PreconditionedFISTAIteration(FISTAIteration):
    r"""One iteration of plug-and-play FISTA with a preconditioner.

    .. math::

        u_k     &= z_k - \alpha P(\nabla g(z_k); z_k) \\
        x_{k+1} &= u_k + \gamma_k (D_\sigma(u_k) - u_k) \\
        z_{k+1} &= x_{k+1} + \beta_{k+1} (x_{k+1} - x_k)

    Parameters
    ----------
    preconditioner : Preconditioner
        P.
    momentum : callable
        k ↦ β_k for k = 1, 2, …
    prior_weight : callable
        k ↦ γ_k for k = 0, 1, …, the weight of the denoiser's step.
    """

    def __init__(
        self,
        preconditioner: Preconditioner,
        momentum: Callable[[int], float],
        prior_weight: Callable[[int], float],
    ) -> None:
        super().__init__()
        self.preconditioner = preconditioner
        self.momentum = momentum
        self.prior_weight = prior_weight

    def forward(
        self,
        X: dict[str, Any],
        cur_data_fidelity: L2,
        cur_prior: PnP,
        cur_params: dict[str, float],
        y: torch.Tensor,
        physics: LinearPhysics,
    ) -> dict[str, Any]:
        """Return the next iterates as deepinv's ``{"est": (x, z), "it": k + 1, "cost": None}``, and Aᵀy for later."""
        (x_previous, z), k = X["est"], X.get("it", 0)
        adjoint = X["adjoint"] if "adjoint" in X else physics.A_adjoint(y)
        direction = self.preconditioner(gradient(physics, z, adjoint), State(z, k, physics, y))
        u = z - cur_params["stepsize"] * direction
        x = relax(cur_prior.prox(u, cur_params["g_param"]), u, self.prior_weight(k))
        z = x + self.momentum(k + 1) * (x - x_previous)
        return {"est": (x, z), "it": k + 1, "cost": None, "adjoint": adjoint}


def relax(denoised: torch.Tensor, u: torch.Tensor, weight: float) -> torch.Tensor:
    """u + γ (D_σ(u) − u), which is D_σ(u) for γ = 1."""
    return denoised if weight == 1 else u + weight * (denoised - u)


class PreconditionedFISTA(BaseOptim):
    """Plug-and-play FISTA whose gradient step goes through a preconditioner.

    A deepinv reconstructor: call it as ``solver(y, physics)``.

    Parameters
    ----------
    denoiser : Denoiser
        D_σ, called as ``denoiser(x, sigma)``.
    preconditioner : Preconditioner, optional
        P; by default the identity.
    stepsize : float
        α, above zero; 1/‖A‖² is the choice of every comparison in this book.
    sigma : float
        Noise level for the denoiser, above zero.
    max_iter : int
        Number of iterations.
    momentum : str
        ``"chambolle_dossal"`` (default), ``"deepinv"`` (with it and no preconditioner this solver equals
        ``deepinv.optim.FISTA``) or ``"none"`` (proximal gradient descent).
    prior_decay : int, optional
        k₀: after k₀ iterations the denoiser's step x − u is multiplied by γ_k = (k₀/(k + 1))², so that the
        iterates settle; by default γ_k = 1 throughout.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or when called with measurements of a wrong shape or with
        entries that are not finite.

    References
    ----------
    Beck and Teboulle, "A fast iterative shrinkage-thresholding algorithm", 2009; Chambolle and Dossal, "On the
    convergence of the iterates of FISTA", 2015; Gualdrón-Hurtado et al., 2025, for the place of P.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        preconditioner: Preconditioner | None = None,
        *,
        stepsize: float,
        sigma: float,
        max_iter: int = 20,
        momentum: str = "chambolle_dossal",
        prior_decay: int | None = None,
    ) -> None:
        require_positive("stepsize", stepsize)
        require_positive("sigma", sigma)
        require(max_iter >= 1, "max_iter", max_iter, "an integer, 1 or above")
        require(momentum in MOMENTUM, "momentum", momentum, f"one of {tuple(MOMENTUM)}")
        decays = prior_decay is None or prior_decay >= 1
        require(decays, "prior_decay", prior_decay, "None, or an integer, 1 or above")
        super().__init__(
            PreconditionedFISTAIteration(
                Identity() if preconditioner is None else preconditioner,
                MOMENTUM[momentum],
                decaying_weight(prior_decay),
            ),
            data_fidelity=L2(),
            prior=PnP(denoiser),
            params_algo={"stepsize": stepsize, "g_param": sigma},
            max_iter=max_iter,
        )

    def forward(self, y: torch.Tensor, physics: LinearPhysics, **kwargs: Any) -> Any:
        """Reconstruct images (N, C, H, W) from measurements ``y``; see ``deepinv.optim.BaseOptim.forward``."""
        _require_measurements(y, physics)
        return super().forward(y, physics, **kwargs)

    def iterates(
        self, y: torch.Tensor, physics: LinearPhysics, max_iter: int | None = None
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield (x_k, z_k) for k = 0, …, ``max_iter``, starting at x_0 = z_0 = Aᵀy, without gradients.

        ``max_iter`` is the solver's own where none is given.
        """
        _require_measurements(y, physics)
        with torch.no_grad():
            X = self.init_iterate_fn(y, physics)
            yield X["est"]
            for k in range(self.max_iter if max_iter is None else max_iter):
                X = self.fixed_point.single_iteration(X, k, y, physics)
                yield X["est"]


def _require_measurements(y: torch.Tensor, physics: LinearPhysics) -> None:
    require(bool(torch.isfinite(y).all()), "y", "tensor with NaN or infinite entries", "finite entries only")
    mask, img_size = getattr(physics, "mask", None), getattr(physics, "img_size", None)
    if isinstance(mask, torch.Tensor) and img_size is not None and mask.ndim == 1 + len(img_size):
        shape = (len(y), *img_size)
        require(tuple(y.shape) == shape, "y.shape", tuple(y.shape), f"{shape}, as the physics measures")
