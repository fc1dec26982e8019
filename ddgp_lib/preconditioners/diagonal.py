r"""Preconditioners that are diagonal, in pixels (Jacobi) or in frequencies (circulant).

Both take from :math:`A^\top A` what lies on its diagonal in their basis and invert that alone.  Where
:math:`A^\top A` has much beside it, the inverse overshoots; so both are scaled down, where they must be, until the
largest eigenvalue of :math:`P A^\top A` is :math:`\|A\|^2`, as it is without P.
"""

from typing import Any, Self

import torch
from deepinv.physics import MRI, LinearPhysics, MultiCoilMRI

from ..arguments import require, require_flag, require_instance, require_positive
from ..operators import largest_eigenvalue, normal, squared_norm
from .base import Preconditioner, State
from .probing import circulant_spectrum, normal_diagonal, to_frequencies, to_images


class Diagonal(Preconditioner):
    """P(g) = F⁻¹ diag(c / (d + λ)) F g in a basis F, with d the diagonal of AᵀA/‖A‖² there.

    A subclass says what F is, and how d is measured.

    Parameters
    ----------
    diagonal : Tensor, shape (C, H, W)
        d, 0 or above.
    damping : float
        λ, above zero.
    scale : float
        c, above zero.
    """

    gains: torch.Tensor
    argument = "diagonal"
    """Name of d among the arguments."""

    def __init__(self, diagonal: torch.Tensor, damping: float, scale: float = 1.0) -> None:
        super().__init__()
        require_positive("damping", damping)
        require_positive("scale", scale)
        require_instance(self.argument, diagonal, torch.Tensor, "a tensor (C, H, W)")
        accepted = (
            diagonal.ndim == 3
            and diagonal.is_floating_point()
            and bool(((diagonal >= 0) & diagonal.isfinite()).all())
        )
        expected = "a tensor (C, H, W) of numbers, finite, 0 or above"
        require(accepted, self.argument, tuple(diagonal.shape), expected)
        self.register_buffer("gains", scale / (diagonal + damping))

    @classmethod
    def of(
        cls,
        physics: LinearPhysics,
        img_size: tuple[int, int, int],
        damping: float = 1e-2,
        *,
        probes: int | None = None,
        generator: torch.Generator | None = None,
    ) -> Self:
        """Build it for an operator, scaled down to be stable with the step 1/‖A‖².

        Parameters
        ----------
        physics : LinearPhysics
            The operator A.
        img_size : tuple of int
            Shape (C, H, W) of its images.
        damping : float
            λ, above zero.
        probes : int, optional
            Number of random images to estimate d from; by default it is exact, see
            :mod:`~ddgp_lib.preconditioners.probing` for the price.
        generator : torch.Generator, optional
            Source of the random images; needed with ``probes``, for it alone.

        Raises
        ------
        ValueError
            If an argument is outside what is accepted.
        """
        require_positive("damping", damping)
        diagonal, kind = cls.measured(physics, img_size, probes, generator)
        preconditioner = cls(diagonal / squared_norm(physics, img_size), damping, **kind)
        preconditioner.scale_down(physics, img_size)
        return preconditioner

    @staticmethod
    def measured(
        physics: LinearPhysics,
        img_size: tuple[int, int, int],
        probes: int | None,
        generator: torch.Generator | None,
    ) -> tuple[torch.Tensor, dict[str, Any]]:
        """Return the diagonal of AᵀA in the basis, and what else the constructor is told of the basis."""
        raise NotImplementedError

    def filtered(self, images: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
        """Multiply the coefficients of images (N, C, H, W) by ``gains``."""
        raise NotImplementedError

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return the direction for a gradient (N, C, H, W)."""
        return self.filtered(grad, self.gains)

    def scale_down(self, physics: LinearPhysics, img_size: tuple[int, ...]) -> None:
        """Lower c until the step 1/‖A‖² is stable: P^½ AᵀA P^½ then has no eigenvalue above ‖A‖²."""
        root, top = self.gains.sqrt(), squared_norm(physics, img_size)
        largest = largest_eigenvalue(
            lambda v: self.filtered(normal(physics, self.filtered(v, root)), root) / top, img_size
        )
        self.gains /= max(1.0, largest)


class Jacobi(Diagonal):
    r"""Jacobi's preconditioner, the inverse of the diagonal of AᵀA.

    .. math:: P(g) = c\, \|A\|^2 \bigl(\operatorname{diag}(A^\top A) + \lambda \|A\|^2 I\bigr)^{-1} g

    It evens out how strongly A sees each pixel.  Where it sees all alike, as this book's students do to 1 part in
    1,000, P is the identity but for what λ takes away.

    Build it by :meth:`Diagonal.of`; the constructor takes what is known already.

    Parameters
    ----------
    diagonal : Tensor, shape (C, H, W)
        Diagonal of AᵀA/‖A‖², 0 or above.
    damping : float
        λ, above zero.
    scale : float
        c, above zero.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Jacobi, "Ueber eine neue Auflösungsart der bei der Methode der kleinsten Quadrate vorkommenden lineären
    Gleichungen", 1845; Bekas, Kokiopoulou and Saad, "An estimator for the diagonal of a matrix", 2007.
    """

    @staticmethod
    def measured(
        physics: LinearPhysics,
        img_size: tuple[int, int, int],
        probes: int | None,
        generator: torch.Generator | None,
    ) -> tuple[torch.Tensor, dict[str, Any]]:
        """Return the diagonal of AᵀA, pixel by pixel."""
        return normal_diagonal(physics, img_size, probes=probes, generator=generator), {}

    def filtered(self, images: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
        """Multiply the pixels of images (N, C, H, W) by ``gains``."""
        return gains * images


class Circulant(Diagonal):
    r"""The inverse of the filter that is nearest to AᵀA.

    .. math:: P = c\, F^{-1} \operatorname{diag}\Bigl(\frac{\|A\|^2}{\hat s + \lambda \|A\|^2}\Bigr) F

    :math:`\hat s` is the spectrum of the circulant matrix nearest to :math:`A^\top A`: each diagonal, wrapped around
    the image, is replaced by its mean, that is by the mean response to a pixel over all places.  In the basis of the
    Fourier transform F it is the diagonal of :math:`F A^\top A F^{-1}`.  Where A is a convolution with periodic
    boundaries, P is the damped Newton step.

    Build it by :meth:`Diagonal.of`; the constructor takes what is known already.

    Parameters
    ----------
    spectrum : Tensor, shape (C, H, W), or (1, H, W) for complex images
        ŝ/‖A‖², 0 or above, with the frequencies in the order of ``torch.fft.fft2``.
    damping : float
        λ, above zero.
    scale : float
        c, above zero.
    complex_valued : bool
        Whether the two channels of the images are the real and imaginary parts of a complex image, and F its
        transform; otherwise F treats each channel alone.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    T. Chan, "An optimal circulant preconditioner for Toeplitz systems", 1988; Fessler and Booth,
    "Conjugate-gradient preconditioning methods for shift-variant PET image reconstruction", 1999.
    """

    argument = "spectrum"

    def __init__(
        self, spectrum: torch.Tensor, damping: float, scale: float = 1.0, *, complex_valued: bool = False
    ) -> None:
        require_flag("complex_valued", complex_valued)
        super().__init__(spectrum, damping, scale)
        self.complex_valued = complex_valued

    @staticmethod
    def measured(
        physics: LinearPhysics,
        img_size: tuple[int, int, int],
        probes: int | None,
        generator: torch.Generator | None,
    ) -> tuple[torch.Tensor, dict[str, Any]]:
        """Return the spectrum ŝ; the images of deepinv's MRI operators are treated as complex."""
        kind = {"complex_valued": isinstance(physics, MRI | MultiCoilMRI)}
        return circulant_spectrum(physics, img_size, probes=probes, generator=generator, **kind), kind

    def filtered(self, images: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
        """Multiply the frequencies of images (N, C, H, W) by ``gains``."""
        return to_images(gains * to_frequencies(images, self.complex_valued), self.complex_valued)
