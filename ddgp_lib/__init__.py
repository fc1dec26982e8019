"""Learned gradient preconditioning for imaging inverse problems: the library under the book."""

from typing import NoReturn

from . import checks
from .distillation import Distillation, DistillationRecipe, distill, tune_run
from .evaluation import Trace, evaluate
from .linear import LinearDistillation, distill_linear
from .preconditioners import Identity, LearnedPreconditioner, Preconditioner, State
from .presets import load_task
from .pretrained import load_preconditioner, load_solver, load_tuning, save_preconditioner
from .solvers import PreconditionedADMM, PreconditionedFISTA, PreconditionedHQS, PreconditionedPGD, Safeguard
from .stability import local_lipschitz, spectral_radius
from .tasks import Counts, Preset, Task, make_task

__version__ = "0.1.0"

_MOVED = {
    "shipped": "ddgp_lib.pretrained, ddgp_lib.presets and ddgp_lib.experiments",
    "study": "ddgp_lib.experiments.study",
    "linear_study": "ddgp_lib.experiments.linear_study",
    "benchmark": "ddgp_lib.experiments.benchmark",
    "alternatives": "ddgp_lib.experiments.alternatives",
}
"""Where modules of before are now."""


def __getattr__(name: str) -> NoReturn:
    """Say where a module of before is now."""
    if name in _MOVED:
        raise AttributeError(f"ddgp_lib.{name} is gone: what it held is in {_MOVED[name]}")
    raise AttributeError(f"module 'ddgp_lib' has no attribute {name!r}")


__all__ = [
    "Counts",
    "Distillation",
    "DistillationRecipe",
    "Identity",
    "LearnedPreconditioner",
    "LinearDistillation",
    "PreconditionedADMM",
    "PreconditionedFISTA",
    "PreconditionedHQS",
    "PreconditionedPGD",
    "Preconditioner",
    "Preset",
    "Safeguard",
    "State",
    "Task",
    "Trace",
    "checks",
    "distill",
    "distill_linear",
    "evaluate",
    "load_preconditioner",
    "load_solver",
    "load_task",
    "load_tuning",
    "local_lipschitz",
    "make_task",
    "save_preconditioner",
    "spectral_radius",
    "tune_run",
]
