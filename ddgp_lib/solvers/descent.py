"""Gradient descent on the data term alone, where neither noise nor prior hides what a preconditioner does."""

from collections.abc import Iterator

import torch
from deepinv.physics import LinearPhysics

from ..names import Momentum
from ..operators import gradient, squared_norm
from ..preconditioners import Preconditioner, State
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
    """
    adjoint = physics.A_adjoint(y)
    x = z = adjoint if start is None else start
    stepsize = 1 / squared_norm(physics, tuple(z.shape[1:]))
    for k in range(steps):
        with torch.no_grad():
            direction = P(gradient(physics, z, adjoint), State(z, k, physics, y))
        x, z = fista_step(x, z, direction, stepsize=stepsize, momentum=MOMENTUM[momentum](k + 1))
        yield z
