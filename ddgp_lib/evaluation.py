"""Run a solver on held-out images and record, at every iteration, how good and how consistent it is."""

import time
from dataclasses import dataclass

import torch
from deepinv.physics import LinearPhysics

from .arguments import (
    MOST_ITERATIONS,
    require_callable,
    require_images,
    require_instance,
    require_integer,
    require_mask,
)
from .metrics import mean_over, ssim_map
from .operators import measure, norms, range_projection, single_precision
from .operators.protocol import require_physics
from .preconditioners import Preconditioner
from .reprs import line, table
from .scores import scored
from .solvers import PreconditionedFISTA, PreconditionedSolver
from .tasks import Task, require_scale

CURVES = ("psnr", "ssim", "residual", "range_error", "null_error", "fixed_point")
REGION_CURVES = ("region_psnr", "region_ssim")
SHOWN = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Iterations that a table of a trace shows, and the last."""


@dataclass(frozen=True, repr=False)
class Trace:
    """What happened along the iterations 1, …, ``max_iter``; every tensor but ``estimate`` has shape (max_iter, N).

    Attributes
    ----------
    psnr : Tensor
        Peak signal-to-noise ratio of x_k in dB, on [0, 1].
    ssim : Tensor
        Structural similarity of x_k.
    region_psnr, region_ssim : Tensor
        The same over the pixels of ``task.region(truth)`` alone, such as the head; where a camera has no region, the
        whole image is it.
    residual : Tensor
        Relative data residual ‖A x_k − y‖ / ‖y‖.
    range_error, null_error : Tensor
        ‖A⁺A (x_k − x*)‖ / ‖x*‖ and ‖(I − A⁺A)(x_k − x*)‖ / ‖x*‖; their squares add up to the squared error.  An error
        relative to zero, of a black image or of measurements that are all zero, is the error itself.
    fixed_point : Tensor
        Relative fixed-point residual ‖T(z_{k−1}) − z_{k−1}‖ / ‖z_{k−1}‖ with T = D_σ ∘ (I − α P∘∇g).
    estimate : Tensor, shape (N, C, H, W)
        The last iterate.
    seconds : float
        Wall time of all iterations, metrics not counted.
    """

    psnr: torch.Tensor
    ssim: torch.Tensor
    residual: torch.Tensor
    range_error: torch.Tensor
    null_error: torch.Tensor
    fixed_point: torch.Tensor
    estimate: torch.Tensor
    seconds: float
    region_psnr: torch.Tensor
    region_ssim: torch.Tensor

    @property
    def iterations(self) -> list[int]:
        """1, …, ``max_iter``."""
        return list(range(1, len(self.psnr) + 1))

    def __repr__(self) -> str:
        curve = self.psnr.mean(dim=1)
        best = int(scored(curve).argmax())
        return line(
            "Trace",
            {
                "iterations": str(len(curve)),
                "images": str(self.psnr.shape[1]),
                "psnr": f"{curve[-1]:.2f} dB at the end, {curve[best]:.2f} dB at k = {best + 1}",
                "residual": f"{self.residual[-1].mean():.3g}",
                "seconds": f"{self.seconds:.3g}",
            },
        )

    def _repr_html_(self) -> str:
        count, images = self.psnr.shape
        whole = torch.equal(self.region_psnr, self.psnr)
        names = CURVES if whole else (*CURVES, *REGION_CURVES)
        rows = [
            [str(k), *(f"{getattr(self, name)[k - 1].mean():.4g}" for name in names)]
            for k in sorted({*(k for k in SHOWN if k < count), count})
        ]
        return table(f"Trace: means over {images} images", rows, ("k", *names))


def evaluate(
    task: Task,
    method: PreconditionedSolver | Preconditioner | None = None,
    *,
    images: torch.Tensor | None = None,
    physics: LinearPhysics | None = None,
    max_iter: int = 200,
    seed: int = 0,
) -> Trace:
    """Reconstruct images and measure every iterate.

    Parameters
    ----------
    task : Task
        Operator, images, denoiser and defaults.
    method : PreconditionedSolver or Preconditioner, optional
        A solver, or a preconditioner for a solver with the task's σ and step size; by default, no preconditioner.
    images : Tensor, shape (N, C, H, W), optional
        True images on [0, 1]; by default the first 200 test images.
    physics : LinearPhysics, optional
        The operator; by default the student, ``task.teacher`` for a teacher.
    max_iter : int
        Iterations to run, whatever the solver's own number is; 1 or above.
    seed : int
        Seed of the measurement noise.

    Returns
    -------
    Trace

    Raises
    ------
    ValueError
        If the images have a wrong shape, another scale or entries that are not finite, or another argument is outside
        what is accepted.
    """
    require_instance("task", task, Task, "a Task")
    if physics is not None:
        require_physics(physics)
    require_callable("method", method, "a solver, a preconditioner, or None", none=True)
    truth = _checked(task, task.test_images[:200] if images is None else images, max_iter)
    physics = task.student if physics is None else physics
    solver = method if isinstance(method, PreconditionedSolver) else task_solver(task, method)
    y, region = measure(physics, truth, seed), task.region(truth)
    require_mask("region", region, truth, none=True)
    rows: list[dict[str, torch.Tensor]] = []
    seconds, started, z_previous = 0.0, time.perf_counter(), None
    for x, z in solver.iterates(y, physics, max_iter):
        seconds += time.perf_counter() - started
        if z_previous is not None:
            rows.append(_measures(task, x, z_previous, truth, y, physics, region))
        z_previous, started = z, time.perf_counter()
    curves = {name: torch.stack([row[name] for row in rows]) for name in (*CURVES, *REGION_CURVES)}
    return Trace(**curves, estimate=x, seconds=seconds)


def psnr_curves(
    task: Task,
    solver: PreconditionedSolver,
    images: torch.Tensor,
    physics: LinearPhysics,
    max_iter: int,
    seed: int = 0,
) -> torch.Tensor:
    """PSNR (dB) of x_1, …, x_max_iter, shape (max_iter, N), without the other measures of :func:`evaluate`."""
    return psnr_and_rejected(task, solver, images, physics, max_iter, seed)[0]


def psnr_and_rejected(
    task: Task,
    solver: PreconditionedSolver,
    images: torch.Tensor,
    physics: LinearPhysics,
    max_iter: int,
    seed: int = 0,
    batch_size: int | None = None,
) -> tuple[torch.Tensor, int | None]:
    """Return what :func:`psnr_curves` does, and how many images a safeguard rejected; None where there is none.

    All images are measured at once, and run ``batch_size`` at a time: by default all together.
    """
    require_integer("batch_size", batch_size, lowest=1, none=True)
    images = _checked(task, images, max_iter)
    y, size = measure(physics, images, seed), batch_size or len(images)
    curves, rejected = [], []
    batches = [y] if size >= len(images) else y.split(size)
    for part, truth in zip(batches, images.split(size), strict=True):
        states = solver.states(part, physics, max_iter)
        next(states)
        rows = []
        for X in states:
            rows.append(task.psnr(solver.point(X)[0], truth))
        curves.append(torch.stack(rows))
        rejected.append(int(X["rejected"].sum()) if "rejected" in X else None)
    counts = [count for count in rejected if count is not None]
    return torch.cat(curves, dim=1), sum(counts) if counts else None


def task_solver(
    task: Task, preconditioner: Preconditioner | None = None, *, max_iter: int = 20
) -> PreconditionedFISTA:
    """Build a solver with the task's denoiser, σ and step size."""
    return PreconditionedFISTA(
        task.denoiser, preconditioner, stepsize=task.stepsize, sigma=task.sigma, max_iter=max_iter
    )


def _checked(task: Task, images: torch.Tensor, max_iter: int) -> torch.Tensor:
    """Return true images without gradients, after a look at them and at the number of iterations."""
    require_integer("max_iter", max_iter, lowest=1, highest=MOST_ITERATIONS)
    require_images("images", images, task.img_size[0])
    require_scale("images", images, complex_valued=task.complex_valued)
    return images.detach()


def _relative(error: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """Return errors relative to sizes, or themselves where the size is zero."""
    return error / torch.where(size > 0, size, 1.0)


def _measures(
    task: Task,
    x: torch.Tensor,
    z_previous: torch.Tensor,
    truth: torch.Tensor,
    y: torch.Tensor,
    physics: LinearPhysics,
    region: torch.Tensor | None,
) -> dict[str, torch.Tensor]:
    error = x - truth
    seen = range_projection(physics, error)
    psnr, similar = task.psnr(x, truth), ssim_map(x, truth, complex_valued=task.complex_valued)
    ssim = mean_over(similar)
    return {
        "psnr": psnr,
        "ssim": ssim,
        "region_psnr": psnr if region is None else task.psnr(x, truth, within=region),
        "region_ssim": ssim if region is None else mean_over(similar, region),
        "residual": _relative(norms(single_precision(physics.A)(x) - y), norms(y)),
        "range_error": _relative(norms(seen), norms(truth)),
        "null_error": _relative(norms(error - seen), norms(truth)),
        "fixed_point": _relative(norms(x - z_previous), norms(z_previous)),
    }
