"""Experiments that take minutes to hours: tuning, rivals, benchmarks and studies, and the results that ship."""

from .alternatives import load_alternative, load_null_space_pull, save_alternative, train_alternative
from .benchmark import benchmark, load_benchmark, save_benchmark
from .study import compare, load_study, run_study
from .tuning import tune, tuning_score, validation_psnr

__all__ = [
    "benchmark",
    "compare",
    "load_alternative",
    "load_benchmark",
    "load_null_space_pull",
    "load_study",
    "run_study",
    "save_alternative",
    "save_benchmark",
    "train_alternative",
    "tune",
    "tuning_score",
    "validation_psnr",
]
