from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from ..physics import Physics
from .data_fidelity import DataFidelity
from .prior import Prior

class OptimIterator(nn.Module):
    def __init__(
        self,
        g_first: bool = False,
        cost_fn: Callable[..., Tensor] | None = None,
        has_cost: bool = True,
        **kwargs: Any,
    ) -> None: ...
    def forward(
        self,
        X: dict[str, Any],
        cur_data_fidelity: DataFidelity,
        cur_prior: Prior,
        cur_params: dict[str, Any],
        y: Tensor,
        physics: Physics,
        *args: Any,
        **kwargs: Any,
    ) -> dict[str, Any]: ...
