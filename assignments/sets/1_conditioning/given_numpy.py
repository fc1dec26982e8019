"""Given in problem set 1: the parameters of the course, an image and a camera that blurs along a line."""

from dataclasses import dataclass

import course
import numpy as np

SIDE = 24


@dataclass(frozen=True)
class Parameters:
    """What is drawn for a course or a student.

    Attributes
    ----------
    length : int
        Pixels over which the camera moves while the shutter is open.
    decay : float
        Weight of each pixel of the path relative to the one before.
    window : int
        Rows and columns that the sensor loses at each border.
    seed : int
        Seed of the image.
    """

    length: int
    decay: float
    window: int
    seed: int


def parameters(key: str, student: str = "") -> Parameters:
    """Draw the parameters."""
    rng = course.draw(key, student, "conditioning")
    return Parameters(
        length=int(rng.integers(3, 6)),
        decay=float(rng.choice([0.5, 0.55, 0.6, 0.65])),
        window=int(rng.integers(2, 5)),
        seed=int(rng.integers(1000)),
    )


def array(values):
    """Return values as an array of this form of the set."""
    return np.asarray(values, dtype=float)


def normal(shape, seed):
    """Draw an array of standard normal numbers."""
    return np.random.default_rng(seed).standard_normal(shape)


def kernel(p: Parameters, side: int = SIDE):
    """Return the blur's kernel on a side x side grid, its origin at index (0, 0): a diagonal path that fades."""
    path = np.zeros((side, side))
    for step in range(p.length):
        path[step, step] = p.decay**step
    return path / path.sum()


def mask(p: Parameters, side: int = SIDE):
    """Return 1 where the sensor has a pixel, 0 in a frame of ``window`` pixels."""
    inside = np.zeros((side, side))
    inside[p.window : side - p.window, p.window : side - p.window] = 1
    return inside


def image(p: Parameters, side: int = SIDE):
    """Draw an image of discs with values in [0, 1]."""
    rng = np.random.default_rng(p.seed)
    rows, columns = np.mgrid[:side, :side]
    picture = np.zeros((side, side))
    for _ in range(6):
        row, column = rng.uniform(4, side - 4, 2)
        radius, value = rng.uniform(2, 6), rng.uniform(0.2, 0.9)
        picture[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = value
    return picture


def blur(p: Parameters, x):
    """Apply the periodic convolution with the kernel, the camera before its sensor."""
    return np.fft.ifft2(np.fft.fft2(kernel(p, x.shape[-1])) * np.fft.fft2(x)).real


def matrix(p: Parameters, side: int = SIDE):
    """Return the camera A as a dense (n, n) matrix; pixels that the sensor loses are rows of zeros."""
    columns = np.eye(side * side).reshape(-1, side, side)
    return (mask(p, side) * blur(p, columns)).reshape(side * side, -1).T


def svd(A):
    """Return the singular values of a matrix in descending order, and the modes as the rows of a matrix."""
    return np.linalg.svd(A)[1:]


def check_adjoint(forward, adjoint, shape):
    """Raise an ``AssertionError`` with the likeliest cause unless the two functions are each other's adjoint."""
    x, y = normal(shape, 1), normal(shape, 2)
    left = float(np.sum(course.run(forward, x, name="forward") * y))
    back = course.array(course.run(adjoint, y, name="adjoint"), "adjoint(y)", shape)
    right = float(np.sum(x * back))
    scale = np.linalg.norm(x) * np.linalg.norm(back)
    course.ensure(
        abs(left + right) > 1e-8 * scale, "<Ax, y> and <x, A*y> differ in sign: a minus is on one side only."
    )
    course.ensure(
        abs(left - right) < 1e-8 * scale,
        "<Ax, y> and <x, A*y> differ: the second function is no adjoint of the first. Is each factor of A "
        "there, in the reverse order, each by its own adjoint? A convolution's is the correlation with the "
        "same kernel.",
    )
