"""When to refuse a run, found on validation images: what no image of the kind that was trained on comes near."""

import torch

from ..arguments import require_instance, require_integer, require_number
from ..pretrained import load_solver
from ..solvers import Refusal, discrepancy
from ..tasks import Task

MARGIN = 1.5
"""How many times the largest discrepancy of a validation image is allowed."""


def refusing(
    task: Task,
    kind: str = "distilled",
    fallback: str = "tv",
    *,
    margin: float = MARGIN,
    max_iter: int = 20,
    seed: int = 0,
) -> Refusal:
    """Load a tuned method that refuses images whose data it does not explain, and gives them to another.

    Refused is a discrepancy, see :func:`~ddgp_lib.solvers.refusal.discrepancy`, above ``margin`` times the largest on
    the task's validation images, as many as methods are tuned on.

    Parameters
    ----------
    task : Task
        The task.
    kind, fallback : str
        Methods of its preset.
    margin : float
        1 or above.
    max_iter : int
        Iterations of both.
    seed : int
        Seed of the noise of the validation images.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or the operator does not tell its noise.
    FileNotFoundError
        If weights or settings are missing.

    Examples
    --------
    >>> import ddgp_lib
    >>> from ddgp_lib.experiments.refusing import refusing
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> solver, truth = refusing(task), task.test_images[:8]
    >>> x, refused = solver.decide(task.measure(truth), task.student)
    >>> int(refused.sum())
    0
    """
    require_instance("task", task, Task, "a Task")
    require_number("margin", margin, lowest=1)
    require_integer("max_iter", max_iter, lowest=1)
    solver, other = (load_solver(task, name, max_iter=max_iter) for name in (kind, fallback))
    images = task.val_images[: task.preset.counts.tuning]
    y = task.measure(images, seed)
    with torch.no_grad():
        largest = float(discrepancy(solver(y, task.student), y, task.student).max())
    return Refusal(solver, other, highest=margin * largest)
