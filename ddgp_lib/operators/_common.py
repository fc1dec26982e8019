"""What the operators of this package share."""

import math
from typing import Any

import torch
from deepinv.physics import GaussianNoise, LinearPhysics

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


class OldNames(LinearPhysics):
    """A linear operator that is still called by a name of before."""

    def normal(self, x: torch.Tensor) -> torch.Tensor:
        """AᵀA x, the old name of ``A_adjoint_A``."""
        return self.A_adjoint_A(x)


class FixedSides(OldNames):
    """A linear operator with a mask: images and measurements whose sides are not the mask's are refused.

    A single row or column would be broadcast otherwise.  It stands before deepinv's operator among the bases.
    """

    mask: torch.Tensor

    def A(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Return A x, after a look at the sides of x."""
        self._require_sides("x", x)
        return super().A(x, *args, **kwargs)

    def A_adjoint(self, y: Any, *args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Return Aᵀy, after a look at the sides of y."""
        self._require_sides("y", y)
        return super().A_adjoint(y, *args, **kwargs)

    def _require_sides(self, name: str, batch: torch.Tensor) -> None:
        sides = tuple(self.mask.shape[-2:])
        require(
            tuple(batch.shape[-2:]) == sides,
            f"{name}.shape",
            tuple(batch.shape),
            f"(N, …, {sides[0]}, {sides[1]})",
        )
