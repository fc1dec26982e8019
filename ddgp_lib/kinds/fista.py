"""Plug-and-play FISTA as a kind: without a preconditioner, with one, and with one whose degree is tuned."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from deepinv.physics import LinearPhysics

from ..arguments import require_callable, require_choice, require_flag, require_integer, require_positive
from ..names import Momentum
from ..preconditioners import Polynomial, Preconditioner
from ..preconditioners.polynomial import MAX_DEGREE
from ..solvers import MOMENTUM, PreconditionedFISTA
from .base import End, Grid, Kind, Settings, require_values

if TYPE_CHECKING:
    from ..tasks import Task

MOMENTA: tuple[Momentum, ...] = ("chambolle_dossal", "none")
"""Momentum rules that are tried."""

FADES = (None, 10)
"""Values of k₀ that are tried: from where on what is learned, or the whole update, fades."""

DECAYS = ((None, None), (10, None), (None, 10))
"""Those of what is learned and of the whole update that are tried together."""


@dataclass(frozen=True)
class Setting(Settings):
    """Arguments of :class:`~ddgp_lib.solvers.fista.PreconditionedFISTA` that are tuned.

    Attributes
    ----------
    sigma : float
        Noise level for the denoiser, above zero.
    momentum : str
        Rule for β_k.
    prior_decay, update_decay : int or None
        k₀ from where on what is learned, or the whole update, fades; None where it does not.
    """

    sigma: float
    momentum: Momentum
    prior_decay: int | None
    update_decay: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no solver takes."""
        require_positive("sigma", self.sigma)
        require_choice("momentum", self.momentum, MOMENTUM)
        for name in ("prior_decay", "update_decay"):
            require_integer(name, getattr(self, name), lowest=1, none=True)


@dataclass(frozen=True, kw_only=True)
class Fista(Kind):
    """Plug-and-play FISTA with one noise level, with or without a preconditioner.

    Parameters
    ----------
    preconditioner : Preconditioner, optional
        P; by default none.
    on_teacher : bool
        Whether it runs on the teacher's operator instead of the student's.
    stop_after : int, optional
        Iterations after which it stays where it is, 1 or above: then neither momentum nor fading is tried.

    Examples
    --------
    >>> import ddgp_lib
    >>> from ddgp_lib.kinds import Fista, Setting
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> Fista().solver(task, Setting(0.1, "none", None), max_iter=5).max_iter
    5
    """

    settings: ClassVar[type[Settings]] = Setting

    preconditioner: Preconditioner | None = None
    on_teacher: bool = False
    stop_after: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is no preconditioner."""
        require_callable("preconditioner", self.preconditioner, "a preconditioner", none=True)
        require_flag("on_teacher", self.on_teacher)
        require_integer("stop_after", self.stop_after, lowest=1, none=True)

    def physics(self, task: "Task") -> LinearPhysics:
        """Return the operator that it runs on."""
        return task.teacher if self.on_teacher else task.student

    def stepsize(self, task: "Task") -> float:
        """Return α: 1/‖A‖² of its operator."""
        return task.teacher_stepsize if self.on_teacher else task.stepsize

    def grid(self, task: "Task") -> Grid:
        """Return the preset's noise levels, :data:`MOMENTA`, and whether either fades.

        On the teacher's operator, which leaves less to the denoiser, half of the lowest is tried too.
        """
        sigmas = task.preset.sigmas
        grid = _grid((min(sigmas) / 2, *sigmas) if self.on_teacher else sigmas)
        alone: Grid = {"momentum": ("none",), "update_decay": (None,), "prior_decay": (None,)}
        return grid if self.stop_after is None else {**grid, **alone}

    def is_tried(self, setting: Any) -> bool:
        """Say whether one of the two fades at most, see :data:`DECAYS`."""
        return _fades_once(setting)

    def solver(self, task: "Task", setting: Any, **options: Any) -> PreconditionedFISTA:
        """Build the solver for a setting; the options are those of FISTA."""
        own = {"stepsize": self.stepsize(task), "stop_after": self.stop_after}
        return PreconditionedFISTA(
            task.denoiser, self.preconditioner, **{**own, **asdict(setting), **options}
        )


@dataclass(frozen=True)
class PolynomialSetting(Setting):
    """Arguments of FISTA, and the ``degree`` of a polynomial, from 0 to 8."""

    degree: int = 1

    def __post_init__(self) -> None:
        """Refuse what no polynomial has."""
        super().__post_init__()
        require_integer("degree", self.degree, lowest=0, highest=MAX_DEGREE)


@dataclass(frozen=True, kw_only=True)
class PolynomialFista(Kind):
    """Plug-and-play FISTA with the ℓ2-polynomial in AᵀA as its preconditioner.

    Where A Aᵀ = I it is a scalar, and no kind of its own.  An iteration takes d + 1 products with AᵀA.

    Parameters
    ----------
    degrees : tuple of int
        Degrees d that are tried, from 0 to 8.
    sigmas : tuple of float, optional
        Noise levels that are tried; by default the preset's.

    References
    ----------
    Iyer et al., "Polynomial preconditioners for regularized linear inverse problems", SIAM J. Imaging Sci. 17(1),
    2024.

    Examples
    --------
    >>> import ddgp_lib
    >>> from ddgp_lib.kinds import PolynomialFista, PolynomialSetting
    >>> task = ddgp_lib.load_task("super_resolution")
    >>> solver = PolynomialFista().solver(task, PolynomialSetting(0.03, "none", None, degree=2))
    >>> solver.fixed_point.iterator.preconditioner.coefficients
    (7.5, -15.0, 8.75)
    """

    settings: ClassVar[type[Settings]] = PolynomialSetting
    limits: ClassVar[Mapping[str, Mapping[End, str]]] = {
        "degree": {"highest": "single precision holds no higher degree, see MAX_DEGREE"}
    }

    degrees: tuple[int, ...] = (1, 2, 4, 6, 8)
    sigmas: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse what no polynomial has."""
        require_values("degrees", self.degrees, partial(require_integer, lowest=0, highest=MAX_DEGREE))
        if self.sigmas is not None:
            require_values("sigmas", self.sigmas, require_positive)

    def grid(self, task: "Task") -> Grid:
        """Return the degrees and what is tried for FISTA."""
        return {"degree": self.degrees, **_grid(task.preset.sigmas if self.sigmas is None else self.sigmas)}

    def is_tried(self, setting: Any) -> bool:
        """Say whether one of the two fades at most, see :data:`DECAYS`."""
        return _fades_once(setting)

    def solver(self, task: "Task", setting: Any, **options: Any) -> PreconditionedFISTA:
        """Build the solver for a setting; the options are those of FISTA."""
        chosen: dict[str, Any] = {"stepsize": self.stepsize(task), **asdict(setting), **options}
        P = Polynomial.of("l2", chosen.pop("degree"))
        return PreconditionedFISTA(task.denoiser, P, **chosen)


def _grid(sigmas: Sequence[float]) -> Grid:
    return {"sigma": sigmas, "momentum": MOMENTA, "update_decay": FADES, "prior_decay": FADES}


def _fades_once(setting: Any) -> bool:
    return (setting.prior_decay, setting.update_decay) in DECAYS
