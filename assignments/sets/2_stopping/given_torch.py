"""Given in problem set 2: the parameters of the course, a camera with a blur and dead pixels, images, helpers."""

from dataclasses import dataclass

import course
import numpy as np
import torch

from ddgp_lib.data import load_digits

SIDE = 28


@dataclass(frozen=True)
class Parameters:
    """What is drawn for a course or a student.

    Attributes
    ----------
    width : float
        Standard deviation of the blur in pixels.
    kept : float
        Share of the sensor's pixels that are not dead.
    sigma : float
        Standard deviation of the noise in each measurement.
    tau : float
        Safety factor of the discrepancy principle.
    seed : int
        Seed of the dead pixels, the choice of images, and the noise.
    """

    width: float
    kept: float
    sigma: float
    tau: float
    seed: int


def parameters(key: str, student: str = "") -> Parameters:
    """Draw the parameters."""
    rng = course.draw(key, student, "stopping")
    return Parameters(
        width=float(rng.choice([0.9, 0.95, 1.0, 1.05, 1.1])),
        kept=float(rng.choice([0.6, 0.65, 0.7, 0.75])),
        sigma=float(rng.choice([0.008, 0.01, 0.012, 0.015])),
        tau=float(rng.choice([1.02, 1.05, 1.1])),
        seed=int(rng.integers(1000)),
    )


def array(values):
    """Return values as an array of this form of the set."""
    return torch.as_tensor(np.asarray(values, dtype=float))


def normal(shape, seed):
    """Draw an array of standard normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def camera(p: Parameters, side: int = SIDE):
    """Return the camera A as a dense (m, n) matrix: a periodic Gaussian blur without the rows of the dead pixels."""
    offsets = np.fft.fftfreq(side) * side
    profile = np.exp(-(offsets**2) / (2 * p.width**2))
    blur = np.array([np.roll(profile / profile.sum(), shift) for shift in range(side)])
    order = np.random.default_rng(p.seed).permutation(side**2)
    alive = np.sort(order[: round(p.kept * side**2)])
    return array(np.kron(blur, blur)[alive])


def modes(A):
    """Return U (m, m), the m singular values in descending order, and Vt (n, n), whose rows are the modes."""
    return torch.linalg.svd(A)


def padded(s, n: int):
    """Return the singular values of all n modes: those in ``s``, then a zero for each silent mode."""
    return torch.cat([s, torch.zeros(n - len(s), dtype=s.dtype)])


def images(p: Parameters, part: str, count: int):
    """Return digits as rows of a (count, n) array, values in [0, 1]; ``part`` is "validation" or "test"."""
    digits, border = load_digits(), (32 - SIDE) // 2
    pool = {"validation": digits.val, "test": digits.test}[part]
    chosen = np.random.default_rng(p.seed).permutation(len(pool))[:count]
    cropped = pool[torch.as_tensor(chosen), 0, border:-border, border:-border]
    return cropped.double().reshape(count, -1)


def paired(first, second) -> tuple[float, float]:
    """Return the mean of ``first - second`` over 20 images, and the half-width of its 95 % interval (Student's t)."""
    difference = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    course.ensure(
        difference.shape == (20,), "20 images are expected: the quantile 2.093 is that of 20 differences."
    )
    return float(difference.mean()), float(2.093 * difference.std(ddof=1) / 20**0.5)
