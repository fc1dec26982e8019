"""Gradient-matching distillation: teach P to turn the student's gradient into the teacher's."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from tqdm.auto import tqdm

from .checkpoints import CheckpointError, load_checkpoint, load_weights, save_checkpoint
from .checks import require, require_positive
from .data import perturb
from .networks import build_network
from .operators import measure
from .preconditioners import LearnedPreconditioner, State
from .solvers import MOMENTUM
from .tasks import Task

LOSSES = ("gradient", "imitation", "supervised")
DEFAULT_LOSSES: Mapping[str, float] = {"gradient": 1.0, "imitation": 1.0}


@dataclass(frozen=True)
class DistillationRecipe:
    """Everything, besides the task, that decides the weights of a distilled preconditioner.

    Attributes
    ----------
    network, form, inputs : str
        See :func:`~ddgp_lib.networks.build_network` and :class:`~ddgp_lib.preconditioners.LearnedPreconditioner`.
    losses : mapping of str to float
        Weights ρ of the losses ``"gradient"``, ``"imitation"`` and ``"supervised"``; one left out is off.
    steps, batch_size : int
        Optimisation steps, and states in each.
    learning_rate, weight_decay : float
        Of AdamW; the rate rises linearly over the first hundredth of the steps, then falls along a cosine.
    pool_size, horizon : int
        States kept in the pool, and the iteration count after which one is started afresh at the latest.
    perturbed : float
        Fraction of the pool's fresh images that are turned and stretched a little, in [0, 1].
    from_truth : float
        Fraction of fresh states, in [0, 1], that start at the true image instead of the back-projection: they teach
        P to hold a good image against the denoiser's pull.
    sigma : float or None
        Noise level for the denoiser while training; None takes the task's.
    momentum : str
        Rule for β_k, see :class:`~ddgp_lib.solvers.PreconditionedFISTA`.
    seed : int
        Seed of the initial weights, the pool and the simulated noise.
    """

    network: str = "unet"
    form: str = "null_space"
    inputs: str = "state_aware"
    losses: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_LOSSES))
    steps: int = 20000
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    pool_size: int = 512
    horizon: int = 50
    perturbed: float = 0.5
    from_truth: float = 0.0
    sigma: float | None = None
    momentum: str = "chambolle_dossal"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        for name in ("steps", "batch_size", "pool_size", "horizon"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "an integer, 1 or above")
        require(
            self.batch_size <= self.pool_size,
            "batch_size",
            self.batch_size,
            f"at most pool_size={self.pool_size}",
        )
        require_positive("learning_rate", self.learning_rate)
        for name in ("perturbed", "from_truth"):
            require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "a number from 0 to 1")
        require(bool(self.losses), "losses", self.losses, f"at least one of {LOSSES}")
        for name, weight in self.losses.items():
            require(name in LOSSES, "losses", name, f"names among {LOSSES}")
            require_positive(f"losses[{name!r}]", weight)
        require(self.momentum in MOMENTUM, "momentum", self.momentum, f"one of {tuple(MOMENTUM)}")


@dataclass(frozen=True)
class Distillation:
    """What :func:`distill` returns.

    Attributes
    ----------
    preconditioner : LearnedPreconditioner
        P_θ, in evaluation mode.
    history : dict of str to list of float
        Each loss, unweighted, and the ``"total"``, at every step.
    recipe : DistillationRecipe
        What it was trained with.
    """

    preconditioner: LearnedPreconditioner
    history: dict[str, list[float]]
    recipe: DistillationRecipe


class StatePool:
    """A pool of solver states (x*, y_s, y_t, x_k, z_k, k) that the current preconditioner has itself caused.

    Training draws a batch, runs one solver iteration on it and writes the new states back, so P sees the states
    that it will meet, late ones included, at the price of one iteration's memory.  A state is started afresh, from
    another image, once it reaches its own horizon (log-uniform between 1 and ``horizon``) or stops being finite.

    Parameters
    ----------
    task : Task
        Images and operators.
    recipe : DistillationRecipe
        Size of the pool, longest horizon, and how fresh states are made.
    generator : torch.Generator
        Source of every random choice.
    """

    def __init__(self, task: Task, recipe: DistillationRecipe, generator: torch.Generator) -> None:
        self.task = task
        self.recipe = recipe
        self.generator = generator
        self.tensors: dict[str, torch.Tensor] = self._fresh(recipe.pool_size)

    def _fresh(self, count: int) -> dict[str, torch.Tensor]:
        task, generator = self.task, self.generator
        truth = task.train_images[torch.randint(len(task.train_images), (count,), generator=generator)]
        chosen = torch.rand(count, generator=generator) < self.recipe.perturbed
        truth[chosen] = perturb(truth[chosen], generator)
        seeds = torch.randint(2**31, (2,), generator=generator).tolist()
        y_student = measure(task.student, truth, seeds[0])
        start = task.student.A_adjoint(y_student)
        if self.recipe.from_truth > 0:
            held = torch.rand(count, generator=generator) < self.recipe.from_truth
            start = torch.where(held.view(-1, 1, 1, 1), truth, start)
        end = (self.recipe.horizon + 0.99) ** torch.rand(count, generator=generator)
        return {
            "truth": truth,
            "y_student": y_student,
            "y_teacher": measure(task.teacher, truth, seeds[1]),
            "x": start,
            "z": start.clone(),
            "k": torch.zeros(count, dtype=torch.long),
            "end": end.long(),
        }

    def draw(self, count: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Draw ``count`` different states; return their places in the pool and the states."""
        places = torch.randperm(len(self.tensors["k"]), generator=self.generator)[:count]
        return places, {name: tensor[places] for name, tensor in self.tensors.items()}

    def put_back(self, places: torch.Tensor, x: torch.Tensor, z: torch.Tensor) -> None:
        """Write the next iterates of the states at ``places``, and start afresh those that are at their end."""
        updates = {"x": x, "z": z, "k": self.tensors["k"][places] + 1}
        for name, value in updates.items():
            self.tensors[name][places] = value
        blown_up = ~(z.flatten(1).norm(dim=1) < 10 * self.tensors["truth"][places].flatten(1).norm(dim=1) + 1)
        over = places[blown_up | (updates["k"] >= self.tensors["end"][places])]
        for name, value in self._fresh(len(over)).items():
            self.tensors[name][over] = value


def gradient_loss(direction: torch.Tensor, teacher_gradient: torch.Tensor) -> torch.Tensor:
    """L_G = mean over the batch of (1 − cos(P(∇g_s), ∇g_t))², blind to the scale of P."""
    cosine = functional.cosine_similarity(direction.flatten(1), teacher_gradient.flatten(1), dim=1)
    return (1 - cosine).square().mean()


def squared_distance(x: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Mean over the batch of ‖x − reference‖²: L_I against the teacher's iterate, L_S against the true image."""
    return (x - reference).flatten(1).square().sum(dim=1).mean()


def distill(
    task: Task,
    network: str = "unet",
    *,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    progress: bool = True,
    **options: Any,
) -> Distillation:
    """Train a preconditioner by gradient matching, on same-iterate pairs from an on-policy pool of states.

    At a state z of the student, both gradients are taken at the same point: ∇g_s(z) from the student's data and
    ∇g_t(z) from the teacher's.  One preconditioned student step gives x_s, one plain teacher step gives x_t, and

        L = ρ_G (1 − cos(P(∇g_s; z), ∇g_t))² + ρ_I ‖x_s − x_t‖² + ρ_S ‖x_s − x*‖².

    Parameters
    ----------
    task : Task
        Operators, training images, denoiser and step size.
    network : str
        Name of the network N_θ, see :func:`~ddgp_lib.networks.build_network`.
    checkpoint : str or Path, optional
        A file to write the whole state of the training to, and to resume from if it exists.
    checkpoint_every : int
        Steps between writes; the start and the end are written too, so that an interrupted training can always
        be resumed from the last write.
    progress : bool
        Show a progress bar.
    **options
        Any other field of :class:`DistillationRecipe`.

    Returns
    -------
    Distillation

    Raises
    ------
    ValueError
        If an option is outside what is accepted, or a checkpoint was written by another recipe.

    References
    ----------
    Gualdrón-Hurtado et al., "Deep distillation gradient preconditioning for inverse problems", 2025, for the losses;
    the pool and the same-iterate pairing are this book's.
    """
    recipe = DistillationRecipe(network=network, **options)
    training = _Training(task, recipe)
    if checkpoint is not None and Path(checkpoint).is_file():
        training.restore(checkpoint)
    elif checkpoint is not None:
        training.save(checkpoint)
    name = f"distil {task.name}"
    with tqdm(total=recipe.steps, initial=training.step, desc=name, disable=not progress) as bar:
        while training.step < recipe.steps:
            total = training.advance()
            bar.update()
            bar.set_postfix(loss=f"{total:.3f}", refresh=False)
            due = training.step % checkpoint_every == 0 or training.step == recipe.steps
            if checkpoint is not None and due:
                training.save(checkpoint)
    return Distillation(training.preconditioner.eval(), training.history, recipe)


class _Training:
    """The mutable state of one distillation: weights, optimiser, pool, generator, history."""

    def __init__(self, task: Task, recipe: DistillationRecipe) -> None:
        self.task, self.recipe, self.step = task, recipe, 0
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.preconditioner = build_preconditioner(recipe, task.img_size[0])
        self.optimiser = torch.optim.AdamW(
            self.preconditioner.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.pool = StatePool(task, recipe, self.generator)
        self.history: dict[str, list[float]] = {name: [] for name in (*recipe.losses, "total")}
        self.sigma = task.sigma if recipe.sigma is None else recipe.sigma
        self.momentum = MOMENTUM[recipe.momentum]

    def advance(self) -> float:
        """Take one optimisation step and one solver iteration on a batch of states; return the loss."""
        places, states = self.pool.draw(self.recipe.batch_size)
        x_next, losses = self._solver_step(states)
        total = torch.stack([self.recipe.losses[name] * loss for name, loss in losses.items()]).sum()
        self._update_weights(total)
        beta = torch.tensor([self.momentum(k + 1) for k in states["k"].tolist()]).view(-1, 1, 1, 1)
        self.pool.put_back(places, x_next, x_next + beta * (x_next - states["x"]))
        for name, value in [*losses.items(), ("total", total)]:
            self.history[name].append(value.item())
        self.step += 1
        return total.item()

    def _solver_step(self, states: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """One student iteration with P and one of the teacher without, from the same point z."""
        task, z, y = self.task, states["z"], states["y_student"]
        with torch.no_grad():
            student_gradient = task.student.A_adjoint(task.student.A(z) - y)
            teacher_gradient = task.teacher.A_adjoint(task.teacher.A(z) - states["y_teacher"])
        state = State(z, 0, task.student, y)
        direction = self.preconditioner(student_gradient, state)
        x_student = task.denoiser(z - task.stepsize * direction, self.sigma)
        losses = {}
        if "gradient" in self.recipe.losses:
            losses["gradient"] = gradient_loss(direction, teacher_gradient)
        if "imitation" in self.recipe.losses:
            with torch.no_grad():
                x_teacher = task.denoiser(z - task.teacher_stepsize * teacher_gradient, self.sigma)
            losses["imitation"] = squared_distance(x_student, x_teacher)
        if "supervised" in self.recipe.losses:
            losses["supervised"] = squared_distance(x_student, states["truth"])
        return x_student.detach(), losses

    def _update_weights(self, loss: torch.Tensor) -> None:
        rate = self.recipe.learning_rate * _rate_factor(self.step / self.recipe.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.preconditioner.parameters(), 1.0)
        self.optimiser.step()

    def save(self, path: str | Path) -> None:
        """Write everything that the next step depends on."""
        tensors = {f"weights.{name}": value for name, value in self.preconditioner.state_dict().items()}
        for index, slots in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": value for name, value in slots.items()}
        tensors |= {f"pool.{name}": value for name, value in self.pool.tensors.items()}
        tensors["generator"] = self.generator.get_state()
        description = {
            "kind": "training",
            "task": self.task.name,
            "recipe": asdict(self.recipe),
            "step": self.step,
            "history": self.history,
        }
        save_checkpoint(path, tensors, description)

    def restore(self, path: str | Path) -> None:
        """Continue from what :meth:`save` wrote."""
        tensors, description = load_checkpoint(path, kind="training", task=self.task.name)
        recipe = json.loads(json.dumps(asdict(self.recipe)))
        if description["recipe"] != recipe:
            raise CheckpointError(
                f"checkpoint={str(path)!r}: written by {description['recipe']}, expected {recipe}"
            )
        load_weights(self.preconditioner, _under("weights.", tensors), path)
        optimiser = self.optimiser.state_dict()
        for name, value in _under("optimiser.", tensors).items():
            index, slot = name.split(".", 1)
            optimiser["state"].setdefault(int(index), {})[slot] = value
        self.optimiser.load_state_dict(optimiser)
        self.pool.tensors = _under("pool.", tensors)
        self.generator.set_state(tensors["generator"])
        self.step, self.history = description["step"], description["history"]


def build_preconditioner(recipe: DistillationRecipe, channels: int) -> LearnedPreconditioner:
    """Build an untrained preconditioner; its weights depend on ``recipe.seed`` alone."""
    inputs = 2 * channels if recipe.inputs == "state_aware" else channels
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = build_network(recipe.network, inputs, channels)
    return LearnedPreconditioner(network, form=recipe.form, inputs=recipe.inputs)


def _rate_factor(progress: float, warm_up: float = 0.01) -> float:
    """Linear warm-up to 1 over the first ``warm_up``, then half a cosine down to 0, at ``progress`` in [0, 1]."""
    if progress < warm_up:
        return (progress + 1e-3) / (warm_up + 1e-3)
    return 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * (progress - warm_up) / (1 - warm_up)))))


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
