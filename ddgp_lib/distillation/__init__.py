"""Gradient-matching distillation: teach P to turn the student's gradient into the teacher's."""

from ..recipes import DEFAULT_LOSSES, LOSSES, OPTIMISERS, PAIRINGS, DistillationRecipe, build_preconditioner
from .losses import (
    consistency_penalty,
    decibel_loss,
    gradient_loss,
    row_space_penalty,
    scale_loss,
    squared_distance,
)
from .phase import Distillation
from .run_tuning import RunStates, tune_run
from .states import FreshStates, StatePool
from .training import distill

__all__ = [
    "DEFAULT_LOSSES",
    "LOSSES",
    "OPTIMISERS",
    "PAIRINGS",
    "Distillation",
    "DistillationRecipe",
    "FreshStates",
    "RunStates",
    "StatePool",
    "build_preconditioner",
    "consistency_penalty",
    "decibel_loss",
    "distill",
    "gradient_loss",
    "row_space_penalty",
    "scale_loss",
    "squared_distance",
    "tune_run",
]
