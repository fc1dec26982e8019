from typing import Any

import torch
from torch import Tensor

from ..utils import MRIMixin
from .forward import DecomposablePhysics, LinearPhysics

class MRI(MRIMixin, DecomposablePhysics):
    img_size: tuple[int, ...]
    three_d: bool
    def __init__(
        self,
        mask: Tensor | None = None,
        img_size: tuple[int, ...] | None = (320, 320),
        three_d: bool = False,
        device: torch.device | str = "cpu",
        **kwargs: Any,
    ) -> None: ...
    def V_adjoint(self, x: Tensor) -> Tensor: ...
    def V(self, x: Tensor) -> Tensor: ...
    def A_adjoint(
        self, y: Tensor, mask: Tensor | None = None, mag: bool = False, crop: bool = False, **kwargs: Any
    ) -> Tensor: ...
    def noise(self, x: Tensor, **kwargs: Any) -> Tensor: ...
    def update_parameters(
        self, mask: Tensor | None = None, check_mask: bool = True, **kwargs: Any
    ) -> None: ...

class MultiCoilMRI(MRIMixin, LinearPhysics):
    img_size: tuple[int, ...]
    three_d: bool
    mask: Tensor
    coil_maps: Tensor
    def __init__(
        self,
        mask: Tensor | None = None,
        coil_maps: Tensor | int | None = None,
        img_size: tuple[int, ...] | None = (320, 320),
        three_d: bool = False,
        device: torch.device | str = ...,
        **kwargs: Any,
    ) -> None: ...
    def A(
        self, x: Tensor, mask: Tensor | None = None, coil_maps: Tensor | None = None, **kwargs: Any
    ) -> Tensor: ...
    def noise(self, x: Tensor, **kwargs: Any) -> Tensor: ...
    def A_adjoint(
        self,
        y: Tensor,
        mask: Tensor | None = None,
        coil_maps: Tensor | None = None,
        rss: bool = False,
        crop: bool = False,
        **kwargs: Any,
    ) -> Tensor: ...
    def A_dagger(
        self, y: Tensor, mask: Tensor | None = None, coil_maps: Tensor | None = None, **kwargs: Any
    ) -> Tensor: ...
    def update_parameters(
        self,
        mask: Tensor | None = None,
        coil_maps: Tensor | None = None,
        check_mask: bool = True,
        check_coil_maps: bool = True,
        **kwargs: Any,
    ) -> None: ...
