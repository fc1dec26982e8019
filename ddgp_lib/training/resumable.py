"""A training that can be interrupted, and that goes on from its checkpoint as if it had not been."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm.auto import tqdm

from ..checkpoints import CheckpointError, load_checkpoint, load_weights, save_checkpoint
from .processes import Processes
from .schedules import Schedule


class ResumableTraining:
    """The mutable state of a training: weights, optimiser, generator and step; a subclass says what a step is.

    Parameters
    ----------
    kind : str
        What its checkpoints are called.
    task_name : str
        The task that it is for.
    recipe : dataclass
        Everything that decides the weights; its ``steps`` and ``learning_rate`` are read here.
    model : nn.Module
        What is trained.
    optimiser : torch.optim.Optimizer
        Of the model's parameters.
    schedule : Schedule
        Factor of the learning rate at each step.
    generator : torch.Generator
        Source of every random choice.
    processes : Processes, optional
        The processes that train together; by default this one alone.
    """

    def __init__(
        self,
        kind: str,
        task_name: str,
        recipe: Any,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: Schedule,
        generator: torch.Generator,
        processes: Processes | None = None,
    ) -> None:
        self.kind, self.task_name, self.recipe, self.step = kind, task_name, recipe, 0
        self.model, self.optimiser = model, optimiser
        self.schedule, self.generator = schedule, generator
        self.processes = processes or Processes()
        self.processes.share_weights(model)

    def advance(self) -> float:
        """Take one optimisation step; return the loss."""
        raise NotImplementedError

    def update_weights(self, loss: torch.Tensor) -> None:
        """Follow the gradient of a loss, averaged over the processes, of norm 1 at most, at the scheduled rate."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * self.schedule.factor(self.step)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.processes.average_gradients(self.model.parameters())
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()

    def run(self, name: str, checkpoint: str | Path | None, checkpoint_every: int, *, progress: bool) -> None:
        """Take the steps that are left, from the checkpoint if it exists, and write it at the start and the end too.

        Parameters
        ----------
        name : str
            What the progress bar is called.
        checkpoint : str or Path, optional
            The file.
        checkpoint_every : int
            Steps between writes.
        progress : bool
            Show a progress bar, in the first process.

        Raises
        ------
        CheckpointError
            If the checkpoint cannot be used, or was written by another recipe or number of processes.
        """
        if checkpoint is not None:
            started = self.processes.of_first(Path(checkpoint).is_file())
            self.restore(checkpoint) if started else self.save(checkpoint)
        with tqdm(
            total=self.recipe.steps,
            initial=self.step,
            desc=name,
            disable=not (progress and self.processes.first),
        ) as bar:
            while self.step < self.recipe.steps:
                loss = self.advance()
                bar.update()
                bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
                due = self.step % checkpoint_every == 0 or self.step == self.recipe.steps
                if checkpoint is not None and due:
                    self.save(checkpoint)

    def save(self, path: str | Path) -> None:
        """Write everything that the next step depends on, in all processes; the first one writes."""
        tensors = {f"weights.{name}": value for name, value in weights_of(self.model).items()}
        for index, slots in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": value for name, value in slots.items()}
        own = {"generator": self.generator.get_state()} | self.own_tensors()
        tensors |= self.tensors() | self.processes.collect(own)
        description = {"kind": self.kind, "task": self.task_name, "recipe": asdict(self.recipe)}
        description |= {"step": self.step, "processes": self.processes.count} | self.notes()
        if self.processes.first:
            save_checkpoint(path, tensors, description)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return what a subclass adds to the tensors of a checkpoint."""
        return {}

    def own_tensors(self) -> dict[str, torch.Tensor]:
        """Return what a subclass adds to the tensors of a checkpoint that differs between processes."""
        return {}

    def notes(self) -> dict[str, Any]:
        """Return what a subclass adds to the description of a checkpoint."""
        return {}

    def restore(self, path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Continue from what :meth:`save` wrote; return its tensors and description."""
        tensors, description = load_checkpoint(path, kind=self.kind, task=self.task_name)
        recipe = json.loads(json.dumps(asdict(self.recipe)))
        if description["recipe"] != recipe:
            raise CheckpointError(
                f"checkpoint={str(path)!r}: written by {description['recipe']}, expected {recipe}"
            )
        written = description.get("processes", 1)
        if written != self.processes.count:
            raise CheckpointError(
                f"checkpoint={str(path)!r}: written by {written} process(es), expected {self.processes.count}"
            )
        load_weights(self.model, under("weights.", tensors), path)
        optimiser = self.optimiser.state_dict()
        for name, value in under("optimiser.", tensors).items():
            index, slot = name.split(".", 1)
            optimiser["state"].setdefault(int(index), {})[slot] = value
        self.optimiser.load_state_dict(optimiser)
        self.generator.set_state(self.processes.own({"generator": tensors["generator"]})["generator"])
        self.step = description["step"]
        return tensors, description


def weights_of(model: nn.Module) -> dict[str, torch.Tensor]:
    """Copy a state; deepinv's unrolled networks list their step sizes twice, which safetensors refuses."""
    return {name: value.clone() for name, value in model.state_dict().items()}


def under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
