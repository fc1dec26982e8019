from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .forward import DecomposablePhysics

def sequency_order(n: int) -> np.ndarray: ...
def cake_cutting_seq(i: int, p: int) -> list[int]: ...
def hadamard_1d(u: Tensor, normalize: bool = True) -> Tensor: ...

class SinglePixelCamera(DecomposablePhysics):
    img_size: tuple[int, ...]
    def __init__(
        self,
        m: int,
        img_size: tuple[int, ...],
        fast: bool = True,
        ordering: str = "sequency",
        device: torch.device | str = "cpu",
        dtype: torch.dtype = ...,
        rng: torch.Generator | None = None,
        **kwargs: Any,
    ) -> None: ...
    def V_adjoint(self, x: Tensor) -> Tensor: ...
    V: Callable[[Tensor], Tensor]  # type: ignore[assignment]
    def U_adjoint(self, x: Tensor) -> Tensor: ...
    def U(self, x: Tensor) -> Tensor: ...
