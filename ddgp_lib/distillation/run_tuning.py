"""The second phase of a training: what several iterations together make of an image, after what one makes of it."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import torch

from ..arguments import require, require_instance
from ..checkpoints import CheckpointError, beside, hash_of
from ..preconditioners import LearnedPreconditioner
from ..recipes import DistillationFields, DistillationRecipe, build_preconditioner, second_phase
from ..tasks import Task
from ..training import Processes, weights_of
from .phase import Distillation, Phase, chosen_device, chosen_recipe
from .states import StatePool, States

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class RunStates(StatePool):
    """Runs at their start beside runs that are under way.

    Parameters
    ----------
    task : Task
        Images and operators.
    recipe : DistillationRecipe
        As for the pool; ``tuned_fresh`` is the fraction of a batch that is at k = 0.
    generator : torch.Generator
        Source of every random choice.
    """

    def draw(self, count: int) -> tuple[torch.Tensor, States]:
        """Return places in the pool, and ``count`` states: fresh ones first, then those of the places."""
        fresh = round(self.recipe.tuned_fresh * count)
        if fresh == 0:
            return super().draw(count)
        begun = self.fresh(fresh)
        places, late = super().draw(count - fresh)
        return places, {name: torch.cat([value, late[name]]) for name, value in begun.items()}

    def put_back(self, places: torch.Tensor, x: torch.Tensor, z: torch.Tensor, iterations: int = 1) -> None:
        """Write the last states back to their places; the fresh ones, which come first, are forgotten."""
        fresh = len(x) - len(places)
        super().put_back(places, x[fresh:], z[fresh:], iterations)


def tune_run(
    task: Task,
    preconditioner: LearnedPreconditioner,
    recipe: DistillationRecipe | None = None,
    *,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    device: str | None = None,
    fabric: "Fabric | None" = None,
    progress: bool = True,
    **options: Unpack[DistillationFields],
) -> Distillation:
    r"""Train a preconditioner further, so that K iterations together come close to the true image.

    One step takes states at k = 0 and, from an on-policy pool, states at any k up to ``tuned_horizon``, and makes

    .. math::

        L = \frac{1}{K} \sum_{j=1}^{K} \lVert x_{k+j} - x^* \rVert^2

    small, or the last term alone, with K = ``tuned_unroll`` and gradients through all K iterations.  From k = 0 it
    teaches the run to arrive early, and from late states to stay: what a run drifts into is in the pool, and is
    punished.  It starts where :func:`~ddgp_lib.distill` ends, and is its second phase where a recipe has
    ``tuned_steps``.

    Parameters
    ----------
    task : Task
        Operators, training images, denoiser and step size.
    preconditioner : LearnedPreconditioner
        P, which stays as it is; a copy is trained.
    recipe : DistillationRecipe, optional
        What P was trained with, for its network; and in its fields ``tuned_…`` and ``average`` how to go on.
    checkpoint : str or Path, optional
        A file to write the whole state of the training to, and to resume from if it exists.  It is refused for
        another P, besides what :func:`~ddgp_lib.distill` refuses.
    checkpoint_every : int
        Steps between writes, 1 or above.
    device : str, optional
        ``"cpu"`` (default) or ``"cuda"``.
    fabric : Fabric, optional
        A launched Lightning Fabric, whose processes train together.
    progress : bool
        Show a progress bar.
    **options
        Fields of :class:`~ddgp_lib.recipes.distillation.DistillationRecipe`, in the place of the recipe's.

    Returns
    -------
    Distillation
        With the recipe of both phases, and the history and the seconds of this one.

    Raises
    ------
    ValueError
        If an option is outside what is accepted, ``tuned_steps`` is 0, the recipe builds another preconditioner, a
        checkpoint was written for something else, or a loss or its gradient is not finite.

    Examples
    --------
    >>> import ddgp_lib
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> P = ddgp_lib.load_preconditioner(task)
    >>> recipe = task.preset.recipes["distilled"]
    >>> tuned = ddgp_lib.tune_run(task, P, recipe, tuned_steps=1, tuned_unroll=2, tuned_batch=2, progress=False)
    >>> len(tuned.history["total"])
    1
    """
    require_instance("task", task, Task, "a Task")
    recipe = chosen_recipe(recipe, options)
    _require_its_recipe(preconditioner, recipe, task)
    training = RunPhase(task, preconditioner, recipe, chosen_device(device, fabric), Processes(fabric))
    training.run(f"tune {task.name}", checkpoint, checkpoint_every, progress=progress)
    tuned = replace(training.result(), recipe=recipe)
    tuned.preconditioner.made_for = training.made_for()
    return tuned


def tune_further(
    task: Task,
    distillation: Distillation,
    recipe: DistillationRecipe,
    *,
    checkpoint: str | Path | None,
    **how: Any,
) -> Distillation:
    """Follow a distillation with the second phase of its recipe, and return the two as one.

    Parameters
    ----------
    task : Task
        What it was distilled for.
    distillation : Distillation
        The first phase.
    recipe : DistillationRecipe
        Of both phases.
    checkpoint : str or Path, optional
        The file of the first phase; that of the second stands beside it, as ``NAME-tuned``.
    **how
        Further arguments of :func:`tune_run`.
    """
    path = None if checkpoint is None else beside(checkpoint, "tuned")
    tuned = tune_run(task, distillation.preconditioner, recipe, checkpoint=path, **how)
    later = {f"tuned_{name}": values for name, values in tuned.history.items()}
    return replace(
        tuned,
        history=distillation.history | later,
        seconds=distillation.seconds + tuned.seconds,
        cpu_seconds=distillation.cpu_seconds + tuned.cpu_seconds,
        extended=distillation.extended + tuned.extended,
    )


def _require_its_recipe(preconditioner: Any, recipe: DistillationRecipe, task: Task) -> None:
    """Refuse a preconditioner that the recipe does not build: what is saved with it could not be loaded."""
    require_instance("preconditioner", preconditioner, LearnedPreconditioner, "a LearnedPreconditioner")
    built = build_preconditioner(recipe, task.img_size[0], task.img_size)
    same = _description(built) == _description(preconditioner)
    require(same, "recipe", recipe, f"what {preconditioner!r} was trained with")


def _description(preconditioner: LearnedPreconditioner) -> tuple[Any, ...]:
    """Return all that a preconditioner is, but for its weights."""
    base = preconditioner.base
    settings = [getattr(base, name, None) for name in ("damping", "noise")]
    shapes = {name: tuple(value.shape) for name, value in preconditioner.state_dict().items()}
    named = (getattr(preconditioner, name) for name in ("form", "inputs", "embedding", "longest"))
    return (*named, type(preconditioner.network), type(base), settings, shapes)


class RunPhase(Phase):
    """The second phase: that of a distillation from a P, on states from the start and from a pool."""

    kind = "run tuning"

    def __init__(
        self,
        task: Task,
        start: LearnedPreconditioner,
        recipe: DistillationRecipe,
        device: str,
        processes: Processes | None = None,
    ) -> None:
        copy = deepcopy(start).requires_grad_(True).train()
        self.start = hash_of(weights_of(copy))
        super().__init__(task, second_phase(recipe), device, processes, start=copy, source=RunStates)

    def _of_the_run(self, losses: torch.Tensor) -> torch.Tensor:
        """Return the loss of consecutive iterations (K,): their mean, or the last."""
        return losses[-1] if self.recipe.tuned_end else losses.mean()

    def notes(self) -> dict[str, Any]:
        """Return the history, and what this phase has started from."""
        return super().notes() | {"start": self.start}

    def _require_same(self, path: str | Path, description: dict[str, Any]) -> None:
        super()._require_same(path, description)
        same = description["start"] == self.start
        if not same:
            raise CheckpointError(
                f"checkpoint={str(path)!r}: written for another preconditioner, expected the one at hand"
            )
