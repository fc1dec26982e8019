"""What is found of an operator by products with it alone: ‖A‖², (B)⁻¹ x for a symmetric B, and A⁺A x."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
from deepinv.optim.linear import conjugate_gradient
from deepinv.utils import TensorList

from ..arguments import (
    require,
    require_callable,
    require_img_size,
    require_instance,
    require_integer,
    require_number,
)
from .protocol import LinearOperator

SOLVE_TOL = 1e-6
"""Conjugate gradients for B⁻¹ x stop at a residual of this fraction of ‖x‖ where nothing else is said."""
PROJECTION_TOL = 1e-6
"""Conjugate gradients for A⁺A x stop where what they leave out of A x is below this fraction of ‖A‖ ‖x‖."""
PROJECTION_STEPS = 500
"""Products with AᵀA that they take at most."""
PROJECTION_WARNS = 1e-3
"""Above this fraction, at the end, they warn."""


def parts(y: torch.Tensor | TensorList) -> list[torch.Tensor]:
    """Return the tensors of measurements: one, or those of deepinv's ``TensorList``."""
    return [y] if isinstance(y, torch.Tensor) else [part for entry in y for part in parts(entry)]


def norms(batch: torch.Tensor | TensorList) -> torch.Tensor:
    """Euclidean norm of each image or measurement of a batch (N, …), shape (N,)."""
    if isinstance(batch, torch.Tensor):
        require(batch.ndim >= 2, "batch.shape", tuple(batch.shape), "a batch (N, …)")
        return batch.flatten(1).norm(dim=1)
    require_instance("batch", batch, TensorList, "a tensor, or deepinv's TensorList of tensors")
    return torch.stack([norms(part) for part in parts(batch)]).norm(dim=0)


def spread(values: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
    """Reshape one value for each image, (N,), so that it broadcasts against a batch (N, …)."""
    return values.reshape(-1, *[1] * (batch.ndim - 1))


def largest_eigenvalue(
    symmetric: Callable[[torch.Tensor], torch.Tensor],
    img_size: tuple[int, ...],
    *,
    max_iter: int = 1000,
    rtol: float = 1e-6,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> float:
    """Largest eigenvalue of a symmetric map of images that has none below zero, by power iteration.

    The values rise towards it, from a fixed random start; the iteration ends when they rise by less than ``rtol``.

    Parameters
    ----------
    symmetric : callable
        Maps images (1, C, H, W) to images.
    img_size : tuple of int
        Shape (C, H, W).
    max_iter : int
        Products at most.
    rtol : float
        Relative change of the value in one iteration at which to stop.
    dtype, device : torch.dtype, torch.device
        Of the images; the start is the same for all.

    Returns
    -------
    float

    References
    ----------
    Golub and Van Loan, "Matrix Computations", 4th edition, 2013, section 8.2.
    """
    require_callable("symmetric", symmetric)
    require_img_size("img_size", img_size)
    require_integer("max_iter", max_iter, lowest=1)
    require_number("rtol", rtol, lowest=0)
    require_instance("device", device, torch.device | str, "a torch.device, or its name")
    v = start_vector(img_size, dtype, device)
    value = 0.0
    with torch.no_grad():
        for _ in range(max_iter):
            size = v.norm()
            if not size > 0:  # the map is zero
                break
            v = v / size
            product = symmetric(v)
            previous, value = value, float((v.conj() * product).real.sum())
            if abs(value - previous) <= rtol * abs(value):
                break
            v = product
    return value


def start_vector(
    img_size: tuple[int, ...], dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Return a random image (1, C, H, W), always the same one."""
    v = torch.randn(1, *img_size, generator=torch.Generator().manual_seed(0))
    return v.to(device=device, dtype=dtype)


class _SelfAdjoint(torch.autograd.Function):
    """A symmetric linear map of images, found by iterations: it is its own derivative in both modes.

    So no iteration is stored for it.
    """

    @staticmethod
    def forward(x: torch.Tensor, apply: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """Apply the map."""
        return apply(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        """Keep the map."""
        ctx.map = inputs[1]

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Apply the map to the incoming gradient."""
        return _SelfAdjoint.apply(grad, ctx.map), None

    @staticmethod
    def jvp(ctx: Any, tangent: torch.Tensor, *_: None) -> torch.Tensor:
        """Apply the map to the tangent."""
        return _SelfAdjoint.apply(tangent, ctx.map)


def solve_symmetric(
    matrix: Callable[[torch.Tensor], torch.Tensor],
    x: torch.Tensor,
    condition: float,
    *,
    tol: float = SOLVE_TOL,
    start: torch.Tensor | None = None,
) -> torch.Tensor:
    """B⁻¹ x by conjugate gradients, image by image, for a symmetric positive B; differentiable.

    Parameters
    ----------
    matrix : callable
        v ↦ B v for images (N, C, H, W).
    x : Tensor, shape (N, C, H, W)
        The right-hand side.
    condition : float
        The condition number of B or a bound of it: it sets how many products are enough for a residual of
        ``tol`` ‖x‖.
    tol : float
        Residual at which to stop, as a fraction of ‖x‖; above zero and below 1.
    start : Tensor, shape (N, C, H, W), optional
        Where to start, by default at zero.  It saves products where it is near the solution, and one is spent on it.
        Where a derivative is asked for it is left aside, since a solution that depends on it is not linear in x.

    References
    ----------
    Hestenes and Stiefel, "Methods of conjugate gradients for solving linear systems", 1952.
    """
    root = condition**0.5
    max_iter = math.ceil(root * math.log(2 * root / tol) / 2)
    differentiated = torch.is_grad_enabled() and x.requires_grad
    warm = None if start is None or differentiated else start

    def solve(right: torch.Tensor) -> torch.Tensor:
        size = spread(norms(right), right)
        size = torch.where(size > 0, size, 1.0)
        options = {"max_iter": max_iter, "tol": tol, "eps": 1e-30, "parallel_dim": [0]}
        if warm is not None:
            options["init"] = warm / size
        return size * conjugate_gradient(matrix, right / size, **options)

    return _SelfAdjoint.apply(x, solve)


def project_on_range(physics: LinearOperator, x: torch.Tensor, squared_norm: float) -> torch.Tensor:
    r"""A⁺A x by conjugate gradients for :math:`\min_u \|A u - A x\|` from u = 0, image by image; differentiable.

    All iterates are in the range of Aᵀ.  They stop where what is left out is small, and tell where it is not, both
    in units in which ‖A‖ = 1, so a multiple of A has the same projector.

    Parameters
    ----------
    physics : LinearOperator
        The operator A.
    x : Tensor, shape (N, C, H, W)
        Images.
    squared_norm : float
        ‖A‖², above zero.

    Warns
    -----
    RuntimeWarning
        If ‖A u − A x‖ is still above 1e-3 ‖A‖ ‖x‖ for an image after 500 products with AᵀA.

    References
    ----------
    Björck, "Numerical methods for least squares problems", 1996, section 7.4.
    """
    return _SelfAdjoint.apply(x, lambda images: _least_squares(physics, images, squared_norm))


def _least_squares(physics: LinearOperator, x: torch.Tensor, squared_norm: float) -> torch.Tensor:
    """Conjugate gradients on the normal equations, with the residual kept in the space of measurements."""
    norm = squared_norm**0.5
    size = norms(x)
    size = torch.where(size > 0, size, 1.0)
    u, left = torch.zeros_like(x), physics.A(x / (norm * spread(size, x)))
    p = s = physics.A_adjoint(left) / norm
    gamma = norms(s).square()
    for _ in range(PROJECTION_STEPS):
        if bool((norms(left) <= PROJECTION_TOL).all()):
            break
        q = physics.A(p / norm)
        alpha = gamma / norms(q).square().clamp(min=torch.finfo(x.dtype).tiny)
        u = u + spread(alpha, x) * p
        left = _add(left, q, -alpha)
        s = physics.A_adjoint(left) / norm
        gamma, before = norms(s).square(), gamma
        p = s + spread(gamma / before.clamp(min=torch.finfo(x.dtype).tiny), x) * p
    u = u * spread(size, x)
    _tell(physics, norms(physics.A((x - u) / (norm * spread(size, x)))))
    return u


def _add(y: torch.Tensor | TensorList, q: Any, factors: torch.Tensor) -> Any:
    """Return y + f q with one factor for each measurement of the batch."""
    if isinstance(y, torch.Tensor):
        return y + spread(factors, y) * q
    return TensorList([_add(a, b, factors) for a, b in zip(y, q, strict=True)])


def _tell(physics: LinearOperator, left_out: torch.Tensor) -> None:
    """Warn of a projection that did not converge."""
    if bool((left_out <= PROJECTION_WARNS).all()):
        return
    warnings.warn(
        f"range_projection of {type(physics).__name__}: after {PROJECTION_STEPS} steps of conjugate gradients "
        f"{float(left_out.max()):.1e} of ‖A‖ ‖x‖ is left out, above {PROJECTION_WARNS:g}; an operator that offers "
        "range_projection itself is exact",
        RuntimeWarning,
        stacklevel=2,
    )
