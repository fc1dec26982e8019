r"""Sensitivity maps by ESPIRiT, from the calibration region alone.

All k × k patches of the calibration region lie near a subspace of small dimension.  Let the rows of V be an
orthonormal basis of it.  A point at pixel r contributes the patch
:math:`s_c(r) e^{-2 \pi i\, p \cdot r}` (coil c, place p in the patch), which must lie in that subspace.  So the
sensitivities s(r) are an eigenvector, of eigenvalue 1, of the C × C matrix

.. math:: G_{cd}(r) = \frac{1}{k^2} \sum_j \hat v_{jc}(r)\, \hat v_{jd}(r)^*,
   \qquad \hat v_{jc}(r) = \sum_p v_j[c, p]\, e^{2 \pi i\, p \cdot r},

and where there is nothing to see, all eigenvalues are below 1.  The entries of G have frequencies below k alone, so
they are transforms of (2k − 1) × (2k − 1) numbers: no transform for each basis vector is needed.
"""

from dataclasses import dataclass

import torch

from ..arguments import require, require_instance, require_integer, require_number
from .calibration import Region, calibration_region
from .kspace import measured_places, require_kspace

CHUNK = 2**14
"""Pixels whose matrices are decomposed at a time."""


@dataclass(frozen=True, eq=False)
class Sensitivities:
    """Maps of the coils, and how sure they are.

    Attributes
    ----------
    maps : Tensor, complex64, shape (C, H, W)
        Their root sum of squares is ``support``: 1 within the object and 0 outside.  The phase is that of the first
        virtual coil, which has none.
    eigenvalues : Tensor, float32, shape (H, W)
        Largest eigenvalues of G, from 0 to 1: about 1 where there is an object.
    support : Tensor, float32, shape (H, W)
        Weight of each pixel, from 0 to 1.
    """

    maps: torch.Tensor
    eigenvalues: torch.Tensor
    support: torch.Tensor


def espirit_maps(
    kspace: torch.Tensor,
    region: Region | None = None,
    *,
    kernel: int = 6,
    threshold: float = 0.02,
    crop: float = 0.95,
    soft: float = 0.0,
) -> Sensitivities:
    """Estimate the sensitivities of the coils from the part of k-space that was measured in full.

    Parameters
    ----------
    kspace : Tensor, complex, shape (C, H, W)
        Measurements of one slice, best prewhitened.
    region : Region, optional
        Rows and columns that were measured in full; found, and cut to 24 places a side, unless given.
    kernel : int
        Side k of the patches, 2 or above; 2 k − 1 places must fit into the image, and k into the region.
    threshold : float
        Singular values that count as signal, as a fraction of the largest, from 0 and below 1.  Higher where there
        is more noise.
    crop : float
        Eigenvalue, in [0, 1], up to which a pixel counts as outside of the object.
    soft : float
        How much larger the eigenvalue is where a pixel counts in full, 0 or above; between them the weight rises as
        sin².  With 0 the support has a sharp edge.

    Returns
    -------
    Sensitivities

    Raises
    ------
    ValueError
        If an argument is not accepted, or the region is too small.

    References
    ----------
    Uecker et al., "ESPIRiT—an eigenvalue approach to autocalibrating parallel MRI: where SENSE meets GRAPPA", 2014.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.data.fourier import centred_fourier
    >>> from ddgp_lib.operators import birdcage_maps
    >>> from ddgp_lib.scanner import espirit_maps
    >>> truth = birdcage_maps(4, 32, 32)
    >>> found = espirit_maps(centred_fourier(truth)).maps
    >>> bool((found * truth.conj()).sum(0).abs()[4:-4, 4:-4].min() > 0.99)
    True
    """
    require_kspace("kspace", kspace, dimensions=(3,))
    require_integer("kernel", kernel, lowest=2)
    require_number("threshold", threshold, lowest=0, below=1)
    require_number("crop", crop, lowest=0, highest=1)
    require_number("soft", soft, lowest=0)
    require(
        2 * kernel - 1 <= min(kspace.shape[1:]), "kernel", kernel, f"2 k − 1 at most {min(kspace.shape[1:])}"
    )
    region = _region(kspace, region, kernel)
    calibration = kspace[(slice(None), *region)].to(torch.complex64)
    gram = _gram(_signal_space(calibration, kernel, threshold), kspace.shape[1:])
    values, vectors = _leading(gram)
    maps = vectors * _phase(vectors, _first_virtual_coil(calibration))
    support = _weights(values, crop, soft)
    return Sensitivities(maps * support, values, support)


def _region(kspace: torch.Tensor, region: Region | None, kernel: int) -> Region:
    """Check the calibration region, or find it."""
    if region is None:
        region = calibration_region(measured_places("kspace", kspace), largest=24)
    require_instance("region", region, Region, "a Region, as calibration_region returns it")
    pairs = zip(region, kspace.shape[1:], strict=True)
    inside = all(
        isinstance(part, slice)
        and part.step is None
        and isinstance(part.start, int)
        and isinstance(part.stop, int)
        and 0 <= part.start < part.stop <= side
        for part, side in pairs
    )
    require(inside, "region", region, f"rows and columns within {tuple(kspace.shape[1:])}")
    large = min(region.sides) >= kernel
    require(large, "region", region.sides, f"at least {kernel} rows and columns that were measured in full")
    measured = bool((kspace[(slice(None), *region)] != 0).any(dim=0).all())
    require(measured, "region", region, "places that were all measured")
    return region


def _signal_space(calibration: torch.Tensor, kernel: int, threshold: float) -> torch.Tensor:
    """Return an orthonormal basis of the patches, (J, C, k, k), of singular values above the threshold."""
    patches = calibration.unfold(1, kernel, 1).unfold(2, kernel, 1)  # (C, rows, columns, k, k)
    matrix = patches.permute(1, 2, 0, 3, 4).flatten(0, 1).flatten(1)
    _, strengths, basis = torch.linalg.svd(matrix, full_matrices=False)
    basis = basis[strengths > threshold * strengths[0]]
    return basis.reshape(-1, len(calibration), kernel, kernel)


def _gram(basis: torch.Tensor, sides: torch.Size) -> torch.Tensor:
    """Return G of each pixel, (H, W, C, C)."""
    coils, kernel = basis.shape[1], basis.shape[2]
    lags = 2 * kernel - 1
    spectrum = torch.fft.ifft2(basis, s=(lags, lags), norm="forward")
    products = torch.einsum("jcuv,jduv->cduv", spectrum, spectrum.conj())
    correlations = torch.fft.fft2(products, norm="forward")  # of lags 0 … k − 1, −k + 1 … −1
    places = torch.arange(-kernel + 1, kernel)
    gram = basis.new_empty(*sides, coils, coils)
    rows, columns = (places % side for side in sides)
    kept = correlations[:, :, places[:, None] % lags, places % lags] / kernel**2
    for c in range(coils):  # one row at a time: G is the largest tensor here
        padded = basis.new_zeros(coils, *sides)
        padded[:, rows[:, None], columns] = kept[c]
        images = torch.fft.fftshift(torch.fft.ifft2(padded, norm="forward"), dim=(-2, -1))
        gram[:, :, c] = images.movedim(0, -1)
    return gram


def _leading(gram: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the largest eigenvalue of each pixel, (H, W), and its eigenvector, (C, H, W)."""
    sides, coils = gram.shape[:2], gram.shape[2]
    flat = gram.reshape(-1, coils, coils)
    values, vectors = flat.real.new_empty(len(flat)), flat.new_empty(coils, len(flat))
    for start in range(0, len(flat), CHUNK):
        part = slice(start, start + CHUNK)
        found, basis = torch.linalg.eigh(flat[part])
        values[part], vectors[:, part] = found[:, -1], basis[:, :, -1].mT
    return values.clamp(0, 1).reshape(sides), vectors.reshape(coils, *sides)


def _first_virtual_coil(calibration: torch.Tensor) -> torch.Tensor:
    """Return the mixture of coils, (C,), that holds most of the energy; its largest entry is positive."""
    samples = calibration.flatten(1).to(torch.complex128)
    first = torch.linalg.eigh(samples @ samples.mH).eigenvectors[:, -1]
    largest = first[first.abs().argmax()]
    return (first * largest.conj() / largest.abs()).to(calibration.dtype)


def _phase(vectors: torch.Tensor, coil: torch.Tensor) -> torch.Tensor:
    """Return the factor of modulus 1, (H, W), that leaves a mixture of the coils without phase."""
    seen = (coil.conj()[:, None, None] * vectors).sum(0)
    return torch.polar(torch.ones_like(seen.real), -seen.angle())


def _weights(values: torch.Tensor, crop: float, soft: float) -> torch.Tensor:
    """Return the weight of each pixel: 0 up to ``crop``, and 1 from ``crop + soft``."""
    if soft == 0:
        return (values > crop).to(values.dtype)
    return torch.sin(torch.pi / 2 * ((values - crop) / soft).clamp(0, 1)).square()
