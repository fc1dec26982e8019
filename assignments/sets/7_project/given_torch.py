"""Given in problem set 7: what is drawn for four cameras, images, two wrappers of cameras, and a solver."""

import math
from dataclasses import dataclass
from functools import lru_cache

import course
import torch
from deepinv.physics import GaussianNoise, LinearPhysics

import ddgp_lib
from ddgp_lib.analysis import dense_matrix
from ddgp_lib.data import Split, load_digits, load_faces
from ddgp_lib.denoisers import load_denoiser
from ddgp_lib.operators import gradient

CHOICES = ("deblurring", "inpainting", "compressed sensing", "tomography")
SIDE = 32
SIZE = (1, SIDE, SIDE)
UNIT = {"deblurring": 0.5, "inpainting": 0.5, "compressed sensing": 0.9, "tomography": 13.0}
"""The usual size of a number in y, where the rows of the camera are as deepinv has them."""


@dataclass(frozen=True)
class Parameters:
    """What is drawn for a course or a student; each camera uses some of it.

    Attributes
    ----------
    heading, bend, length : float, float, int
        The way of the camera while the shutter is open: first direction and turn in each pixel (radians), pixels.
    keep : float
        Share of the pixels that are kept.
    rows : int
        Number of random measurements.
    views : int
        Number of projections.
    offset : float
        Angle of the first projection in degrees.
    noise : float
        Standard deviation of the noise, as a share of the usual size of a number in y.
    seed : int
        Seed of masks, matrices and noise.
    """

    heading: float
    bend: float
    length: int
    keep: float
    rows: int
    views: int
    offset: float
    noise: float
    seed: int


def parameters(key: str, student: str = "") -> Parameters:
    """Draw the parameters."""
    rng = course.draw(key, student, "project")
    return Parameters(
        heading=round(float(rng.uniform(0, math.pi)), 3),
        bend=round(float(rng.uniform(-0.2, 0.2)), 3),
        length=int(rng.integers(6, 9)),
        keep=float(rng.choice([0.35, 0.4, 0.45, 0.5])),
        rows=int(rng.integers(256, 361)),
        views=int(rng.integers(9, 13)),
        offset=float(rng.integers(0, 15)),
        noise=float(rng.choice([0.03, 0.035, 0.04, 0.045, 0.05])),
        seed=int(rng.integers(1000)),
    )


def generator(p: Parameters) -> torch.Generator:
    """Return a fresh generator of random numbers, always in the same state."""
    return torch.Generator().manual_seed(p.seed)


def kernel(p: Parameters) -> torch.Tensor:
    """Return the motion kernel, (1, 1, 9, 9), with the sum 1."""
    where, points = torch.zeros(2), []
    for step in range(8 * p.length):
        points.append(where.clone())
        angle = p.heading + p.bend * step / 8
        where += torch.tensor([math.sin(angle), math.cos(angle)]) / 8
    path = torch.stack(points)
    path = (path - (path.max(dim=0).values + path.min(dim=0).values) / 2 + 4).clamp(0, 8)
    # a point between pixels is shared among its neighbours, by the distance to each
    rows, columns = ((1 - (path[:, i, None] - torch.arange(9)).abs()).clamp(min=0) for i in range(2))
    found = rows.T @ columns
    return (found / found.sum()).reshape(1, 1, 9, 9)


def mask(p: Parameters) -> torch.Tensor:
    """Return 1 for pixels that are kept and 0 for the others, (1, 32, 32)."""
    order = torch.randperm(SIDE * SIDE, generator=generator(p))
    return (order < round(p.keep * SIDE * SIDE)).float().reshape(SIZE)


def angles(p: Parameters) -> torch.Tensor:
    """Return the angles of the projections in degrees, evenly spaced over half a turn."""
    return p.offset + 180 * torch.arange(p.views) / p.views


def noise(choice: str, p: Parameters) -> float:
    """Return the standard deviation of the noise on each number of y, for a camera with deepinv's scale."""
    return UNIT[choice] * p.noise


@lru_cache
def images(pictures: str) -> Split:
    """Return training, validation and test images, "faces" (280, 8, 24) or "digits" (1000, 12, 24).

    Nobody's face is in two parts.
    """
    if pictures == "faces":
        faces = load_faces(SIDE)
        return Split(faces.train, faces.val[:8], faces.test[:24])
    digits = load_digits()
    return Split(digits.train[:1000], digits.val[:12], digits.test[:24])


def persons(pictures: str) -> torch.Tensor:
    """Return a number for each test image, the same for images of one person; each digit counts as a person."""
    return torch.arange(24) % 8 if pictures == "faces" else torch.arange(24)


@lru_cache
def denoiser(pictures: str):
    """Return the library's denoiser for these images, trained with noise levels from 0.005 (digits: 0.01) on."""
    return load_denoiser({"faces": "super_resolution", "digits": "single_pixel"}[pictures])


class Scaled(LinearPhysics):
    """A camera times a factor, its noise too: ``Scaled(A, 1 / norm)`` has ‖A‖ = 1, as ddgp_lib.distill expects."""

    def __init__(self, physics: LinearPhysics, factor: float) -> None:
        super().__init__(noise_model=_noise_of(physics, factor))
        self.physics, self.factor = physics, factor

    def A(self, x: torch.Tensor, **kwargs) -> torch.Tensor:
        """Measure."""
        return self.factor * self.physics.A(x)

    def A_adjoint(self, y: torch.Tensor, **kwargs) -> torch.Tensor:
        """Apply the adjoint."""
        return self.factor * self.physics.A_adjoint(y)

    def A_dagger(self, y: torch.Tensor, **kwargs) -> torch.Tensor:
        """Apply the camera's own A⁺."""
        return self.physics.A_dagger(y) / self.factor


class Dense(LinearPhysics):
    """The same camera as a matrix, (m, 1024): faster where A is slow, and with an exact projector on its range.

    Rows of zeros are left out.  Singular values below 1e-5 of the largest count as zero.
    """

    def __init__(self, physics: LinearPhysics) -> None:
        super().__init__(noise_model=_noise_of(physics, 1.0))
        matrix = dense_matrix(physics, SIZE)
        matrix = matrix[matrix.norm(dim=1) > 0]
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
        seen = values > 1e-5 * values[0]
        self.register_buffer("matrix", matrix.float())
        self.register_buffer("basis", right[seen].float())
        self.register_buffer("inverse", ((right[seen].T / values[seen]) @ left[:, seen].T).float())

    def A(self, x: torch.Tensor, **kwargs) -> torch.Tensor:
        """Measure: (N, m)."""
        return x.flatten(1) @ self.matrix.T

    def A_adjoint(self, y: torch.Tensor, **kwargs) -> torch.Tensor:
        """Apply the adjoint."""
        return (y @ self.matrix).reshape(-1, *SIZE)

    def A_dagger(self, y: torch.Tensor, **kwargs) -> torch.Tensor:
        """Apply the pseudo-inverse."""
        return (y @ self.inverse.T).reshape(-1, *SIZE)

    def range_projection(self, x: torch.Tensor) -> torch.Tensor:
        """Apply A⁺A."""
        return (x.flatten(1) @ self.basis.T @ self.basis).reshape(x.shape)


def _noise_of(physics: LinearPhysics, factor: float) -> GaussianNoise:
    """Return a camera's noise model with another standard deviation, and a generator of its own."""
    sigma = factor * float(physics.noise_model.sigma)
    return GaussianNoise(sigma, rng=torch.Generator().manual_seed(0))


def same_camera(first: LinearPhysics, second: LinearPhysics) -> bool:
    """Say whether two cameras measure the same, up to a factor and to the arrangement of the numbers in y."""
    x = torch.randn(6, *SIZE, generator=torch.Generator().manual_seed(0))
    grams = []
    for physics in (first, second):
        y = physics.A(x).flatten(1).double()
        grams.append(y @ y.T / y.square().sum())
    return bool((grams[0] - grams[1]).norm() < 1e-4)


def psnr(x: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the PSNR of each image in dB: (N,) of images (N, 1, 32, 32), (K, N) of K iterates of them."""
    return -10 * (x - truth).square().mean(dim=(-3, -2, -1)).log10()


def plug_and_play(
    y, physics, step: float, P=None, *, sigma: float, pictures: str, momentum=False, iterations=12
):
    """Return the iterates x_1, …, x_K of plug-and-play, shape (K, N, 1, 32, 32), from x_0 = step · Aᵀy.

    Parameters
    ----------
    y, physics : Tensor, LinearPhysics
        Data and camera.
    step : float
        Step size.
    P : callable, optional
        Preconditioner, called as ``P(grad, state)``; without it the gradient itself is taken.
    sigma : float
        Noise level that the denoiser is told.
    pictures : str
        Whose denoiser: "faces" or "digits".
    momentum : bool
        Whether to extrapolate, by k / (k + 3).
    iterations : int
        K.
    """
    adjoint, found = physics.A_adjoint(y), []
    x = z = step * adjoint
    with torch.no_grad():
        for k in range(iterations):
            direction = gradient(physics, z, adjoint)
            if P is not None:
                direction = P(direction, ddgp_lib.State(z, k, physics, y))
            before, x = x, denoiser(pictures)(z - step * direction, sigma)
            z = x + momentum * (k + 1) / (k + 4) * (x - before)
            found.append(x)
    return torch.stack(found)


def worth(P, y, physics, step: float, truth, pictures: str, sigma: float = 0.05) -> tuple[float, float]:
    """Return the mean cosines of P(∇g) and of ∇g with the error z − x*, after three iterations without P.

    It is the worth of a direction if the step is chosen afterwards (chapter 8).  P is asked at k = 3.
    """
    z = plug_and_play(y, physics, step, sigma=sigma, pictures=pictures, iterations=3)[-1]
    with torch.no_grad():
        grad = gradient(physics, z, physics.A_adjoint(y))
        direction = P(grad, ddgp_lib.State(z, 3, physics, y))
    similar = (torch.cosine_similarity(v.flatten(1), (z - truth).flatten(1)) for v in (direction, grad))
    return tuple(float(value.mean()) for value in similar)
