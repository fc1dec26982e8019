"""Checks of the mathematics, for any operator, projector, step, preconditioner or denoiser, with answers that teach.

A check returns the number that it measured, or raises :class:`CheckFailed` with three parts: what was found, what was
expected, and the likeliest cause.
"""

from .adjoints import check_adjoint
from .denoising import check_denoiser
from .failure import CheckFailed
from .fixed_points import check_fixed_point
from .linearity import check_linear
from .preconditioning import check_preconditioner
from .projectors import check_projector
from .stepsizes import check_stepsize

__all__ = [
    "CheckFailed",
    "check_adjoint",
    "check_denoiser",
    "check_fixed_point",
    "check_linear",
    "check_preconditioner",
    "check_projector",
    "check_stepsize",
]
