"""Experiments that take minutes to hours: tuning, rivals, benchmarks and studies, and the results that ship."""

from .alternatives import load_alternative, load_null_space_pull, save_alternative, train_alternative
from .benchmark import benchmark, load_benchmark, save_benchmark
from .growth import fit_power, growth
from .heldout import held_out_difference, held_out_error, hold_out, used_residual
from .noise_level import noise_by_line, noise_from_corners, noise_from_repeats, noise_from_scan
from .regressions import compare_benchmarks
from .statistics import best_beside_at, paired_difference, t_quantile
from .study import compare, load_study, run_study
from .tuning import tune, tuning_score, validation_psnr

__all__ = [
    "benchmark",
    "best_beside_at",
    "compare",
    "compare_benchmarks",
    "fit_power",
    "growth",
    "held_out_difference",
    "held_out_error",
    "hold_out",
    "load_alternative",
    "load_benchmark",
    "load_null_space_pull",
    "load_study",
    "noise_by_line",
    "noise_from_corners",
    "noise_from_repeats",
    "noise_from_scan",
    "paired_difference",
    "run_study",
    "save_alternative",
    "save_benchmark",
    "t_quantile",
    "train_alternative",
    "tune",
    "tuning_score",
    "used_residual",
    "validation_psnr",
]
