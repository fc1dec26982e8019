"""Plug-and-play proximal gradient descent with a preconditioner, with momentum (FISTA) and without (PGD)."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from deepinv.models import Denoiser

from ..arguments import require_choice
from ..names import Momentum
from ..preconditioners import Identity, Preconditioner
from .base import PreconditionedSolver, as_safeguard, as_weight
from .iteration import PreconditionedIteration, Problem, Step
from .rules import MOMENTUM, Geometric
from .safeguard import Direction, Safeguard
from .steps import fista_step


class PreconditionedFISTAIteration(PreconditionedIteration):
    r"""One iteration of plug-and-play FISTA with a preconditioner.

    .. math::

        d_k     &= \nabla g(z_k) + \gamma_k \bigl(P(\nabla g(z_k); z_k) - \nabla g(z_k)\bigr) \\
        u_k     &= z_k - \alpha d_k \\
        v_k     &= u_k + \gamma_k (D_\sigma(u_k) - u_k) \\
        x_{k+1} &= x_k + \bar\gamma_k (v_k - x_k) \\
        z_{k+1} &= x_{k+1} + \beta_{k+1} (x_{k+1} - x_k)

    Parameters
    ----------
    preconditioner : Preconditioner
        P.
    momentum : callable
        k ↦ β_k for k = 1, 2, …
    prior_weight : callable
        k ↦ γ_k for k = 0, 1, …, the weight of what is learned.
    update_weight : callable
        k ↦ γ̄_k for k = 0, 1, …, the weight of the whole update.
    safeguard : Safeguard, optional
        When to turn P off for an image; by default never.
    """

    def __init__(
        self,
        preconditioner: Preconditioner,
        momentum: Callable[[int], float],
        prior_weight: Callable[[int], float],
        update_weight: Callable[[int], float],
        safeguard: Safeguard | None = None,
    ) -> None:
        super().__init__(preconditioner, prior_weight, safeguard)
        self.momentum, self.update_weight = momentum, update_weight

    def step(self, est: tuple[torch.Tensor, ...], k: int, problem: Problem, direction: Direction) -> Step:
        """Return (x_{k+1}, z_{k+1}) from (x_k, z_k)."""
        x_previous, z = est
        grad = problem.gradient(z)
        est = fista_step(
            x_previous,
            z,
            direction(grad, problem.state(z, k)),
            stepsize=problem.stepsize,
            momentum=self.momentum(k + 1),
            denoise=lambda u: problem.denoise(u, k),
            weight=self.update_weight(k),
        )
        return Step(est, z, grad)


class PreconditionedFISTA(PreconditionedSolver):
    """Plug-and-play FISTA whose gradient step goes through a preconditioner.

    A deepinv reconstructor: call it as ``solver(y, physics)``.

    Parameters
    ----------
    denoiser : Denoiser
        D_σ, called as ``denoiser(x, sigma)``.
    preconditioner : Preconditioner, optional
        P; by default the identity.
    stepsize : float, optional
        α, above zero; by default 1/‖A‖² of the operator at hand, the choice of every comparison in this book.
    sigma : float, sequence of float, or Geometric
        Noise level for the denoiser, above zero: one, or ``max_iter`` of them, one for each iteration, or a schedule
        for any ``max_iter``.  Beyond the last iteration of a sequence its last value stays.
    sigma_noise : float, optional
        Standard deviation of the measurement noise that ``sigma`` was tuned for, above zero.  On an operator whose
        Gaussian noise is stronger each σ grows, see :func:`~ddgp_lib.solvers.following.followed_sigma`.  By default,
        and where the operator does not tell its noise, σ stays as it is.
    max_iter : int
        Number of iterations.
    momentum : str
        ``"chambolle_dossal"`` (default), ``"deepinv"`` (with it and no preconditioner this solver equals
        ``deepinv.optim.FISTA``) or ``"none"`` (proximal gradient descent).
    prior_decay : int, optional
        k₀: after k₀ iterations what is learned, the denoiser's step D_σ(u) − u and P's change of the gradient
        P(∇g) − ∇g, is multiplied by γ_k = (k₀/(k + 1))², so that the iterates settle; by default γ_k = 1 throughout.
        The data step goes on.
    update_decay : int, optional
        k₀ of the same rule for the weight γ̄_k of the whole update x_{k+1} − x_k, the data step included: the weights
        have a finite sum, and the iteration stops softly.  By default γ̄_k = 1 throughout.
    stop_after : int, optional
        Iterations after which a run stays where it is, whatever number of them is asked for; by default it goes on.
    safeguard : bool or Safeguard
        Whether to watch the residuals of each image and give those where P makes them grow the iterates without P;
        True takes the bounds of :class:`~ddgp_lib.solvers.safeguard.Safeguard` as they are.
    early_stop : bool
        Whether to stop, from the third iteration on, once ‖x_{k+1} − x_k‖ < ``thres_conv`` ‖x_{k+1}‖ in every image.
    thres_conv : float
        That threshold, above zero.
    unfold : bool
        Whether a call keeps the graph for gradients, in y, in the operator, in P and in the denoiser; by default it
        runs without gradients.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or when called with measurements of a wrong shape or with
        entries that are not finite.

    References
    ----------
    Beck and Teboulle, "A fast iterative shrinkage-thresholding algorithm", 2009; Chambolle and Dossal, "On the
    convergence of the iterates of FISTA", 2015; Gualdrón-Hurtado et al., 2025, for the place of P.

    Examples
    --------
    Which images were rejected is told by deepinv's metrics:

    >>> import ddgp_lib
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> solver = ddgp_lib.PreconditionedFISTA(task.denoiser, stepsize=1.0, sigma=0.07, max_iter=5, safeguard=True)
    >>> x, metrics = solver(task.measure(task.test_images[:2]), task.student, compute_metrics=True)
    >>> [history[-1] for history in metrics["rejected"]]
    [False, False]
    """

    def __init__(
        self,
        denoiser: Denoiser,
        preconditioner: Preconditioner | None = None,
        *,
        stepsize: float | None = None,
        sigma: float | Sequence[float] | Geometric,
        sigma_noise: float | None = None,
        max_iter: int = 20,
        momentum: Momentum = "chambolle_dossal",
        prior_decay: int | None = None,
        update_decay: int | None = None,
        stop_after: int | None = None,
        safeguard: bool | Safeguard = False,
        early_stop: bool = False,
        thres_conv: float = 1e-5,
        unfold: bool = False,
    ) -> None:
        require_choice("momentum", momentum, MOMENTUM)
        iteration = PreconditionedFISTAIteration(
            Identity() if preconditioner is None else preconditioner,
            MOMENTUM[momentum],
            as_weight("prior_decay", prior_decay),
            as_weight("update_decay", update_decay),
            as_safeguard(safeguard),
        )
        super().__init__(
            iteration,
            denoiser,
            stepsize=stepsize,
            sigma=sigma,
            sigma_noise=sigma_noise,
            max_iter=max_iter,
            stop_after=stop_after,
            early_stop=early_stop,
            thres_conv=thres_conv,
            unfold=unfold,
        )

    def point(self, X: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (x_k, z_k) of deepinv's record of the iterates."""
        x, z = X["est"]
        return x, z


class PreconditionedPGD(PreconditionedFISTA):
    r"""Plug-and-play proximal gradient descent with a preconditioner: FISTA without momentum.

    .. math::

        u_k     &= x_k - \alpha P(\nabla g(x_k); x_k) \\
        x_{k+1} &= u_k + \gamma_k (D_\sigma(u_k) - u_k)

    With no preconditioner and γ_k = 1 it equals ``deepinv.optim.PGD``.

    Parameters
    ----------
    denoiser, preconditioner, stepsize, sigma, sigma_noise, max_iter, prior_decay, update_decay, safeguard, early_stop
    thres_conv, unfold
        See :class:`~ddgp_lib.solvers.fista.PreconditionedFISTA`.

    References
    ----------
    Combettes and Wajs, "Signal recovery by proximal forward-backward splitting", 2005; Venkatakrishnan et al.,
    "Plug-and-play priors for model based reconstruction", 2013, for the denoiser in the place of the proximal map.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        preconditioner: Preconditioner | None = None,
        *,
        stepsize: float | None = None,
        sigma: float | Sequence[float] | Geometric,
        sigma_noise: float | None = None,
        max_iter: int = 20,
        prior_decay: int | None = None,
        update_decay: int | None = None,
        safeguard: bool | Safeguard = False,
        early_stop: bool = False,
        thres_conv: float = 1e-5,
        unfold: bool = False,
    ) -> None:
        super().__init__(
            denoiser,
            preconditioner,
            stepsize=stepsize,
            sigma=sigma,
            sigma_noise=sigma_noise,
            max_iter=max_iter,
            momentum="none",
            prior_decay=prior_decay,
            update_decay=update_decay,
            safeguard=safeguard,
            early_stop=early_stop,
            thres_conv=thres_conv,
            unfold=unfold,
        )
