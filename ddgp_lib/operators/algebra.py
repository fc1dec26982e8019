"""What solvers and analysis ask of a linear operator: AᵀA, A⁺A and ‖A‖².

An operator class may provide the methods ``normal``, ``range_projection`` and ``newton`` and the property
``squared_norm``, faster or more exact than what follows from ``A``, ``A_adjoint`` and ``A_dagger``; they are used
where they exist.  So every function works with any of deepinv's linear operators too.
"""

import math
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from deepinv.optim.linear import conjugate_gradient
from deepinv.physics import DecomposablePhysics, LinearPhysics


def norms(batch: torch.Tensor) -> torch.Tensor:
    """Euclidean norm of each image or measurement of a batch (N, …), shape (N,)."""
    return batch.flatten(1).norm(dim=1)


def measure(physics: LinearPhysics, images: torch.Tensor, seed: int) -> torch.Tensor:
    """Simulate y = A x + w.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A with its noise model.
    images : Tensor, shape (N, C, H, W)
        True images x.
    seed : int
        Seed of the noise w: the same seed gives the same noise.

    Returns
    -------
    Tensor
        Measurements y.
    """
    return physics.noise(physics.A(images), seed=seed)


def range_projection(physics: LinearPhysics, x: torch.Tensor) -> torch.Tensor:
    """A⁺A x: the part of an image that the measurements determine (the range of Aᵀ)."""
    if hasattr(physics, "range_projection"):
        return physics.range_projection(x)
    return physics.A_dagger(physics.A(x))


def null_projection(physics: LinearPhysics, x: torch.Tensor) -> torch.Tensor:
    """(I − A⁺A) x: the part of an image that the measurements do not see (the null space of A)."""
    return x - range_projection(physics, x)


def normal(physics: LinearPhysics, x: torch.Tensor) -> torch.Tensor:
    """AᵀA x: what measuring an image and projecting it back leaves of it."""
    if hasattr(physics, "normal"):
        return physics.normal(x)
    return physics.A_adjoint(physics.A(x))


def gradient(physics: LinearPhysics, z: torch.Tensor, adjoint: torch.Tensor) -> torch.Tensor:
    """∇g(z) = AᵀA z − Aᵀy, the gradient of g(z) = ½‖A z − y‖², with ``adjoint`` = Aᵀy computed once."""
    return normal(physics, z) - adjoint


def newton(physics: LinearPhysics, x: torch.Tensor, damping: float) -> torch.Tensor:
    """‖A‖² (AᵀA + λ‖A‖² I)⁻¹ x with λ = ``damping`` > 0: the Newton–Tikhonov step for a gradient x.

    A component of a gradient along a singular vector of relative singular value s/‖A‖ = r comes out multiplied by
    1/(r² + λ).  It is a closed form where the operator has a method ``newton`` or is one of deepinv's decomposable
    operators, and found by conjugate gradients otherwise.  These stop at a residual of 1e-6 ‖x‖, so for x in the
    range of Aᵀ the relative error stays below about 1e-6 (1 + 1/λ), and take up to ½ √(1 + 1/λ) ln(2e6 √(1 + 1/λ))
    products with AᵀA.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    x : Tensor, shape (N, C, H, W)
        Images, such as gradients.
    damping : float
        λ, above zero.

    References
    ----------
    Hestenes and Stiefel, "Methods of conjugate gradients for solving linear systems", 1952.
    """
    if hasattr(physics, "newton"):
        return physics.newton(x, damping)
    top = squared_norm(physics, tuple(x.shape[1:]))
    if isinstance(physics, DecomposablePhysics):
        return physics.prox_l2(x, torch.zeros_like(physics.A(x)), 1 / (damping * top)) / damping
    return _SymmetricSolve.apply(x, lambda v: normal(physics, v) / top + damping * v, 1 + 1 / damping)


def squared_norm(physics: LinearPhysics, img_size: tuple[int, ...]) -> float:
    """‖A‖², the largest eigenvalue of AᵀA and the Lipschitz constant of ∇½‖A x − y‖².

    Exact where the singular values are known.  Otherwise it is found by power iteration, once for each operator, and
    again when one of its tensors has changed.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    img_size : tuple of int
        Shape (C, H, W) of its images.
    """
    if hasattr(physics, "squared_norm"):
        return physics.squared_norm
    if isinstance(physics, DecomposablePhysics):
        return float(physics.mask.abs().max()) ** 2
    known = _NORMS.get(physics)
    if known is None or not known.holds(physics):
        known = _NORMS[physics] = _Norms(physics)
    shape = tuple(img_size)
    if shape not in known.values:
        known.values[shape] = largest_eigenvalue(lambda v: normal(physics, v), shape)
    return known.values[shape]


def largest_eigenvalue(
    symmetric: Callable[[torch.Tensor], torch.Tensor],
    img_size: tuple[int, ...],
    *,
    max_iter: int = 1000,
    rtol: float = 1e-6,
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

    Returns
    -------
    float

    References
    ----------
    Golub and Van Loan, "Matrix Computations", 4th edition, 2013, section 8.2.
    """
    v = torch.randn(1, *img_size, generator=torch.Generator().manual_seed(0))
    value = 0.0
    with torch.no_grad():
        for _ in range(max_iter):
            v = v / v.norm()
            product = symmetric(v)
            previous, value = value, float((v * product).sum())
            if abs(value - previous) <= rtol * abs(value):
                break
            v = product
    return value


class _Norms:
    """‖A‖² for each shape of images, and the operator's tensors that it was found for."""

    def __init__(self, physics: LinearPhysics) -> None:
        self.values: dict[tuple[int, ...], float] = {}
        self.tensors = _tensors(physics)

    def holds(self, physics: LinearPhysics) -> bool:
        """Say whether the operator's tensors are the same and unchanged."""
        now = _tensors(physics)
        pairs = zip(now, self.tensors, strict=False)
        return len(now) == len(self.tensors) and all(a is b and m == n for (a, m), (b, n) in pairs)


def _tensors(physics: LinearPhysics) -> list[tuple[torch.Tensor, int]]:
    """Parameters and buffers, each with the number of changes in place that PyTorch has counted."""
    tensors = [*physics.parameters(), *physics.buffers()]
    return [(tensor, 0 if tensor.is_inference() else tensor._version) for tensor in tensors]


_NORMS: WeakKeyDictionary[LinearPhysics, _Norms] = WeakKeyDictionary()


class _SymmetricSolve(torch.autograd.Function):
    """B⁻¹ x by conjugate gradients, image by image, for a symmetric positive B.

    B⁻¹ is symmetric and linear, so it is its own derivative in both modes, and no iteration is stored for it.
    """

    @staticmethod
    def forward(x: torch.Tensor, matrix: Callable, condition: float) -> torch.Tensor:
        """Solve to a relative residual of ``tol``, within the products that B's condition number asks for."""
        tol, root = 1e-6, condition**0.5
        size = norms(x).reshape(-1, *[1] * (x.ndim - 1))
        size = torch.where(size > 0, size, 1.0)
        max_iter = math.ceil(root * math.log(2 * root / tol) / 2)
        return size * conjugate_gradient(matrix, x / size, max_iter=max_iter, tol=tol, eps=1e-30)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        """Keep the matrix."""
        ctx.problem = inputs[1:]

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        """Solve for the incoming gradient."""
        return _SymmetricSolve.apply(grad, *ctx.problem), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: torch.Tensor, *_: None) -> torch.Tensor:
        """Solve for the tangent."""
        return _SymmetricSolve.apply(tangent, *ctx.problem)
