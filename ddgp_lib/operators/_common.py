"""What the operators of this package share."""

import math
from typing import Any

import torch
from deepinv.physics import GaussianNoise

from ..arguments import require

RTOL = 1e-5
"""Singular values below this fraction of the largest count as zero, as in :mod:`ddgp_lib.analysis`."""


def gaussian_noise(noise: float, seed: int) -> GaussianNoise:
    """White Gaussian noise with its own generator, after checking its standard deviation."""
    require(math.isfinite(noise) and noise >= 0, "noise", noise, "a finite number, 0 or above")
    return GaussianNoise(noise, rng=torch.Generator().manual_seed(seed))


def require_rtol(rtol: float) -> None:
    """Refuse a relative tolerance on the singular values that is not between 1e-6 and 1."""
    require(1e-6 <= rtol < 1, "rtol", rtol, "a number from 1e-6 (single precision) to below 1")


def require_fixed(**parameters: Any) -> None:
    """Refuse to change at call time what an operator has precomputed from."""
    for name, value in parameters.items():
        require(value is None, name, type(value).__name__, "None: it is fixed at construction")
