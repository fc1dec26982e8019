from typing import Any

import torch
from torch import Tensor

from .forward import DecomposablePhysics, LinearPhysics

class BlurFFT(DecomposablePhysics):
    def __init__(
        self,
        img_size: tuple[int, ...],
        filter: Tensor | None = None,
        device: str | torch.device = "cpu",
        **kwargs: Any,
    ) -> None: ...

class Downsampling(LinearPhysics):
    imsize: tuple[int, ...]
    padding: str
    factor: int
    filter: Tensor
    Fh: Tensor
    Fhc: Tensor
    Fh2: Tensor
    def __init__(
        self,
        img_size: tuple[int, ...] | None = None,
        filter: str | Tensor = "warn",
        factor: int = 2,
        device: torch.device | str = "cpu",
        padding: str = "circular",
        **kwargs: Any,
    ) -> None: ...
    def update_parameters(
        self,
        filter: Tensor | str | list[str] | None = None,
        factor: int | float | Tensor | None = None,
        device: torch.device | str | None = None,
        **kwargs: Any,
    ) -> None: ...
    def A(
        self,
        x: Tensor,
        filter: Tensor | str | list[str] | None = None,
        factor: int | float | Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor: ...
    def A_adjoint(
        self,
        y: Tensor,
        filter: Tensor | str | list[str] | None = None,
        factor: int | float | Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor: ...
    def prox_l2(self, z: Tensor, y: Tensor, gamma: float, use_fft: bool = True, **kwargs: Any) -> Tensor: ...
