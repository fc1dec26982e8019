"""NPN as a kind: FISTA that is pulled towards what a network predicts of the part that is not seen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from ..arguments import require_choice, require_number, require_positive
from ..names import Momentum
from ..preconditioners import NullSpacePull
from ..recipes import read_alternative
from ..solvers import MOMENTUM, PreconditionedFISTA
from .base import End, Grid, Kind, Settings, require_values
from .fista import MOMENTA, Setting

if TYPE_CHECKING:
    from ..tasks import Task

FILE = "npn"
"""The alternative whose weights predict."""


@dataclass(frozen=True)
class PulledSetting(Setting):
    """Arguments of FISTA, and of :class:`~ddgp_lib.preconditioners.null_space_pull.NullSpacePull`.

    Attributes
    ----------
    weight, decay : float
        γ and d, in (0, 1].
    """

    weight: float = 0.5
    decay: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no pull has."""
        super().__post_init__()
        require_number("weight", self.weight, above=0, highest=1)
        require_number("decay", self.decay, above=0, highest=1)


@dataclass(frozen=True, kw_only=True)
class PulledFista(Kind):
    """Plug-and-play FISTA with the pull of NPN, towards what the task's own ``"npn"`` predicts.

    Parameters
    ----------
    sigmas : tuple of float, optional
        Noise levels that are tried; by default the preset's.
    weights, decays : tuple of float
        Values of γ and of d that are tried.
    momenta : tuple of str
        Momentum rules that are tried.

    References
    ----------
    Jacome, Gualdrón-Hurtado, Suárez-Rodríguez and Arguello, "NPN: Non-linear projections of the null-space for
    imaging inverse problems", 2025.

    Examples
    --------
    >>> from ddgp_lib import load_task
    >>> from ddgp_lib.kinds import PulledFista
    >>> len(PulledFista(sigmas=(0.05, 0.1)).tried(load_task("single_pixel")))
    36
    """

    settings: ClassVar[type[Settings]] = PulledSetting
    limits: ClassVar[Mapping[str, Mapping[End, str]]] = {
        "weight": {"highest": "one step goes the whole way to the prediction"},
        "decay": {"highest": "the pull does not fade"},
    }
    learned: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = (FILE,)

    sigmas: tuple[float, ...] | None = None
    weights: tuple[float, ...] = (0.1, 0.3, 1.0)
    decays: tuple[float, ...] = (0.7, 0.9, 1.0)
    momenta: tuple[Momentum, ...] = MOMENTA

    def __post_init__(self) -> None:
        """Refuse what no pull or solver takes."""
        if self.sigmas is not None:
            require_values("sigmas", self.sigmas, require_positive)
        require_values("weights", self.weights, partial(require_number, above=0, highest=1))
        require_values("decays", self.decays, partial(require_number, above=0, highest=1))
        require_values("momenta", self.momenta, partial(require_choice, accepted=MOMENTUM))

    def grid(self, task: "Task") -> Grid:
        """Return the noise levels, momentum rules, weights and decays; nothing else fades."""
        sigmas = task.preset.sigmas if self.sigmas is None else self.sigmas
        fades: Grid = {"prior_decay": (None,), "update_decay": (None,)}
        return {
            "sigma": sigmas,
            "momentum": self.momenta,
            **fades,
            "weight": self.weights,
            "decay": self.decays,
        }

    def solver(self, task: "Task", setting: Any, **options: Any) -> PreconditionedFISTA:
        """Build the solver for a setting; the options are those of FISTA."""
        chosen: dict[str, Any] = {"stepsize": self.stepsize(task), **asdict(setting), **options}
        predictor = read_alternative(task.preset.path(FILE), kind=FILE, task=task.name)
        P = NullSpacePull(predictor, task.teacher, weight=chosen.pop("weight"), decay=chosen.pop("decay"))
        return PreconditionedFISTA(task.denoiser, P, **chosen)
