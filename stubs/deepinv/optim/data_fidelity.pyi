from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from ..physics import Physics

class DataFidelity(nn.Module):
    def __init__(self, d: Callable[[Tensor, Tensor], Tensor] | None = None) -> None: ...
    def grad(self, x: Tensor, y: Tensor, physics: Physics, *args: Any, **kwargs: Any) -> Tensor: ...

class L2(DataFidelity):
    def __init__(self, sigma: float = 1.0) -> None: ...
    def grad(self, x: Tensor, y: Tensor, physics: Physics, *args: Any, **kwargs: Any) -> Tensor: ...
    def prox(
        self, x: Tensor, y: Tensor, physics: Physics, *args: Any, gamma: float | Tensor = 1.0, **kwargs: Any
    ) -> Tensor: ...
