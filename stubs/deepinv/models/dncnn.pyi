import torch
from torch import Tensor

from .base import Denoiser

class DnCNN(Denoiser):
    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        depth: int = 20,
        bias: bool = True,
        nf: int = 64,
        pretrained: str | None = "download",
        pretrained_2d_isotropic: bool = False,
        device: torch.device | str = "cpu",
        dim: int | str = 2,
    ) -> None: ...
    def forward(self, x: Tensor, sigma: float | Tensor | None = None) -> Tensor: ...
    def __call__(self, x: Tensor, sigma: float | Tensor | None = None) -> Tensor: ...
