"""Given in problem set 3: the parameters of the course, a scanner with several coils, images, and a denoiser."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import course
import numpy as np
import torch

from ddgp_lib import checks
from ddgp_lib.data import load_brains, smooth_phase

SIDE, COILS = 32, 3


@dataclass(frozen=True)
class Parameters:
    """What is drawn for a course or a student.

    Attributes
    ----------
    columns : int
        Columns of k-space that are measured.
    radius : float
        Distance of the coils from the centre of the image, which reaches from -1 to 1.
    angle : float
        Where the first coil stands, in radians.
    noise : float
        Standard deviation of the noise of one complex measurement.
    seed : int
        Seed of the coils' phases, of the columns and of the image.
    """

    columns: int
    radius: float
    angle: float
    noise: float
    seed: int


def parameters(key: str, student: str = "", side: int = SIDE) -> Parameters:
    """Draw the parameters."""
    rng = course.draw(key, student, "preconditioners")
    return Parameters(
        columns=side // 4 - int(rng.integers(2)),
        radius=float(rng.choice([1.6, 1.65, 1.7, 1.75, 1.8])),
        angle=float(rng.uniform(0, 2 * np.pi)),
        noise=float(rng.choice([0.005, 0.0075, 0.01])),
        seed=int(rng.integers(1_000_000)),
    )


def array(values: Any) -> Any:
    """Return real numbers as an array of this form of the set."""
    return torch.as_tensor(values, dtype=torch.float64)


def columns(arrays: Any) -> Any:
    """Return the matrix whose columns are the given one-dimensional arrays."""
    return torch.stack(list(arrays), dim=1)


def least_squares(V: Any, v: Any) -> Any:
    """Return the c that makes the norm of V c - v smallest."""
    return torch.linalg.lstsq(V, v[:, None], driver="gelsd").solution[:, 0]


def normal(shape: tuple[int, ...], seed: int) -> Any:
    """Draw an array of complex numbers, standard normal in both parts."""
    real, imaginary = torch.randn(
        (2, *shape), generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return torch.complex(real, imaginary)


def norm(a: Any) -> float:
    """Return the Euclidean norm of a complex array of any shape."""
    return float(torch.linalg.vector_norm(a))


def fourier(x: Any) -> Any:
    """Return the orthonormal Fourier transform F x over the last two axes; frequency (0, 0) comes first."""
    return torch.fft.fft2(x, norm="ortho")


def fourier_inverse(x: Any) -> Any:
    """Return the inverse of ``fourier``, which is also its adjoint."""
    return torch.fft.ifft2(x, norm="ortho")


def rows_of(maps: Any, mask: Any) -> Any:
    """Return the scanner as one (coils x side, side) matrix for each row of the image.

    Whole columns are measured, so the transform along the columns of the image changes no inner product, and each row
    of the image is measured by itself.
    """
    side = maps.shape[-1]
    line = mask[0][:, None] * torch.fft.fft(torch.eye(side, dtype=torch.float64), norm="ortho")
    return (line * maps[:, :, None, :]).swapaxes(0, 1).reshape(side, -1, side)


def measured(count: int, side: int, rng: np.random.Generator) -> list[int]:
    """Draw which columns are measured: the three of the lowest frequencies, and one from each of equal intervals."""
    ends = np.ceil(np.linspace(2, side - 1, count - 2)).astype(int)
    return [0, 1, side - 1, *(int(rng.integers(low, high)) for low, high in itertools.pairwise(ends))]


def camera(p: Parameters, side: int = SIDE) -> tuple[Any, Any]:
    """Return the coils' maps, (COILS, side, side), scaled so that the norm of A is 1, and the mask (side, side)."""
    rng = np.random.default_rng(p.seed)
    axis = torch.linspace(-1, 1, side, dtype=torch.float64)
    u, v = axis[None, :], axis[:, None]
    coils = torch.arange(COILS, dtype=torch.float64)
    towards = torch.exp(1j * (p.angle + 2 * torch.pi * coils / COILS))[:, None, None]
    terms = (u, v, u * v, u**2, v**2)
    weights = torch.as_tensor(rng.standard_normal((len(terms), COILS, 1, 1)))
    phase = sum(weights[i] * terms[i] for i in range(len(terms)))
    maps = towards / (u + 1j * v - p.radius * towards).conj() * torch.exp(1j * phase)
    mask = torch.zeros(side, side, dtype=torch.float64)
    mask[:, measured(p.columns, side, rng)] = 1
    return maps / torch.linalg.matrix_norm(rows_of(maps, mask), 2).max(), mask


def eigenvalues(maps: Any, mask: Any) -> Any:
    """Return the eigenvalues of the normal operator that are not zero, in descending order."""
    seen = min(COILS * int(mask[0].sum()), maps.shape[-1])
    return (torch.linalg.svdvals(rows_of(maps, mask))[:, :seen] ** 2).flatten().sort(descending=True)[0]


def hidden(x: Any, maps: Any, mask: Any) -> Any:
    """Return the part of an image in the null space of A."""
    seen = min(COILS * int(mask[0].sum()), maps.shape[-1])
    blind = torch.linalg.svd(rows_of(maps, mask))[2][:, seen:]
    return torch.einsum("rki,rk->ri", blind.conj(), torch.einsum("rki,ri->rk", blind, x))


def images(seed: int, count: int, part: str = "val") -> Any:
    """Return complex brain slices, (count, SIDE, SIDE): magnitudes from 0 to 1 with a smooth phase."""
    slices = torch.nn.functional.avg_pool2d(getattr(load_brains(), part)[:, 0].double(), 128 // SIDE)
    full = slices[slices.mean(dim=(1, 2)) > 0.15]
    generator = torch.Generator().manual_seed(seed)
    chosen = full[torch.randperm(len(full), generator=generator)[:count]]
    return chosen * torch.exp(1j * smooth_phase(count, SIDE, generator).double())


def image(p: Parameters) -> Any:
    """Return the image that is in the scanner, (SIDE, SIDE), complex."""
    return images(p.seed, 1)[0]


def examples(p: Parameters) -> Any:
    """Return other images of the same kind, (20, SIDE, SIDE)."""
    return images(p.seed + 1, 20, "train")


class Counted:
    """An operator that counts how often it is applied.

    Parameters
    ----------
    operator : callable
        Takes an image and returns one: the product with the normal operator.

    Attributes
    ----------
    products : int
        How often it was applied.
    """

    def __init__(self, operator: Callable[[Any], Any]) -> None:
        self.operator, self.products = operator, 0

    def __call__(self, x: Any) -> Any:
        """Apply the operator, and count."""
        self.products += 1
        return self.operator(x)


def identity(g: Any) -> Any:
    """No preconditioner."""
    return g


def descend(
    M: Callable[[Any], Any], b: Any, P: Callable[[Any], Any] = identity, momentum: bool = False
) -> Iterator[Any]:
    """Yield x_1, x_2, ... of preconditioned descent z - P(M z - b) from zero, with Nesterov's momentum or without."""
    x = before = 0 * b
    k = 0
    while True:
        z = x + k / (k + 3) * (x - before) if momentum else x
        before, x = x, z - P(M(z) - b)
        k += 1
        yield x


def take(iterates: Iterator[Any], count: int) -> list[Any]:
    """Return the first iterates as a list."""
    return list(itertools.islice(iterates, count))


def largest(operator: Callable[[Any], Any], shape: tuple[int, ...], iterations: int = 200) -> float:
    """Estimate the largest eigenvalue of an operator by power iteration."""
    x = normal(shape, 0)
    for _ in range(iterations):
        x = operator(x / norm(x))
    return norm(x)


def haar(x: Any, inverse: bool = False) -> Any:
    """Return the orthonormal Haar transform of an image on three levels, or its inverse."""
    x, side = x.clone(), x.shape[-1]
    for level in (2, 1, 0) if inverse else (0, 1, 2):
        n = side >> level
        part = x[:n, :n]
        for _ in range(2):
            if inverse:
                low, high = part[: n // 2], part[n // 2 :]
                part = torch.stack([low + high, low - high], dim=1).reshape(n, n).T / 2**0.5
            else:
                part = torch.cat([part[::2] + part[1::2], part[::2] - part[1::2]]).T / 2**0.5
        x[:n, :n] = part
    return x


def denoise(u: Any, weight: float = 1.0, threshold: float = 0.01, shrink: float = 0.02) -> Any:
    """Return the proximal map of weight * f, f(x) = threshold * (sum of |Haar coefficients|) + shrink/2 * |x|^2."""
    coefficients = haar(u)
    kept = (1 - weight * threshold / coefficients.abs().clamp(min=1e-30)).clamp(min=0)
    return haar(kept * coefficients, inverse=True) / (1 + weight * shrink)


def check_adjoint(forward: Any, adjoint: Any, side: int) -> None:
    """Raise an ``AssertionError`` with the likeliest cause unless the two functions are each other's adjoint."""
    course.array(
        course.run(forward, normal((side, side), 1), name="forward"), "forward(x)", (COILS, side, side)
    )
    course.array(
        course.run(adjoint, normal((COILS, side, side), 2), name="adjoint"), "adjoint(y)", (side, side)
    )
    checks.check_adjoint(forward, (side, side), adjoint=adjoint, dtype=torch.complex128)
