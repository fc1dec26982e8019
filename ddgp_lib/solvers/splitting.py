r"""Half-quadratic splitting and ADMM whose data step is exact, or a few preconditioned gradient steps.

Both methods ask in every iteration for the proximal map of the data term,

.. math::

    \operatorname{prox}_{\tau g}(v) = \operatorname{argmin}_u\ \tfrac12 \|A u - y\|^2 + \tfrac{1}{2\tau} \|u - v\|^2 .

Here it is approached by forward-backward steps on its two terms, a gradient step through P on the first and the
proximal map of the second, which is an average with v:

.. math::

    u \leftarrow \frac{\tau\, (u - \alpha P(\nabla g(u); u)) + \alpha\, v}{\tau + \alpha} .

Or it is taken exactly, :math:`u = v - (A^\top A + I/\tau)^{-1} \nabla g(v)`, by the Newton step of
:func:`~ddgp_lib.operators.algebra.newton`; then what P adds to the gradient at v is stepped along as in the other
solvers, :math:`u \leftarrow u - \alpha (P(\nabla g(v); v) - \nabla g(v))`.

Without a preconditioner the gradient steps converge to the proximal map by at least the factor τ/(τ + α) each where
α ≤ 2/L.  τ is called ``stepsize`` in deepinv's HQS and ADMM; here it is ``tau``, and ``stepsize`` is α as in
the other solvers.
"""

from collections.abc import Callable, Sequence

import torch
from deepinv.models import Denoiser

from ..arguments import require_integer
from ..operators import newton, squared_norm
from ..preconditioners import Identity, Preconditioner
from .base import PreconditionedSolver, as_safeguard, as_weight
from .iteration import PreconditionedIteration, Problem, Step
from .rules import Geometric
from .safeguard import Direction, Safeguard


class _SplittingIteration(PreconditionedIteration):
    """The data step of HQS and ADMM."""

    def __init__(
        self,
        preconditioner: Preconditioner,
        inner_steps: int | None,
        prior_weight: Callable[[int], float],
        safeguard: Safeguard | None = None,
    ) -> None:
        super().__init__(preconditioner, prior_weight, safeguard)
        self.inner_steps = inner_steps

    def data_step(
        self, u: torch.Tensor, v: torch.Tensor, k: int, problem: Problem, direction: Direction
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the inner steps' result from u on, near the proximal map at v, and the gradient at the first u.

        An exact step starts at v instead, and the gradient is the one there.
        """
        alpha, tau = problem.stepsize, problem.params["tau"]
        if self.inner_steps is None:
            grad = problem.gradient(v)
            added = direction(grad, problem.state(v, k)) - grad
            top = squared_norm(problem.physics, tuple(v.shape[1:]))
            return v - newton(problem.physics, grad, 1 / (tau * top)) / top - alpha * added, grad
        first = grad = problem.gradient(u)
        for inner in range(self.inner_steps):
            grad = grad if inner == 0 else problem.gradient(u)
            u = (tau * (u - alpha * direction(grad, problem.state(u, k))) + alpha * v) / (tau + alpha)
        return u, first


class PreconditionedHQSIteration(_SplittingIteration):
    r"""One iteration of half-quadratic splitting with preconditioned inner steps.

    .. math::

        u_k     &\approx \operatorname{prox}_{\tau g}(x_k) \quad \text{by inner steps from } x_k \text{ on} \\
        x_{k+1} &= u_k + \gamma_k (D_\sigma(u_k) - u_k)

    Parameters
    ----------
    preconditioner : Preconditioner
        P.
    inner_steps : int or None
        Inner steps in an iteration; None takes the proximal map itself.
    prior_weight : callable
        k ↦ γ_k for k = 0, 1, …, the weight of what is learned.
    safeguard : Safeguard, optional
        When to turn P off for an image; by default never.
    """

    def step(self, est: tuple[torch.Tensor, ...], k: int, problem: Problem, direction: Direction) -> Step:
        """Return (x_{k+1}, u_k) from (x_k, u_{k−1})."""
        x = est[0]
        u, grad = self.data_step(x, x, k, problem, direction)
        return Step((problem.denoise(u, k), u), x, grad)


class PreconditionedADMMIteration(_SplittingIteration):
    r"""One iteration of ADMM with preconditioned inner steps; :math:`q_k` is the scaled dual variable.

    .. math::

        u_{k+1} &\approx \operatorname{prox}_{\tau g}(x_k - q_k) \quad \text{by inner steps from } x_k \text{ on} \\
        x_{k+1} &= u_{k+1} + q_k + \gamma_k (D_\sigma(u_{k+1} + q_k) - u_{k+1} - q_k) \\
        q_{k+1} &= q_k + u_{k+1} - x_{k+1}

    Parameters
    ----------
    preconditioner : Preconditioner
        P.
    inner_steps : int or None
        Inner steps in an iteration; None takes the proximal map itself.
    prior_weight : callable
        k ↦ γ_k for k = 0, 1, …, the weight of what is learned.
    safeguard : Safeguard, optional
        When to turn P off for an image; by default never.
    """

    def step(self, est: tuple[torch.Tensor, ...], k: int, problem: Problem, direction: Direction) -> Step:
        """Return (x_{k+1}, q_{k+1}) from (x_k, q_k)."""
        x, dual = est
        v = x - dual
        u, grad = self.data_step(x, v, k, problem, direction)
        denoised = problem.denoise(u + dual, k)
        return Step((denoised, dual + u - denoised), v if self.inner_steps is None else x, grad)


class _SplittingSolver(PreconditionedSolver):
    """The arguments of HQS and ADMM."""

    iteration: type[_SplittingIteration]

    def __init__(
        self,
        denoiser: Denoiser,
        preconditioner: Preconditioner | None = None,
        *,
        stepsize: float | None = None,
        tau: float | Sequence[float] | Geometric,
        sigma: float | Sequence[float] | Geometric,
        sigma_noise: float | None = None,
        inner_steps: int | None = 1,
        max_iter: int = 20,
        prior_decay: int | None = None,
        stop_after: int | None = None,
        safeguard: bool | Safeguard = False,
        early_stop: bool = False,
        thres_conv: float = 1e-5,
        unfold: bool = False,
    ) -> None:
        require_integer("inner_steps", inner_steps, lowest=1, none=True)
        iteration = self.iteration(
            Identity() if preconditioner is None else preconditioner,
            inner_steps,
            as_weight("prior_decay", prior_decay),
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
            tau=tau,
        )


class PreconditionedHQS(_SplittingSolver):
    r"""Plug-and-play half-quadratic splitting whose data step is ``inner_steps`` preconditioned gradient steps.

    A deepinv reconstructor: call it as ``solver(y, physics)``.  Its iteration is that of
    :class:`~ddgp_lib.solvers.splitting.PreconditionedHQSIteration`.  Without a preconditioner and with many inner
    steps it becomes ``deepinv.optim.HQS``; with one inner step it is proximal gradient descent with the smaller
    step ατ/(α + τ).

    Parameters
    ----------
    denoiser, preconditioner, stepsize, sigma, sigma_noise, max_iter, prior_decay, stop_after, safeguard
    early_stop, thres_conv, unfold
        See :class:`~ddgp_lib.solvers.fista.PreconditionedFISTA`.
        A ``sigma_noise`` counts the data step as a gradient step of ατ/(α + τ); τ itself does not follow the noise.
    tau : float, sequence of float, or Geometric
        τ, above zero: the larger, the closer the data step comes to the data; ``stepsize`` in ``deepinv.optim.HQS``.
        One number, or ``max_iter`` of them: with τ_k = σ_k² / (λσ_w²), σ_w the noise of the data, as σ_k falls.
    inner_steps : int or None
        Gradient steps in a data step; each asks P once.  None takes the data step exactly, and asks P once.

    References
    ----------
    Geman and Yang, "Nonlinear image recovery with half-quadratic regularization", 1995; Zhang et al., "Plug-and-play
    image restoration with deep denoiser prior", 2021.
    """

    iteration = PreconditionedHQSIteration


class PreconditionedADMM(_SplittingSolver):
    r"""Plug-and-play ADMM whose data step is ``inner_steps`` preconditioned gradient steps.

    A deepinv reconstructor: call it as ``solver(y, physics)``.  Its iteration is that of
    :class:`~ddgp_lib.solvers.splitting.PreconditionedADMMIteration`.  Without a preconditioner and with many inner
    steps it becomes ``deepinv.optim.ADMM`` started with a dual variable of zero; with one inner step it is
    a linearised ADMM, with the gradient taken at x_k.

    Parameters
    ----------
    denoiser, preconditioner, stepsize, sigma, sigma_noise, max_iter, prior_decay, stop_after, safeguard
    early_stop, thres_conv, unfold
        See :class:`~ddgp_lib.solvers.fista.PreconditionedFISTA`.
        A ``sigma_noise`` counts the data step as a gradient step of ατ/(α + τ); τ itself does not follow the noise.
    tau : float, sequence of float, or Geometric
        τ, above zero: the larger, the closer the data step comes to the data; ``stepsize`` in ``deepinv.optim.ADMM``.
        One number, or ``max_iter`` of them.
    inner_steps : int or None
        Gradient steps in a data step; each asks P once.  None takes the data step exactly, and asks P once.

    References
    ----------
    Boyd et al., "Distributed optimization and statistical learning via the alternating direction method of
    multipliers", 2011; Chan, Wang and Elgendy, "Plug-and-play ADMM for image restoration", 2017.
    """

    iteration = PreconditionedADMMIteration

    def begin(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return (x_0, q_0) from x_0, with a dual variable of zero."""
        return x, torch.zeros_like(x)
