"""Recipes: everything, besides the task, that decides what a training gives; and the untrained model of each."""

from .alternatives import ALTERNATIVES, AlternativeRecipe, build_alternative, read_alternative
from .denoising import DENOISER_FIELDS, DenoiserRecipe
from .distillation import (
    DEFAULT_LOSSES,
    LOSSES,
    OPTIMISERS,
    PAIRINGS,
    DistillationFields,
    DistillationRecipe,
    build_preconditioner,
    first_phase,
    second_phase,
)
from .linear import LinearFields, LinearRecipe, build_linear_preconditioner

__all__ = [
    "ALTERNATIVES",
    "DEFAULT_LOSSES",
    "DENOISER_FIELDS",
    "LOSSES",
    "OPTIMISERS",
    "PAIRINGS",
    "AlternativeRecipe",
    "DenoiserRecipe",
    "DistillationFields",
    "DistillationRecipe",
    "LinearFields",
    "LinearRecipe",
    "build_alternative",
    "build_linear_preconditioner",
    "build_preconditioner",
    "first_phase",
    "read_alternative",
    "second_phase",
]
