"""What ships with the library: recipes, tuned settings, and ready preconditioners and solvers."""

import json
import math
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from .alternatives import AlternativeRecipe
from .arguments import require
from .checkpoints import WEIGHTS_FOLDER, load_checkpoint, load_weights, save_checkpoint
from .denoisers import DenoiserRecipe
from .distillation import Distillation, DistillationRecipe, build_preconditioner
from .evaluation import psnr_curves
from .files import atomic_write
from .linear import LINEAR_RECIPES, LinearDistillation, LinearRecipe, build_linear_preconditioner
from .preconditioners import LearnedPreconditioner, LinearPreconditioner, Newton, Preconditioner
from .solvers import PreconditionedFISTA
from .tasks import TASKS, Task, load_task


@dataclass(frozen=True)
class Setting:
    """What is tuned for each method: arguments of :class:`~ddgp_lib.solvers.PreconditionedFISTA`."""

    sigma: float
    momentum: str
    prior_decay: int | None
    update_decay: int | None = None


DENOISER_RECIPES: dict[str, DenoiserRecipe] = {
    "single_pixel": DenoiserRecipe(),
    "mri": DenoiserRecipe(batch_size=8, crop=64, sigma_min=0.005, sigma_max=0.2, noise_scaled=True),
    "super_resolution": DenoiserRecipe(
        batch_size=8, crop=64, sigma_min=0.005, sigma_max=0.2, noise_scaled=True
    ),
}
"""Recipes of the shipped denoisers, by task."""

TRUTH_AND_TEACHER = {"gradient": 1.0, "supervised": 1.0}
"""L_G + L_S: the teacher's direction and the true image."""

RECIPES: dict[str, dict[str, DistillationRecipe | LinearRecipe]] = {
    "single_pixel": {
        "distilled": DistillationRecipe(
            losses=TRUTH_AND_TEACHER,
            steps=23400,
            learning_rate=2e-3,
            noise_range=(0.005, 0.1),
        ),
        "distilled_gradient_only": DistillationRecipe(
            inputs="gradient_only", steps=1500, from_truth=0.5, sigma=0.1, momentum="none"
        ),
        "distilled_linear": replace(LINEAR_RECIPES["single_pixel"], n_images=8000, iterations=8, rank=64),
    },
    "mri": {
        "distilled": DistillationRecipe(
            losses=TRUTH_AND_TEACHER,
            steps=4000,
            batch_size=8,
            learning_rate=3e-3,
            pool_size=128,
            horizon=100,
            sigma=0.02,
            momentum="none",
        ),
        "distilled_gradient_only": DistillationRecipe(
            inputs="gradient_only",
            steps=1500,
            batch_size=8,
            pool_size=128,
            horizon=30,
            from_truth=0.5,
            sigma=0.03,
            momentum="none",
        ),
        "distilled_linear": LINEAR_RECIPES["mri"],
    },
    "super_resolution": {
        "distilled": DistillationRecipe(
            form="newton_null_space",
            steps=3000,
            batch_size=16,
            pool_size=256,
            sigma=0.03,
            momentum="none",
            damping_noise=0.001,
        ),
        "distilled_gradient_only": DistillationRecipe(
            form="newton_null_space",
            inputs="gradient_only",
            steps=1500,
            batch_size=16,
            pool_size=256,
            from_truth=0.5,
            sigma=0.03,
            momentum="none",
            damping_noise=0.001,
        ),
        "distilled_linear": LINEAR_RECIPES["super_resolution"],
    },
}
"""Recipes of the shipped preconditioners, by task and kind."""

ALTERNATIVE_RECIPES: dict[str, dict[str, AlternativeRecipe]] = {
    "single_pixel": {
        "end_to_end": AlternativeRecipe("end_to_end", steps=34000, batch_size=32, learning_rate=2e-3),
        "unrolled": AlternativeRecipe("unrolled", steps=16400, batch_size=32, learning_rate=4e-3),
    },
    "mri": {
        "end_to_end": AlternativeRecipe("end_to_end", steps=6100, batch_size=8, learning_rate=2e-3),
        "unrolled": AlternativeRecipe("unrolled", steps=3100, batch_size=8, learning_rate=4e-3),
    },
    "super_resolution": {
        "end_to_end": AlternativeRecipe("end_to_end", steps=4900, batch_size=16, learning_rate=2e-3),
        "unrolled": AlternativeRecipe("unrolled", steps=2650, batch_size=16, learning_rate=4e-3),
    },
}
"""Recipes of the networks that a user would pick instead, by task and name.

The steps are as many as take the time that ``"distilled"`` takes, measured side by side on one thread, to within
5 %; the batches are the same.  The rates are the best of 0.0005, 0.001, 0.002 and 0.004 on validation digits after a
short training.  Unlike the preconditioner of digits, they see the noise of the task alone.
"""


SOLVER_KINDS: dict[str, tuple[str, ...]] = {
    "single_pixel": ("none", *RECIPES["single_pixel"], "teacher"),
    "mri": ("none", *RECIPES["mri"], "teacher"),
    "super_resolution": ("none", "newton", *RECIPES["super_resolution"], "teacher"),
}
"""Methods that :func:`load_solver` builds and the command line evaluates, by task.

A Newton step is a scalar where A Aᵀ = I, so the kind is there for super-resolution alone.
"""

SIGMAS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2)
"""Noise levels for the denoiser that are tried for every method."""

MOMENTA = ("chambolle_dossal", "none")
"""Momentum rules that are tried for every method."""

TUNING_IMAGES = {"single_pixel": 50, "mri": 6, "super_resolution": 20}
"""Validation images that each task's methods are tuned on."""

VALIDATION_IMAGES = {"single_pixel": 200, "mri": 12, "super_resolution": 40}
"""Validation images behind the numbers that a shipped preconditioner carries."""

EVALUATION_IMAGES = {"single_pixel": 200, "mri": 48, "super_resolution": 80}
"""Test images that each task's methods are compared on where nothing else is said; the larger, the fewer."""

DECAYS = ((None, None), (10, None), (None, 10))
"""Values of k₀ that are tried for every method: from where on what is learned, or the whole update, fades."""


def load_preconditioner(
    task_name: str, kind: str = "distilled", path: str | Path | None = None
) -> LearnedPreconditioner | LinearPreconditioner:
    """Load a shipped preconditioner, or one of the same kind from a file.

    Parameters
    ----------
    task_name : str
        The task that it was distilled for.
    kind : str
        ``"distilled"`` (state aware), ``"distilled_gradient_only"`` (the paper's input, ∇g alone, in null-space
        form) or ``"distilled_linear"`` (an affine map for each iteration, in closed form).
    path : str or Path, optional
        A file written by :func:`save_preconditioner`; by default the shipped one.

    Returns
    -------
    LearnedPreconditioner or LinearPreconditioner
        In evaluation mode, its parameters frozen.

    Raises
    ------
    ValueError
        If the task or the kind is unknown, or the file is corrupt or holds something else.
    FileNotFoundError
        If there is no such file.
    """
    require(task_name in RECIPES, "task_name", task_name, f"one of {tuple(RECIPES)}")
    require(kind in RECIPES[task_name], "kind", kind, f"one of {tuple(RECIPES[task_name])}")
    path = path or WEIGHTS_FOLDER / f"{task_name}-{kind}.safetensors"
    tensors, description = load_checkpoint(path, kind=kind, task=task_name)
    preconditioner: LearnedPreconditioner | LinearPreconditioner
    if isinstance(RECIPES[task_name][kind], LinearRecipe):
        linear = LinearRecipe(**description["recipe"])
        preconditioner = build_linear_preconditioner(linear, description["img_size"])
    else:
        recipe = DistillationRecipe(**description["recipe"])
        preconditioner = build_preconditioner(recipe, description["channels"], description.get("img_size"))
    load_weights(preconditioner, tensors, path)
    return preconditioner.eval().requires_grad_(False)


def save_preconditioner(
    path: str | Path,
    distillation: Distillation | LinearDistillation,
    task: Task,
    kind: str,
    metrics: dict[str, Any],
) -> None:
    """Write a distilled preconditioner with its recipe and metrics to a safetensors file.

    A linear one, whose matrices are large and need no more digits, is written in half precision.
    """
    weights = distillation.preconditioner.state_dict()
    if isinstance(distillation, LinearDistillation):
        weights = {name: tensor.half() for name, tensor in weights.items()}
    description = {
        "kind": kind,
        "task": task.name,
        "channels": task.img_size[0],
        "img_size": list(task.img_size),
        "recipe": asdict(distillation.recipe),
        "metrics": metrics,
    }
    if isinstance(distillation, Distillation) and distillation.processes > 1:
        description["processes"] = distillation.processes  # with batches of the recipe's size each
    save_checkpoint(path, weights, description)


def validation_psnr(
    task: Task, preconditioner: Preconditioner, recipe: DistillationRecipe | LinearRecipe
) -> dict[str, float]:
    """Mean PSNR (dB) on :data:`VALIDATION_IMAGES` after 1 to 20 iterations with the σ and momentum of the training.

    A shipped preconditioner carries these numbers, so that a file can be checked against its claims.
    """
    solver = PreconditionedFISTA(
        task.denoiser,
        preconditioner,
        stepsize=task.stepsize,
        sigma=task.sigma if recipe.sigma is None else recipe.sigma,
        momentum=recipe.momentum,
    )
    images = task.val_images[: VALIDATION_IMAGES[task.name]]
    curve = psnr_curves(task, solver, images, task.student, 20).mean(dim=1)
    return {str(k): curve[k - 1].item() for k in (1, 2, 5, 10, 20)}


def load_solver(
    task_name: str, kind: str = "distilled", max_iter: int = 20, *, task: Task | None = None
) -> PreconditionedFISTA:
    """Load a ready reconstructor with the denoiser, preconditioner, step, σ, momentum and decay tuned for its kind.

    Parameters
    ----------
    task_name : str
        The task.
    kind : str
        ``"none"`` (the tuned baseline), ``"distilled"``, ``"distilled_gradient_only"``,
        ``"distilled_linear"``, ``"teacher"`` (no preconditioner, tuned for ``task.teacher``), and for
        super-resolution ``"newton"``.
    max_iter : int
        Number of iterations.
    task : Task, optional
        The task, where it is loaded already; by default with its default options.

    Returns
    -------
    PreconditionedFISTA
        Call it as ``solver(y, physics)``.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.
    FileNotFoundError
        If a shipped file is missing.

    Examples
    --------
    >>> import ddgp_lib
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> solver = ddgp_lib.load_solver("single_pixel")
    >>> x = solver(task.measure(task.test_images[:4]), task.student)
    >>> tuple(x.shape)
    (4, 1, 32, 32)
    """
    require(task_name in TASKS, "task_name", task_name, f"one of {tuple(TASKS)}")
    require(kind in SOLVER_KINDS[task_name], "kind", kind, f"one of {SOLVER_KINDS[task_name]}")
    return Method(task or load_task(task_name), kind).tuned_solver(max_iter=max_iter)


def load_tuning(task_name: str) -> dict[str, Any]:
    """Load the settings chosen on validation images for each kind, with the sweep that they were chosen from."""
    path = _tuning_path(task_name)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; `python -m ddgp_lib tune {task_name}` makes it")
    tuning: dict[str, Any] = json.loads(path.read_text())
    return tuning


def tune(
    task: Task, kinds: tuple[str, ...] | None = None, *, n_images: int | None = None, max_iter: int = 200
) -> dict[str, Any]:
    """Choose σ, the momentum and what fades late in a run, for each kind, by the PSNR on validation images.

    The score of a setting is the lower of its PSNR after 20 and after ``max_iter`` iterations, so that one which is
    good early and decays later is not chosen.  As the score is at most the first of the two, settings
    are run past 20 iterations from the best down, until no other can win.  Those of the baseline without decay are
    all run to the end: what becomes of it is worth knowing everywhere.

    Parameters
    ----------
    task : Task
        The task.
    kinds : tuple of str, optional
        Methods to tune; by default all.
    n_images : int, optional
        Validation images to use; by default as many as :data:`TUNING_IMAGES` says.
    max_iter : int
        Iterations of a full run, 20 or more.

    Returns
    -------
    dict
        For each kind the chosen ``"setting"``, with the keys ``"sigma"``, ``"momentum"``, ``"prior_decay"`` and
        ``"update_decay"``, and the ``"sweep"`` that it was chosen from: for every setting also ``"psnr_20"`` and
        ``"psnr_last"``, in dB; the latter is None where a run ended early.
    """
    images = task.val_images[: TUNING_IMAGES[task.name] if n_images is None else n_images]
    tuning: dict[str, Any] = {}
    for kind in kinds or SOLVER_KINDS[task.name]:
        method = Method(task, kind)
        settings = [
            asdict(Setting(sigma, momentum, *decays))
            for sigma, momentum, decays in product(SIGMAS, MOMENTA, DECAYS)
        ]

        def run(setting: dict[str, Any], last: int, method: Method = method) -> float:
            curves = psnr_curves(task, method.solver(Setting(**setting)), images, method.physics, last)
            return round(curves[-1].mean().item(), 4)

        sweep = [setting | {"psnr_20": run(setting, 20), "psnr_last": None} for setting in settings]
        best = -math.inf
        for setting, row in sorted(zip(settings, sweep, strict=True), key=lambda pair: -pair[1]["psnr_20"]):
            constant = setting["prior_decay"] is None and setting["update_decay"] is None
            if row["psnr_20"] > best or (kind == "none" and constant):
                row["psnr_last"] = run(setting, max_iter)
                best = max(best, tuning_score(row))
        winner = settings[sweep.index(max(sweep, key=tuning_score))]
        tuning[kind] = {"setting": winner, "sweep": sweep}
    return tuning


def tuning_score(row: dict[str, Any]) -> float:
    """Return the lower of a setting's two PSNR values, which :func:`tune` maximises; −∞ for an unfinished run."""
    return -math.inf if row["psnr_last"] is None else min(row["psnr_20"], row["psnr_last"])


def save_tuning(task_name: str, tuning: dict[str, Any], path: str | Path | None = None) -> None:
    """Write tuned settings as JSON, by default where :func:`load_tuning` finds them."""
    atomic_write(path or _tuning_path(task_name), (json.dumps(tuning, indent=1) + "\n").encode())


def _tuning_path(task_name: str) -> Path:
    return WEIGHTS_FOLDER / f"{task_name}-tuning.json"


class Method:
    """What a kind runs with: an operator, its step and a preconditioner, loaded once for many settings.

    Parameters
    ----------
    task : Task
        The task.
    kind : str
        One of the task's :data:`SOLVER_KINDS`.
    """

    def __init__(self, task: Task, kind: str) -> None:
        self.task, self.kind = task, kind
        self.physics = task.teacher if kind == "teacher" else task.student
        self.stepsize = task.teacher_stepsize if kind == "teacher" else task.stepsize
        self.preconditioner: Preconditioner | None = None
        if kind == "newton":
            recipe = RECIPES[task.name]["distilled"]  # the same λ as in the form that builds on it
            self.preconditioner = Newton(recipe.damping, recipe.damping_noise)
        elif kind in RECIPES[task.name]:
            self.preconditioner = load_preconditioner(task.name, kind)

    @cached_property
    def setting(self) -> Setting:
        """What was tuned for this kind."""
        return Setting(**load_tuning(self.task.name)[self.kind]["setting"])

    def solver(self, setting: Setting, **options: Any) -> PreconditionedFISTA:
        """Build the solver with a setting; the options are those of the solver."""
        return PreconditionedFISTA(
            self.task.denoiser, self.preconditioner, stepsize=self.stepsize, **asdict(setting), **options
        )

    def tuned_solver(self, **options: Any) -> PreconditionedFISTA:
        """Build the solver with the setting that was tuned for this kind."""
        return self.solver(self.setting, **options)
