"""What solvers and analysis ask of a linear operator: AᵀA, A⁺A and ‖A‖².

An operator class may provide the methods ``normal`` and ``range_projection`` and the property
``squared_norm``, faster or more exact than what follows from ``A``, ``A_adjoint`` and ``A_dagger``; they are used
where they exist.  So every function works with any of deepinv's linear operators too.
"""

import torch
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
    1/(r² + λ).  Without a method of the operator's own it follows from deepinv's ``prox_l2``, in closed form or by
    conjugate gradients.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    x : Tensor, shape (N, C, H, W)
        Images, such as gradients.
    damping : float
        λ, above zero.
    """
    if hasattr(physics, "newton"):
        return physics.newton(x, damping)
    gamma = 1 / (damping * squared_norm(physics, tuple(x.shape[1:])))
    return physics.prox_l2(x, torch.zeros_like(physics.A(x)), gamma, max_iter=500, tol=1e-7) / damping


def squared_norm(physics: LinearPhysics, img_size: tuple[int, ...]) -> float:
    """‖A‖², the largest eigenvalue of AᵀA and the Lipschitz constant of ∇½‖A x − y‖².

    Exact where the singular values are known, by power iteration otherwise.

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
    start = torch.randn(img_size, generator=torch.Generator().manual_seed(0))
    return float(physics.compute_sqnorm(start, max_iter=1000, tol=1e-6, verbose=False))
