"""Solver states to train on: started afresh, or kept in a pool."""

from typing import Any

import torch
from deepinv.utils import TensorList

from ..data.augment import augmented
from ..operators import measure, norms, single_precision
from ..operators.iterative import parts
from ..recipes import DistillationRecipe
from ..solvers.measurements import Measurements
from ..tasks import Task

States = dict[str, torch.Tensor]
"""Tensors of equal length by name: ``truth``, ``y_student`` (``y_student.0``, … of a stacked operator),
``adjoint_student`` and ``adjoint_teacher`` (Aᵀy of either, computed once), the iterates ``x`` and ``z``, the
iteration ``k``, and with a ``noise_range`` the standard deviation ``noise`` of each state's measurements."""


def student_measurements(states: States) -> Measurements:
    """Return y_s of states: a tensor, or a list where the operator is stacked."""
    if "y_student" in states:
        return states["y_student"]
    return TensorList([tensor for name, tensor in states.items() if name.startswith("y_student.")])


def _named(y: Measurements) -> States:
    """Name a tensor, or those of a stacked operator, as :data:`States` does."""
    if isinstance(y, torch.Tensor):
        return {"y_student": y}
    return {f"y_student.{place}": part for place, part in enumerate(parts(y))}


def _starts(recipe: DistillationRecipe) -> dict[str, Any]:
    """Return what a recipe says of how states begin."""
    return {name: getattr(recipe, name) for name in ("perturbed", "from_truth", "noise_range")}


class FreshStates:
    """States at k = 0, made from new images and new noise for every batch.

    Parameters
    ----------
    task : Task
        Images and operators.
    generator : torch.Generator
        Source of every random choice.
    perturbed : float
        Share of the images that the task's ``augment`` changes.
    from_truth : float
        Share of the states that start at the true image.
    noise_range : pair of float, optional
        Standard deviations between which that of each state's noise is drawn; by default the operators' own.
    """

    def __init__(
        self,
        task: Task,
        generator: torch.Generator,
        *,
        perturbed: float = 0.0,
        from_truth: float = 0.0,
        noise_range: tuple[float, float] | None = None,
    ) -> None:
        self.task, self.generator = task, generator
        self.perturbed, self.from_truth, self.noise_range = perturbed, from_truth, noise_range
        self.tensors: States = {}

    @classmethod
    def from_recipe(cls, task: Task, recipe: DistillationRecipe, generator: torch.Generator) -> "FreshStates":
        """Make states as a recipe says."""
        return cls(task, generator, **_starts(recipe))

    def fresh(self, count: int) -> States:
        """Make ``count`` states at k = 0, where x_0 = z_0 = A_sᵀ y_s, or the true image for some."""
        task, generator = self.task, self.generator
        truth = task.train_images[torch.randint(len(task.train_images), (count,), generator=generator)]
        chosen = torch.rand(count, generator=generator) < self.perturbed
        if chosen.any():
            truth[chosen] = augmented(task.augment, truth[chosen], generator)
        seeds = torch.randint(2**31, (2,), generator=generator).tolist()
        levels = self._noise_levels(count)
        y_student = measure(task.student, truth, seeds[0], levels)
        adjoint = single_precision(task.student.A_adjoint)(y_student)
        y_teacher = measure(task.teacher, truth, seeds[1], levels)
        start = adjoint
        if self.from_truth > 0:
            held = torch.rand(count, generator=generator) < self.from_truth
            start = torch.where(held.view(-1, 1, 1, 1), truth, adjoint)
        return {
            "truth": truth,
            **_named(y_student),
            "adjoint_student": adjoint,
            "adjoint_teacher": single_precision(task.teacher.A_adjoint)(y_teacher),
            "x": start.clone(),
            "z": start.clone(),
            "k": torch.zeros(count, dtype=torch.long),
            **({} if levels is None else {"noise": levels}),
        }

    def _noise_levels(self, count: int) -> torch.Tensor | None:
        if self.noise_range is None:
            return None
        low, high = self.noise_range
        return low * (high / low) ** torch.rand(count, generator=self.generator)

    def draw(self, count: int) -> tuple[torch.Tensor, States]:
        """Return the places 0, 1, … and ``count`` fresh states."""
        return torch.arange(count), self.fresh(count)

    def put_back(self, places: torch.Tensor, x: torch.Tensor, z: torch.Tensor, iterations: int = 1) -> None:
        """Forget the iterates: the next batch starts afresh."""


class StatePool(FreshStates):
    """A pool of solver states that the current preconditioner has itself caused.

    Training draws a batch, runs solver iterations on it and writes the new states back, so P sees the states
    that it will meet, late ones included, at the price of one iteration's memory.  A state is started afresh, from
    another image, once it reaches its own horizon (log-uniform between 1 and ``horizon``) or stops being finite.

    Parameters
    ----------
    task : Task
        Images and operators.
    recipe : DistillationRecipe
        Size of the pool, a share of ``pool_size`` where there are several operators, longest horizon, and how fresh
        states are made.
    generator : torch.Generator
        Source of every random choice.
    """

    def __init__(self, task: Task, recipe: DistillationRecipe, generator: torch.Generator) -> None:
        super().__init__(task, generator, **_starts(recipe))
        self.recipe = recipe
        self.tensors = self.fresh(recipe.own_pool)

    @classmethod
    def from_recipe(cls, task: Task, recipe: DistillationRecipe, generator: torch.Generator) -> "StatePool":
        """Make a pool as a recipe says."""
        return cls(task, recipe, generator)

    def fresh(self, count: int) -> States:
        """Make ``count`` states at k = 0, each with the iteration at its ``end``."""
        states = super().fresh(count)
        end = (self.recipe.horizon + 0.99) ** torch.rand(count, generator=self.generator)
        return states | {"end": end.long()}

    def draw(self, count: int) -> tuple[torch.Tensor, States]:
        """Draw ``count`` different states; return their places in the pool and the states."""
        places = torch.randperm(len(self.tensors["k"]), generator=self.generator)[:count]
        return places, {name: tensor[places] for name, tensor in self.tensors.items()}

    def put_back(self, places: torch.Tensor, x: torch.Tensor, z: torch.Tensor, iterations: int = 1) -> None:
        """Write the states at ``places`` after some iterations, and start afresh those that are at their end."""
        updates = {"x": x, "z": z, "k": self.tensors["k"][places] + iterations}
        for name, value in updates.items():
            self.tensors[name][places] = value
        blown_up = ~(norms(z) < 10 * norms(self.tensors["truth"][places]) + 1)
        over = places[blown_up | (updates["k"] >= self.tensors["end"][places])]
        if len(over) == 0:  # transforms of an empty batch fail in places
            return
        for name, value in self.fresh(len(over)).items():
            self.tensors[name][over] = value


def measure_at(*args: Any, **kwargs: Any) -> Any:
    """Return :func:`~ddgp_lib.operators.algebra.measure` of these arguments, under its name of before."""
    return measure(*args, **kwargs)
