"""Preconditioners: maps from the data-fidelity gradient to a better direction, called as ``P(grad, state)``."""

from .base import Identity, Preconditioner, State
from .classical import Newton, Scalar
from .diagonal import Circulant, Jacobi
from .inexact_newton import InexactNewton
from .learned import FORMS, INPUTS, LearnedPreconditioner
from .linear import LinearPreconditioner
from .null_space_pull import NullSpacePull
from .polynomial import Polynomial
from .quasi_newton import SR1

__all__ = [
    "FORMS",
    "INPUTS",
    "SR1",
    "Circulant",
    "Identity",
    "InexactNewton",
    "Jacobi",
    "LearnedPreconditioner",
    "LinearPreconditioner",
    "Newton",
    "NullSpacePull",
    "Polynomial",
    "Preconditioner",
    "Scalar",
    "State",
]
