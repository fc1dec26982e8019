"""What the operators of this package share."""

from typing import Any

import torch
from deepinv.physics import GaussianNoise, LinearPhysics

from ..arguments import require, require_number, require_seed, require_tensor

RTOL = 1e-5
"""Singular values below this fraction of the largest count as zero, as in :mod:`ddgp_lib.analysis`."""


def gaussian_noise(noise: float, seed: int) -> GaussianNoise:
    """White Gaussian noise with its own generator, after checking its standard deviation."""
    require_number("noise", noise, lowest=0)
    require_seed("seed", seed)
    return GaussianNoise(noise, rng=torch.Generator().manual_seed(seed))


def require_rtol(rtol: float) -> None:
    """Refuse a relative tolerance on the singular values that is not between 1e-6, for single precision, and 1."""
    require_number("rtol", rtol, lowest=1e-6, below=1)


def require_fixed(**parameters: Any) -> None:
    """Refuse to change at call time what an operator has precomputed from."""
    for name, value in parameters.items():
        require(value is None, name, type(value).__name__, "None: it is fixed at construction")


def require_sides(
    argument: str,
    batch: torch.Tensor,
    sides: tuple[int, int],
    dtypes: tuple[torch.dtype, ...],
    dimensions: int = 4,
) -> None:
    """Refuse what is no batch (N, …, H, W) of numbers with these sides, or of a type that an operator does not take.

    Under autocast PyTorch chooses the type, so it is not looked at.
    """
    require_tensor(argument, batch, finite=False)
    fits = batch.ndim == dimensions and batch.numel() > 0 and tuple(batch.shape[-2:]) == tuple(sides)
    expected = f"(N, …, {sides[0]}, {sides[1]}) with {dimensions} dimensions"
    require(fits, f"{argument}.shape", tuple(batch.shape), expected)
    taken = batch.dtype in dtypes or torch.is_autocast_enabled(batch.device.type)
    require(taken, f"{argument}.dtype", batch.dtype, " or ".join(map(str, dtypes)))


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
    complex_valued = False
    """Whether two channels are real and imaginary part."""
    dimensions = 4
    """Dimensions of measurements."""

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width of images and measurements, here those of the mask."""
        return self.mask.shape[-2], self.mask.shape[-1]

    @property
    def types(self) -> tuple[torch.dtype, ...]:
        """Types of the numbers in images and measurements."""
        return (torch.float32, torch.float64)

    def A(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Return A x, after a look at the sides of x."""
        self._require_sides("x", x)
        return super().A(x, *args, **kwargs)

    def A_adjoint(self, y: Any, *args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Return Aᵀy, after a look at the sides of y."""
        self._require_sides("y", y)
        return super().A_adjoint(y, *args, **kwargs)

    def A_adjoint_A(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Return AᵀA x, after a look at the sides of x."""
        self._require_sides("x", x)
        return super().A_adjoint_A(x, *args, **kwargs)

    def A_dagger(self, y: Any, *args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Return A⁺y, after a look at the sides of y."""
        self._require_sides("y", y)
        return super().A_dagger(y, *args, **kwargs)

    def _require_sides(self, name: str, batch: torch.Tensor) -> None:
        height, width = self.sides
        require_sides(name, batch, (height, width), self.types, 4 if name == "x" else self.dimensions)
        pairs = not self.complex_valued or batch.shape[1] == 2
        expected = f"(N, 2, …, {height}, {width}): real and imaginary part"
        require(pairs, f"{name}.shape", tuple(batch.shape), expected)
