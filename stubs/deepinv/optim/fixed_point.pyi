from typing import Any

from torch import nn

class FixedPoint(nn.Module):
    iterator: Any
    def single_iteration(self, X: dict[str, Any], it: int, *args: Any, **kwargs: Any) -> dict[str, Any]: ...
