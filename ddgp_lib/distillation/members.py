"""The operators of a training: the task's own, or some that are at hand for a while, each with its solver states."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from ..arguments import require
from ..operators import noise_of
from ..recipes import DistillationRecipe
from ..tasks import Task
from .states import FreshStates

MEMBER_STRIDE = 1_000_003
"""How far the seeds of two trainings' operators are apart, so that they share none in as many draws."""

LARGEST_SEED = 2**63
"""Seeds stay below."""


@dataclass(frozen=True)
class Member:
    """A student and its teacher, and the solver states that belong to them.

    Attributes
    ----------
    draw : int
        Number of the draw, from 0, that they came from.
    task : Task
        The task with these operators, where iterations run.
    states : FreshStates
        The states.
    noise : float or None
        Standard deviation of the student's noise, where it is known.
    """

    draw: int
    task: Task
    states: FreshStates
    noise: float | None


class Members:
    """The operators that a training has at hand.

    Without ``redraw_every`` there is one, the task's own.  Otherwise there are ``operators`` of them, drawn by
    the preset's ``redraw``, and every ``redraw_every`` steps the one that has been there longest gives way to a new
    one.  Its solver states go with it: the residual of an iterate belongs to one operator, and under another it would
    be a state that no run comes to.  The states of the others stay, so late iterations are seen all the same: a
    training with M operators keeps each for M · ``redraw_every`` steps.  A step looks at one of them alone, since a
    batch goes through one operator.

    What is drawn follows from the recipe's seed and the number of the draw.  So it is the same in all processes, and
    a checkpoint needs to hold no operator.

    Parameters
    ----------
    task : Task
        Images, denoiser and, without ``redraw_every``, operators.
    recipe : DistillationRecipe
        How many operators, and how often.
    generator : torch.Generator
        Source of the states' random choices, and of which operator a step looks at.
    source : type of FreshStates
        What makes and keeps states.
    moved : callable
        Moves a task to where iterations run.
    """

    def __init__(
        self,
        task: Task,
        recipe: DistillationRecipe,
        generator: torch.Generator,
        source: type[FreshStates],
        moved: Callable[[Task], Task],
    ) -> None:
        self.task, self.recipe, self.generator = task, recipe, generator
        self.source, self.moved = source, moved
        self.all = [self._member(draw) for draw in self._draws(0)]

    def choose(self) -> Member:
        """Return the operator that a step looks at: any, all as often."""
        if len(self.all) == 1:
            return self.all[0]
        return self.all[int(torch.randint(len(self.all), (1,), generator=self.generator))]

    def renew(self, step: int) -> None:
        """Draw a new operator in the place of the oldest, where it is time after ``step`` steps."""
        every = self.recipe.redraw_every
        if every and step % every == 0:
            self._bring(step)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return the states of all, by the names that a checkpoint has for them."""
        return {
            f"{prefix}{name}": value
            for prefix, member in self._named().items()
            for name, value in member.states.tensors.items()
        }

    def take(self, step: int, tensors: Mapping[str, torch.Tensor]) -> list[str]:
        """Go to where a training was after ``step`` steps, with its states; the generator stays as it is.

        Returns
        -------
        list of str
            Names of states that the checkpoint does not have.

        Raises
        ------
        KeyError
            If it has a state that is none.
        ValueError
            If a state has another shape.
        """
        before = self.generator.get_state()
        self._bring(step)
        self.generator.set_state(before)
        here = self.tensors()
        for name, value in tensors.items():
            shape = tuple(here[name].shape)
            require(shape == tuple(value.shape), name, value, f"a tensor of shape {shape}")
            here[name].copy_(value)  # with the strides that it was made with: rounding depends on them
        return [name for name in here if name not in tensors]

    def _named(self) -> dict[str, Member]:
        """Return the members by what the names of their states begin with."""
        if not self.recipe.redraws:
            return {"states.": self.all[0]}
        return {f"states.of.{place}.": member for place, member in enumerate(self.all)}

    def _bring(self, step: int) -> None:
        """Draw those operators of after ``step`` steps that are not at hand."""
        for place, draw in enumerate(self._draws(step)):
            if self.all[place].draw != draw:
                self.all[place] = self._member(draw)

    def _draws(self, step: int) -> list[int]:
        """Return the number of the draw at each place after ``step`` steps."""
        count, every = self.recipe.operators, self.recipe.redraw_every
        renewed = step // every if every else 0
        return [place + count * ((renewed - place + count - 1) // count) for place in range(count)]

    def _member(self, draw: int) -> Member:
        task = self.task
        if self.recipe.redraw_every:
            redraw = task.preset.redraw
            assert redraw is not None
            seed = (self.recipe.seed * MEMBER_STRIDE + draw) % LARGEST_SEED
            task = redraw(task, torch.Generator().manual_seed(seed))
        states = self.source.from_recipe(task, self.recipe, self.generator)
        return Member(draw, self.moved(task), states, noise_of(task.student))
