"""Given in problem set 2: the parameters of the course, a camera with a blur and dead pixels, images, helpers."""

from dataclasses import dataclass

import course
import numpy as np

SIDE = 20


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
    return np.asarray(values, dtype=float)


def normal(shape, seed):
    """Draw an array of standard normal numbers."""
    return np.random.default_rng(seed).standard_normal(shape)


def camera(p: Parameters, side: int = SIDE):
    """Return the camera A as a dense (m, n) matrix: a periodic Gaussian blur without the rows of the dead pixels."""
    offsets = np.fft.fftfreq(side) * side
    profile = np.exp(-(offsets**2) / (2 * p.width**2))
    blur = np.array([np.roll(profile / profile.sum(), shift) for shift in range(side)])
    order = np.random.default_rng(p.seed).permutation(side**2)
    alive = np.sort(order[: round(p.kept * side**2)])
    return np.kron(blur, blur)[alive]


def modes(A):
    """Return U (m, m), the m singular values in descending order, and Vt (n, n), whose rows are the modes."""
    return np.linalg.svd(A)


def padded(s, n: int):
    """Return the singular values of all n modes: those in ``s``, then a zero for each silent mode."""
    return np.concatenate([s, np.zeros(n - len(s))])


def images(p: Parameters, part: str, count: int):
    """Draw images of discs as rows of a (count, n) array, values in [0, 1]; ``part`` is "validation" or "test"."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    pictures = np.zeros((count, SIDE, SIDE))
    for index in range(count):
        rng = np.random.default_rng([p.seed, ("validation", "test").index(part), index])
        for _ in range(5):
            row, column = rng.uniform(3, SIDE - 3, 2)
            radius, value = rng.uniform(2, 5), rng.uniform(0.2, 0.9)
            pictures[index, (rows - row) ** 2 + (columns - column) ** 2 < radius**2] = value
    return pictures.reshape(count, -1)


def paired(first, second) -> tuple[float, float]:
    """Return the mean of ``first - second`` over 20 images, and the half-width of its 95 % interval (Student's t)."""
    difference = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    course.ensure(
        difference.shape == (20,), "20 images are expected: the quantile 2.093 is that of 20 differences."
    )
    return float(difference.mean()), float(2.093 * difference.std(ddof=1) / 20**0.5)
