from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from ..models import Reconstructor
from ..physics import Physics
from ..utils import TensorList
from .data_fidelity import DataFidelity
from .fixed_point import FixedPoint
from .optim_iterators import OptimIterator
from .prior import Prior

class BaseOptim(Reconstructor):
    max_iter: int
    early_stop: bool
    thres_conv: float
    has_converged: bool
    unfold: bool
    init_params_algo: dict[str, Any]
    params_algo: dict[str, Any]
    get_output: Callable[[dict[str, Any]], Tensor]
    fixed_point: FixedPoint
    prior: Any
    def __init__(
        self,
        iterator: OptimIterator,
        params_algo: Mapping[str, Any] = ...,
        data_fidelity: DataFidelity | list[DataFidelity] | None = None,
        prior: Prior | list[Prior] | None = None,
        max_iter: int = 100,
        crit_conv: str = "residual",
        thres_conv: float = 1e-05,
        early_stop: bool = False,
        has_cost: bool = False,
        backtracking: Any = None,
        custom_metrics: dict[str, Any] | None = None,
        custom_init: Callable[..., dict[str, Any]] | None = None,
        get_output: Callable[[dict[str, Any]], Tensor] = ...,
        unfold: bool = False,
        trainable_params: list[str] | None = None,
        DEQ: Any = None,
        anderson_acceleration: Any = False,
        verbose: bool = False,
        show_progress_bar: bool = False,
        **kwargs: Any,
    ) -> None: ...
    def update_params_fn(self, it: int) -> dict[str, Any]: ...
    def init_iterate_fn(
        self,
        y: Tensor | TensorList,
        physics: Physics,
        init: Any = None,
        cost_fn: Callable[..., Tensor] | None = None,
    ) -> dict[str, Any]: ...
    def init_metrics_fn(self, X_init: dict[str, Any], x_gt: Tensor | None = None) -> dict[str, Any]: ...
    def update_metrics_fn(
        self,
        metrics: dict[str, Any],
        X_prev: dict[str, Any],
        X: dict[str, Any],
        x_gt: Tensor | None = None,
    ) -> dict[str, Any]: ...
    def check_conv_fn(self, it: int, X_prev: dict[str, Any], X: dict[str, Any]) -> bool: ...
    def forward(
        self,
        y: Tensor | TensorList,
        physics: Physics,
        init: Any = None,
        x_gt: Tensor | None = None,
        compute_metrics: bool = False,
        **kwargs: Any,
    ) -> Any: ...

class FISTA(BaseOptim):
    def __init__(
        self,
        data_fidelity: DataFidelity | list[DataFidelity] | None = None,
        prior: Prior | list[Prior] | None = None,
        lambda_reg: float = 1.0,
        stepsize: float = 1.0,
        a: int = 3,
        g_param: float | None = None,
        sigma_denoiser: float | None = None,
        max_iter: int = 100,
        crit_conv: str = "residual",
        thres_conv: float = 1e-05,
        early_stop: bool = False,
        custom_metrics: dict[str, Any] | None = None,
        custom_init: Callable[..., dict[str, Any]] | None = None,
        g_first: bool = False,
        unfold: bool = False,
        trainable_params: list[str] | None = None,
        cost_fn: Callable[..., Tensor] | None = None,
        params_algo: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None: ...
