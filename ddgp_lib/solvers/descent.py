"""Gradient descent on the data term alone, where neither noise nor prior hides what a preconditioner does."""

from collections.abc import Iterator

import torch
from deepinv.physics import LinearPhysics

from ..arguments import require_choice, require_integer, require_tensor
from ..names import Momentum
from ..operators import gradient, squared_norm
from ..preconditioners import Preconditioner, State
from ..preconditioners.base import ask, prepared_by
from .measurements import back_project
from .rules import MOMENTUM
from .steps import fista_step


def descend(
    physics: LinearPhysics,
    y: torch.Tensor,
    P: Preconditioner,
    steps: int,
    momentum: Momentum = "none",
    start: torch.Tensor | None = None,
) -> Iterator[torch.Tensor]:
    """Yield z_1, z_2, … of gradient descent on the data term alone, with the step 1/‖A‖².

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    y : Tensor
        Measurements.
    P : Preconditioner
        Makes a direction of each gradient.
    steps : int
        Number of steps.
    momentum : str
        A rule's name, a key of ``ddgp_lib.solvers.MOMENTUM``.
    start : Tensor, optional
        z_0; Aᵀy by default.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, y is not what A measures, or P returns another thing than a
        direction.
    """
    require_integer("steps", steps, lowest=0)
    require_choice("momentum", momentum, MOMENTUM)
    adjoint = back_project(y, physics)
    if start is not None:
        require_tensor("start", start, shape=tuple(adjoint.shape))
    x = z = adjoint if start is None else start
    shown = y.clone()
    with torch.no_grad():
        prepared = prepared_by(P, shown, physics)
    stepsize = 1 / squared_norm(physics, tuple(z.shape[1:]))
    for k in range(steps):
        with torch.no_grad():
            direction = ask(P, gradient(physics, z, adjoint), State(z, k, physics, shown, prepared=prepared))
        x, z = fista_step(x, z, direction, stepsize=stepsize, momentum=MOMENTUM[momentum](k + 1))
        yield z
