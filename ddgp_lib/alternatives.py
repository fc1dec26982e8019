"""What a user would pick instead of a preconditioner: an end-to-end network, and an unrolled one.

Both are deepinv's, on the same U-Net as P_θ, with as many parameters, and are trained as long on the same images.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from deepinv.models import ArtifactRemoval, Denoiser
from deepinv.optim import PnP
from deepinv.optim.data_fidelity import L2
from deepinv.unfolded import unfolded_builder
from torch import nn
from torch.nn import functional

from .arguments import require, require_positive
from .checkpoints import WEIGHTS_FOLDER, load_checkpoint, load_weights, save_checkpoint
from .distillation import DistillationRecipe
from .distillation.resumable import ResumableTraining, weights_of
from .distillation.schedules import build_schedule
from .distillation.states import FreshStates
from .networks import PatchUNet
from .tasks import Task

STAGES = 6
"""Iterations of the unrolled network, each with a U-Net of its own."""


class ResidualUNet(Denoiser):
    """x + N(x), with N a bias-free U-Net that starts at zero and knows no noise level.

    Parameters
    ----------
    channels : int
        Image channels.
    widths : tuple of int
        See :class:`~ddgp_lib.networks.unet.PatchUNet`.
    """

    def __init__(self, channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.network = PatchUNet(channels, channels, widths)

    def forward(self, x: torch.Tensor, sigma: Any = None, **kwargs: Any) -> torch.Tensor:
        """Map images (N, C, H, W), sides multiples of 8, to images; ``sigma`` is ignored."""
        return x + self.network(x)


def _end_to_end(channels: int, stepsize: float) -> nn.Module:
    return ArtifactRemoval(ResidualUNet(channels, (32, 64, 128)), mode="adjoint")


def _unrolled(channels: int, stepsize: float) -> nn.Module:
    return unfolded_builder(
        "PGD",
        params_algo={"stepsize": [stepsize] * STAGES},
        trainable_params=["stepsize"],
        data_fidelity=L2(),
        prior=[PnP(ResidualUNet(channels, (13, 26, 52))) for _ in range(STAGES)],
        max_iter=STAGES,
    )


ALTERNATIVES: Mapping[str, Callable[[int, float], nn.Module]] = {
    "end_to_end": _end_to_end,
    "unrolled": _unrolled,
}
"""Reconstructors by name, built from the number of channels and the first step size."""


@dataclass(frozen=True)
class AlternativeRecipe:
    """Everything, besides the task, that decides the weights of an alternative.

    Attributes
    ----------
    name : str
        One of :data:`ALTERNATIVES`.
    steps, batch_size : int
        Optimisation steps, and images in each.
    learning_rate, weight_decay : float
        Of AdamW; the rate is the largest of a cosine schedule with a warm-up.
    perturbed : float
        Fraction of training images that are changed a little, in [0, 1], by the task's ``augment``.
    seed : int
        Seed of the initial weights, the choice of images and the simulated noise.
    """

    name: str
    steps: int
    batch_size: int
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    perturbed: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        require(self.name in ALTERNATIVES, "name", self.name, f"one of {tuple(ALTERNATIVES)}")
        for field in ("steps", "batch_size"):
            require(getattr(self, field) >= 1, field, getattr(self, field), "an integer, 1 or above")
        require_positive("learning_rate", self.learning_rate)


def build_alternative(recipe: AlternativeRecipe, channels: int, stepsize: float) -> nn.Module:
    """Build an untrained reconstructor, called as ``model(y, physics)``.

    Parameters
    ----------
    recipe : AlternativeRecipe
        Its name and seed decide the network and the initial weights.
    channels : int
        Image channels.
    stepsize : float
        α = 1/‖A‖², where the step sizes of the unrolled network start.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return ALTERNATIVES[recipe.name](channels, stepsize)


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
        If the checkpoint was written by another recipe.
    """
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
        super().__init__("alternative training", task.name, recipe, model, optimiser, schedule, generator)
        self.task = task
        self.images = FreshStates(task, DistillationRecipe(perturbed=recipe.perturbed), generator)

    def advance(self) -> float:
        """Take one optimisation step; return the loss."""
        states = self.images.fresh(self.recipe.batch_size)
        loss = functional.mse_loss(self.model(states["y_student"], self.task.student), states["truth"])
        self.update_weights(loss)
        self.step += 1
        return loss.item()


def save_alternative(
    path: str | Path, model: nn.Module, task: Task, recipe: AlternativeRecipe, metrics: Mapping[str, Any]
) -> None:
    """Write a trained reconstructor with its recipe and metrics to a safetensors file."""
    description = {"kind": recipe.name, "task": task.name, "channels": task.img_size[0]}
    description |= {"stepsize": task.stepsize, "recipe": asdict(recipe), "metrics": dict(metrics)}
    save_checkpoint(path, weights_of(model), description)


def load_alternative(task_name: str, name: str, path: str | Path | None = None) -> nn.Module:
    """Load a task's shipped alternative, or one from a file; call it as ``model(y, physics)``.

    Parameters
    ----------
    task_name : str
        The task that it was trained for.
    name : str
        ``"end_to_end"`` or ``"unrolled"``.
    path : str or Path, optional
        A file written by :func:`save_alternative`; by default the shipped one.

    Raises
    ------
    ValueError
        If the name is unknown, or the file is corrupt or holds something else.
    FileNotFoundError
        If there is no such file.
    """
    require(name in ALTERNATIVES, "name", name, f"one of {tuple(ALTERNATIVES)}")
    path = path or WEIGHTS_FOLDER / f"{task_name}-{name}.safetensors"
    tensors, description = load_checkpoint(path, kind=name, task=task_name)
    recipe = AlternativeRecipe(**description["recipe"])
    model = build_alternative(recipe, description["channels"], description["stepsize"])
    load_weights(model, tensors, path)
    return model.eval().requires_grad_(False)
