"""The book's cameras and solvers for DeepInverse's public benchmark suite, which has none of these problems.

That suite gives a solver ``(y, physics)``, and judges it with :func:`deepinv.test` on measurements that it simulates.
A problem of it is a dataset of images and an operator, which :func:`problem` returns for any task; every solver of
:func:`~ddgp_lib.load_solver` can be judged there, and :class:`SuiteSolver` is one for operators of any step.
"""

from typing import Any, TypedDict

import torch
from deepinv.models import Reconstructor
from deepinv.physics import LinearPhysics, Physics
from torch.utils.data import Dataset

from ..arguments import require_count, require_images, require_instance
from ..operators import squared_norm
from ..pretrained import Method
from ..tasks import Task


class Images(Dataset[torch.Tensor]):
    """Images one by one, each (C, H, W), as the suite wants them.

    Parameters
    ----------
    images : Tensor, shape (N, C, H, W)
        Held-out images.
    """

    def __init__(self, images: torch.Tensor) -> None:
        require_images("images", images)
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.images[index]


class Problem(TypedDict):
    """What a dataset of the suite returns: images, and the operator that measures them."""

    dataset: Images
    physics: LinearPhysics


def problem(task: Task, count: int | None = None) -> Problem:
    """Return a task as a problem of the suite: its test images and its student.

    Parameters
    ----------
    task : Task
        The task.
    count : int, optional
        Number of images; by default as many as the preset reports on.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> import ddgp_lib
    >>> from ddgp_lib.experiments.suite import problem
    >>> found = problem(ddgp_lib.load_task("single_pixel"), count=4)
    >>> len(found["dataset"]), tuple(found["dataset"][0].shape)
    (4, (1, 32, 32))
    """
    require_instance("task", task, Task, "a Task")
    count = task.preset.counts.evaluation if count is None else count
    require_count("count", count)
    return {"dataset": Images(task.test_images[:count]), "physics": task.student}


class SuiteSolver(Reconstructor):
    """A task's tuned method as ``solver(y, physics)`` for any operator on its kind of images.

    The step is 1/‖A‖² of the operator at hand, and σ follows its noise; nothing else is tuned again.

    Parameters
    ----------
    task : Task
        The task whose weights and settings are taken.
    kind : str
        One of the methods of its preset.
    max_iter : int
        Number of iterations.
    **options
        Further arguments of :func:`~ddgp_lib.load_solver`.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.
    FileNotFoundError
        If weights or settings are missing.

    Examples
    --------
    >>> import ddgp_lib
    >>> from ddgp_lib.experiments.suite import SuiteSolver
    >>> task = ddgp_lib.load_task("single_pixel", ratio=0.2)
    >>> solver = SuiteSolver(task, max_iter=5)
    >>> tuple(solver(task.measure(task.test_images[:2]), task.student).shape)
    (2, 1, 32, 32)
    """

    def __init__(self, task: Task, kind: str = "distilled", max_iter: int = 20, **options: Any) -> None:
        super().__init__()
        require_instance("task", task, Task, "a Task")
        self.method, self.options = Method(task, kind), {"max_iter": max_iter} | options
        self.method.tuned_solver(**self.options)  # what is wrong with an option is said here

    def forward(self, y: Any, physics: Physics, **kwargs: Any) -> torch.Tensor:
        """Return the images (N, C, H, W) of measurements.

        Parameters
        ----------
        y : Tensor or TensorList
            What ``physics`` has measured.
        physics : LinearPhysics
            Any linear operator of deepinv.

        Raises
        ------
        ValueError
            If the operator is not linear.
        """
        if not isinstance(physics, LinearPhysics):
            raise ValueError(f"physics={physics!r}: expected a LinearPhysics")
        img_size = tuple(physics.A_adjoint(y).shape[1:])
        solver = self.method.tuned_solver(stepsize=1 / squared_norm(physics, img_size), **self.options)
        return solver(y, physics)
