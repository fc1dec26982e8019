"""A training that can be interrupted, and that goes on from its checkpoint as if it had not been."""

import json
import math
import time
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from tqdm.auto import tqdm

from ..arguments import require, require_instance, require_integer
from ..checkpoints import CheckpointError, load_checkpoint, load_weights, save_checkpoint, using
from ..fields import defaults
from ..fingerprint import Fingerprint, differences, fingerprint, told
from .interruption import Interruptions, put_off
from .processes import Processes
from .schedules import Schedule

if TYPE_CHECKING:
    from ..tasks import Task


class DivergenceError(ValueError):
    """A loss or its gradient has stopped being finite."""


class ResumableTraining:
    """The mutable state of a training: weights, optimiser, generator and step; a subclass says what a step is.

    Its checkpoints hold everything that the next step depends on, and a fingerprint of the task: a training goes on
    to the same bits, and none goes on for another task or by another recipe.

    Parameters
    ----------
    kind : str
        What its checkpoints are called.
    task : Task
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

    Attributes
    ----------
    step : int
        Steps that have been taken.
    seconds, cpu_seconds : float
        Time of all runs, of the clock and of the processor.
    extended : list of int
        Steps at which the training was at its end and was given more.
    """

    def __init__(
        self,
        kind: str,
        task: "Task",
        recipe: Any,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: Schedule,
        generator: torch.Generator,
        processes: Processes | None = None,
    ) -> None:
        require(hasattr(task, "train_images"), "task", task, "a Task")
        self.kind, self.task, self.recipe, self.step = kind, task, recipe, 0
        self._described = task  # where a subclass moves its task to another device
        self.model, self.optimiser = model, optimiser
        self.schedule, self.generator = schedule, generator
        self.processes = processes or Processes()
        self.processes.share_weights(model)
        self.seconds = self.cpu_seconds = 0.0
        self.extended: list[int] = []
        self._made_for: Fingerprint | None = None
        self._kept = "nothing was written"

    def advance(self) -> float:
        """Take one optimisation step; return the loss."""
        raise NotImplementedError

    def update_weights(self, loss: torch.Tensor) -> None:
        """Follow the gradient of a loss, averaged over the processes, of norm 1 at most, at the scheduled rate.

        Raises
        ------
        DivergenceError
            If the gradient is not finite; the weights stay as they are.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * self.schedule.factor(self.step)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.processes.average_gradients(self.model.parameters())
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), 1.0))
        self._require_finite("gradient", norm, self.step + 1)
        self.optimiser.step()

    def run(self, name: str, checkpoint: str | Path | None, checkpoint_every: int, *, progress: bool) -> None:
        """Take the steps that are left, from the checkpoint if it exists, and write it at the start and the end too.

        Ctrl-C and SIGTERM end the run after the step that they arrive in, once it is written; a second one ends it at
        once.  This holds for a single process; several write at their regular steps alone.

        Parameters
        ----------
        name : str
            What the progress bar is called.
        checkpoint : str or Path, optional
            The file.
        checkpoint_every : int
            Steps between writes, 1 or above.
        progress : bool
            Show a progress bar, in the first process.

        Raises
        ------
        CheckpointError
            If the checkpoint cannot be used, or was written by another recipe, for another task, or by another number
            of processes.
        ValueError
            If ``checkpoint_every`` is outside what is accepted.
        DivergenceError
            If a loss or its gradient is not finite; the checkpoint keeps the last state that was written.
        """
        require_integer("checkpoint_every", checkpoint_every, lowest=1)
        require(torch.is_grad_enabled(), "torch.is_grad_enabled()", False, "True: a training takes gradients")
        require_instance("checkpoint", checkpoint, str | Path, "None, or a file", none=True)
        if checkpoint is not None:
            started = self.processes.of_first(Path(checkpoint).is_file())
            self.restore(checkpoint) if started else self.save(checkpoint)
        alone = checkpoint is not None and self.processes.count == 1
        with (
            put_off() if alone else nullcontext(Interruptions()) as interruptions,
            tqdm(
                total=self.recipe.steps,
                initial=self.step,
                desc=name,
                disable=not (progress and self.processes.first),
            ) as bar,
        ):
            while self.step < self.recipe.steps:
                loss = self._timed_step()
                bar.update()
                bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
                due = self.step % checkpoint_every == 0 or self.step == self.recipe.steps
                if checkpoint is not None and (due or interruptions.waiting):
                    self.save(checkpoint)
                    interruptions.act()

    def _timed_step(self) -> float:
        """Take a step and add its time; a loss that is not finite ends the training."""
        begun, cpu_begun = time.perf_counter(), time.process_time()
        loss = self.advance()
        self._require_finite("loss", loss, self.step)
        self.seconds += time.perf_counter() - begun
        self.cpu_seconds += time.process_time() - cpu_begun
        return loss

    def _require_finite(self, name: str, value: float, step: int) -> None:
        if not math.isfinite(value):
            wanted = f"a finite number in step {step} of {self.recipe.steps}; {self._kept}"
            raise DivergenceError(f"{name}={value}: expected {wanted}")

    def made_for(self) -> Fingerprint:
        """Return what :meth:`described` does, which is found once."""
        if self._made_for is None:
            self._made_for = self.described()
        return self._made_for

    def described(self) -> Fingerprint:
        """Return the fingerprint of the task."""
        return fingerprint(self._described)

    def save(self, path: str | Path) -> None:
        """Write everything that the next step depends on, in all processes; the first one writes."""
        tensors = {f"weights.{name}": value for name, value in weights_of(self.model).items()}
        for index, slots in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": value for name, value in slots.items()}
        own = {"generator": self.generator.get_state()} | self.own_tensors()
        tensors |= self.tensors() | self.processes.collect(own)
        description: dict[str, Any] = {
            "kind": self.kind,
            "task": self.task.name,
            "recipe": asdict(self.recipe),
        }
        description |= {"step": self.step, "processes": self.processes.count, "fingerprint": self.made_for()}
        description |= {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds, "extended": self.extended}
        if self.processes.first:
            save_checkpoint(path, tensors, description | self.notes())
        self._keep(path)

    def _keep(self, path: str | Path) -> None:
        self._kept = f"{str(path)!r} has the state after step {self.step}"

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return what a subclass adds to the tensors of a checkpoint."""
        return {}

    def own_tensors(self) -> dict[str, torch.Tensor]:
        """Return what a subclass adds to the tensors of a checkpoint that differs between processes."""
        return {}

    def notes(self) -> dict[str, Any]:
        """Return what a subclass adds to the description of a checkpoint."""
        return {}

    def restore(self, path: str | Path) -> None:
        """Continue from what :meth:`save` wrote.

        A training that is at its end may be given more steps: then the schedule is that of the new number.
        """
        tensors, description = load_checkpoint(path, kind=self.kind, task=self.task.name)
        with using(path):
            self._require_same(path, description)
            self.take(path, tensors, description)
        self._keep(path)

    def _require_same(self, path: str | Path, description: dict[str, Any]) -> None:
        """Refuse a checkpoint of another recipe, task or number of processes."""
        recipe = json.loads(json.dumps(asdict(self.recipe)))
        found = defaults(type(self.recipe)) | description["recipe"]  # one of before may lack newer fields
        longer = description["step"] == found["steps"] < recipe["steps"]
        if found != recipe and not (longer and found | {"steps": recipe["steps"]} == recipe):
            raise CheckpointError(f"checkpoint={str(path)!r}: written by {found}, expected {recipe}")
        written = description.get("processes", 1)
        if written != self.processes.count:
            raise CheckpointError(
                f"checkpoint={str(path)!r}: written by {written} process(es), expected {self.processes.count}"
            )
        others = differences(description.get("fingerprint"), self.made_for())
        if others:
            raise CheckpointError(f"checkpoint={str(path)!r}: written for {told(others)}")

    def take(self, path: str | Path, tensors: dict[str, torch.Tensor], description: dict[str, Any]) -> None:
        """Take over what a checkpoint holds; a subclass adds what is its own."""
        load_weights(self.model, under("weights.", tensors), path)
        optimiser = self.optimiser.state_dict()
        trained = [parameter for group in self.optimiser.param_groups for parameter in group["params"]]
        for name, value in under("optimiser.", tensors).items():
            index, slot = name.split(".", 1)
            parameter = trained[int(index)]
            # With the strides of the parameter, as the optimiser has made it: rounding may depend on them.
            kept = torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value
            optimiser["state"].setdefault(int(index), {})[slot] = kept
        self.optimiser.load_state_dict(optimiser)
        self.generator.set_state(self.processes.own({"generator": tensors["generator"]})["generator"])
        self.step = description["step"]
        # Checkpoints of before that were stamped have none of these.
        self.seconds, self.cpu_seconds = (description.get(key, 0.0) for key in ("seconds", "cpu_seconds"))
        ended = description["recipe"]["steps"]
        self.extended = description.get("extended", []) + ([ended] if ended < self.recipe.steps else [])


def weights_of(model: nn.Module) -> dict[str, torch.Tensor]:
    """Copy a state; a tensor that a network lists twice is copied twice, since safetensors refuses it else."""
    return {name: value.clone() for name, value in model.state_dict().items()}


def under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
