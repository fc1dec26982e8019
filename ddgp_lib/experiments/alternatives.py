"""Train what a user would pick instead of a preconditioner: an end-to-end network, and an unrolled one."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ..arguments import require, require_instance
from ..checkpoints import build, load_checkpoint, save_checkpoint
from ..distillation.states import FreshStates, student_measurements
from ..fingerprint import fingerprint
from ..presets import preset_of
from ..recipes import ALTERNATIVES, AlternativeRecipe, DistillationRecipe, build_alternative
from ..tasks import Task
from ..training import ResumableTraining, build_schedule, weights_of


def train_alternative(
    task: Task,
    recipe: AlternativeRecipe,
    *,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    progress: bool = True,
) -> nn.Module:
    """Train a reconstructor on the squared error of its images, with the data and schedule of a distillation.

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
    nn.Module
        In evaluation mode.

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
    return training.model.eval()


class _Training(ResumableTraining):
    """The training of one alternative, on fresh images at every step."""

    def __init__(self, task: Task, recipe: AlternativeRecipe) -> None:
        model = build_alternative(recipe, task.img_size[0], task.stepsize)
        optimiser = torch.optim.AdamW(
            model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        schedule = build_schedule("warm_cosine", recipe.steps)
        generator = torch.Generator().manual_seed(recipe.seed)
        super().__init__("alternative training", task, recipe, model, optimiser, schedule, generator)
        self.images = FreshStates(task, DistillationRecipe(perturbed=recipe.perturbed), generator)

    def advance(self) -> float:
        """Take one optimisation step; return the loss."""
        states = self.images.fresh(self.recipe.batch_size)
        loss = functional.mse_loss(
            self.model(student_measurements(states), self.task.student), states["truth"]
        )
        self.update_weights(loss)
        self.step += 1
        return loss.item()


def save_alternative(
    path: str | Path, model: nn.Module, task: Task, recipe: AlternativeRecipe, metrics: Mapping[str, Any]
) -> None:
    """Write a trained reconstructor with its recipe and metrics to a safetensors file."""
    description = {"kind": recipe.name, "task": task.name, "channels": task.img_size[0]}
    description |= {"stepsize": task.stepsize, "recipe": asdict(recipe), "metrics": dict(metrics)}
    description["fingerprint"] = fingerprint(task)
    save_checkpoint(path, weights_of(model), description)


def load_alternative(source: Task | str, name: str, path: str | Path | None = None) -> nn.Module:
    """Load a task's alternative, or one from a file; call it as ``model(y, physics)``.

    Parameters
    ----------
    source : Task or str
        The task that it was trained for, or the name of one of the book's.
    name : str
        ``"end_to_end"`` or ``"unrolled"``.
    path : str or Path, optional
        A file written by :func:`save_alternative`; by default the task's own.

    Raises
    ------
    ValueError
        If a name is unknown, or the file is corrupt or holds something else.
    FileNotFoundError
        If there is no such file.
    """
    require(name in ALTERNATIVES, "name", name, f"one of {tuple(ALTERNATIVES)}")
    preset = preset_of(source, "source")
    path = preset.path(name) if path is None else path
    tensors, description = load_checkpoint(path, kind=name, task=preset.name)

    def described() -> nn.Module:
        recipe = AlternativeRecipe(**description["recipe"])
        return build_alternative(recipe, description["channels"], description["stepsize"])

    return build(described, tensors, path)
