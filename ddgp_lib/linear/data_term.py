r"""Linear preconditioners learned from the data term alone (Ehrhardt, Fahy and Golbabaee).

With :math:`P(g) = g + E g`, the step leaves the data term of image i at

.. math::

    f_i(z_i - \alpha P(g_i)) = \tfrac12 \lVert A \tilde z_i - y_i - \alpha A E g_i \rVert^2,
    \qquad \tilde z_i = z_i - \alpha g_i,

a quadratic in E.  Where :math:`E = \sum_j \theta_j E_j`, its least value together with a ridge :math:`c |\theta|^2`
solves

.. math::

    \sum_l \Bigl( \alpha \sum_i \langle A E_j g_i, A E_l g_i \rangle \Bigr) \theta_l + c\, \theta_j
    = \sum_i \langle E_j g_i, \nabla f_i(\tilde z_i) \rangle .
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from tqdm.auto import trange

from .. import fields
from ..arguments import (
    is_integer,
    require,
    require_choice,
    require_flag,
    require_instance,
    require_number,
    require_positive,
    require_seed,
)
from ..names import FittedStructure, Momentum
from ..operators import normal
from ..preconditioners.linear import LinearPreconditioner
from ..preconditioners.structures import Structure
from ..reprs import Brief
from ..solvers import MOMENTUM
from ..tasks import Task
from .states import Trajectory, training_images

ROUNDING = 1e-6
"""What is below this fraction of an image, or of ‖A‖², is a rounding error, from which nothing is learned."""

CHUNK = 8
"""Images that are held at once in all their shifted copies."""

RIDGES: Mapping[FittedStructure, float] = {
    "scalar": 1e-6,
    "diagonal": 1e-2,
    "convolution": 1e-6,
    "full": 1e-3,
}
"""Values of ε by structure: the more numbers are free, the more they must be held."""

LARGEST = 8192
"""Pixels and channels of an image, C H W, up to which a matrix of that side is made."""


@dataclass(frozen=True, repr=False)
class _Step(Brief):
    """What a fit looks at; tensors are (N, C, H, W).

    Attributes
    ----------
    normal : callable
        x ↦ α AᵀA x, whose largest eigenvalue is one.
    grad, remaining : Tensor
        g_i = ∇f_i(z_i), and ∇f_i(z_i − α g_i).
    ridge : float
        c of a number that multiplies every entry of every gradient: ε Σ_i ‖g_i‖².
    kernel_size : int
        Side of a convolution's kernel.
    """

    normal: Callable[[torch.Tensor], torch.Tensor]
    grad: torch.Tensor
    remaining: torch.Tensor
    ridge: float
    kernel_size: int


def learn_linear(
    task: Task,
    structure: FittedStructure = "convolution",
    iterations: int = 10,
    *,
    kernel_size: int = 9,
    n_images: int = 200,
    ridge: float | None = None,
    sigma: float | None = None,
    momentum: Momentum = "none",
    seed: int = 0,
    progress: bool = False,
) -> LinearPreconditioner:
    r"""Learn one linear map for each iteration, greedily, so that a step lowers the data term most.

    .. math:: P_k = \arg\min_P \sum_i f_i\bigl(z_k^i - \alpha P \nabla f_i(z_k^i)\bigr) + c \lVert P - I \rVert^2,
        \qquad f_i(z) = \tfrac12 \lVert A z - y_i \rVert^2 .

    Each is a convex least-squares problem.  There is no teacher, and no true image: the data term does not change in
    the null space of A, so what P_k adds there is not determined.  The ridge, which leads from all solutions to
    the one nearest to the plain step, keeps it small: zero for a full matrix, whose parts in the range and in the
    null space are free of each other, but not for a diagonal one.  Where A Aᵀ = I the plain step fits the data at
    once, and P_k = I.

    Parameters
    ----------
    task : Task
        Student operator, training images, denoiser and step size.
    structure : str
        ``"scalar"``; ``"diagonal"``, one number for each pixel and channel; ``"convolution"``, one periodic kernel
        for all channels; or ``"full"``, any matrix.
    iterations : int
        K, 1 or above.
    kernel_size : int
        Side of the kernel, odd, at most that of the images.
    n_images : int
        Training images.
    ridge : float, optional
        ε, above zero: c is ε times the sum of the squares that a free number of P is multiplied with, on average.
        By default that of :data:`RIDGES`; with less, a diagonal puts noise where A does not see it.
    sigma : float, optional
        Noise level for the denoiser between iterations; by default there is none, as in the paper.
    momentum : str
        Rule for β_k, see :class:`~ddgp_lib.solvers.fista.PreconditionedFISTA`.
    seed : int
        Seed of the choice of images and of the noise.
    progress : bool
        Show a progress bar.

    Returns
    -------
    LinearPreconditioner
        Free and gradient only, in evaluation mode.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Ehrhardt, Fahy and Golbabaee, "Learning preconditioners for inverse problems", 2024.
    """
    require_instance("task", task, Task, "a Task")
    require_choice("structure", structure, FITS)
    odd = is_integer(kernel_size) and kernel_size % 2 == 1 and 1 <= kernel_size <= min(task.img_size[1:])
    require(odd, "kernel_size", kernel_size, "an odd integer, at most the side of the images")
    fields.size("n_images", n_images)
    require_seed("seed", seed)
    require_flag("progress", progress)
    size = torch.Size(task.img_size).numel()
    small = structure in ("scalar", "convolution") or size <= LARGEST
    require(
        small, "structure", structure, f"'scalar' or 'convolution' for images of {size} > {LARGEST} numbers"
    )
    ridge = RIDGES[structure] if ridge is None else ridge
    require_positive("ridge", ridge)
    require_choice("momentum", momentum, MOMENTUM)
    require_number("sigma", sigma, above=0, none=True)
    preconditioner = LinearPreconditioner(
        Structure(structure, task.img_size), iterations, inputs="gradient_only", form="free"
    )
    generator = torch.Generator().manual_seed(int(seed))
    trajectory = Trajectory.start(task, training_images(task, n_images, generator), generator)
    with torch.no_grad():
        for k in trange(iterations, desc=f"learn {structure}", disable=not progress):
            grad = trajectory.gradient
            remaining = grad - task.stepsize * normal(task.student, grad)
            if task.stepsize * remaining.norm() > ROUNDING * trajectory.z.norm():
                c = ridge * float(grad.double().square().sum())
                step = _Step(
                    lambda x: task.stepsize * normal(task.student, x), grad, remaining, c, kernel_size
                )
                preconditioner.fill(k, FITS[structure](step), torch.zeros(task.img_size))
            direction = preconditioner(grad, trajectory.state)
            trajectory = trajectory.advance(trajectory.step(direction, sigma), MOMENTUM[momentum])
    return preconditioner.eval()


def _fit_few(step: _Step, candidates: Callable[[torch.Tensor], list[torch.Tensor]]) -> torch.Tensor:
    """Return θ for E_j g, j = 1, …, J, given by ``candidates`` of some gradients."""
    matrix, right = torch.zeros(()), torch.zeros(())
    for grad, remaining in zip(step.grad.split(CHUNK), step.remaining.split(CHUNK), strict=True):
        given = candidates(grad)
        flat = torch.stack(given).flatten(1).double()
        seen = torch.stack([step.normal(images) for images in given]).flatten(1).double()
        matrix, right = matrix + flat @ seen.T, right + flat @ remaining.flatten().double()
    return torch.linalg.solve(matrix + step.ridge * torch.eye(len(right), dtype=right.dtype), right)


def _scalar(step: _Step) -> torch.Tensor:
    theta = _fit_few(step, lambda grad: [grad])
    return theta * torch.eye(step.grad.shape[1], dtype=theta.dtype)[None]


def _diagonal(step: _Step) -> torch.Tensor:
    r"""E = diag θ: the matrix is α AᵀA times Σ_i g_i g_iᵀ, entry by entry, and the right side Σ_i g_i ∇f_i."""
    shape = step.grad.shape[1:]
    grad, remaining = step.grad.flatten(1).double(), step.remaining.flatten(1).double()
    damping = step.ridge / shape.numel() * torch.eye(shape.numel(), dtype=grad.dtype)
    matrix = _dense(step.normal, shape) * (grad.T @ grad) + damping
    theta = torch.linalg.solve(matrix, (grad * remaining).sum(dim=0))
    return torch.diag_embed(theta.view(shape[0], -1).T)


def _convolution(step: _Step) -> torch.Tensor:
    """E_j g = g shifted by each offset of the kernel; returned as the kernel's Fourier transform for each channel."""
    channels, height, width = step.grad.shape[1:]
    reach = range(-(step.kernel_size // 2), step.kernel_size // 2 + 1)
    offsets = [(row, column) for row in reach for column in reach]
    theta = _fit_few(step, lambda grad: [grad.roll(offset, dims=(2, 3)) for offset in offsets])
    kernel = torch.zeros(height, width, dtype=theta.dtype)
    for (row, column), value in zip(offsets, theta, strict=True):
        kernel[row, column] += value
    transfer = torch.fft.rfft2(kernel).flatten()
    return transfer[:, None, None] * torch.eye(channels, dtype=transfer.dtype)


def _full(step: _Step) -> torch.Tensor:
    r"""Solve α AᵀA E S + c E = R, with S = Σ g_i g_iᵀ and R = Σ ∇f_i g_iᵀ, in the eigenvectors of AᵀA and of S."""
    shape = step.grad.shape[1:]
    grad, remaining = step.grad.flatten(1).double(), step.remaining.flatten(1).double()
    seen, V = torch.linalg.eigh(_dense(step.normal, shape))
    spread, Q = torch.linalg.eigh(grad.T @ grad)
    damped = seen[:, None] * spread + step.ridge / shape.numel()
    E = V @ ((seen[:, None] > ROUNDING) * (V.T @ (remaining.T @ grad) @ Q) / damped) @ Q.T
    return E.T[None]


def _dense(operator: Callable[[torch.Tensor], torch.Tensor], shape: torch.Size) -> torch.Tensor:
    """Return the matrix (n, n) of a symmetric map of images."""
    size = shape.numel()
    matrix = operator(torch.eye(size).view(size, *shape)).flatten(1).double()
    return (matrix + matrix.T) / 2


FITS: Mapping[FittedStructure, Callable[[_Step], torch.Tensor]] = {
    "scalar": _scalar,
    "diagonal": _diagonal,
    "convolution": _convolution,
    "full": _full,
}
"""What is fitted for each structure: the weights of a :class:`LinearPreconditioner`, L = E."""
