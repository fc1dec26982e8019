"""Solver states that student and teacher gradients are taken at, all at the same iteration."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from deepinv.physics import LinearPhysics

from ..data.augment import augmented
from ..operators import gradient, measure, range_projection
from ..preconditioners import State
from ..reprs import Brief
from ..solvers import extrapolate, forward_backward
from ..tasks import Task

CHUNK = 128
"""Images that are denoised at once: more take longer each, as they leave the processor's caches."""


@dataclass(frozen=True, repr=False)
class Trajectory(Brief):
    """Where the student's iterates are, for a set of images; tensors are (N, C, H, W) but for the measurements.

    Attributes
    ----------
    task : Task
        Operators, step sizes and denoiser.
    y : Tensor
        The student's measurements.
    adjoint, teacher_adjoint : Tensor
        Aᵀy of the student and of the teacher.
    x, z : Tensor
        x_k and z_k.
    truth : Tensor
        True images.
    k : int
        The iteration.
    """

    task: Task
    y: torch.Tensor
    adjoint: torch.Tensor
    teacher_adjoint: torch.Tensor
    x: torch.Tensor
    z: torch.Tensor
    truth: torch.Tensor
    k: int = 0

    @classmethod
    def start(cls, task: Task, truth: torch.Tensor, generator: torch.Generator) -> "Trajectory":
        """Measure images with both operators; x_0 = z_0 = A_sᵀ y_s."""
        seeds = torch.randint(2**31, (2,), generator=generator).tolist()
        y = measure(task.student, truth, seeds[0])
        adjoint = task.student.A_adjoint(y)
        teacher_adjoint = task.teacher.A_adjoint(measure(task.teacher, truth, seeds[1]))
        return cls(task, y, adjoint, teacher_adjoint, adjoint, adjoint, truth)

    @property
    def state(self) -> State:
        """What a preconditioner is told."""
        return State(self.z, self.k, self.task.student, self.y)

    @property
    def gradient(self) -> torch.Tensor:
        """∇g_s(z_k)."""
        return gradient(self.task.student, self.z, self.adjoint)

    @property
    def target(self) -> torch.Tensor:
        """(α_t / α_s) ∇g_t(z_k), the direction with which the student's step would be the teacher's."""
        scale = self.task.teacher_stepsize / self.task.stepsize
        return scale * gradient(self.task.teacher, self.z, self.teacher_adjoint)

    def step(self, direction: torch.Tensor, sigma: float | None) -> torch.Tensor:
        """Return x_{k+1} = D_σ(z_k − α_s P_k), without the denoiser where ``sigma`` is None."""
        u = forward_backward(self.z, direction, self.task.stepsize)
        if sigma is None:
            return u
        return torch.cat([self.task.denoiser(part, sigma) for part in u.split(CHUNK)])

    def advance(self, x: torch.Tensor, momentum: Callable[[int], float]) -> "Trajectory":
        """Return the trajectory at iteration k + 1, with x_{k+1} = ``x``."""
        z = extrapolate(x, self.x, momentum(self.k + 1))
        return replace(self, x=x, z=z, k=self.k + 1)


def training_images(task: Task, count: int, generator: torch.Generator) -> torch.Tensor:
    """Draw ``count`` training images without replacement; beyond the task's own come perturbed copies of them."""
    own = task.train_images
    chosen = own[torch.randperm(len(own), generator=generator)[:count]]
    missing = count - len(chosen)
    if missing == 0:
        return chosen
    copies = own[torch.randint(len(own), (missing,), generator=generator)]
    return torch.cat([chosen, augmented(task.augment, copies, generator)])


def range_basis(physics: LinearPhysics, img_size: tuple[int, ...]) -> torch.Tensor:
    """Return an orthonormal basis of the range of Aᵀ, where gradients are, as columns (n, rank), float64."""
    size = torch.Size(img_size).numel()
    projector = range_projection(physics, torch.eye(size).view(size, *img_size)).flatten(1).double()
    rank = round(float(projector.trace()))
    generator = torch.Generator().manual_seed(0)
    sketch = torch.randn(size, rank, dtype=torch.float64, generator=generator)
    return torch.linalg.qr(projector.T @ sketch)[0]
