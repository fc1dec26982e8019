"""Plug-and-play solvers whose gradient step on the data goes through a preconditioner."""

from .base import PreconditionedSolver
from .conjugate_gradients import cgls
from .crop_splitting import crop_admm
from .descent import descend
from .fista import PreconditionedFISTA, PreconditionedFISTAIteration, PreconditionedPGD
from .following import followed_sigma
from .iteration import PreconditionedIteration, Problem, Run, Step
from .metric import CirculantMetric, Metric, ScalarMetric
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
from .scaled_gradient import CONSTRAINTS, descend_in_metric
from .scaled_projection import ScaledProjection, project_nonnegative
from .splitting import (
    PreconditionedADMM,
    PreconditionedADMMIteration,
    PreconditionedHQS,
    PreconditionedHQSIteration,
)
from .steps import extrapolate, fista_step, forward_backward

__all__ = [
    "CONSTRAINTS",
    "MOMENTUM",
    "CirculantMetric",
    "DecayingWeight",
    "Direction",
    "Geometric",
    "Metric",
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
    "ScalarMetric",
    "ScaledProjection",
    "Step",
    "Watch",
    "cgls",
    "chambolle_dossal",
    "crop_admm",
    "decaying_weight",
    "deepinv_momentum",
    "descend",
    "descend_in_metric",
    "discrepancy",
    "extrapolate",
    "fista_step",
    "followed_sigma",
    "forward_backward",
    "geometric",
    "no_momentum",
    "project_nonnegative",
    "relax",
]
