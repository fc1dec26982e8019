import torch
from torch import Tensor

from .base import Denoiser

class DRUNet(Denoiser):
    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        nc: tuple[int, int, int, int] = (64, 128, 256, 512),
        nb: int = 4,
        act_mode: str = "R",
        downsample_mode: str = "strideconv",
        upsample_mode: str = "convtranspose",
        pretrained: str | None = "download",
        pretrained_2d_isotropic: bool = False,
        device: torch.device | str | None = None,
        dim: str | int = 2,
    ) -> None: ...
    def forward(self, x: Tensor, sigma: Tensor | float) -> Tensor: ...
