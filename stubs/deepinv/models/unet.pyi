from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .base import Denoiser

class UNet(Denoiser):
    Conv_1x1: nn.Conv2d
    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        residual: bool = True,
        circular_padding: bool = False,
        cat: bool = True,
        bias: bool = True,
        batch_norm: bool | str = True,
        scales: int | None = None,
        channels_per_scale: Sequence[int] | None = None,
        device: torch.device | str = "cpu",
        dim: str | int = 2,
    ) -> None: ...
    def forward(self, x: Tensor, sigma: Any = None, **kwargs: Any) -> Tensor: ...
    def __call__(self, x: Tensor, sigma: Any = None, **kwargs: Any) -> Tensor: ...
