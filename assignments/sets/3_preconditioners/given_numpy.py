"""Given in problem set 3: the parameters of the course, a scanner with several coils, images, and a denoiser."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import course
import numpy as np

SIDE, COILS = 24, 3


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
    return np.asarray(values, dtype=float)


def columns(arrays: Any) -> Any:
    """Return the matrix whose columns are the given one-dimensional arrays."""
    return np.stack(arrays, axis=1)


def least_squares(V: Any, v: Any) -> Any:
    """Return the c that makes the norm of V c - v smallest."""
    return np.linalg.lstsq(V, v, rcond=None)[0]


def normal(shape: tuple[int, ...], seed: int) -> Any:
    """Draw an array of complex numbers, standard normal in both parts."""
    return np.random.default_rng(seed).standard_normal((*shape, 2)) @ np.array([1, 1j])


def norm(a: Any) -> float:
    """Return the Euclidean norm of a complex array of any shape."""
    return float(np.linalg.norm(a))


def fourier(x: Any) -> Any:
    """Return the orthonormal Fourier transform F x over the last two axes; frequency (0, 0) comes first."""
    return np.fft.fft2(x, norm="ortho")


def fourier_inverse(x: Any) -> Any:
    """Return the inverse of ``fourier``, which is also its adjoint."""
    return np.fft.ifft2(x, norm="ortho")


def rows_of(maps: Any, mask: Any) -> Any:
    """Return the scanner as one (coils x side, side) matrix for each row of the image.

    Whole columns are measured, so the transform along the columns of the image changes no inner product, and each row
    of the image is measured by itself.
    """
    side = maps.shape[-1]
    line = mask[0][:, None] * np.fft.fft(np.eye(side), norm="ortho")
    return (line * maps[:, :, None, :]).swapaxes(0, 1).reshape(side, -1, side)


def measured(count: int, side: int, rng: np.random.Generator) -> list[int]:
    """Draw which columns are measured: the three of the lowest frequencies, and one from each of equal intervals."""
    ends = np.ceil(np.linspace(2, side - 1, count - 2)).astype(int)
    return [0, 1, side - 1, *(int(rng.integers(low, high)) for low, high in itertools.pairwise(ends))]


def camera(p: Parameters, side: int = SIDE) -> tuple[Any, Any]:
    """Return the coils' maps, (COILS, side, side), scaled so that the norm of A is 1, and the mask (side, side)."""
    rng = np.random.default_rng(p.seed)
    axis = np.linspace(-1, 1, side)
    u, v = axis[None, :], axis[:, None]
    towards = np.exp(1j * (p.angle + 2 * np.pi * np.arange(COILS) / COILS))[:, None, None]
    terms = (u, v, u * v, u**2, v**2)
    weights = rng.standard_normal((len(terms), COILS, 1, 1))
    phase = sum(weights[i] * terms[i] for i in range(len(terms)))
    maps = towards / np.conj(u + 1j * v - p.radius * towards) * np.exp(1j * phase)
    mask = np.zeros((side, side))
    mask[:, measured(p.columns, side, rng)] = 1
    return maps / np.linalg.norm(rows_of(maps, mask), 2, axis=(1, 2)).max(), mask


def eigenvalues(maps: Any, mask: Any) -> Any:
    """Return the eigenvalues of the normal operator that are not zero, in descending order."""
    seen = min(COILS * int(mask[0].sum()), maps.shape[-1])
    return np.sort((np.linalg.svd(rows_of(maps, mask))[1][:, :seen] ** 2).ravel())[::-1].copy()


def hidden(x: Any, maps: Any, mask: Any) -> Any:
    """Return the part of an image in the null space of A."""
    seen = min(COILS * int(mask[0].sum()), maps.shape[-1])
    blind = np.linalg.svd(rows_of(maps, mask))[2][:, seen:]
    return np.einsum("rki,rk->ri", blind.conj(), np.einsum("rki,ri->rk", blind, x))


def images(seed: int, count: int, side: int = SIDE) -> Any:
    """Draw complex images, (count, side, side): discs of magnitude up to about 1 with a smooth phase."""
    rng = np.random.default_rng(seed)
    axis = np.linspace(-1, 1, side)
    found = np.zeros((count, side, side), dtype=complex)
    for picture in found:
        for _ in range(6):
            row, column = rng.uniform(-0.6, 0.6, 2)
            radius, value = rng.uniform(0.15, 0.5), rng.uniform(0.2, 0.9)
            picture[(axis[:, None] - row) ** 2 + (axis - column) ** 2 < radius**2] = value
        a, b, c = rng.standard_normal(3)
        picture *= np.exp(1j * (a * axis[:, None] + b * axis + c * axis[:, None] * axis))
    return found


def image(p: Parameters) -> Any:
    """Return the image that is in the scanner, (SIDE, SIDE), complex."""
    return images(p.seed, 1)[0]


def examples(p: Parameters) -> Any:
    """Return other images of the same kind, (20, SIDE, SIDE)."""
    return images(p.seed + 1, 20)


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
    x, side = np.array(x), x.shape[-1]
    for level in (2, 1, 0) if inverse else (0, 1, 2):
        n = side >> level
        part = x[:n, :n]
        for _ in range(2):
            if inverse:
                low, high = part[: n // 2], part[n // 2 :]
                part = np.stack([low + high, low - high], axis=1).reshape(n, n).T / 2**0.5
            else:
                part = np.concatenate([part[::2] + part[1::2], part[::2] - part[1::2]]).T / 2**0.5
        x[:n, :n] = part
    return x


def denoise(u: Any, weight: float = 1.0, threshold: float = 0.01, shrink: float = 0.02) -> Any:
    """Return the proximal map of weight * f, f(x) = threshold * (sum of |Haar coefficients|) + shrink/2 * |x|^2."""
    coefficients = haar(u)
    size = np.maximum(np.abs(coefficients), 1e-30)
    kept = np.maximum(1 - weight * threshold / size, 0)
    return haar(kept * coefficients, inverse=True) / (1 + weight * shrink)


def check_adjoint(forward: Any, adjoint: Any, side: int) -> None:
    """Raise an ``AssertionError`` with the likeliest cause unless the two functions are each other's adjoint."""
    x, y = normal((side, side), 1), normal((COILS, side, side), 2)
    Ax = course.array(course.run(forward, x, name="forward"), "forward(x)", (COILS, side, side))
    back = course.array(course.run(adjoint, y, name="adjoint"), "adjoint(y)", (side, side))
    left = np.sum(Ax.real * y.real) + np.sum(Ax.imag * y.imag)
    right = np.sum(x.real * back.real) + np.sum(x.imag * back.imag)
    scale = norm(Ax) * norm(y)
    course.ensure(
        abs(left + right) > 1e-8 * scale, "<Ax, y> and <x, A*y> differ in sign: a minus stands on one side."
    )
    course.ensure(
        abs(left - right) < 1e-8 * scale,
        "<Ax, y> and <x, A*y> differ: the second function is no adjoint of the first. Take the factors in reverse "
        "order, each by its own adjoint, and add up the coils. What is the adjoint of a product with a number?",
    )
