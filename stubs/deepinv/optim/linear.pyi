from collections.abc import Callable

from torch import Tensor

def conjugate_gradient(
    A: Callable[[Tensor], Tensor],
    b: Tensor,
    max_iter: int = ...,
    tol: float = 1e-05,
    eps: float = 1e-08,
    parallel_dim: int | list[int] | None = 0,
    init: Tensor | None = None,
    verbose: bool = False,
) -> Tensor: ...
