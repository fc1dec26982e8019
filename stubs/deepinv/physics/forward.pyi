from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..utils import TensorList
from .noise import NoiseModel

class Physics(nn.Module):
    noise_model: NoiseModel
    def __init__(
        self,
        A: Callable[..., Tensor] = ...,
        noise_model: NoiseModel | None = None,
        sensor_model: Callable[..., Tensor] = ...,
        solver: str = "gradient_descent",
        max_iter: int = 50,
        tol: float = 0.0001,
        **kwargs: Any,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...  # operators have attributes and methods of their own
    def forward(self, x: Tensor, **kwargs: Any) -> Tensor: ...
    def __call__(self, x: Tensor, **kwargs: Any) -> Tensor: ...
    def A(self, x: Tensor, **kwargs: Any) -> Tensor: ...
    def noise(self, x: Tensor, **kwargs: Any) -> Tensor: ...
    def A_dagger(self, y: Tensor, x_init: Tensor | None = None) -> Tensor: ...
    def update_parameters(self, **kwargs: Any) -> None: ...

class LinearPhysics(Physics):
    def __init__(
        self,
        A: Callable[..., Tensor] = ...,
        A_adjoint: Callable[..., Tensor] | None = None,
        img_size: tuple[int, ...] | None = None,
        noise_model: NoiseModel = ...,
        sensor_model: Callable[..., Tensor] = ...,
        max_iter: int = 50,
        tol: float = 0.0001,
        solver: str = "lsqr",
        implicit_backward_solver: bool = True,
        device: torch.device | str = "cpu",
        **kwargs: Any,
    ) -> None: ...
    def A_adjoint(self, y: Tensor | TensorList, **kwargs: Any) -> Tensor: ...
    def A_A_adjoint(self, y: Tensor, **kwargs: Any) -> Tensor: ...
    def A_adjoint_A(self, x: Tensor, **kwargs: Any) -> Tensor: ...
    def prox_l2(
        self,
        z: Tensor,
        y: Tensor,
        gamma: float | Tensor,
        solver: str = "CG",
        max_iter: int | None = None,
        tol: float | None = None,
        verbose: bool = False,
        **kwargs: Any,
    ) -> Tensor: ...
    def A_dagger(
        self,
        y: Tensor,
        solver: str = "CG",
        max_iter: int | None = None,
        tol: float | None = None,
        verbose: bool = False,
        **kwargs: Any,
    ) -> Tensor: ...

class DecomposablePhysics(LinearPhysics):
    mask: Tensor
    def __init__(
        self,
        U: Callable[..., Tensor] | None = None,
        V_adjoint: Callable[..., Tensor] | None = None,
        img_size: tuple[int, ...] | None = None,
        U_adjoint: Callable[..., Tensor] | None = None,
        V: Callable[..., Tensor] | None = None,
        mask: Tensor | float = 1.0,
        device: torch.device | str = "cpu",
        **kwargs: Any,
    ) -> None: ...
    def A(self, x: Tensor, mask: Tensor | None = None, **kwargs: Any) -> Tensor: ...
    def A_adjoint(self, y: Tensor, mask: Tensor | None = None, **kwargs: Any) -> Tensor: ...
    def A_A_adjoint(self, y: Tensor, mask: Tensor | None = None, **kwargs: Any) -> Tensor: ...
    def A_adjoint_A(self, x: Tensor, mask: Tensor | None = None, **kwargs: Any) -> Tensor: ...
    def U(self, x: Tensor) -> Tensor: ...
    def V(self, x: Tensor, **kwargs: Any) -> Tensor: ...
    def U_adjoint(self, x: Tensor, **kwargs: Any) -> Tensor: ...
    def V_adjoint(self, x: Tensor) -> Tensor: ...
    def prox_l2(self, z: Tensor, y: Tensor, gamma: float | Tensor, **kwargs: Any) -> Tensor: ...
    def A_dagger(self, y: Tensor, mask: Tensor | None = None, **kwargs: Any) -> Tensor: ...
