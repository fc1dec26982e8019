from typing import Any

from torch import Tensor, nn

from ..models import Denoiser

class Prior(nn.Module):
    def __init__(self, g: Prior | None = None, *args: Any, **kwargs: Any) -> None: ...

class PnP(Prior):
    denoiser: Denoiser
    def __init__(self, denoiser: Denoiser, *args: Any, **kwargs: Any) -> None: ...
    def prox(self, x: Tensor, sigma_denoiser: float, *args: Any, **kwargs: Any) -> Tensor: ...
