"""Save and load what was trained: preconditioners, tuned settings, and solvers that are ready to use."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict, Unpack

from .arguments import require, require_flag, require_instance
from .checkpoints import (
    WEIGHTS_FOLDER,
    build,
    is_packaged,
    is_weights_file,
    load_checkpoint,
    require_name,
    save_checkpoint,
)
from .digests import tensors_digest
from .distillation import Distillation
from .files import locked, read_results, reading, write_results
from .fingerprint import Fingerprint, alike, fingerprint, foreign, require_made_for, warn_if_foreign
from .kinds import Fista, Kind, Settings
from .linear import LinearDistillation
from .names import Momentum, TaskName
from .preconditioners import LearnedPreconditioner, LinearPreconditioner, Newton, Preconditioner
from .presets import PRESETS, preset_of
from .recipes import DistillationRecipe, LinearRecipe, build_linear_preconditioner, build_preconditioner
from .solvers import Geometric, PreconditionedSolver, Safeguard
from .tasks import Preset, Task


class TuningMismatch(UserWarning):
    """Settings were tuned for another operator, or for weights that are no longer there."""


TUNING_FORMAT = "ddgp-tuning-2"


class SolverOptions(TypedDict, total=False):
    """Arguments of a solver that may replace what :func:`load_solver` takes.

    They are those of :class:`~ddgp_lib.solvers.PreconditionedFISTA`, and ``tau`` of
    :class:`~ddgp_lib.solvers.PreconditionedADMM`, which has neither ``momentum`` nor ``update_decay`` nor
    ``stop_after``.
    """

    stepsize: float | None
    sigma: float | Sequence[float] | Geometric
    sigma_noise: float | None
    tau: float | Sequence[float] | Geometric
    momentum: Momentum
    prior_decay: int | None
    update_decay: int | None
    stop_after: int | None
    safeguard: bool | Safeguard
    early_stop: bool
    thres_conv: float
    unfold: bool


def load_preconditioner(
    source: str | Path | Task, kind: str = "distilled", path: str | Path | None = None, *, seed: int = 0
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
    seed : int
        Which of the task's own trainings, 0 for the first; those of other seeds may not be there.

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

    Warns
    -----
    OperatorMismatch
        If the student of the task that is passed is another operator than the one that it was trained for, and not
        of its family, see :func:`~ddgp_lib.fingerprint.foreign`.  ``made_for`` of what is returned is the fingerprint
        of its own task, which :func:`~ddgp_lib.fingerprint.differences` compares with that of any other.

    Examples
    --------
    >>> import ddgp_lib
    >>> P = ddgp_lib.load_preconditioner("single_pixel", "distilled_gradient_only")
    >>> P.inputs
    'gradient_only'
    """
    preconditioner = _load(source, kind, path, seed)
    if isinstance(source, Task):
        warn_if_foreign(preconditioner.made_for, source.student, source.train_images)
    return preconditioner


def _load(
    source: str | Path | Task, kind: str, path: str | Path | None = None, seed: int = 0
) -> LearnedPreconditioner | LinearPreconditioner:
    if not isinstance(source, Task) and is_weights_file(source):
        require(path is None, "path", path, f"None beside source={str(source)!r}, which is a file already")
        return _read(source)
    require(isinstance(source, Task) or source in PRESETS, "source", source, _accepted())
    preset = preset_of(source, "source")  # type: ignore[arg-type]
    require(kind in preset.distilled, "kind", kind, f"one of {tuple(preset.distilled)}")
    return _read(preset.path(kind, seed) if path is None else path, kind=kind, task=preset.name)


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
    preconditioner = build(lambda: _described(description), tensors, path)
    preconditioner.made_for = description.get("fingerprint")
    return preconditioner


def _described(description: Mapping[str, Any]) -> LearnedPreconditioner | LinearPreconditioner:
    recipe, img_size = description["recipe"], description.get("img_size")
    if "structure" in recipe:
        return build_linear_preconditioner(LinearRecipe(**recipe), description["img_size"])
    return build_preconditioner(DistillationRecipe(**recipe), description["channels"], img_size)


def save_preconditioner(
    path: str | Path,
    distillation: Distillation | LinearDistillation,
    task: Task,
    kind: str = "distilled",
    metrics: dict[str, Any] | None = None,
    *,
    half: bool = False,
) -> None:
    """Write a distilled preconditioner with its recipe and metrics to a safetensors file.

    A linear one, whose matrices are large and need no more digits, is written in half precision in any case.

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
    half : bool
        Whether weights are rounded to half precision, eleven bits, as those that ship are: the file is half as large,
        and its images change by less than what their PSNR is printed to.

    Raises
    ------
    ValueError
        If the preconditioner was distilled for another task than the one that is named.
    """
    require_flag("half", half)
    require_instance("task", task, Task, "a Task")
    made_for = fingerprint(task, many=_of_many(distillation))
    require_made_for(distillation.preconditioner.made_for, task, made_for)
    weights = distillation.preconditioner.state_dict()
    if half or isinstance(distillation, LinearDistillation):
        weights = {name: tensor.half() for name, tensor in weights.items()}
    description = {
        "kind": kind,
        "task": task.name,
        "channels": task.img_size[0],
        "img_size": list(task.img_size),
        "recipe": asdict(distillation.recipe),
        "metrics": metrics or {},
        "fingerprint": made_for,
    }
    if isinstance(distillation, Distillation):
        description |= _course(distillation)
    save_checkpoint(path, weights, description)


def _of_many(distillation: Distillation | LinearDistillation) -> bool:
    """Say whether it was trained for a family of operators."""
    return isinstance(distillation, Distillation) and distillation.recipe.redraws


def _course(distillation: Distillation) -> dict[str, Any]:
    """Say how the training went where that is not in its recipe."""
    told: dict[str, Any] = {"seconds": distillation.seconds} if distillation.seconds else {}
    if distillation.processes > 1:
        told["processes"] = distillation.processes  # with batches of the recipe's size each
    if distillation.extended:
        told["extended"] = list(distillation.extended)
    return told


def load_solver(
    source: Task | TaskName,
    kind: str = "distilled",
    max_iter: int = 20,
    *,
    task: Task | None = None,
    **options: Unpack[SolverOptions],
) -> PreconditionedSolver:
    """Load a ready reconstructor with the denoiser, preconditioner, step, σ, momentum and decay tuned for its kind.

    Parameters
    ----------
    source : Task or str
        The task; or the name of one of the book's, which is then loaded with its default options.
    kind : str
        ``"none"`` (the tuned baseline), ``"distilled"``, ``"distilled_gradient_only"``, ``"distilled_linear"``,
        ``"teacher"`` (no preconditioner, tuned for ``task.teacher``), ``"newton"`` where A Aᵀ is not I, one of the
        preset's rivals such as ``"tv"``, or what else the preset of the task names: ``"distilled_fast"`` stops after
        two iterations, and ``"npn_fista"`` is pulled towards what the alternative ``"npn"`` predicts.
    max_iter : int
        Number of iterations.
    task : Task, optional
        The task, beside its name.
    **options
        Arguments of the kind's solver, such as ``safeguard=True``; ``sigma``, ``momentum``, ``prior_decay`` and
        ``update_decay`` take the place of what was tuned.

    Returns
    -------
    PreconditionedSolver
        A :class:`~ddgp_lib.solvers.fista.PreconditionedFISTA`, or what else the kind is.  Call it as
        ``solver(y, physics)``.

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
    require_instance("task", task, Task, "None, or a Task", none=True)
    if isinstance(source, Task):
        require(task is None or task is source, "task", task, "None beside a task")
        task = source
    elif task is None:
        task = preset_of(source, "source").load()
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
        If the name is unknown, or the file is corrupt, of another format or of another task.
    FileNotFoundError
        If the task's methods have not been tuned.

    Warns
    -----
    TuningMismatch
        If they were tuned for another operator than the student of the task that is passed, not of its family.
    """
    preset = preset_of(source, "source")
    path = tuning_path(preset.name, preset.weights)
    tuning = _read_tuning(path, preset)
    made_for = _student(tuning)
    if isinstance(source, Task) and foreign(made_for, source.student, source.train_images):
        _warn_of_tuning(path, f"tuned for another operator, {made_for.get('operator')}", source.name)
    methods: dict[str, Any] = tuning["methods"]
    return methods


def _read_tuning(path: Path, preset: Preset) -> dict[str, Any]:
    command = f"python -m ddgp_lib tune {preset.name}"
    tuning = read_results(path, command, format=TUNING_FORMAT, task=preset.name)
    with reading(path):
        methods = tuning["methods"]
        require(isinstance(methods, dict), "methods", methods, "settings by kind")
        for kind, settings in methods.items():
            preset.setting(kind, settings["setting"])
            conditions = settings.get("conditions", {})
            weights = conditions.get("weights", {}) if isinstance(conditions, dict) else None
            require(isinstance(weights, dict), "conditions", conditions, "what a kind was tuned with")
    return tuning


def tuning_for(path: Path, preset: Preset, made_for: Fingerprint) -> dict[str, Any] | None:
    """Read a file of tuned settings, unless it says that they were tuned for another task.

    Parameters
    ----------
    path : Path
        The file, which need not exist.
    preset : Preset
        The camera.
    made_for : dict
        The fingerprint of the task that settings are wanted for.

    Returns
    -------
    dict or None
        ``"methods"``, the settings by kind, and ``"fingerprint"``, of the task that they were tuned for, None where
        that was not noted.  None in the place of both, where there is no file or it is another task's.

    Raises
    ------
    ValueError
        If the file is corrupt, of another format or of a task of another name.
    """
    if not path.is_file():
        return None
    tuning = _read_tuning(path, preset)
    known = tuning.get("fingerprint")
    return {"methods": tuning["methods"], "fingerprint": known} if alike(known, made_for) else None


def _student(tuning: Mapping[str, Any]) -> Mapping[str, Any]:
    made_for = tuning.get("fingerprint")
    return made_for.get("student", {}) if isinstance(made_for, Mapping) else {}


def _warn_of_tuning(path: Path, what: str, name: str) -> None:
    text = f"path={str(path)!r}: {what}; `python -m ddgp_lib tune {name}` tunes anew"
    warnings.warn(text, TuningMismatch, stacklevel=3)


def save_tuning(
    source: Task | Preset | str,
    tuning: dict[str, Any],
    path: str | Path | None = None,
    *,
    replacing: bool = False,
) -> None:
    """Write tuned settings as JSON, by default where :func:`load_tuning` finds them, beside those of other kinds.

    Kinds that the file has and ``tuning`` has not stay, if they were tuned for the same task.  Processes that write
    at the same time wait for each other.

    Parameters
    ----------
    source : Task, Preset or str
        What was tuned: the task; or its preset, or the name of one of the book's, for the task that they load.
    tuning : dict
        What :func:`~ddgp_lib.experiments.tune` returned for some kinds, or all.
    path : str or Path, optional
        The file; to be said of one of the book's tasks, whose settings ship.
    replacing : bool
        Whether a file that is there and cannot be read is replaced, and what it holds of other kinds is lost.

    Raises
    ------
    ValueError
        If the settings are none, no file is said and the task's own would be the package's, or the file that is there
        cannot be read.
    FileNotFoundError
        If the folder of the file does not exist.
    """
    preset = preset_of(source, "source")
    require_flag("replacing", replacing)
    _require_tuning(preset, tuning)
    if path is None:
        shipped = f"a file: the package's own settings are replaced by `tune {preset.name} --shipped` alone"
        require(not is_packaged(preset.weights), "path", path, shipped)
    target = tuning_path(preset.name, preset.weights) if path is None else Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"path={str(target)!r}: its folder does not exist")
    task = source if isinstance(source, Task) else preset.load() if preset.make else None
    made_for = None if task is None else fingerprint(task)
    methods = {kind: _with_weights(preset, kind, settings) for kind, settings in tuning.items()}
    with locked(target):
        if made_for is not None and (old := _to_keep(target, preset, made_for, replacing=replacing)):
            methods, made_for = old["methods"] | methods, old["fingerprint"]
        ordered = sorted(methods, key=lambda kind: (*preset.loadable, kind).index(kind))
        content = {"format": TUNING_FORMAT, "task": preset.name, "fingerprint": made_for}
        write_results(target, content | {"methods": {kind: methods[kind] for kind in ordered}})


def _require_tuning(preset: Preset, tuning: Any) -> None:
    """Refuse what is no mapping of kinds to settings that can be read again."""
    wanted = "by kind, a dict with the arguments of its 'setting'"
    require_instance("tuning", tuning, Mapping, wanted)
    for kind, settings in tuning.items():
        found = isinstance(settings, Mapping) and isinstance(settings.get("setting"), Mapping)
        require(found, f"tuning[{kind!r}]", settings, wanted)
        try:
            preset.setting(kind, settings["setting"])
        except TypeError as error:
            expected = f"a setting of this kind ({error})"
            raise ValueError(f"tuning[{kind!r}]={settings['setting']!r}: expected {expected}") from error


def _to_keep(path: Path, preset: Preset, made_for: Fingerprint, *, replacing: bool) -> dict[str, Any] | None:
    """Return what a file has for the same task; None where it does not say for which, or is replaced unread."""
    try:
        old = tuning_for(path, preset, made_for)
    except ValueError:
        if not replacing:
            raise
        return None
    return old if old and old["fingerprint"] is not None else None


def _with_weights(preset: Preset, kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Add the digest of the weights that a kind is tuned with, where it has any and does not say so itself."""
    path, conditions = preset.path(kind), settings.get("conditions", {})
    if "weights" in conditions or kind not in preset.distilled or not path.is_file():
        return settings
    return settings | {"conditions": conditions | {"weights": {path.name: tensors_digest(path)}}}


def tuning_path(name: str, folder: str | Path = WEIGHTS_FOLDER) -> Path:
    """Return the file of a task's tuned settings: ``folder/NAME-tuning.json``."""
    require_name("name", name)
    return Path(folder) / f"{name}-tuning.json"


def load_kind(task: Task, name: str, *, seed: int = 0) -> Kind:
    """Return what a name among a task's methods stands for, its preconditioner loaded.

    Parameters
    ----------
    task : Task
        The task.
    name : str
        One of the methods of the task's preset, of its ablations, or of those that are run where they are asked for.
    seed : int
        Which of the task's own trainings of its preconditioner, 0 for the first.

    Raises
    ------
    ValueError
        If there is no such method, or its file is corrupt or holds something else.
    FileNotFoundError
        If its file is missing.
    """
    preset = task.preset
    require(name in preset.loadable, "kind", name, f"one of {preset.loadable}")
    if name in preset.given:
        return preset.given[name]
    if name == "newton":
        return Fista(preconditioner=Newton(*preset.newton))
    if name in preset.distilled:
        stop_after = getattr(preset.distilled[name], "stop_after", None)
        return Fista(preconditioner=_load(task, name, seed=seed), stop_after=stop_after)
    return Fista(on_teacher=name == "teacher")


class Method:
    """What a kind runs with: an operator, its step and a preconditioner, loaded once for many settings.

    Parameters
    ----------
    task : Task
        The task.
    kind : str
        See :func:`load_kind`.
    seed : int
        Which of the task's own trainings of its preconditioner; all run with what was tuned for the first, 0.

    Raises
    ------
    ValueError
        If there is no such method.
    """

    def __init__(self, task: Task, kind: str, *, seed: int = 0) -> None:
        self.task, self.kind, self.seed = task, kind, seed
        self.definition = load_kind(task, kind, seed=seed)
        self.physics, self.stepsize = self.definition.physics(task), self.definition.stepsize(task)

    @property
    def preconditioner(self) -> Preconditioner | None:
        """P, where it is the same for all settings."""
        return self.definition.preconditioner if isinstance(self.definition, Fista) else None

    @cached_property
    def setting(self) -> Settings:
        """What was tuned for this kind."""
        tuning = load_tuning(self.task)
        require(
            self.kind in tuning, "kind", self.kind, f"a tuned one of {tuple(tuning)}: tune {self.task.name}"
        )
        settings = tuning[self.kind]
        preset = self.task.preset
        weights = settings.get("conditions", {}).get("weights", {})
        for file in (preset.path(name) for name in preset.read_by(self.kind)):
            known = weights.get(file.name)
            if self.seed == 0 and known is not None and known != tensors_digest(file):
                path = tuning_path(preset.name, preset.weights)
                _warn_of_tuning(path, f"{self.kind!r} was tuned with other weights", preset.name)
        return self.definition.setting(settings["setting"])

    def solver(self, setting: Settings, **options: Any) -> PreconditionedSolver:
        """Build the solver with a setting; the options are those of the solver, and go before the setting."""
        return self.definition.solver(self.task, setting, **{"stepsize": self.stepsize} | options)

    def tuned_solver(self, **options: Any) -> PreconditionedSolver:
        """Build the solver with the setting that was tuned for this kind."""
        return self.solver(self.setting, **options)
