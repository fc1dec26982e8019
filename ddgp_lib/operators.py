"""Sensing operators A, and what the solvers and the analysis ask of them."""

import math

import torch
from deepinv.physics import DecomposablePhysics, GaussianNoise, LinearPhysics, SinglePixelCamera
from deepinv.physics.singlepixel import hadamard_1d

from .checks import require

ORDERINGS = ("cake_cutting", "sequency", "zig_zag", "xy")


class HadamardCamera(SinglePixelCamera):
    r"""A single-pixel camera that measures m rows of the orthonormal 2-D Hadamard basis.

    It is deepinv's :class:`~deepinv.physics.SinglePixelCamera` with two differences: the transform is two
    products with a dense Hadamard matrix, several times faster than butterflies at these sizes, and noise falls
    only on the entries that are measured.  The rows are orthonormal, so :math:`A A^\top = I`.

    Measurements keep the image's shape (N, C, H, W); entries that are not measured are zero.

    Parameters
    ----------
    ratio : float
        Fraction of the rows that is measured, in (0, 1]; m = round(ratio · H · W), at least 1.
    img_size : tuple of int
        Image shape (C, H, W); H = W, a power of two.
    ordering : str
        Which rows come first: ``"cake_cutting"`` (default), ``"sequency"``, ``"zig_zag"`` or ``"xy"``.
        With one ordering, the rows of a smaller ratio are among those of a larger one.
    noise : float
        Standard deviation of the white Gaussian noise on each measurement.
    seed : int
        Seed of the camera's own noise generator.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Duarte et al., "Single-pixel imaging via compressive sampling", 2008; Yu, "Super sub-Nyquist single-pixel
    imaging by means of cake-cutting Hadamard basis sort", 2019.
    """

    def __init__(
        self,
        ratio: float,
        img_size: tuple[int, int, int],
        ordering: str = "cake_cutting",
        noise: float = 0.0,
        seed: int = 0,
    ) -> None:
        side = img_size[-1]
        require(0 < ratio <= 1, "ratio", ratio, "a number above 0 and at most 1")
        require(ordering in ORDERINGS, "ordering", ordering, f"one of {ORDERINGS}")
        square = len(img_size) == 3 and img_size[1] == side and side >= 2 and side.bit_count() == 1
        require(square, "img_size", img_size, "(C, H, W) with H = W, a power of two")
        require(math.isfinite(noise) and noise >= 0, "noise", noise, "a finite number, 0 or above")
        generator = torch.Generator().manual_seed(seed)
        super().__init__(
            m=max(1, round(ratio * side * side)),
            img_size=img_size,
            ordering=ordering,
            noise_model=GaussianNoise(noise, rng=generator),
        )
        self.register_buffer("hadamard", hadamard_1d(torch.eye(side)))

    def V_adjoint(self, x: torch.Tensor) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """All 2-D Hadamard coefficients H x H of an image; the basis is symmetric, so it is its own inverse."""
        return self.hadamard @ x @ self.hadamard

    V = V_adjoint

    def noise(self, x: torch.Tensor, **kwargs: int) -> torch.Tensor:
        """Add noise to the measured entries alone."""
        return self.mask * super().noise(x, **kwargs)


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
    return physics.A_dagger(physics.A(x))


def null_projection(physics: LinearPhysics, x: torch.Tensor) -> torch.Tensor:
    """(I − A⁺A) x: the part of an image that the measurements do not see (the null space of A)."""
    return x - range_projection(physics, x)


def normal(physics: LinearPhysics, x: torch.Tensor) -> torch.Tensor:
    """AᵀA x: what measuring an image and projecting it back leaves of it."""
    return physics.A_adjoint(physics.A(x))


def gradient(physics: LinearPhysics, z: torch.Tensor, adjoint: torch.Tensor) -> torch.Tensor:
    """∇g(z) = AᵀA z − Aᵀy, the gradient of g(z) = ½‖A z − y‖², with ``adjoint`` = Aᵀy computed once."""
    return normal(physics, z) - adjoint


def squared_norm(physics: LinearPhysics, img_size: tuple[int, ...]) -> float:
    """‖A‖², the largest eigenvalue of AᵀA and the Lipschitz constant of ∇½‖A x − y‖².

    Exact where the singular values are known in closed form, by power iteration otherwise.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    img_size : tuple of int
        Shape (C, H, W) of its images.
    """
    if isinstance(physics, DecomposablePhysics):
        return float(physics.mask.abs().max()) ** 2
    start = torch.randn(img_size, generator=torch.Generator().manual_seed(0))
    return float(physics.compute_sqnorm(start, max_iter=1000, tol=1e-6, verbose=False))
