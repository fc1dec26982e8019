"""Train what a user would pick instead of a preconditioner: direct, null-space and unfolded networks, and NPN."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from deepinv.physics import LinearPhysics
from torch import nn
from torch.nn import functional

from ..arguments import require_instance
from ..checkpoints import save_checkpoint
from ..distillation.states import FreshStates, student_measurements
from ..fingerprint import fingerprint, require_made_for, warn_if_foreign
from ..preconditioners import NullSpacePull
from ..preconditioners.null_space_pull import pull, unseen
from ..presets import preset_of
from ..recipes import (
    AlternativeRecipe,
    build_alternative,
    read_alternative,
)
from ..recipes.alternatives import require_alternative
from ..solvers.measurements import Measurements
from ..tasks import Preset, Task
from ..training import ResumableTraining, build_schedule, weights_of

PULLS = "npn"
"""The alternative that is no reconstructor: it predicts what a solver is then pulled towards."""


@dataclass(frozen=True)
class TrainedAlternative:
    """What :func:`run_alternative` returns.

    Attributes
    ----------
    model : nn.Module
        The reconstructor, in evaluation mode.
    seconds, cpu_seconds : float
        Time of the steps, of the clock and of the processor; those of a resumed training count from its beginning.
    """

    model: nn.Module
    seconds: float
    cpu_seconds: float


def train_alternative(
    task: Task,
    recipe: AlternativeRecipe,
    *,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    progress: bool = True,
) -> nn.Module:
    """Train a reconstructor, and return it alone, in evaluation mode; all else is as :func:`run_alternative` says."""
    trained = run_alternative(
        task, recipe, checkpoint=checkpoint, checkpoint_every=checkpoint_every, progress=progress
    )
    return trained.model


def run_alternative(
    task: Task,
    recipe: AlternativeRecipe,
    *,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    progress: bool = True,
) -> TrainedAlternative:
    """Train a reconstructor on the squared error of its images, with the data and schedule of a distillation.

    ``"npn"`` is trained on the squared error of S n(y), what the student does not see and the teacher does, see
    :class:`~ddgp_lib.preconditioners.null_space_pull.NullSpacePull`.

    Parameters
    ----------
    task : Task
        Its training images, seen through ``task.student``.
    recipe : AlternativeRecipe
        What to train and how.
    checkpoint : str or Path, optional
        A file to write the state of the training to, and to resume from if it exists.
    checkpoint_every : int
        Steps between writes.
    progress : bool
        Show a progress bar.

    Returns
    -------
    TrainedAlternative

    Raises
    ------
    CheckpointError
        If the checkpoint was written by another recipe or for another task.
    ValueError
        If the loss or its gradient stops being finite.
    """
    require_instance("task", task, Task, "a Task")
    require_instance("recipe", recipe, AlternativeRecipe, "an AlternativeRecipe")
    training = _Training(task, recipe)
    training.run(f"{recipe.name} {task.name}", checkpoint, checkpoint_every, progress=progress)
    model: Any = training.model.eval()
    model.made_for = training.made_for()
    return TrainedAlternative(model, training.seconds, training.cpu_seconds)


class _Training(ResumableTraining):
    """The training of one alternative, on fresh images at every step."""

    def __init__(self, task: Task, recipe: AlternativeRecipe) -> None:
        model = build_alternative(recipe, task.img_size[0])
        optimiser = torch.optim.AdamW(
            model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        schedule = build_schedule("warm_cosine", recipe.steps)
        generator = torch.Generator().manual_seed(recipe.seed)
        super().__init__("alternative training", task, recipe, model, optimiser, schedule, generator)
        self.images = FreshStates(task, generator, perturbed=recipe.perturbed, noise_range=recipe.noise_range)
        self.judged = judged(task, recipe.name)

    def advance(self) -> float:
        """Take one optimisation step; return the loss."""
        states = self.images.fresh(self.recipe.batch_size)
        images = self.model(student_measurements(states), self.task.student)
        loss = functional.mse_loss(self.judged(images), self.judged(states["truth"]))
        self.update_weights(loss)
        self.step += 1
        return loss.item()


def judged(task: Task, name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the map to what a training is judged on: S x for ``"npn"``, images as they are for all others."""
    if name == PULLS:
        return lambda x: unseen(task.student, task.teacher, x)
    return lambda x: x


def reconstruct(
    task: Task, name: str, model: nn.Module, y: Measurements, physics: LinearPhysics | None = None
) -> torch.Tensor:
    """Return the images (N, C, H, W) that an alternative makes of an operator's measurements by itself.

    The operator is the student, where no other is given.

    For ``"npn"`` they are the Tikhonov solution with the predicted part in the place of its own.
    """
    physics = task.student if physics is None else physics
    x = model(y, physics)
    if name != PULLS:
        return x
    start = model.start(y, physics)  # type: ignore[operator]
    return start + pull(physics, task.teacher, x - start)


def save_alternative(
    path: str | Path, model: nn.Module, task: Task, recipe: AlternativeRecipe, metrics: Mapping[str, Any]
) -> None:
    """Write a trained reconstructor, in half precision, with its recipe and metrics to a safetensors file.

    Raises
    ------
    ValueError
        If it was trained for another task.
    """
    made_for = fingerprint(task)
    require_made_for(getattr(model, "made_for", None), task, made_for)
    description = {"kind": recipe.name, "task": task.name, "channels": task.img_size[0]}
    description |= {"recipe": asdict(recipe), "metrics": dict(metrics), "fingerprint": made_for}
    weights = {name: tensor.half() for name, tensor in weights_of(model).items()}
    save_checkpoint(path, weights, description)


def load_alternative(
    source: Task | str, name: str, path: str | Path | None = None, *, seed: int = 0
) -> nn.Module:
    """Load a task's alternative, or one from a file; call it as ``model(y, physics)``.

    Parameters
    ----------
    source : Task or str
        The task that it was trained for, or the name of one of the book's.
    name : str
        One of :data:`~ddgp_lib.recipes.alternatives.ALTERNATIVES`.
    path : str or Path, optional
        A file written by :func:`save_alternative`; by default the task's own.
    seed : int
        Which of the task's own trainings, 0 for the first; those of other seeds may not be there.

    Raises
    ------
    ValueError
        If a name is unknown, or the file is corrupt or holds something else.
    FileNotFoundError
        If there is no such file.

    Warns
    -----
    OperatorMismatch
        If the student of the task that is passed is another operator than the one that it was trained for, and not
        of its family.
    """
    require_alternative("name", name)
    preset = preset_of(source, "source")
    path = preset.path(name, seed) if path is None else path
    model: Any = read_alternative(path, kind=name, task=preset.name)
    if isinstance(source, Task):
        warn_if_foreign(model.made_for, source.student, source.train_images, what=name)
    loaded: nn.Module = model
    return loaded


def trained_networks(preset: Preset) -> tuple[str, ...]:
    """Return the names of a preset's alternatives whose weights are there."""
    return tuple(name for name in preset.alternatives if preset.path(name).is_file())


def load_null_space_pull(
    task: Task,
    weight: float = 0.5,
    decay: float = 1.0,
    *,
    path: str | Path | None = None,
    seed: int = 0,
) -> NullSpacePull:
    """Load a task's NPN as a preconditioner: the pull towards what ``"npn"`` predicts, with the task's teacher.

    Parameters
    ----------
    task : Task
        The task that it was trained for.
    weight, decay : float
        γ and d, both in (0, 1], see :class:`~ddgp_lib.preconditioners.null_space_pull.NullSpacePull`.
    path, seed
        See :func:`load_alternative`.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or the file is corrupt or holds something else.
    FileNotFoundError
        If there is no such file.
    """
    require_instance("task", task, Task, "a Task")
    predictor = load_alternative(task, PULLS, path, seed=seed)
    return NullSpacePull(predictor, task.teacher, weight=weight, decay=decay)
