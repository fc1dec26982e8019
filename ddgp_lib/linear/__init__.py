"""Linear preconditioners that are learned in closed form, without a training loop."""

from ..recipes import LinearRecipe, build_linear_preconditioner
from .data_term import learn_linear
from .distillation import LinearDistillation, distill_linear
from .ridge import Ridge

__all__ = [
    "LinearDistillation",
    "LinearRecipe",
    "Ridge",
    "build_linear_preconditioner",
    "distill_linear",
    "learn_linear",
]
