"""Given in problem set 1: the parameters of the course, an image and a camera that blurs along a line."""

from dataclasses import dataclass

import course
import torch

from ddgp_lib import checks
from ddgp_lib.data import load_digits

SIDE = 32


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
        Which of the validation digits is the image.
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
    return torch.as_tensor(values, dtype=torch.float64)


def normal(shape, seed):
    """Draw an array of standard normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def kernel(p: Parameters, side: int = SIDE):
    """Return the blur's kernel on a side x side grid, its origin at index (0, 0): a diagonal path that fades."""
    path = torch.zeros(side, side, dtype=torch.float64)
    for step in range(p.length):
        path[step, step] = p.decay**step
    return path / path.sum()


def mask(p: Parameters, side: int = SIDE):
    """Return 1 where the sensor has a pixel, 0 in a frame of ``window`` pixels."""
    inside = torch.zeros(side, side, dtype=torch.float64)
    inside[p.window : side - p.window, p.window : side - p.window] = 1
    return inside


def image(p: Parameters):
    """Return a digit, (SIDE, SIDE), with values in [0, 1]."""
    return load_digits().val[p.seed, 0].double()


def blur(p: Parameters, x):
    """Apply the periodic convolution with the kernel, the camera before its sensor."""
    return torch.fft.ifft2(torch.fft.fft2(kernel(p, x.shape[-1])) * torch.fft.fft2(x)).real


def matrix(p: Parameters, side: int = SIDE):
    """Return the camera A as a dense (n, n) matrix; pixels that the sensor loses are rows of zeros."""
    columns = torch.eye(side * side, dtype=torch.float64).reshape(-1, side, side)
    return (mask(p, side) * blur(p, columns)).reshape(side * side, -1).T


def svd(A):
    """Return the singular values of a matrix in descending order, and the modes as the rows of a matrix."""
    return torch.linalg.svd(A)[1:]


def check_adjoint(forward, adjoint, shape):
    """Raise an ``AssertionError`` with the likeliest cause unless the two functions are each other's adjoint."""
    checks.check_adjoint(lambda x: forward(x.double()), shape, adjoint=lambda y: adjoint(y.double()))
