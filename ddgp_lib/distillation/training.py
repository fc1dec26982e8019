"""The training loop of a distillation, which can be interrupted and resumed."""

import math
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, get_args

import torch

from ..arguments import require, require_choice, require_instance
from ..names import Network
from ..operators import gradient, measure, noise_of
from ..preconditioners import LearnedPreconditioner, State
from ..recipes import OPTIMISERS, DistillationFields, DistillationRecipe, build_preconditioner, first_phase
from ..reprs import differences, line, table
from ..solvers import MOMENTUM, PreconditionedFISTA, extrapolate, followed_sigma, forward_backward
from ..tasks import Task
from ..training import Processes, ResumableTraining, WeightAverage, build_schedule, under
from .losses import LOSS_OF_A_PAIR, Pair
from .states import FreshStates, StatePool, States, student_measurements

if TYPE_CHECKING:
    from lightning_fabric import Fabric

LAST = 100
"""Steps at the end of a training, over which the losses that are shown are averaged."""

EARLY = 20
"""The first of the two iterations at which validation measures; the other is the recipe's horizon."""


@dataclass(frozen=True, repr=False)
class Distillation:
    """What :func:`distill` returns.

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


def distill(
    task: Task,
    recipe: DistillationRecipe | Network | None = None,
    *,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    device: str | None = None,
    fabric: "Fabric | None" = None,
    progress: bool = True,
    **options: Unpack[DistillationFields],
) -> Distillation:
    r"""Train a preconditioner by gradient matching.

    With the default pairing, both gradients are taken at the same state z of the student, from an on-policy pool:
    ∇g_s(z) from the student's data and ∇g_t(z) from the teacher's.  One preconditioned student step gives x_s, one
    plain teacher step gives x_t, and

    .. math::

        L = \rho_G \bigl(1 - S_c(P(\nabla g_s; z), \nabla g_t)\bigr)^2
            + \rho_I \lVert x_s - x_t \rVert^2 + \rho_S \lVert x_s - x^* \rVert^2
            + \rho_R L_R + \rho_\perp L_\perp + \rho_N L_N .

    With own trajectories, as in the paper, student and teacher each run from their own Aᵀy, and ∇g_t and x_t come
    from the teacher's iterate at the same k.  In either case, losses are averaged over ``unroll`` iterations and
    gradients flow through the student's iterates; what the teacher does is a constant.

    With ``tuned_steps`` a second phase follows, see :mod:`ddgp_lib.distillation.run_tuning`: it makes what a run
    ends with better, not one step.

    Parameters
    ----------
    task : Task
        Operators, training images, denoiser and step sizes.
    recipe : DistillationRecipe or str, optional
        What decides the weights; or the name of the network N_θ, see :func:`~ddgp_lib.networks.build.build_network`,
        in the default recipe; by default that recipe as it is.
    checkpoint : str or Path, optional
        A file to write the whole state of the training to, and to resume from if it exists: to the same bits as
        without the interruption.  It is refused for another task, another recipe or another number of processes.  A
        training that is at its end goes on if only ``steps`` is larger, with the schedule of the new number: its
        rate is high again, and the result is not that of one run.  A second phase has a file of its own beside it,
        ``NAME-tuned.safetensors``.
    checkpoint_every : int
        Steps between writes, 1 or above; the start and the end are written too, and the step in which Ctrl-C or
        SIGTERM arrive, so that an interrupted training can always be resumed from the last write.
    device : str, optional
        ``"cpu"`` (default) or ``"cuda"``: where iterations run.  States are made and kept on the CPU.
    fabric : Fabric, optional
        A launched Lightning Fabric, whose processes train together: each on its own device, with ``batch_size``
        states at a time from its own pool, which its own generator fills (seed plus rank times
        :data:`~ddgp_lib.training.processes.SEED_STRIDE`).  Gradients are averaged, so a step is that of a batch
        as many times as large, at the recipe's learning rate.  The first process writes, and the checkpoint holds the
        states of all; the number of processes must stay the same.
    progress : bool
        Show a progress bar.
    **options
        Fields of :class:`~ddgp_lib.recipes.distillation.DistillationRecipe`, in the place of the recipe's.

    Returns
    -------
    Distillation
        On the CPU, the same in every process; with ``validate_every``, with the weights whose validation was best.

    Raises
    ------
    ValueError
        If an option is outside what is accepted, a checkpoint was written by another recipe, for another task or by
        another number of processes, both ``device`` and ``fabric`` are given, or a loss or its gradient is not
        finite; the checkpoint keeps the last state that was written.

    References
    ----------
    Gualdrón-Hurtado et al., "Deep distillation gradient preconditioning for inverse problems", 2025, for L_G, L_I,
    L_S and the pairing of own trajectories; the pool, the same-iterate pairing, L_R and L_N are this book's.

    Examples
    --------
    >>> import ddgp_lib
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> recipe = ddgp_lib.DistillationRecipe(network="cnn", parameters="small", batch_size=2, pool_size=4)
    >>> distillation = ddgp_lib.distill(task, recipe, steps=3, progress=False)
    >>> len(distillation.history["total"])
    3
    """
    require_instance("task", task, Task, "a Task")
    recipe = _chosen(recipe, options)
    alone = fabric is None or device is None
    require(alone, "device", device, "None beside a fabric, which has chosen a device for each process")
    training = _Training(task, first_phase(recipe), device or "cpu", Processes(fabric))
    training.run(f"distil {task.name}", checkpoint, checkpoint_every, progress=progress)
    distillation = training.result()
    distillation.preconditioner.made_for = training.made_for()
    if recipe.tuned_steps == 0:
        return distillation
    from .run_tuning import tune_further  # it is made of what is here

    return tune_further(
        task,
        distillation,
        recipe,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        device=device,
        fabric=fabric,
        progress=progress,
    )


def _chosen(recipe: DistillationRecipe | Network | None, options: DistillationFields) -> DistillationRecipe:
    """Return the recipe, or the default one, with the options in the place of its fields."""
    if isinstance(recipe, str):
        require_choice("recipe", recipe, get_args(Network))
        require("network" not in options, "network", options.get("network"), f"nothing beside {recipe!r}")
        recipe = DistillationRecipe(network=recipe)
    require_instance(
        "recipe", recipe, DistillationRecipe, "a DistillationRecipe, or a network's name", none=True
    )
    return replace(recipe or DistillationRecipe(), **options)


class _Training(ResumableTraining):
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
        self.states = source(task, recipe, self.generator)
        self.history: dict[str, list[float]] = {
            name: []
            for name in (*recipe.weights, "total", *(["validation"] if recipe.validate_every else []))
        }
        self.best: dict[str, torch.Tensor] = {}
        self.sigma = task.sigma if recipe.sigma is None else recipe.sigma
        self.momentum = MOMENTUM[recipe.momentum]
        self.noise = noise_of(task.student)

    def advance(self) -> float:
        """Take one optimisation step and the solver iterations that it looks at; return the loss."""
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
        task = self.task
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
        noise = states.get("noise", self.noise)
        sigma = followed_sigma(self.sigma, noise, self.recipe.sigma_noise, stepsize)
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
        return {f"states.{name}": value for name, value in self.states.tensors.items()}

    def notes(self) -> dict[str, Any]:
        """Return the history."""
        return {"history": self.history}

    def take(self, path: str | Path, tensors: dict[str, torch.Tensor], description: dict[str, Any]) -> None:
        """Take over the states, the history, the best and the average; the schedule observes once more."""
        super().take(path, tensors, description)
        self.best = under("best.", tensors)
        self.average.take(under("average.", tensors))
        for name, value in self.processes.own(under("states.", tensors)).items():
            state = self.states.tensors[name]
            require(state.shape == value.shape, name, value, f"a tensor of shape {tuple(state.shape)}")
            state.copy_(
                value
            )  # so that its strides are those that it was made with: rounding depends on them
        if "states.noise" not in tensors and "noise" in self.states.tensors and self.noise is not None:
            self.states.tensors["noise"].fill_(self.noise)  # what checkpoints of before were trained with
        self.history = description["history"]
        for total in self.history["total"]:
            self.schedule.observe(total)


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
