"""Given in problem set 5: digits, patterns, two single-pixel cameras, and a solver whose settings are tuned.

An image is a row of 256 numbers, a set of N images a tensor (N, 256), in double precision.
"""

from dataclasses import dataclass
from functools import lru_cache

import course
import torch
from torch.nn import functional

from ddgp_lib.data import Split, load_digits
from ddgp_lib.denoisers import load_denoiser
from ddgp_lib.operators import HadamardCamera

SIDE = 16
PIXELS = SIDE * SIDE
COUNTS = {"train": 1200, "val": 200, "test": 200}
SIGMAS = (0.025, 0.04, 0.064, 0.1, 0.16, 0.25)
"""Noise levels that the denoiser is told: with P all but the first are tried, without it all but the last."""


@dataclass(frozen=True)
class Parameters:
    """What is drawn for a course or a student.

    Attributes
    ----------
    rows : int
        Patterns that the student measures, the first ones of the order.
    gain : float
        Length of the rows of the student's matrix: the part of the light that reaches its detector.
    noise : float
        Standard deviation of the noise on each of the student's measurements.
    order : str
        Order of the patterns: by their number of "blocks", or by "diagonals" of the two numbers of sign changes.
    few : int
        Training images where there are few of them.
    seed : int
        Which digits, and which noise.
    """

    rows: int
    gain: float
    noise: float
    order: str
    few: int
    seed: int


def parameters(key: str, student: str = "") -> Parameters:
    """Draw the parameters."""
    rng = course.draw(key, student, "teachers")
    rows = int(rng.integers(26, 41))
    return Parameters(
        rows=rows,
        gain=float(rng.choice([0.5, 0.6, 0.7, 0.8])),
        noise=float(rng.choice([0.01, 0.015, 0.02])),
        order=str(rng.choice(["blocks", "diagonals"])),
        few=rows - int(rng.integers(4, 9)),
        seed=int(rng.integers(1000)),
    )


def normal(shape, seed):
    """Draw a tensor of standard normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@lru_cache
def basis(order: str) -> torch.Tensor:
    """Return the 256 Hadamard patterns as rows of length one, orthogonal to each other, in an order."""
    lines = HadamardCamera(1.0, (1, SIDE, SIDE)).hadamard.double()
    changes = (lines[:, 1:] * lines[:, :-1] < 0).sum(dim=1)
    down, across = changes[:, None], changes[None, :]
    rank = (down + 1) * (across + 1) if order == "blocks" else down + across
    return torch.kron(lines, lines)[rank.flatten().argsort(stable=True)]


def student_camera(p: Parameters) -> torch.Tensor:
    """Return A_s: the first ``p.rows`` patterns, each with the length ``p.gain``."""
    return p.gain * basis(p.order)[: p.rows]


@lru_cache
def _digits() -> Split:
    """All digits at 16 × 16 pixels, as rows."""
    parts = load_digits()
    small = (
        functional.interpolate(part, size=(SIDE, SIDE), mode="bilinear", antialias=True) for part in parts
    )
    return Split(*(part.clamp(0, 1).flatten(1) for part in small))


def images(p: Parameters) -> Split:
    """Draw 1,200 training, 200 validation and 200 test digits: ``.train``, ``.val``, ``.test``."""
    generator = torch.Generator().manual_seed(p.seed)
    drawn = {}
    for name, part in _digits()._asdict().items():
        drawn[name] = part[torch.randperm(len(part), generator=generator)[: COUNTS[name]]].double()
    return Split(**drawn)


def measure(A, x, noise: float, seed: int):
    """Return A x + w for each row x: a tensor (N, number of rows of A)."""
    clean = x @ A.T
    return clean + noise * normal(clean.shape, seed)


def gradient(A, z, y):
    """Return the gradient Aᵀ(A z - y) for each row z."""
    return (z @ A.T - y) @ A


def measurements(p: Parameters) -> Split:
    """Return the student's measurements of the training, validation and test digits."""
    parts = enumerate(images(p), start=1)
    return Split(*(measure(student_camera(p), x, p.noise, 10 * p.seed + i) for i, x in parts))


def explained(target, guess) -> float:
    """R²: the share of the target's squared norm that a guess explains, over all images."""
    return float(1 - (guess - target).square().sum() / target.square().sum())


def psnr(x, truth):
    """Peak signal-to-noise ratio of each image in dB."""
    return -10 * torch.log10((x - truth).square().mean(dim=1))


@lru_cache
def _denoiser():
    return load_denoiser("single_pixel")


def denoise(u, sigma: float):
    """Return D_sigma of each row."""
    with torch.no_grad():
        return _denoiser()(u.float().view(-1, 1, SIDE, SIDE), sigma).flatten(1).double()


def solve(A, y, P=None, *, sigma: float, iterations: int, momentum: bool = False):
    """Return the images x_1, …, x_K of plug-and-play iterations from zero.

    With the step 1/‖A‖², x_{k+1} = D(z_k - P g(z_k) / ‖A‖²), where g is the gradient and P a matrix; None for the
    identity. Without momentum z_k = x_k, with momentum z_k = x_k + (k - 1)/(k + 2) (x_k - x_{k-1}).
    """
    step = 1 / float(torch.linalg.matrix_norm(A, 2)) ** 2
    z = x = torch.zeros(len(y), A.shape[1], dtype=torch.float64)
    path = []
    for k in range(iterations):
        g = gradient(A, z, y)
        before, x = x, denoise(z - step * (g if P is None else g @ P.T), sigma)
        z = x + k / (k + 3) * (x - before) if momentum else x
        path.append(x)
    return path


def quality(p: Parameters, P=None, after=(5, 50), validation: int = 24, tests: int = 48):
    """Return, for each number of iterations, the PSNR of the first test images and the setting that gave it.

    For each number, sigma is chosen from ``SIGMAS`` on validation images by the mean PSNR there. Without P it is also
    chosen there whether to use momentum: that is the best of the methods here that learn nothing.
    """
    A, x, y = student_camera(p), images(p), measurements(p)
    sigmas, momenta = (SIGMAS[:-1], (False, True)) if P is None else (SIGMAS[1:], (False,))
    settings = [{"sigma": sigma, "momentum": momentum} for sigma in sigmas for momentum in momenta]
    paths = [solve(A, y.val[:validation], P, iterations=max(after), **setting) for setting in settings]
    found = {}
    for k in after:
        means = [float(psnr(path[k - 1], x.val[:validation]).mean()) for path in paths]
        best = settings[means.index(max(means))]
        found[k] = psnr(solve(A, y.test[:tests], P, iterations=k, **best)[-1], x.test[:tests]), best
    return found
