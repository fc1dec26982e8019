from collections.abc import Sequence

import torch
from torch import Tensor

from ..physics import Physics
from .base import Reconstructor

class RAM(Reconstructor):
    def __init__(
        self,
        in_channels: Sequence[int] = (1, 2, 3),
        device: torch.device | str | None = None,
        pretrained: bool | str = True,
    ) -> None: ...
    def forward(
        self,
        y: Tensor,
        physics: Physics | None = None,
        sigma: float | Tensor | None = None,
        gain: float | Tensor | None = None,
        img_size: Sequence[int] | None = None,
    ) -> Tensor: ...
