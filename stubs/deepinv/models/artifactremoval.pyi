from typing import Any

import torch
from torch import Tensor

from ..physics import Physics
from .base import Denoiser, Reconstructor

class ArtifactRemoval(Reconstructor):
    def __init__(
        self,
        backbone_net: Denoiser,
        mode: str = "adjoint",
        ckpt_path: str | None = None,
        device: torch.device | str | None = None,
    ) -> None: ...
    def forward(self, y: Tensor, physics: Physics, **kwargs: Any) -> Tensor: ...
