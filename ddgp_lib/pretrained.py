"""Save and load what was trained: preconditioners, tuned settings, and solvers that are ready to use."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict, Unpack

from .arguments import require
from .checkpoints import WEIGHTS_FOLDER, is_weights_file, load_checkpoint, load_weights, save_checkpoint
from .distillation import Distillation
from .files import locked, write_results
from .linear import LinearDistillation
from .names import Momentum, TaskName
from .preconditioners import LearnedPreconditioner, LinearPreconditioner, Newton, Preconditioner
from .presets import PRESETS, preset_of
from .recipes import DistillationRecipe, LinearRecipe, build_linear_preconditioner, build_preconditioner
from .solvers import PreconditionedFISTA, Safeguard
from .tasks import Preset, Task


@dataclass(frozen=True)
class Setting:
    """What is tuned for each method: arguments of :class:`~ddgp_lib.solvers.PreconditionedFISTA`."""

    sigma: float
    momentum: Momentum
    prior_decay: int | None
    update_decay: int | None = None


class SolverOptions(TypedDict, total=False):
    """Arguments of :class:`~ddgp_lib.solvers.PreconditionedFISTA` that may replace what :func:`load_solver` takes."""

    stepsize: float | None
    sigma: float | Sequence[float]
    momentum: Momentum
    prior_decay: int | None
    update_decay: int | None
    safeguard: bool | Safeguard
    early_stop: bool
    thres_conv: float
    unfold: bool


def load_preconditioner(
    source: str | Path | Task, kind: str = "distilled", path: str | Path | None = None
) -> LearnedPreconditioner | LinearPreconditioner:
    """Load a preconditioner: a shipped one, a task's own, or one from a file.

    Parameters
    ----------
    source : str, Path or Task
        The name of one of the book's tasks; a task; or a file written by :func:`save_preconditioner`, which is taken
        for what it says that it is.
    kind : str
        ``"distilled"`` (state aware), ``"distilled_gradient_only"`` (the paper's input, ∇g alone, in null-space
        form), ``"distilled_linear"`` (an affine map for each iteration, in closed form), or what else the preset of
        the task distils; a file says its own.
    path : str or Path, optional
        A file that must hold this kind for this task, in the place of the task's own.

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

    Examples
    --------
    >>> import ddgp_lib
    >>> P = ddgp_lib.load_preconditioner("single_pixel", "distilled_gradient_only")
    >>> P.inputs
    'gradient_only'
    """
    if not isinstance(source, Task) and is_weights_file(source):
        require(path is None, "path", path, f"None beside source={str(source)!r}, which is a file already")
        return _read(source)
    require(isinstance(source, Task) or source in PRESETS, "source", source, _accepted())
    preset = preset_of(source)  # type: ignore[arg-type]
    require(kind in preset.recipes, "kind", kind, f"one of {tuple(preset.recipes)}")
    return _read(preset.path(kind) if path is None else path, kind=kind, task=preset.name)


def _accepted() -> str:
    return f"one of {tuple(PRESETS)}, a Task, or a .safetensors file that save_preconditioner wrote"


def _read(path: str | Path, **expected: str) -> LearnedPreconditioner | LinearPreconditioner:
    """Build what a file describes, and give it the file's weights."""
    tensors, description = load_checkpoint(path, **expected)
    require(
        "recipe" in description and "channels" in description,
        "path",
        str(path),
        "a preconditioner that save_preconditioner wrote",
    )
    recipe = description["recipe"]
    preconditioner: LearnedPreconditioner | LinearPreconditioner
    if "structure" in recipe:
        preconditioner = build_linear_preconditioner(LinearRecipe(**recipe), description["img_size"])
    else:
        preconditioner = build_preconditioner(
            DistillationRecipe(**recipe), description["channels"], description.get("img_size")
        )
    load_weights(preconditioner, tensors, path)
    return preconditioner.eval().requires_grad_(False)


def save_preconditioner(
    path: str | Path,
    distillation: Distillation | LinearDistillation,
    task: Task,
    kind: str = "distilled",
    metrics: dict[str, Any] | None = None,
) -> None:
    """Write a distilled preconditioner with its recipe and metrics to a safetensors file.

    A linear one, whose matrices are large and need no more digits, is written in half precision.

    Parameters
    ----------
    path : str or Path
        The file, ``.safetensors``; :func:`load_preconditioner` reads it back.
    distillation : Distillation or LinearDistillation
        What :func:`~ddgp_lib.distill` or :func:`~ddgp_lib.distill_linear` returned.
    task : Task
        The task that it was distilled for.
    kind : str
        What it is called among the methods of the task.
    metrics : dict, optional
        What was measured of it, as JSON values.
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
        "metrics": metrics or {},
    }
    if isinstance(distillation, Distillation) and distillation.processes > 1:
        description["processes"] = distillation.processes  # with batches of the recipe's size each
    save_checkpoint(path, weights, description)


def load_solver(
    source: Task | TaskName,
    kind: str = "distilled",
    max_iter: int = 20,
    *,
    task: Task | None = None,
    **options: Unpack[SolverOptions],
) -> PreconditionedFISTA:
    """Load a ready reconstructor with the denoiser, preconditioner, step, σ, momentum and decay tuned for its kind.

    Parameters
    ----------
    source : Task or str
        The task; or the name of one of the book's, which is then loaded with its default options.
    kind : str
        ``"none"`` (the tuned baseline), ``"distilled"``, ``"distilled_gradient_only"``, ``"distilled_linear"``,
        ``"teacher"`` (no preconditioner, tuned for ``task.teacher``), ``"newton"`` where A Aᵀ is not I, or what else
        the preset of the task names.
    max_iter : int
        Number of iterations.
    task : Task, optional
        The task, beside its name.
    **options
        Arguments of :class:`~ddgp_lib.solvers.fista.PreconditionedFISTA`, such as ``safeguard=True``; ``sigma``,
        ``momentum``, ``prior_decay`` and ``update_decay`` take the place of what was tuned.

    Returns
    -------
    PreconditionedFISTA
        Call it as ``solver(y, physics)``.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or the name is not that of the task.
    FileNotFoundError
        If a file is missing.

    Examples
    --------
    >>> import ddgp_lib
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> solver = ddgp_lib.load_solver(task, safeguard=True)
    >>> x = solver(task.measure(task.test_images[:4]), task.student)
    >>> tuple(x.shape)
    (4, 1, 32, 32)
    """
    if isinstance(source, Task):
        require(task is None or task is source, "task", task, "None beside a task")
        task = source
    elif task is None:
        task = preset_of(source).load()
    require(
        isinstance(source, Task) or source == task.name,
        "source",
        source,
        f"{task.name!r}, the name of the task that was passed; load_solver(task) needs no name",
    )
    return Method(task, kind).tuned_solver(max_iter=max_iter, **options)


def load_tuning(source: Task | Preset | str) -> dict[str, Any]:
    """Load the settings chosen on validation images for each kind, with the sweep that they were chosen from.

    Parameters
    ----------
    source : Task, Preset or str
        A task, its preset, or the name of one of the book's.

    Raises
    ------
    ValueError
        If the name is unknown.
    FileNotFoundError
        If the task's methods have not been tuned.
    """
    preset = preset_of(source, "source")
    path = tuning_path(preset.name, preset.weights)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; `python -m ddgp_lib tune {preset.name}` makes it")
    tuning: dict[str, Any] = json.loads(path.read_text())
    return tuning


def save_tuning(source: Task | Preset | str, tuning: dict[str, Any], path: str | Path | None = None) -> None:
    """Write tuned settings as JSON, by default where :func:`load_tuning` finds them, beside those of other kinds."""
    preset = preset_of(source, "source")
    path = tuning_path(preset.name, preset.weights) if path is None else Path(path)
    with locked(path):
        merged = (json.loads(path.read_text()) if path.is_file() else {}) | tuning
        order = sorted(merged, key=lambda kind: (*preset.kinds, kind).index(kind))
        write_results(path, {kind: merged[kind] for kind in order})


def tuning_path(name: str, folder: str | Path = WEIGHTS_FOLDER) -> Path:
    """Return the file of a task's tuned settings: ``folder/NAME-tuning.json``."""
    return Path(folder) / f"{name}-tuning.json"


class Method:
    """What a kind runs with: an operator, its step and a preconditioner, loaded once for many settings.

    Parameters
    ----------
    task : Task
        The task.
    kind : str
        One of the kinds of the task's preset.

    Raises
    ------
    ValueError
        If there is no such kind.
    """

    def __init__(self, task: Task, kind: str) -> None:
        kinds = task.preset.kinds
        require(kind in kinds, "kind", kind, f"one of {kinds}")
        self.task, self.kind = task, kind
        self.physics = task.teacher if kind == "teacher" else task.student
        self.stepsize = task.teacher_stepsize if kind == "teacher" else task.stepsize
        self.preconditioner: Preconditioner | None = None
        if kind == "newton":
            self.preconditioner = Newton(*task.preset.newton)
        elif kind in task.preset.recipes:
            self.preconditioner = load_preconditioner(task, kind)

    @cached_property
    def setting(self) -> Setting:
        """What was tuned for this kind."""
        tuning = load_tuning(self.task)
        require(
            self.kind in tuning, "kind", self.kind, f"a tuned one of {tuple(tuning)}: tune {self.task.name}"
        )
        return Setting(**tuning[self.kind]["setting"])

    def solver(self, setting: Setting, **options: Any) -> PreconditionedFISTA:
        """Build the solver with a setting; the options are those of the solver, and go before the setting."""
        chosen = {"stepsize": self.stepsize, **asdict(setting), **options}
        return PreconditionedFISTA(self.task.denoiser, self.preconditioner, **chosen)

    def tuned_solver(self, **options: Any) -> PreconditionedFISTA:
        """Build the solver with the setting that was tuned for this kind."""
        return self.solver(self.setting, **options)
