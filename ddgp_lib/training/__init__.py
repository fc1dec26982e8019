"""Trainings that can be interrupted and resumed, by one process or by several together."""

from .averaging import WeightAverage
from .processes import SEED_STRIDE, Processes, is_torchrun, launch
from .resumable import DivergenceError, ResumableTraining, under, weights_of
from .schedules import SCHEDULES, Schedule, build_schedule

__all__ = [
    "SCHEDULES",
    "SEED_STRIDE",
    "DivergenceError",
    "Processes",
    "ResumableTraining",
    "Schedule",
    "WeightAverage",
    "build_schedule",
    "is_torchrun",
    "launch",
    "under",
    "weights_of",
]
