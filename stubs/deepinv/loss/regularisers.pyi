from typing import Any

from torch import Tensor

from . import Loss

class JacobianSpectralNorm(Loss):
    def __init__(
        self,
        max_iter: int = 10,
        tol: float = 0.001,
        eval_mode: bool = False,
        verbose: bool = False,
        reduction: str | None = "max",
        reduced_batchsize: int | None = None,
    ) -> None: ...
    def forward(self, y: Tensor, x: Tensor, **kwargs: Any) -> Tensor: ...
    def __call__(self, y: Tensor, x: Tensor, **kwargs: Any) -> Tensor: ...
