"""Given in problem set 6: the parameters of the course, a camera and images, methods to compare, and Student's t."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import course
import numpy as np
import torch
from deepinv.physics import LinearPhysics

import ddgp_lib
from ddgp_lib.operators import HadamardCamera, gradient, measure

ITERATIONS = 30
START, FALLING = 0.3, 20


@dataclass(frozen=True)
class Parameters:
    """What is drawn for a course or a student.

    Attributes
    ----------
    val, test : int
        Where the validation and the test images of this set begin, among the library's.
    seed : int
        Seed of the training on this page and of the noise in the data.
    k : int
        The iteration of the comparison "at k".
    cap : float
        Standard deviation of what the camera records with its lens cap on.
    """

    val: int
    test: int
    seed: int
    k: int
    cap: float


def parameters(key: str, student: str = "") -> Parameters:
    """Draw the parameters."""
    rng = course.draw(key, student, "distilling")
    return Parameters(
        val=int(rng.integers(900)),
        test=int(rng.integers(900)),
        seed=int(rng.integers(1000)),
        k=int(rng.choice([5, 6, 8, 10])),
        cap=float(rng.choice([0.3, 0.4, 0.5, 0.6])),
    )


def normal(shape, seed: int):
    """Draw a tensor of standard normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def t_quantile(df: float) -> float:
    """Return the number that Student's t with ``df`` degrees of freedom exceeds with a probability of 2.5 %."""
    t = np.linspace(0, 40, 400_001)
    if math.isinf(df):
        density = np.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)
    else:
        scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
        density = scale * (1 + t**2 / df) ** (-(df + 1) / 2)
    between = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2) * t[1]])
    return float(t[np.searchsorted(between, 0.475)])


@lru_cache
def task():
    """Return the single-pixel camera's task: digits, 102 patterns for the student, 410 for the teacher."""
    return ddgp_lib.load_task("single_pixel")


def images(p: Parameters):
    """Return 10 validation and 16 test images."""
    return task().val_images[p.val : p.val + 10], task().test_images[p.test : p.test + 16]


class Amplified(LinearPhysics):
    """A single-pixel camera behind an amplifier, c A: its rows are orthogonal and have the length c."""

    def __init__(self, factor: float, ratio: float = 0.25, side: int = 16):
        super().__init__()
        self.camera, self.factor = HadamardCamera(ratio, (1, side, side)), factor

    def A(self, x, **kwargs):
        """Measure."""
        return self.factor * self.camera.A(x)

    def A_adjoint(self, y, **kwargs):
        """Apply the adjoint."""
        return self.factor * self.camera.A_adjoint(y)

    def A_dagger(self, y, **kwargs):
        """Apply the pseudo-inverse."""
        return self.camera.A_adjoint(y) / self.factor


class Unprojected(ddgp_lib.Preconditioner):
    """The network of a preconditioner in null-space form, without the projection: g + N(g, z)."""

    def __init__(self, P):
        super().__init__()
        self.network = P.network

    def forward(self, grad, state):
        """Return the direction."""
        return grad + self.network(torch.cat([grad, state.z], dim=1))


def plain(sigma: float):
    """Return plug-and-play FISTA without P, with a constant noise level for the denoiser."""
    return _fista(None, sigma, "chambolle_dossal")


def preconditioned(P, sigma: float):
    """Return plug-and-play FISTA with P and without momentum, as the training on this page has it."""
    return _fista(P, sigma, "none")


def shipped():
    """Return the solver with the shipped preconditioner; its settings were tuned on validation images."""
    return ddgp_lib.load_solver("single_pixel", "distilled", task=task())


def shipped_without():
    """Return the same solver with the same settings and without the preconditioner."""
    setting = ddgp_lib.load_tuning("single_pixel")["distilled"]["setting"]
    return ddgp_lib.PreconditionedFISTA(task().denoiser, None, stepsize=task().stepsize, **setting)


def _fista(P, sigma, momentum):
    options = {"stepsize": task().stepsize, "sigma": sigma, "momentum": momentum}
    return ddgp_lib.PreconditionedFISTA(task().denoiser, P, **options)


@dataclass(frozen=True)
class Annealed:
    """Plug-and-play ADMM without P: exact data steps, and a noise level that falls from 0.3 to ``end``.

    The level falls by the same factor in each of the first 20 iterations, and stays.  The data step is exact in one
    product because A Aᵀ = I.
    """

    end: float

    def iterates(self, y, physics, max_iter: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield (x_k, x_k) for k = 0, …, ``max_iter``."""
        adjoint = physics.A_adjoint(y)
        x, q = adjoint, 0 * adjoint
        yield x, x
        with torch.no_grad():
            for k in range(max_iter):
                sigma = START * (self.end / START) ** min(1, k / (FALLING - 1))
                u = x - q - gradient(physics, x - q, adjoint) / 1.001
                x = task().denoiser(u + q, sigma)
                q = q + u - x
                yield x, x


def total_variation(y, weight: float, iterations: int = 100):
    """Minimise ½‖Ax − y‖² + weight · TV(x) by Chambolle and Pock's method, for A Aᵀ = I; nothing is learned."""
    physics = task().student
    adjoint = physics.A_adjoint(y)
    x = ahead = adjoint
    dual, step = torch.zeros(2, *x.shape), 1 / math.sqrt(8)
    for _ in range(iterations):
        dual[0, ..., :-1] += step * (ahead[..., 1:] - ahead[..., :-1])
        dual[1, ..., :-1, :] += step * (ahead[..., 1:, :] - ahead[..., :-1, :])
        dual /= (dual.norm(dim=0) / weight).clamp(min=1)
        columns, rows = dual[0, ..., :-1], dual[1, ..., :-1, :]
        pad = torch.nn.functional.pad
        divergence = (
            pad(columns, (0, 1)) - pad(columns, (1, 0)) + pad(rows, (0, 0, 0, 1)) - pad(rows, (0, 0, 1, 0))
        )
        v = x + step * divergence
        before, x = x, v - step / (1 + step) * gradient(physics, v, adjoint)
        ahead = 2 * x - before
    return x


def run(method, y, iterations: int = ITERATIONS):
    """Return x_1, …, x_K of a method for data ``y``, shape (K, N, 1, 32, 32)."""
    return torch.stack([x for x, _ in method.iterates(y, task().student, iterations)][1:])


def path(method, pictures, p: Parameters, iterations: int = ITERATIONS):
    """Return the PSNR (dB) of x_1, …, x_K for images (N, 1, 32, 32), shape (K, N)."""
    found = run(method, measure(task().student, pictures, p.seed), iterations)
    return torch.stack([task().psnr(x, pictures) for x in found])


def pair(P, z, k: int, pictures, p: Parameters):
    """Take one iteration of the student with P and one of the teacher without, both from z.

    Returns d = P(∇g_s(z); z), ∇g_t(z), x_s, x_t and ∇g_s(z).
    """
    one = task()
    y, y_teacher = measure(one.student, pictures, p.seed), measure(one.teacher, pictures, p.seed + 1)
    with torch.no_grad():
        g = gradient(one.student, z, one.student.A_adjoint(y))
        g_teacher = gradient(one.teacher, z, one.teacher.A_adjoint(y_teacher))
        d = P(g, ddgp_lib.State(z, k, one.student, y))
        x = one.denoiser(z - one.stepsize * d, one.sigma)
        x_teacher = one.denoiser(z - one.teacher_stepsize * g_teacher, one.sigma)
    return d, g_teacher, x, x_teacher, g


def visited(method, pictures, p: Parameters, iterations: int):
    """Return the points z_0, …, z_K at which a method takes its gradients."""
    y = measure(task().student, pictures, p.seed)
    return [z for _, z in method.iterates(y, task().student, iterations)]
