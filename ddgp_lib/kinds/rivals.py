"""Methods that learn nothing, or a denoiser alone: total variation, and two with a noise level that falls."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from ..arguments import require_choice, require_flag, require_integer, require_positive
from ..names import Momentum
from ..solvers import MOMENTUM, Geometric, PreconditionedADMM, PreconditionedFISTA
from ..variation import TotalVariation
from .base import SCHEDULE, Grid, Kind, Settings, require_values
from .fista import MOMENTA

if TYPE_CHECKING:
    from ..tasks import Task


@dataclass(frozen=True)
class VariationSetting(Settings):
    """The weight of total variation.

    Attributes
    ----------
    sigma : float
        σ, above zero: with the step α, TV weighs σ/α in the cost.
    """

    sigma: float

    def __post_init__(self) -> None:
        """Refuse what is no weight."""
        require_positive("sigma", self.sigma)


@dataclass(frozen=True, kw_only=True)
class VariationFista(Kind):
    """Total variation minimisation: FISTA with the proximal map of TV, and the momentum of Chambolle and Dossal.

    Parameters
    ----------
    sigmas : tuple of float
        Values of σ that are tried: the weight of TV times the step.
    iterations : int
        Iterations of each proximal map on its dual problem.

    References
    ----------
    Rudin, Osher and Fatemi, "Nonlinear total variation based noise removal algorithms", 1992; Beck and Teboulle,
    "Fast gradient-based algorithms for constrained total variation image denoising and deblurring problems", 2009.

    Examples
    --------
    >>> import ddgp_lib
    >>> from ddgp_lib.kinds import VariationFista, VariationSetting
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> solver = VariationFista().solver(task, VariationSetting(0.02))
    >>> tuple(solver(task.measure(task.test_images[:2]), task.student).shape)
    (2, 1, 32, 32)
    """

    settings: ClassVar[type[Settings]] = VariationSetting

    sigmas: tuple[float, ...] = (0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1)
    iterations: int = 30

    def __post_init__(self) -> None:
        """Refuse what are no weights, or no number of iterations."""
        require_values("sigmas", self.sigmas, require_positive)
        require_integer("iterations", self.iterations, lowest=1)

    def grid(self, task: "Task") -> Grid:
        """Return the weights that are tried."""
        return {"sigma": self.sigmas}

    def solver(self, task: "Task", setting: Any, **options: Any) -> PreconditionedFISTA:
        """Build the solver for a setting; the options are those of FISTA."""
        chosen = {"stepsize": self.stepsize(task), "sigma": setting.sigma, **options}
        return PreconditionedFISTA(TotalVariation(iterations=self.iterations), **chosen)


@dataclass(frozen=True)
class AnnealedSetting(Settings):
    """Ends of a schedule of σ, FISTA's momentum, and from where on the update fades.

    Attributes
    ----------
    sigma_first, sigma_last : float
        σ of the first iteration, and of the last, the :data:`~ddgp_lib.kinds.base.SCHEDULE`-th; above zero.
    momentum : str
        Rule for β_k.
    update_decay : int or None
        k₀ from where on the whole update fades; None where it does not.
    """

    sigma_first: float
    sigma_last: float
    momentum: Momentum
    update_decay: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no solver takes."""
        _require_schedule(self.sigma_first, self.sigma_last)
        require_choice("momentum", self.momentum, MOMENTUM)
        require_integer("update_decay", self.update_decay, lowest=1, none=True)


@dataclass(frozen=True, kw_only=True)
class AnnealedFista(Kind):
    """Plug-and-play FISTA whose noise level falls geometrically in 20 iterations, after which it stops.

    The last σ is often too small to go on with: so a run ends with its schedule, and it is tried too whether the
    update fades before.

    Parameters
    ----------
    firsts, lasts : tuple of float
        Values of σ that are tried for the first iteration, and for the 20th, the last.
    momenta : tuple of str
        Momentum rules that are tried.
    fades : tuple of int or None
        Values of k₀ that are tried for the whole update.

    Examples
    --------
    >>> import ddgp_lib
    >>> from ddgp_lib.kinds import AnnealedFista, AnnealedSetting
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> solver = AnnealedFista().solver(task, AnnealedSetting(0.2, 0.05, "none"), max_iter=3)
    >>> tuple(solver(task.measure(task.test_images[:2]), task.student).shape)
    (2, 1, 32, 32)
    """

    settings: ClassVar[type[Settings]] = AnnealedSetting

    firsts: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5, 1.0)
    lasts: tuple[float, ...] = (0.003, 0.01, 0.02, 0.05, 0.1)
    momenta: tuple[Momentum, ...] = MOMENTA
    fades: tuple[int | None, ...] = (None, 15)

    def __post_init__(self) -> None:
        """Refuse what no solver takes."""
        require_values("firsts", self.firsts, require_positive)
        require_values("lasts", self.lasts, require_positive)
        require_values("momenta", self.momenta, partial(require_choice, accepted=MOMENTUM))
        require_values("fades", self.fades, partial(require_integer, lowest=1, none=True))

    def grid(self, task: "Task") -> Grid:
        """Return both ends of the schedule, the momentum and the fades."""
        ends = {"sigma_first": self.firsts, "sigma_last": self.lasts}
        return {**ends, "momentum": self.momenta, "update_decay": self.fades}

    def is_tried(self, setting: Any) -> bool:
        """Say whether σ falls."""
        return setting.sigma_first > setting.sigma_last

    def solver(self, task: "Task", setting: Any, **options: Any) -> PreconditionedFISTA:
        """Build the solver for a setting; the options are those of FISTA."""
        sigma = Geometric(setting.sigma_first, setting.sigma_last, SCHEDULE)
        chosen: dict[str, Any] = {"stepsize": self.stepsize(task), "sigma": sigma, "stop_after": SCHEDULE}
        chosen |= {"momentum": setting.momentum, "update_decay": setting.update_decay, **options}
        return PreconditionedFISTA(task.denoiser, **chosen)


@dataclass(frozen=True)
class ADMMSetting(Settings):
    """Ends of a schedule of σ, and τ.

    Attributes
    ----------
    sigma_first, sigma_last : float
        σ of the first iteration, and of the last, the :data:`~ddgp_lib.kinds.base.SCHEDULE`-th; above zero.
    tau : float
        τ ‖A‖² at the end, above zero: how much closer the data step comes to the data than to the denoised image.
    """

    sigma_first: float
    sigma_last: float
    tau: float

    def __post_init__(self) -> None:
        """Refuse what no solver takes."""
        _require_schedule(self.sigma_first, self.sigma_last)
        require_positive("tau", self.tau)


@dataclass(frozen=True, kw_only=True)
class ExactADMM(Kind):
    """Plug-and-play ADMM with an exact data step, and a noise level that falls in 20 iterations, then stops.

    The fall is geometric, as in DPIR, and the run ends with it.

    Parameters
    ----------
    firsts, lasts : tuple of float
        Values of σ that are tried for the first iteration, and for the 20th, the last.
    taus : tuple of float
        Values that are tried of τ ‖A‖².
    follows : bool
        Whether τ_k falls as σ_k², down to τ, as in DPIR, where τ_k = σ_k² / (λ σ_w²); by default it is constant.

    References
    ----------
    Venkatakrishnan, Bouman and Wohlberg, "Plug-and-play priors for model based reconstruction", 2013; Zhang et al.,
    "Plug-and-play image restoration with deep denoiser prior" (DPIR), 2021, for the schedule.

    Examples
    --------
    >>> import ddgp_lib
    >>> from ddgp_lib.kinds import ADMMSetting, ExactADMM
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> solver = ExactADMM().solver(task, ADMMSetting(0.3, 0.1, tau=20.0), max_iter=3)
    >>> tuple(solver(task.measure(task.test_images[:2]), task.student).shape)
    (2, 1, 32, 32)
    """

    settings: ClassVar[type[Settings]] = ADMMSetting

    firsts: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5, 1.0)
    lasts: tuple[float, ...] = (0.003, 0.01, 0.02, 0.05, 0.1)
    taus: tuple[float, ...] = (1.0, 10.0, 100.0, 1000.0)
    follows: bool = False

    def __post_init__(self) -> None:
        """Refuse what no solver takes."""
        for name in ("firsts", "lasts", "taus"):
            require_values(name, getattr(self, name), require_positive)
        require_flag("follows", self.follows)

    def grid(self, task: "Task") -> Grid:
        """Return both ends of the schedule and τ."""
        return {"sigma_first": self.firsts, "sigma_last": self.lasts, "tau": self.taus}

    def is_tried(self, setting: Any) -> bool:
        """Say whether σ falls."""
        return setting.sigma_first > setting.sigma_last

    def solver(self, task: "Task", setting: Any, **options: Any) -> PreconditionedADMM:
        """Build the solver for a setting; the options are those of ADMM."""
        stepsize = options.pop("stepsize", None) or self.stepsize(task)
        chosen = {"stepsize": stepsize, **self._schedules(setting, stepsize), "inner_steps": None}
        chosen |= {"stop_after": SCHEDULE}
        return PreconditionedADMM(task.denoiser, **chosen | options)

    def _schedules(self, setting: ADMMSetting, stepsize: float) -> dict[str, Any]:
        first, last, tau = setting.sigma_first, setting.sigma_last, setting.tau * stepsize
        sigma = Geometric(first, last, SCHEDULE)
        return {
            "sigma": sigma,
            "tau": Geometric(tau * (first / last) ** 2, tau, SCHEDULE) if self.follows else tau,
        }


def _require_schedule(first: float, last: float) -> None:
    require_positive("sigma_first", first)
    require_positive("sigma_last", last)
