"""Metrics ⟨u, M v⟩ in which a gradient step is taken: a scalar, or a filter."""

from typing import Protocol

import torch

from ..arguments import require, require_instance, require_positive, require_tensor
from ..operators.lensless import LenslessCamera


class Metric(Protocol):
    """A symmetric positive definite M on images, whose inverse and extreme eigenvalues are known."""

    @property
    def lowest(self) -> float:
        """Smallest eigenvalue."""
        ...

    @property
    def highest(self) -> float:
        """Largest eigenvalue."""
        ...

    def apply(self, x: torch.Tensor) -> torch.Tensor:
        """M x of images (N, C, H, W)."""
        ...

    def invert(self, x: torch.Tensor) -> torch.Tensor:
        """M⁻¹ x of images (N, C, H, W)."""
        ...


class ScalarMetric:
    """M = L I, the metric of a step 1/L without a preconditioner.

    Parameters
    ----------
    value : float
        L, above zero; ‖A‖² for the usual step.

    Raises
    ------
    ValueError
        If ``value`` is not a finite number above zero.
    """

    def __init__(self, value: float) -> None:
        require_positive("value", value)
        self.lowest = self.highest = float(value)

    def apply(self, x: torch.Tensor) -> torch.Tensor:
        """M x of images (N, C, H, W)."""
        return self.highest * x

    def invert(self, x: torch.Tensor) -> torch.Tensor:
        """M⁻¹ x of images (N, C, H, W)."""
        return x / self.highest


class CirculantMetric:
    r"""M = F⁻¹ diag(s) F, a filter: the metric of a gradient step through a circulant preconditioner P = M⁻¹.

    Parameters
    ----------
    spectrum : Tensor, shape (C, H, W // 2 + 1), or (1, H, W // 2 + 1) for any number of channels
        s, above zero, in the order of ``torch.fft.rfft2``.
    sides : pair of int
        (H, W) of the images.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.
    """

    def __init__(self, spectrum: torch.Tensor, sides: tuple[int, int]) -> None:
        require_tensor("spectrum", spectrum, dimensions=3)
        positive = spectrum.is_floating_point() and spectrum.numel() > 0 and bool((spectrum > 0).all())
        require(positive, "spectrum", spectrum, "real numbers above zero")
        pair = isinstance(sides, tuple | list) and len(sides) == 2 and all(type(n) is int for n in sides)
        fits = pair and tuple(spectrum.shape[1:]) == (sides[0], sides[1] // 2 + 1)
        require(fits, "sides", sides, f"(H, W) whose half spectrum is {tuple(spectrum.shape[1:])}")
        self.spectrum = spectrum
        self.inverse = 1 / spectrum
        self.sides = (sides[0], sides[1])
        self.lowest, self.highest = float(spectrum.min()), float(spectrum.max())

    @classmethod
    def of(cls, camera: LenslessCamera, damping: float = 0.01) -> "CirculantMetric":
        r"""Return M = HᵀH + λ max|ĥ|² I, which AᵀA = HᵀCᵀC H never exceeds, since CᵀC has eigenvalues 0 and 1.

        A gradient step in M is therefore stable whatever λ > 0 is.  λ says how far weak frequencies are lifted:
        the smaller, the faster they converge, and the longer a projection in M takes, for M has the condition
        number 1 + 1/λ.  Up to its damping and a factor, M is the circulant matrix nearest to AᵀA too, in which
        |ĥ|² stands with the share of the image that the sensor covers.

        Parameters
        ----------
        camera : LenslessCamera
            A = C H.
        damping : float
            λ, above zero.

        Raises
        ------
        ValueError
            If an argument is not accepted.
        """
        require_instance("camera", camera, LenslessCamera, "a LenslessCamera")
        require_positive("damping", damping)
        spectrum = camera.spectrum
        return cls(spectrum + damping * spectrum.max(), camera.sides["x"])

    def apply(self, x: torch.Tensor) -> torch.Tensor:
        """M x of images (N, C, H, W)."""
        return self._filtered(x, self.spectrum)

    def invert(self, x: torch.Tensor) -> torch.Tensor:
        """M⁻¹ x of images (N, C, H, W)."""
        return self._filtered(x, self.inverse)

    def _filtered(self, x: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
        require_tensor("x", x, dimensions=4, finite=False)
        fits = tuple(x.shape[-2:]) == self.sides and len(gains) in (1, x.shape[1])
        require(
            fits, "x.shape", tuple(x.shape), f"(N, C, {self.sides[0]}, {self.sides[1]}), C as the spectrum"
        )
        return torch.fft.irfft2(torch.fft.rfft2(x) * gains, s=self.sides)


def require_metric(argument: str, metric: object) -> None:
    """Raise a ``ValueError`` unless ``metric`` is one of this module's."""
    require_instance(
        argument, metric, ScalarMetric | CirculantMetric, "a metric: ScalarMetric or CirculantMetric"
    )
