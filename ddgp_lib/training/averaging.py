"""An exponential moving average of weights while they are trained."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from ..arguments import require_instance, require_integer, require_number


class WeightAverage:
    r"""The average θ̄ of a model's weights θ over the steps of a training.

    .. math::

        \bar\theta_{t+1} = d_t \bar\theta_t + (1 - d_t)\, \theta_{t+1}, \qquad d_t = \min(d, t / (t + 1))

    for t = 0, 1, …: the plain mean of all steps at first, so the weights at the start have no part in it.  What is
    not a floating-point number, such as a counter, is taken as it is.

    Parameters
    ----------
    model : nn.Module
        What is trained; it is read, and changed by :meth:`apply` and :meth:`swapped` alone.
    decay : float
        d, in [0, 1); with 0 nothing is kept, and all methods do nothing.

    Attributes
    ----------
    weights : dict of str to Tensor
        θ̄ by the names of the model's state; empty before the first step.

    Raises
    ------
    ValueError
        If ``decay`` is outside [0, 1).

    References
    ----------
    Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> average = WeightAverage(model, decay=0.9)
    >>> for step, value in enumerate((1.0, 3.0)):
    ...     _ = torch.nn.init.constant_(model.weight, value)
    ...     average.update(step)
    >>> average.weights["weight"].item()
    2.0
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        require_instance("model", model, nn.Module, "a network")
        require_number("decay", decay, lowest=0, below=1)
        self.model, self.decay = model, decay
        self.weights: dict[str, torch.Tensor] = {}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after a step, counted from 0."""
        require_integer("step", step, lowest=0)
        if self.decay == 0:
            return
        share = 1 - min(self.decay, step / (step + 1))
        for name, value in self.model.state_dict().items():
            if name in self.weights and value.is_floating_point():
                self.weights[name].lerp_(value, share)
            else:
                self.weights[name] = value.clone()

    def apply(self) -> None:
        """Give the model the average in the place of its weights."""
        if self.weights:
            self.model.load_state_dict(self.weights)

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """Let the model have the average for a while."""
        if not self.weights:
            yield
            return
        kept = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.apply()
        try:
            yield
        finally:
            self.model.load_state_dict(kept)

    def take(self, weights: dict[str, torch.Tensor]) -> None:
        """Take over an average of before, on the device and with the strides of the model's weights."""
        model = self.model.state_dict()
        self.weights = {name: torch.empty_like(model[name]).copy_(value) for name, value in weights.items()}
