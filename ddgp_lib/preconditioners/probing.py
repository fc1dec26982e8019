"""What lies on the diagonal of AᵀA, in pixels and in frequencies, found by applying AᵀA to probes."""

from collections.abc import Callable, Iterator

import torch
from deepinv.physics import LinearPhysics
from torch.nn.functional import one_hot

from ..arguments import require, require_flag, require_generator, require_img_size, require_integer
from ..operators import MultiCoilCartesianMRI, normal
from ..operators.protocol import require_physics

BATCH = 64
"""Number of probes at once."""


def normal_diagonal(
    physics: LinearPhysics,
    img_size: tuple[int, int, int],
    *,
    probes: int | None = None,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    r"""Diagonal of AᵀA, pixel by pixel.

    Exact, it takes a product with AᵀA for each pixel and channel, none for
    :class:`~ddgp_lib.operators.MultiCoilCartesianMRI`.  Estimated, it is the mean of :math:`v \odot A^\top A v` over
    random images v of signs; the standard error of an entry is the norm of the rest of its row over
    :math:`\sqrt{\text{probes}}`.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    img_size : tuple of int
        Shape (C, H, W) of its images.
    probes : int, optional
        Number of random images, 1 or above; by default the diagonal is exact.
    generator : torch.Generator, optional
        Source of the random images; needed with ``probes``, for it alone.

    Returns
    -------
    Tensor, shape (C, H, W)

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Bekas, Kokiopoulou and Saad, 2007, after Hutchinson, 1989.
    """
    require_physics(physics)
    images = _probes(img_size, probes, generator)
    if probes is None and isinstance(physics, MultiCoilCartesianMRI):
        return physics.blocks.diagonal(dim1=-2, dim2=-1).real.expand(img_size).clone()
    return _probed(physics, images, lambda v: v).clamp(min=0)


def circulant_spectrum(
    physics: LinearPhysics,
    img_size: tuple[int, int, int],
    *,
    probes: int | None = None,
    generator: torch.Generator | None = None,
    complex_valued: bool = False,
) -> torch.Tensor:
    """Spectrum of the circulant matrix nearest to AᵀA, channel by channel.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    img_size : tuple of int
        Shape (C, H, W) of its images.
    probes : int, optional
        Number of random images, 1 or above; by default the spectrum is exact.
    generator : torch.Generator, optional
        Source of the random images; needed with ``probes``, for it alone.
    complex_valued : bool
        Whether two channels are one complex image.

    Returns
    -------
    Tensor, shape (C, H, W), or (1, H, W) for complex images
        ŝ, 0 or above, with the frequencies in the order of ``torch.fft.fft2``.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    T. Chan, 1988.
    """
    require_physics(physics)
    require_flag("complex_valued", complex_valued)
    images = _probes(img_size, probes, generator)
    return _probed(physics, images, lambda v: to_frequencies(v, complex_valued)).clamp(min=0)


def _probed(
    physics: LinearPhysics,
    probes: Iterator[torch.Tensor],
    coefficients: Callable[[torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """Σ v̄ ⊙ AᵀA v / Σ |v|² over probes v, in the coefficients of a basis."""
    products, squares = torch.zeros(()), torch.zeros(())
    with torch.no_grad():
        for images in probes:
            v = coefficients(images)
            products = products + (v.conj() * coefficients(normal(physics, images))).real.double().sum(0)
            squares = squares + v.abs().square().double().sum(0)
    return (products / squares).float()


def _probes(
    img_size: tuple[int, int, int], probes: int | None, generator: torch.Generator | None
) -> Iterator[torch.Tensor]:
    """Yield batches of random signs, or of every image with a single pixel."""
    require_img_size("img_size", img_size)
    require_integer("probes", probes, lowest=1, none=True)
    require_generator("generator", generator, none=True)
    require((probes is None) == (generator is None), "generator", generator, "one with probes, None without")
    n = torch.Size(img_size).numel()
    if probes is None:
        pixels = torch.arange(n).split(BATCH)
        return (one_hot(part, n).float().reshape(-1, *img_size) for part in pixels)
    sizes = [BATCH] * (probes // BATCH) + [probes % BATCH] * (probes % BATCH > 0)
    return (2.0 * torch.randint(2, (size, *img_size), generator=generator) - 1 for size in sizes)


def to_frequencies(images: torch.Tensor, complex_valued: bool) -> torch.Tensor:
    """Fourier transform of images (N, C, H, W), (N, 1, H, W) where two channels are one complex image."""
    if complex_valued:
        images = torch.view_as_complex(images.movedim(1, -1).contiguous())[:, None]
    return torch.fft.fft2(images)


def to_images(frequencies: torch.Tensor, complex_valued: bool) -> torch.Tensor:
    """Images (N, C, H, W) of their Fourier transform."""
    images = torch.fft.ifft2(frequencies)
    return torch.view_as_real(images[:, 0]).movedim(-1, 1).contiguous() if complex_valued else images.real
