"""Preconditioners: maps from the data-fidelity gradient to a better direction, called as ``P(grad, state)``."""

from .base import Identity, Preconditioner, State
from .classical import Newton
from .learned import FORMS, INPUTS, LearnedPreconditioner

__all__ = ["FORMS", "INPUTS", "Identity", "LearnedPreconditioner", "Newton", "Preconditioner", "State"]
