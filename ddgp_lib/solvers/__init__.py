"""Plug-and-play solvers whose gradient step on the data goes through a preconditioner."""

from .base import PreconditionedSolver
from .descent import descend
from .fista import PreconditionedFISTA, PreconditionedFISTAIteration, PreconditionedPGD
from .iteration import PreconditionedIteration, Problem, Step
from .rules import MOMENTUM, chambolle_dossal, decaying_weight, deepinv_momentum, no_momentum, relax
from .safeguard import Direction, Safeguard, Watch
from .splitting import (
    PreconditionedADMM,
    PreconditionedADMMIteration,
    PreconditionedHQS,
    PreconditionedHQSIteration,
)

__all__ = [
    "MOMENTUM",
    "Direction",
    "PreconditionedADMM",
    "PreconditionedADMMIteration",
    "PreconditionedFISTA",
    "PreconditionedFISTAIteration",
    "PreconditionedHQS",
    "PreconditionedHQSIteration",
    "PreconditionedIteration",
    "PreconditionedPGD",
    "PreconditionedSolver",
    "Problem",
    "Safeguard",
    "Step",
    "Watch",
    "chambolle_dossal",
    "decaying_weight",
    "deepinv_momentum",
    "descend",
    "no_momentum",
    "relax",
]
