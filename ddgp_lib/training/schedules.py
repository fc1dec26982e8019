"""Schedules of the learning rate, as factors of its largest value."""

import math
from collections.abc import Callable, Mapping

import torch

from ..arguments import require_callable, require_choice, require_integer, require_number
from ..names import ScheduleName


class Schedule:
    """A learning rate that depends on the progress alone.

    Parameters
    ----------
    shape : callable
        Progress in [0, 1) ↦ factor in [0, 1].
    steps : int
        Steps of the whole training.
    """

    def __init__(self, shape: Callable[[float], float], steps: int) -> None:
        require_callable("shape", shape)
        require_integer("steps", steps, lowest=1)
        self.shape = shape
        self.steps = steps

    def factor(self, step: int) -> float:
        """Return the factor for a step, counted from 0."""
        return self.shape(step / self.steps)

    def observe(self, loss: float) -> None:
        """Take note of a step's loss."""


class Plateau(Schedule):
    """A learning rate that is halved whenever the training loss has not fallen for a while.

    Losses are averaged over windows of a hundredth of the training; the factor is halved after ``patience`` windows
    in a row that are not at least a relative ``threshold`` below the best so far.  The factor is a function of the
    losses alone, so a training resumes by observing them once more.

    Parameters
    ----------
    steps : int
        Steps of the whole training.
    patience : int
        Windows to wait.
    threshold : float
        Relative fall that counts, as in PyTorch's ``ReduceLROnPlateau``.
    """

    def __init__(self, steps: int, patience: int = 5, threshold: float = 1e-4) -> None:
        require_integer("steps", steps, lowest=1)
        require_integer("patience", patience, lowest=0)
        require_number("threshold", threshold, lowest=0, below=1)
        self.window = max(1, steps // 100)
        self.patience, self.threshold = patience, threshold
        self.current, self.best, self.waited = 1.0, math.inf, 0
        self.losses: list[float] = []

    def factor(self, step: int) -> float:
        """Return the factor that the losses so far lead to."""
        return self.current

    def observe(self, loss: float) -> None:
        """Take note of a step's loss."""
        self.losses.append(loss)
        if len(self.losses) == self.window:
            self._close_window(math.fsum(self.losses) / self.window)
            self.losses = []

    def _close_window(self, mean: float) -> None:
        if mean < self.best * (1 - self.threshold):
            self.best, self.waited = mean, 0
        else:
            self.waited += 1
        if self.waited > self.patience:
            self.current, self.waited = self.current / 2, 0


def warm_cosine(progress: float, warm_up: float = 0.01) -> float:
    """Linear warm-up to 1 over the first ``warm_up``, then half a cosine down to 0, at ``progress`` in [0, 1]."""
    require_number("progress", progress, lowest=0, highest=1)
    require_number("warm_up", warm_up, lowest=0, below=1)
    if progress < warm_up:
        return (progress + 1e-3) / (warm_up + 1e-3)
    return 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * (progress - warm_up) / (1 - warm_up)))))


def one_cycle(progress: float, rise: float = 0.3, first: float = 1 / 25, last: float = 4e-6) -> float:
    """Half a cosine from ``first`` up to 1 over the first ``rise``, then another down to ``last``.

    The defaults are those of ``torch.optim.lr_scheduler.OneCycleLR``; the optimiser's own momentum stays as it is.
    """
    require_number("progress", progress, lowest=0, highest=1)
    require_number("rise", rise, above=0, below=1)
    for name, factor in {"first": first, "last": last}.items():
        require_number(name, factor, lowest=0, highest=1)
    if progress < rise:
        start, end, part = first, 1.0, progress / rise
    else:
        start, end, part = 1.0, last, (progress - rise) / (1 - rise)
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * part))


SCHEDULES: Mapping[ScheduleName, Callable[[int], Schedule]] = {
    "warm_cosine": lambda steps: Schedule(warm_cosine, steps),
    "one_cycle": lambda steps: Schedule(one_cycle, steps),
    "plateau": Plateau,
    "constant": lambda steps: Schedule(lambda progress: 1.0, steps),
}


def build_schedule(name: ScheduleName, steps: int) -> Schedule:
    """Build a schedule by its name.

    Parameters
    ----------
    name : str
        ``"warm_cosine"``, ``"one_cycle"``, ``"plateau"`` or ``"constant"``.
    steps : int
        Steps of the whole training.

    Raises
    ------
    ValueError
        If the name is unknown.

    References
    ----------
    Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2019, for
    the one cycle.
    """
    require_choice("name", name, SCHEDULES)
    return SCHEDULES[name](steps)
