"""What every preconditioner is, and what a solver tells it."""

from dataclasses import dataclass
from typing import Any

import torch
from deepinv.physics import LinearPhysics
from deepinv.utils import TensorList
from torch import nn

from ..reprs import Brief


@dataclass(frozen=True, repr=False)
class State(Brief):
    """What a solver knows when it asks for a direction.

    Attributes
    ----------
    z : Tensor, shape (N, C, H, W)
        The point z_k at which the gradient was taken.
    k : int, or Tensor of shape (N,)
        The iteration, from 0; a tensor where the images of a batch are at different ones, as in training.
    physics : LinearPhysics
        The operator A.
    y : Tensor or TensorList
        The measurements.
    """

    z: torch.Tensor
    k: int | torch.Tensor
    physics: LinearPhysics
    y: torch.Tensor | TensorList


class Preconditioner(nn.Module):
    """A map P from a gradient (N, C, H, W) to a direction of the same shape, ``P(grad, state)``.

    By-hand preconditioners ignore what they do not need of the state.

    Attributes
    ----------
    products : int
        Products with AᵀA that each application costs beside the one of the gradient itself, for comparisons at equal
        operator calls; 0 where a class does not say otherwise.
    made_for : dict or None
        The :func:`~ddgp_lib.fingerprint.fingerprint` of the task that it was trained for, where that is known.
    """

    products: int = 0
    made_for: dict[str, Any] | None = None

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return the direction that replaces the gradient ``grad``."""
        raise NotImplementedError


class Identity(Preconditioner):
    """P(g) = g: the solver without a preconditioner."""

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return the gradient itself."""
        return grad
