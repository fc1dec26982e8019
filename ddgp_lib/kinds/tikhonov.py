"""Iterated Tikhonov regularisation as a kind: the Newton step alone, without a prior."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from deepinv.models import Denoiser

from ..arguments import require_integer, require_positive
from ..preconditioners import Newton
from ..solvers import PreconditionedFISTA
from .base import End, Grid, Kind, Settings, require_values

if TYPE_CHECKING:
    from ..tasks import Task


class NoPrior(Denoiser):
    """The denoiser that changes nothing, for solvers that run on the data alone."""

    def forward(self, x: torch.Tensor, sigma: Any = None, **kwargs: Any) -> torch.Tensor:
        """Return the images as they are."""
        return x


@dataclass(frozen=True)
class TikhonovSetting(Settings):
    """The damping of the Newton step, and from where on the update fades.

    Attributes
    ----------
    damping : float
        λ, relative to ‖A‖², above zero.
    update_decay : int or None
        k₀ from where on the whole update fades; None where it does not.
    """

    damping: float
    update_decay: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no solver takes."""
        require_positive("damping", self.damping)
        require_integer("update_decay", self.update_decay, lowest=1, none=True)


@dataclass(frozen=True, kw_only=True)
class IteratedTikhonov(Kind):
    r"""Newton steps on the data alone: for multi-coil MRI, SENSE by conjugate gradients (CG-SENSE).

    From :math:`A^\top y` on, k steps of :math:`x \leftarrow x - (A^\top A + \lambda \|A\|^2)^{-1} \nabla g(x)` leave
    of each mode's error the fraction :math:`(1 - \sigma^2) (\lambda/(\sigma^2 + \lambda))^k`, with ‖A‖ = 1.  So one
    step is Tikhonov's solution times 1 + λ, and λ and the number of steps are what keeps noise out.

    Parameters
    ----------
    dampings : tuple of float
        Values of λ that are tried.
    fades : tuple of int or None
        Values of k₀ that are tried for the update, since steps without end fit the noise.

    References
    ----------
    Pruessmann et al., "SENSE: sensitivity encoding for fast MRI", 1999; Hanke and Groetsch, "Nonstationary iterated
    Tikhonov regularization", 1998.

    Examples
    --------
    >>> import ddgp_lib
    >>> from ddgp_lib.kinds import IteratedTikhonov, TikhonovSetting
    >>> task = ddgp_lib.load_task("super_resolution")
    >>> solver = IteratedTikhonov().solver(task, TikhonovSetting(0.1), max_iter=1)
    >>> tuple(solver(task.measure(task.test_images[:2]), task.student).shape)
    (2, 1, 64, 64)
    """

    settings: ClassVar[type[Settings]] = TikhonovSetting
    limits: ClassVar[Mapping[str, Mapping[End, str]]] = {
        "update_decay": {"lowest": "one step is the fewest that there are"}
    }

    dampings: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
    fades: tuple[int | None, ...] = (None, 1, 5)

    def __post_init__(self) -> None:
        """Refuse what no solver takes."""
        require_values("dampings", self.dampings, require_positive)
        require_values("fades", self.fades, partial(require_integer, lowest=1, none=True))

    def grid(self, task: "Task") -> Grid:
        """Return the dampings and the fades."""
        return {"damping": self.dampings, "update_decay": self.fades}

    def solver(self, task: "Task", setting: Any, **options: Any) -> PreconditionedFISTA:
        """Build the solver for a setting; the options are those of FISTA."""
        chosen: dict[str, Any] = {"stepsize": self.stepsize(task), "sigma": 1.0, "momentum": "none"}
        chosen |= {"update_decay": setting.update_decay, **options}
        return PreconditionedFISTA(NoPrior(), Newton(setting.damping), **chosen)
