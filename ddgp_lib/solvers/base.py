"""What all solvers share: their arguments, their start, and the sequence of their iterates."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from deepinv.loss.metric import PSNR
from deepinv.models import Denoiser
from deepinv.optim import BaseOptim, PnP
from deepinv.optim.data_fidelity import L2
from deepinv.physics import LinearPhysics
from deepinv.utils import TensorList
from torch import nn

from ..arguments import (
    is_number,
    require,
    require_callable,
    require_integer,
    require_number,
    require_positive,
)
from ..fingerprint import warn_if_foreign
from ..operators import norms, single_precision
from ..preconditioners import Identity
from ..reprs import brief, line
from .iteration import PreconditionedIteration, Problem, Run
from .measurements import Measurements
from .rules import Geometric, decaying_weight
from .safeguard import Safeguard

LOST = 2.0
"""An output has diverged whose misfit ‖A x − y‖ is so many times those of Aᵀy and of an image of zeros."""

Init = torch.Tensor | tuple[torch.Tensor, ...] | dict[str, Any] | Callable[..., Any] | None
"""Where a run starts: x_0, the iterates, deepinv's record of them, a function that returns one, or Aᵀy."""


class PreconditionedSolver(BaseOptim):
    """A plug-and-play solver with a preconditioner: a deepinv reconstructor, called as ``solver(y, physics)``.

    Its subclasses are the methods; they share these arguments.

    Parameters
    ----------
    iteration : PreconditionedIteration
        The method.
    denoiser : Denoiser
        D_σ, called as ``denoiser(x, sigma)``; it is part of the solver, and moves with it to another device or type.
    stepsize : float, optional
        α, above zero; by default 1/‖A‖² of the operator at hand.
    sigma : float, sequence of float, or Geometric
        Noise level for the denoiser, above zero: one, ``max_iter`` of them, or a schedule for any ``max_iter``.
    sigma_noise : float, optional
        Noise of the measurements that ``sigma`` was tuned for, above zero: on an operator that tells of another one
        each σ is replaced by :func:`~ddgp_lib.solvers.following.followed_sigma`.  By default σ stays as it is.
    max_iter : int
        Number of iterations.
    stop_after : int, optional
        Iterations, 1 or above, after which a run stays where it is, whatever number of them is asked for, and costs
        nothing more; by default it goes on.
    early_stop : bool
        Whether to stop once ‖x_{k+1} − x_k‖ < ``thres_conv`` ‖x_{k+1}‖ in every image, from the third iteration on.
    thres_conv : float
        That threshold, above zero.
    unfold : bool
        Whether a call keeps the graph for gradients.
    **params
        Further parameters of the method, above zero: each one number, ``max_iter`` of them, or a schedule.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or when called with measurements that the operator does not
        measure, or with entries that are not finite.
    """

    def __init__(
        self,
        iteration: PreconditionedIteration,
        denoiser: Denoiser,
        *,
        stepsize: float | None,
        sigma: float | Sequence[float] | Geometric,
        max_iter: int,
        sigma_noise: float | None = None,
        stop_after: int | None = None,
        early_stop: bool = False,
        thres_conv: float = 1e-5,
        unfold: bool = False,
        **params: float | Sequence[float] | Geometric,
    ) -> None:
        if stepsize is not None:
            require_positive("stepsize", stepsize)
        require_number("sigma_noise", sigma_noise, above=0, none=True)
        require_positive("thres_conv", thres_conv)
        require_integer("max_iter", max_iter, lowest=1)
        require_integer("stop_after", stop_after, lowest=1, none=True)
        require_callable("denoiser", denoiser, "a denoiser, called as denoiser(x, sigma)")
        prior = PnP(denoiser)
        super().__init__(
            iteration,
            data_fidelity=L2(),
            prior=prior,
            params_algo={
                "stepsize": stepsize,
                "g_param": _sequence("sigma", sigma, max_iter),
                "sigma_noise": sigma_noise,
                **{name: _sequence(name, value, max_iter) for name, value in params.items()},
            },
            max_iter=max_iter if stop_after is None else min(max_iter, stop_after),
            early_stop=early_stop,
            thres_conv=thres_conv,
            unfold=unfold,
            trainable_params=[],
            get_output=_estimate,
        )
        self.stop_after = stop_after
        self.prior = nn.ModuleList([prior])  # deepinv's plain list would hide the denoiser from PyTorch

    def __repr__(self) -> str:
        """Tell what a user chose, in a line; deepinv's would print the whole denoiser."""
        iterator = self.fixed_point.iterator
        facts = {"denoiser": brief(self.prior[0].denoiser), "preconditioner": brief(iterator.preconditioner)}
        for name, shown in {"stepsize": "stepsize", "g_param": "sigma", "tau": "tau"}.items():
            values = self.init_params_algo.get(name, [])
            facts |= {shown: brief(values[0] if len(values) == 1 else list(values))} if values else {}
        follows = self.init_params_algo["sigma_noise"][0]
        facts |= {} if follows is None else {"sigma_noise": brief(follows)}
        return line(type(self).__name__, facts | {"max_iter": str(self.max_iter)})

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled or copied: all but deepinv's PSNR, which is made of lambdas and is made anew."""
        modules = {name: module for name, module in self._modules.items() if name != "psnr"}
        return self.__dict__ | {"_modules": modules}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take back what was pickled."""
        super().__setstate__(state)
        self.psnr = PSNR()

    def begin(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the iterates before the first iteration, from x_0: here x_0 and z_0 = x_0."""
        return x, x

    def start(self, y: Measurements, physics: LinearPhysics, init: Init = None) -> dict[str, Any]:
        """Return deepinv's record of the iterates before the first iteration: by default from x_0 = Aᵀy."""
        iterator, stepsize = self.fixed_point.iterator, self.init_params_algo["stepsize"][0]
        run = Run.begin(y, physics, stepsize, iterator.preconditioner)
        self._require_type(run.adjoint)
        if iterator.safeguard is None:
            warn_if_foreign(getattr(iterator.preconditioner, "made_for", None), physics, run.adjoint)
        given = init(y, physics) if callable(init) else init
        if isinstance(given, dict):
            given = given.get("est")
        single = run.adjoint if given is None else given
        est = tuple(single) if isinstance(single, tuple | list) else (single,)
        fits = len(est) in (1, 2) and all(_alike(tensor, run.adjoint) for tensor in est)
        wanted = f"one or two tensors like Aᵀy, {tuple(run.adjoint.shape)}, {run.adjoint.dtype}"
        require(fits, "init", [_describe(tensor) for tensor in est], wanted)
        finite = all(bool(torch.isfinite(tensor).all()) for tensor in est)
        require(finite, "init", "tensor with NaN or infinite entries", "finite entries only")
        return {"est": self.begin(est[0]) if len(est) == 1 else est, "run": run}

    def init_iterate_fn(
        self, y: Measurements, physics: LinearPhysics, init: Init = None, cost_fn: Any = None
    ) -> dict[str, Any]:
        """Begin a run, see :meth:`start`."""
        return super().init_iterate_fn(y, physics, self.start(y, physics, init), cost_fn)

    def update_params_fn(self, it: int) -> dict[str, Any]:
        """Return deepinv's parameters of iteration ``it``; beyond the end of a sequence its last value."""
        return _at(self.params_algo, it)

    def problem(self, y: Measurements, physics: LinearPhysics, k: int = 0) -> Problem:
        """Return what iteration k is given for these measurements."""
        iterator, params = self.fixed_point.iterator, _at(self.init_params_algo, k)
        run = Run.begin(y, physics, params["stepsize"], iterator.preconditioner)
        return Problem(y, physics, run, self.prior[0], params, iterator.prior_weight)

    def forward(self, y: Measurements, physics: LinearPhysics, **kwargs: Any) -> Any:
        """Reconstruct images (N, C, H, W) from measurements ``y``; see ``deepinv.optim.BaseOptim.forward``.

        It starts at Aᵀy, or at ``init``: an image x_0, the pair of iterates, or a function of ``y`` and ``physics``
        that returns them, as ``lambda y, A: A.A_adjoint(y) / squared_norm(A, size)`` for an operator of another norm
        than 1.

        An output is looked at as an input is: where it is not finite, or fits the data worse than no image at all
        does and than Aᵀy, a warning says so.  :meth:`states` and :meth:`iterates` give what happens without a word.

        With a safeguard and ``compute_metrics=True``, the metrics have an entry ``"rejected"``: for each image a list
        over the iterations of whether P was off.

        Raises
        ------
        ValueError
            If the measurements or ``init`` do not fit, or one of them needs gradients and the solver was made
            without ``unfold=True``.

        Warns
        -----
        RuntimeWarning
            If ‖A x − y‖ is more than twice ‖y‖ and ‖A Aᵀy − y‖ in an image, or x is not finite.
        """
        if torch.is_grad_enabled() and not self.unfold:
            for name, given in {"y": y, "init": kwargs.get("init")}.items():
                without = f"{name} without gradients, or a solver made with unfold=True"
                require(not _needs_gradients(given), f"{name}.requires_grad", True, without)
        self.has_converged = False
        output = super().forward(y, physics, **kwargs)
        self._tell_of_divergence(output[0] if isinstance(output, tuple) else output, y, physics)
        return output

    def _tell_of_divergence(self, x: torch.Tensor, y: Any, physics: LinearPhysics) -> None:
        """Warn of images that a run has lost."""
        A, A_adjoint = single_precision(physics.A), single_precision(physics.A_adjoint)
        with torch.no_grad():
            misfit = norms(A(x) - y) / norms(y)
            usual = torch.clamp(norms(A(A_adjoint(y)) - y) / norms(y), min=1)
        lost = ~((misfit <= LOST * usual) | (norms(y) == 0)) | ~torch.isfinite(norms(x))
        if not lost.any():
            return
        iterator = self.fixed_point.iterator
        guarded = isinstance(iterator.preconditioner, Identity) or iterator.safeguard is not None
        remedy = "a smaller stepsize" if guarded else "safeguard=True, which turns P off where it does harm"
        warnings.warn(
            f"{type(self).__name__} has diverged: within {self.max_iter} iterations {int(lost.sum())} of {len(lost)} "
            f"images have become not finite, or worse than no image at all (‖A x − y‖ up to "
            f"{float(misfit[lost].max()):.3g} ‖y‖); try {remedy}",
            RuntimeWarning,
            stacklevel=5,  # the call of the solver, through three functions of PyTorch
        )

    def states(
        self, y: Measurements, physics: LinearPhysics, max_iter: int | None = None, init: Init = None
    ) -> Iterator[dict[str, Any]]:
        """Yield deepinv's record of the iterates for k = 0, …, ``max_iter``, without gradients.

        ``"est"`` holds the iterates; from k = 1 a solver with a safeguard adds ``"rejected"``, a bool for each image.
        ``max_iter`` is the solver's own where none is given; ``init`` is as in :meth:`forward`.  A solver with
        ``early_stop`` may end before; one with ``stop_after`` yields its last record again and again.
        """
        require_integer("max_iter", max_iter, lowest=0, none=True)
        last = self.max_iter if max_iter is None else max_iter
        with torch.no_grad():  # and never around a yield: the caller's gradients are the caller's
            X = self.init_iterate_fn(y, physics, init)
        yield X
        for k in range(last):
            if self.stop_after is not None and k >= self.stop_after:
                yield X
                continue
            with torch.no_grad():
                X_previous, X = X, self.fixed_point.single_iteration(X, k, y, physics)
            yield X
            if self.early_stop and k > 1 and self.check_conv_fn(k, X_previous, X):
                return

    def iterates(
        self, y: Measurements, physics: LinearPhysics, max_iter: int | None = None, init: Init = None
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield (x_k, z_k) for k = 0, …, ``max_iter``, starting at x_0 = z_0 = Aᵀy or ``init``, without gradients.

        z_k is where iteration k starts; it is x_k where a method does not extrapolate.
        """
        for X in self.states(y, physics, max_iter, init):
            yield self.point(X)

    def check_conv_fn(self, it: int, X_prev: dict[str, Any], X: dict[str, Any]) -> bool:
        """Say whether every image has come to rest, so that none is stopped for the sake of the others."""
        x = X["est"][0]
        settled = bool((norms(x - X_prev["est"][0]) < self.thres_conv * norms(x)).all())
        self.has_converged = self.has_converged or settled
        return settled

    def _require_type(self, adjoint: torch.Tensor) -> None:
        """Refuse measurements of another type or device than the denoiser."""
        own = next((p for p in self.prior.parameters() if p.is_floating_point()), None)
        if own is None:
            return
        fits = (adjoint.dtype, adjoint.device) == (own.dtype, own.device)
        got, wanted = (adjoint.dtype, str(adjoint.device)), (own.dtype, str(own.device))
        require(
            fits,
            "A_adjoint(y)",
            got,
            f"{wanted}, as the denoiser: move y, the physics or the solver with .to(…)",
        )

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
    require_integer(name, start, lowest=1, none=True)
    return decaying_weight(start)


def as_safeguard(safeguard: bool | Safeguard) -> Safeguard | None:
    """Return the safeguard that an argument ``safeguard`` asks for: the default one for True, none for False."""
    if isinstance(safeguard, bool):
        return Safeguard() if safeguard else None
    accepted = isinstance(safeguard, Safeguard)
    require(accepted, "safeguard", safeguard, "True, False or a ddgp_lib.solvers.Safeguard")
    return safeguard


def _sequence(name: str, value: float | Sequence[float] | Geometric, max_iter: int) -> list[float]:
    """Return a parameter as a list of one value, or of one for each iteration."""
    if isinstance(value, Geometric):
        return value.values(max_iter)
    listed = isinstance(value, Sequence) and not isinstance(value, str)
    values: list[Any] = list(value) if listed else [value]  # type: ignore[arg-type]
    fits = len(values) == max_iter if listed else is_number(value)
    require(fits, name, value, f"a finite number above 0, or max_iter={max_iter} of them")
    for one in values:
        require_positive(name, one)
    return values


def _at(schedules: dict[str, Any], k: int) -> dict[str, Any]:
    """Return the values of iteration k; beyond the end of a sequence its last value goes on."""
    return {name: values[min(k, len(values) - 1)] for name, values in schedules.items()}


def _needs_gradients(given: Any) -> bool:
    """Say whether a tensor, or one in a list, needs gradients."""
    if isinstance(given, torch.Tensor):
        return given.requires_grad
    return isinstance(given, TensorList | tuple | list) and any(map(_needs_gradients, given))


def _estimate(X: dict[str, Any]) -> torch.Tensor:
    """Return x_k of deepinv's record."""
    return X["est"][0]


def _alike(tensor: Any, adjoint: torch.Tensor) -> bool:
    if not isinstance(tensor, torch.Tensor):
        return False
    return (tensor.shape, tensor.dtype, tensor.device) == (adjoint.shape, adjoint.dtype, adjoint.device)


def _describe(tensor: Any) -> Any:
    return (tuple(tensor.shape), tensor.dtype) if isinstance(tensor, torch.Tensor) else type(tensor).__name__
