"""Measurements that the results page shows: side by side, long runs, and conditions that no training saw."""

import math
import platform
import time
from collections.abc import Sequence
from typing import Any

import torch
from deepinv.physics import LinearPhysics
from tqdm.auto import tqdm

from .data import load_digits, load_faces, load_portraits
from .evaluation import evaluate, psnr_curves
from .shipped import Method, load_tuning
from .tasks import Task, load_task

ITERATIONS = (1, 2, 5, 10, 20, 50, 100, 200)
LONG_ITERATIONS = (20, 50, 100, 200, 500, 1000)
COMPARED = ("none", "distilled", "distilled_gradient_only", "teacher")
SAFEGUARDED = ("distilled", "distilled_gradient_only")


def mean_and_error(values: torch.Tensor) -> list[float]:
    """Mean over images (N,) and its standard error, s / √N."""
    return [values.mean().item(), values.std().item() / math.sqrt(len(values))]


def side_by_side(task: Task, images: torch.Tensor, seed: int = 0) -> dict[str, Any]:
    """Run every shipped method on the same images for 200 iterations.

    Parameters
    ----------
    task : Task
        The task.
    images : Tensor, shape (N, C, H, W)
        Held-out images.
    seed : int
        Seed of the measurement noise.

    Returns
    -------
    dict
        By method: means over the images and their standard errors of PSNR (dB), SSIM and relative data residual at
        :data:`ITERATIONS`; the paired gain over ``"none"`` at 20 iterations and the fraction of images on which it is
        positive; the first iteration whose mean PSNR reaches the best of ``"none"``; and seconds.
    """
    methods: dict[str, Any] = {}
    baseline: torch.Tensor | None = None
    for kind in tqdm(COMPARED, desc=f"side by side, {task.name}"):
        method = Method(task, kind)
        trace = evaluate(
            task,
            method.tuned_solver(),
            images=images,
            physics=method.physics,
            max_iter=ITERATIONS[-1],
            seed=seed,
        )
        baseline = trace.psnr if baseline is None else baseline
        curve, best = trace.psnr.mean(dim=1), baseline.mean(dim=1).max()
        reached = (curve >= best).nonzero()
        first = int(reached[0]) + 1 if len(reached) else None
        gain = trace.psnr[19] - baseline[19]
        per_iteration = trace.seconds / len(trace.psnr)
        methods[kind] = {
            "setting": load_tuning(task.name)[kind]["setting"],
            **{
                name: {str(k): mean_and_error(getattr(trace, name)[k - 1]) for k in ITERATIONS}
                for name in ("psnr", "ssim", "residual")
            },
            "best_psnr": curve.max().item(),
            "best_iteration": int(curve.argmax()) + 1,
            "gain_20": mean_and_error(gain),
            "better_20": (gain > 0).float().mean().item(),
            "iterations_to_baselines_best": first,
            "seconds_per_iteration": per_iteration,
            "seconds_to_baselines_best": None if first is None else first * per_iteration,
        }
    return {"n_images": len(images), "methods": methods}


def long_runs(task: Task, images: torch.Tensor, max_iter: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Run the shipped preconditioners far past their training horizon, with and without the safeguard.

    Returns
    -------
    dict
        By method, with ``"+ safeguard"`` added to its name where it was on: mean PSNR at :data:`LONG_ITERATIONS`,
        the lowest PSNR of an image at the end, whether all values were finite, and how many images were rejected.
    """
    runs = [("none", False), *((kind, guarded) for kind in SAFEGUARDED for guarded in (False, True))]
    methods: dict[str, Any] = {}
    for kind, guarded in tqdm(runs, desc=f"long runs, {task.name}"):
        method = Method(task, kind)
        solver = method.tuned_solver(safeguard=guarded)
        curves = psnr_curves(task, solver, images, method.physics, max_iter, seed)
        methods[kind + (" + safeguard" if guarded else "")] = {
            "psnr": {str(k): curves[k - 1].mean().item() for k in LONG_ITERATIONS if k <= max_iter},
            "lowest": curves[-1].min().item(),
            "finite": bool(torch.isfinite(curves).all()),
        }
    return {"n_images": len(images), "iterations": max_iter, "methods": methods}


def conditions(task: Task, images: torch.Tensor) -> dict[str, tuple[LinearPhysics, torch.Tensor]]:
    """Operators and images on which a task's preconditioner was not trained, by name; the first is home."""
    changes: dict[str, Sequence[dict[str, Any]]] = {
        "single_pixel": (
            {"noise": 0.03},
            {"noise": 0.1},
            {"ratio": 0.05},
            {"ratio": 0.2},
            {"ordering": "zig_zag"},
        ),
        "mri": (
            {"noise": 0.03},
            {"noise": 0.1},
            {"acceleration": 3},
            {"acceleration": 6},
            {"seed": 1},
        ),
        "super_resolution": (
            {"noise": 0.03},
            {"noise": 0.1},
            {"blur": 1.5},
            {"blur": 2.5},
            {"filter": "bicubic"},
        ),
    }
    found = {"as trained": (task.student, images)}
    for change in changes[task.name]:
        name = ", ".join(f"{key} {value}" for key, value in change.items())
        found[name.replace("seed 1", "another mask")] = (load_task(task.name, **change).student, images)
    for name, others in _other_images(task, len(images)).items():
        found[name] = (task.student, others)
    return found


def _other_images(task: Task, count: int) -> dict[str, torch.Tensor]:
    size = task.img_size[-1]
    if task.name == "single_pixel":
        return {"faces": load_faces(size).test[:count]}
    if task.name == "mri":
        return {"the training volume's held-out slices": task.val_images[:count]}
    digits = torch.nn.functional.interpolate(load_digits().test[:count], size=(size, size), mode="bilinear")
    portraits = load_portraits(4 * size).flatten(0, 1).unsqueeze(1)
    blocks = portraits.unfold(2, size, size).unfold(3, size, size).reshape(-1, 1, size, size)
    return {"digits": digits, "parts of two portraits": blocks[:: max(1, len(blocks) // count)][:count]}


def generalisation(
    task: Task, images: torch.Tensor, iterations: int = 20, seed: int = 0
) -> list[dict[str, Any]]:
    """PSNR (dB) under conditions that no training saw, nothing tuned again, with and without P and the safeguard.

    The step stays 1/‖A‖² of the operator at hand, for every method.
    """
    solvers = {"none": Method(task, "none").tuned_solver()}
    solvers |= {"distilled": Method(task, "distilled").tuned_solver()}
    solvers |= {"distilled + safeguard": Method(task, "distilled").tuned_solver(safeguard=True)}
    rows = []
    for name, (physics, truth) in tqdm(conditions(task, images).items(), desc=f"conditions, {task.name}"):
        row: dict[str, Any] = {"condition": name, "n_images": len(truth)}
        for method, solver in solvers.items():
            row[method] = psnr_curves(task, solver, truth, physics, iterations, seed)[-1].mean().item()
        rows.append(row)
    return rows


def benchmark(task: Task, images: torch.Tensor, long_images: torch.Tensor, seed: int = 0) -> dict[str, Any]:
    """Measure all that the results page shows of a task.

    Parameters
    ----------
    task : Task
        The task.
    images, long_images : Tensor, shape (N, C, H, W)
        Held-out images for the tables, and for the runs of 1,000 iterations.
    seed : int
        Seed of the measurement noise.

    Returns
    -------
    dict
        What :func:`side_by_side`, :func:`generalisation` (on at most 50 images) and :func:`long_runs` return, and
        where it was measured.
    """
    started = time.perf_counter()
    result: dict[str, Any] = {
        "task": task.name,
        "seed": seed,
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "torch": torch.__version__,
        "side_by_side": side_by_side(task, images, seed),
        "generalisation": generalisation(task, images[:50], seed=seed),
        "long_runs": long_runs(task, long_images, seed=seed),
    }
    return result | {"seconds": round(time.perf_counter() - started)}
