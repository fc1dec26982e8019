"""One phase of a distillation: optimisation steps on solver states, and what comes out."""

import math
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import torch

from ..arguments import require, require_choice, require_device, require_instance
from ..fingerprint import Fingerprint, fingerprint
from ..names import Network
from ..operators import gradient, measure
from ..preconditioners import LearnedPreconditioner, State
from ..recipes import OPTIMISERS, DistillationFields, DistillationRecipe, build_preconditioner
from ..reprs import differences, line, table
from ..solvers import MOMENTUM, PreconditionedFISTA, extrapolate, followed_sigma, forward_backward
from ..tasks import Task
from ..training import Processes, ResumableTraining, WeightAverage, build_schedule, under
from .losses import LOSS_OF_A_PAIR, Pair
from .members import Members
from .states import FreshStates, StatePool, States, student_measurements

LAST = 100
"""Steps at the end of a training, over which the losses that are shown are averaged."""

EARLY = 20
"""The first of the two iterations at which validation measures; the other is the recipe's horizon."""


@dataclass(frozen=True, repr=False)
class Distillation:
    """What :func:`~ddgp_lib.distillation.training.distill` returns.

    Attributes
    ----------
    preconditioner : LearnedPreconditioner
        P_θ, in evaluation mode.
    history : dict of str to list of float
        Each loss, unweighted, and the ``"total"``, at every step, means over the processes; where it was asked for,
        the score of each ``"validation"``.  Those of a second phase of the training follow, as ``"tuned_total"`` and
        so on.
    recipe : DistillationRecipe
        What it was trained with.
    processes : int
        Number of processes that trained it, each with batches of the recipe's size.
    seconds, cpu_seconds : float
        Time of the steps, of the clock and of the processor; those of a resumed training count from its beginning.
    extended : tuple of int
        Steps at which the training was at its end and was given more, so that it is not what one run with this recipe
        gives.
    """

    preconditioner: LearnedPreconditioner
    history: dict[str, list[float]]
    recipe: DistillationRecipe
    processes: int = 1
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    extended: tuple[int, ...] = ()

    def _facts(self) -> dict[str, str]:
        """Say what was trained: what differs from the default recipe, the size, and the losses at the end."""
        facts = {name: repr(value) for name, value in differences(self.recipe).items() if name != "steps"}
        facts |= {"steps": f"{len(self.history.get('total', ())):,}"}
        facts |= {"weights": f"{sum(weights.numel() for weights in self.preconditioner.parameters()):,}"}
        last = {
            name: values[-LAST:]
            for name, values in self.history.items()
            if values and not name.endswith("validation")
        }
        return facts | {name: f"{sum(values) / len(values):.4g}" for name, values in last.items()}

    def __repr__(self) -> str:
        return line("Distillation", self._facts())

    def _repr_html_(self) -> str:
        return table(f"Distillation; losses are means over the last {LAST} steps", self._facts().items())


def chosen_recipe(
    recipe: DistillationRecipe | Network | None, options: DistillationFields
) -> DistillationRecipe:
    """Return the recipe, or the default one, with the options in the place of its fields."""
    if isinstance(recipe, str):
        require_choice("recipe", recipe, get_args(Network))
        require("network" not in options, "network", options.get("network"), f"nothing beside {recipe!r}")
        recipe = DistillationRecipe(network=recipe)
    require_instance(
        "recipe", recipe, DistillationRecipe, "a DistillationRecipe, or a network's name", none=True
    )
    return replace(recipe or DistillationRecipe(), **options)


def chosen_device(device: str | None, fabric: object | None) -> str:
    """Return the device, or the processor; beside a fabric nobody else may choose one."""
    require_device("device", device)
    alone = fabric is None or device is None
    require(alone, "device", device, "None beside a fabric, which has chosen a device for each process")
    return "cpu" if device is None else device


class Phase(ResumableTraining):
    """One distillation: what :class:`ResumableTraining` keeps, the solver states and the history.

    A second phase starts from a preconditioner, and draws its states from another source.
    """

    kind = "training"

    def __init__(
        self,
        task: Task,
        recipe: DistillationRecipe,
        device: str,
        processes: Processes | None = None,
        *,
        start: LearnedPreconditioner | None = None,
        source: type[FreshStates] | None = None,
    ) -> None:
        processes = processes or Processes()
        device = device if processes.fabric is None else str(processes.fabric.device)
        require_redraw(task, recipe)
        moved, self.device = _on_device(task, device), device
        self.val_images = task.val_images[: recipe.validation_images]
        self.y_val = measure(task.student, self.val_images, recipe.seed) if recipe.validate_every else None
        start = start or build_preconditioner(recipe, task.img_size[0], task.img_size)
        self.preconditioner = start.to(device)
        optimiser = OPTIMISERS[recipe.optimiser](
            self.preconditioner.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        schedule = build_schedule(recipe.schedule, recipe.steps)
        generator = torch.Generator().manual_seed(processes.seed(recipe.seed))
        super().__init__(
            self.kind, task, recipe, self.preconditioner, optimiser, schedule, generator, processes
        )
        self.task = moved
        self.average = WeightAverage(self.preconditioner, recipe.average)
        source = source or (StatePool if recipe.pairing == "same_iterate" else FreshStates)
        self.members = Members(task, recipe, self.generator, source, self._moved)
        self.member = self.members.all[0]
        self.history: dict[str, list[float]] = {
            name: []
            for name in (*recipe.weights, "total", *(["validation"] if recipe.validate_every else []))
        }
        self.best: dict[str, torch.Tensor] = {}
        self.sigma = task.sigma if recipe.sigma is None else recipe.sigma
        self.momentum = MOMENTUM[recipe.momentum]

    @property
    def states(self) -> FreshStates:
        """The states of the operator that the last step has looked at, or the first one."""
        return self.member.states

    def _moved(self, task: Task) -> Task:
        """Return a task where iterations run; that of the training is there already."""
        return self.task if task is self._described else _on_device(task, self.device)

    def described(self) -> Fingerprint:
        """Return the fingerprint of the task, with whether its operators were drawn anew."""
        return fingerprint(self._described, many=self.recipe.redraws)

    def advance(self) -> float:
        """Take one optimisation step and the solver iterations that it looks at; return the loss."""
        self.member = self.members.choose()
        places, states = self.states.draw(self.recipe.batch_size)
        x, z, losses = self._iterate({name: tensor.to(self.device) for name, tensor in states.items()})
        total = torch.stack([self.recipe.weights[name] * loss for name, loss in losses.items()]).sum()
        self.update_weights(total)
        self.average.update(self.step)
        self.states.put_back(places, x.detach().cpu(), z.detach().cpu(), self.recipe.unrolled)
        values = self.processes.mean(torch.stack([*losses.values(), total]).detach()).tolist()
        for name, value in zip([*losses, "total"], values, strict=True):
            self.history[name].append(value)
        self.schedule.observe(values[-1])
        self.step += 1
        self.members.renew(self.step)
        every = self.recipe.validate_every
        if every and (self.step % every == 0 or self.step == self.recipe.steps):
            self._validate()
        return values[-1]

    def _iterate(self, states: States) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
        """Run the student for some iterations, with the teacher beside it; return x, z and the mean losses."""
        own = self.recipe.pairing == "own_trajectories"
        x, z = states["x"], states["z"]
        x_teacher = z_teacher = states["adjoint_teacher"]
        rows: list[dict[str, torch.Tensor]] = []
        for iteration in range(self.recipe.unrolled):
            k = states["k"] + iteration
            pair = self._pair(states, z, z_teacher if own else z.detach(), k)
            rows.append(
                {name: LOSS_OF_A_PAIR[name](pair) for name in LOSS_OF_A_PAIR if name in self.recipe.weights}
            )
            beta = torch.tensor([self.momentum(i + 1) for i in k.tolist()], device=z.device).view(-1, 1, 1, 1)
            x, z = pair.x, extrapolate(pair.x, x, beta)
            if own:
                assert pair.teacher_x is not None
                x_teacher, z_teacher = pair.teacher_x, extrapolate(pair.teacher_x, x_teacher, beta)
        return x, z, {name: self._of_the_run(torch.stack([row[name] for row in rows])) for name in rows[0]}

    def _of_the_run(self, losses: torch.Tensor) -> torch.Tensor:
        """Return the loss of consecutive iterations (K,): their mean."""
        return losses.mean()

    def _pair(self, states: States, z: torch.Tensor, z_teacher: torch.Tensor, k: torch.Tensor) -> Pair:
        """One student iteration with P from z, and one of the teacher without from ``z_teacher``."""
        task = self.member.task
        student_gradient = gradient(task.student, z, states["adjoint_student"])
        direction = self.preconditioner(
            student_gradient,
            State(z, k, task.student, student_measurements(states), states.get("noise")),
        )
        with torch.no_grad():
            teacher_gradient = gradient(task.teacher, z_teacher, states["adjoint_teacher"])
            teacher_x = None
            if self.recipe.pairing == "own_trajectories" or "imitation" in self.recipe.losses:
                teacher_x = self._step(z_teacher, teacher_gradient, task.teacher_stepsize, states)
        return Pair(
            physics=task.student,
            gradient=student_gradient,
            direction=direction,
            teacher_gradient=teacher_gradient,
            stepsize=task.stepsize,
            teacher_stepsize=task.teacher_stepsize,
            x=self._step(z, direction, task.stepsize, states),
            teacher_x=teacher_x,
            truth=states["truth"],
        )

    def _step(
        self, z: torch.Tensor, direction: torch.Tensor, stepsize: float, states: States
    ) -> torch.Tensor:
        noise = states.get("noise", self.member.noise)
        own = self.member.task.sigma if self.recipe.sigma is None else self.recipe.sigma
        sigma = followed_sigma(own, noise, self.recipe.sigma_noise, stepsize)
        return forward_backward(z, direction, stepsize, lambda u: self.task.denoiser(u, sigma))

    def _validate(self) -> None:
        """Score the preconditioner on validation images, and keep its weights if they are the best so far."""
        with self.average.swapped():
            score = self._score()
            if score > max(self.history["validation"], default=-math.inf):
                self.best = {name: value.clone() for name, value in self.preconditioner.state_dict().items()}
        self.history["validation"].append(score)

    def _score(self) -> float:
        """Lower of the mean PSNRs (dB) after 20 and after ``horizon`` iterations; −∞ where one is not finite."""
        solver = PreconditionedFISTA(
            self.task.denoiser,
            self.preconditioner,
            stepsize=self.task.stepsize,
            sigma=self.sigma,
            sigma_noise=self.recipe.sigma_noise,
            momentum=self.recipe.momentum,
        )
        assert self.y_val is not None
        looked_at = (EARLY, self.recipe.horizon)
        iterates = solver.iterates(self.y_val.to(self.device), self.task.student, max(looked_at))
        psnr = [
            self.task.psnr(x.cpu(), self.val_images).mean().item()
            for k, (x, _) in enumerate(iterates)
            if k in looked_at
        ]
        return min(psnr) if all(map(math.isfinite, psnr)) else -math.inf

    def result(self) -> Distillation:
        """Return the preconditioner, with the weights of the best validation, their average, or the last."""
        self.average.apply()
        if self.best:
            self.preconditioner.load_state_dict(self.best)
        trained = self.preconditioner.cpu().eval()
        return Distillation(
            trained,
            self.history,
            self.recipe,
            self.processes.count,
            self.seconds,
            self.cpu_seconds,
            tuple(self.extended),
        )

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return the weights of the best validation and their average, where there are such."""
        kept = {"best": self.best, "average": self.average.weights}
        return {f"{of}.{name}": value for of, weights in kept.items() for name, value in weights.items()}

    def own_tensors(self) -> dict[str, torch.Tensor]:
        """Return the solver states."""
        return self.members.tensors()

    def notes(self) -> dict[str, Any]:
        """Return the history."""
        return {"history": self.history}

    def take(self, path: str | Path, tensors: dict[str, torch.Tensor], description: dict[str, Any]) -> None:
        """Take over the states, the history, the best and the average; the schedule observes once more."""
        super().take(path, tensors, description)
        self.best = under("best.", tensors)
        self.average.take(under("average.", tensors))
        states = {name: value for name, value in tensors.items() if name.startswith("states.")}
        missing = self.members.take(self.step, self.processes.own(states))
        self.member = self.members.all[0]
        if "states.noise" in missing and self.member.noise is not None:
            # Checkpoints of before were trained with this one.
            self.states.tensors["noise"].fill_(self.member.noise)
        self.history = description["history"]
        for total in self.history["total"]:
            self.schedule.observe(total)


def require_redraw(task: Task, recipe: DistillationRecipe) -> None:
    """Refuse to draw operators anew where the task's preset does not say how."""
    possible = not recipe.redraws or task.preset.redraw is not None
    wanted = f"0: preset {task.preset.name!r} has no redraw, which would draw operators of its family"
    require(possible, "redraw_every", recipe.redraw_every, wanted)


def _on_device(task: Task, device: str) -> Task:
    """Return the task with copies of its operators and its denoiser on a device; images stay where they are."""
    available = device == "cpu" or (str(device).startswith("cuda") and torch.cuda.is_available())
    require(available, "device", device, "'cpu', or 'cuda' where PyTorch finds one")
    if device == "cpu":
        return task
    moved = replace(
        task,
        student=deepcopy(task.student).to(device),
        teacher=deepcopy(task.teacher).to(device),
        denoiser=deepcopy(task.denoiser).to(device),
    )
    # The steps are those that the CPU has found, and are not found again from what has been moved.
    vars(moved).update(stepsize=task.stepsize, teacher_stepsize=task.teacher_stepsize)
    return moved
