from typing import Any

import torch
from torch import Tensor, nn

from ..physics import Physics
from ..utils import TensorList

class Denoiser(nn.Module):
    def __init__(self, device: torch.device | str = "cpu") -> None: ...
    def forward(self, x: Tensor, sigma: float | Tensor, **kwargs: Any) -> Tensor: ...
    def __call__(self, x: Tensor, sigma: float | Tensor, **kwargs: Any) -> Tensor: ...
    @staticmethod
    def _handle_sigma(
        sigma: float | Tensor | list[float],
        batch_size: int | None = None,
        ndim: int | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype = ...,
        reference_tensor: Tensor | None = None,
        *args: Any,
        **kwarg: Any,
    ) -> Tensor: ...

class Reconstructor(nn.Module):
    def __init__(self, device: str | torch.device = "cpu") -> None: ...
    def forward(self, y: Tensor | TensorList, physics: Physics, **kwargs: Any) -> Tensor: ...
    def __call__(
        self, y: Tensor | TensorList, physics: Physics, **kwargs: Any
    ) -> Any: ...  # with metrics, a pair
