"""Linear preconditioners that are learned in closed form, without a training loop."""

from .data_term import learn_linear
from .distillation import LinearDistillation, distill_linear
from .recipe import LINEAR_RECIPES, LinearRecipe, build_linear_preconditioner
from .ridge import Ridge

__all__ = [
    "LINEAR_RECIPES",
    "LinearDistillation",
    "LinearRecipe",
    "Ridge",
    "build_linear_preconditioner",
    "distill_linear",
    "learn_linear",
]
