"""Plug-and-play solvers whose gradient step on the data goes through a preconditioner."""

from .base import PreconditionedSolver
from .conjugate_gradients import cgls
from .descent import descend
from .fista import PreconditionedFISTA, PreconditionedFISTAIteration, PreconditionedPGD
from .following import followed_sigma
from .iteration import PreconditionedIteration, Problem, Run, Step
from .refusal import Refusal, discrepancy
from .rules import (
    MOMENTUM,
    DecayingWeight,
    Geometric,
    chambolle_dossal,
    decaying_weight,
    deepinv_momentum,
    geometric,
    no_momentum,
    relax,
)
from .safeguard import Direction, Safeguard, Watch
from .splitting import (
    PreconditionedADMM,
    PreconditionedADMMIteration,
    PreconditionedHQS,
    PreconditionedHQSIteration,
)
from .steps import extrapolate, fista_step, forward_backward

__all__ = [
    "MOMENTUM",
    "DecayingWeight",
    "Direction",
    "Geometric",
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
    "Refusal",
    "Run",
    "Safeguard",
    "Step",
    "Watch",
    "cgls",
    "chambolle_dossal",
    "decaying_weight",
    "deepinv_momentum",
    "descend",
    "discrepancy",
    "extrapolate",
    "fista_step",
    "followed_sigma",
    "forward_backward",
    "geometric",
    "no_momentum",
    "relax",
]
