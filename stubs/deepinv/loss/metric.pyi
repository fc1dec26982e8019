from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

class Metric(nn.Module):
    def __init__(
        self,
        metric: Callable[[Tensor, Tensor], Tensor] | None = None,
        complex_abs: bool = False,
        train_loss: bool = False,
        reduction: str | None = None,
        norm_inputs: str | None = None,
        center_crop: int | tuple[int, ...] | None = None,
    ) -> None: ...
    def forward(
        self, x_net: Tensor | None = None, x: Tensor | None = None, *args: Any, **kwargs: Any
    ) -> Tensor: ...
    def __call__(
        self, x_net: Tensor | None = None, x: Tensor | None = None, *args: Any, **kwargs: Any
    ) -> Tensor: ...

class PSNR(Metric):
    def __init__(self, max_pixel: float = 1, min_pixel: float = 0, **kwargs: Any) -> None: ...

class SSIM(Metric):
    def __init__(
        self,
        multiscale: bool = False,
        max_pixel: float = 1.0,
        min_pixel: float = 0.0,
        torchmetric_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None: ...
