"""Coil compression: a few virtual coils hold nearly all of what many coils measured."""

import torch

from ..arguments import require_integer
from ..data.fourier import centred_fourier
from ..names import PixelAxis
from .coils import mix_coils
from .kspace import place_of, require_kspace, require_pixel_axis


def compression_matrix(kspace: torch.Tensor, coils: int) -> tuple[torch.Tensor, float]:
    """Find the virtual coils that hold most of the energy: the first left singular vectors of coils × places.

    Parameters
    ----------
    kspace : Tensor, complex, shape (C, H, W) or (S, C, H, W)
        Measurements, or the calibration region alone; prewhitened, so that the noise of virtual coils is white too.
    coils : int
        Number D of virtual coils, from 1 to C.

    Returns
    -------
    matrix : Tensor, complex64, shape (D, C)
        With orthonormal rows, for :func:`ddgp_lib.scanner.coils.mix_coils`; each row's largest entry is positive.
    energy : float
        The fraction of the energy that is kept, in [0, 1].

    Raises
    ------
    ValueError
        If an argument is not accepted.

    References
    ----------
    Buehrer et al., "Array compression for MRI with large coil arrays", 2007; Huang et al., "A software channel
    compression technique for faster reconstruction with many channels", 2008.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.scanner import compression_matrix
    >>> same = torch.ones(4, 8, 8, dtype=torch.complex64)  # all coils see the same
    >>> matrix, energy = compression_matrix(same, 1)
    >>> round(energy, 3)
    1.0
    """
    require_kspace("kspace", kspace)
    require_integer("coils", coils, lowest=1, highest=kspace.shape[-3])
    samples = kspace.movedim(-3, 0).flatten(1)
    energies, vectors = torch.linalg.eigh(_gram(samples.detach()))
    rows = vectors.flip(-1)[:, :coils].mH
    total = float(energies.clamp(min=0).sum())
    kept = float(energies.flip(-1)[:coils].clamp(min=0).sum())
    return _upright(rows).to(torch.complex64), min(kept / total, 1.0) if total > 0 else 1.0


def compress_coils(kspace: torch.Tensor, coils: int) -> tuple[torch.Tensor, float]:
    """Mix the coils into virtual ones that hold most of the energy.

    Parameters
    ----------
    kspace : Tensor, complex, shape (C, H, W) or (S, C, H, W)
        Prewhitened measurements.
    coils : int
        Number D of virtual coils, from 1 to C; with all of them the mixture is unitary.

    Returns
    -------
    kspace : Tensor, shape (D, H, W) or (S, D, H, W)
    energy : float
        The fraction of the energy that is kept, in [0, 1].

    Raises
    ------
    ValueError
        If an argument is not accepted.
    """
    matrix, energy = compression_matrix(kspace, coils)
    return mix_coils(matrix, kspace), energy


def compress_coils_geometrically(
    kspace: torch.Tensor, coils: int, axis: PixelAxis = "width"
) -> tuple[torch.Tensor, float]:
    """Compress the coils anew at each place along the readout, and align neighbouring places.

    A slice of an image sees fewer coils than the whole image, so as many virtual coils keep more.  Each place
    is aligned with its neighbour by the unitary matrix that brings them nearest, so that virtual coils stay smooth.

    Parameters
    ----------
    kspace : Tensor, complex, shape (C, H, W)
        Prewhitened measurements of one slice, sampled in full along the readout.
    coils : int
        Number D of virtual coils, from 1 to C.
    axis : str
        The readout, ``"height"`` or ``"width"``.

    Returns
    -------
    kspace : Tensor, shape (D, H, W)
    energy : float
        The fraction of the energy that is kept, in [0, 1].

    Raises
    ------
    ValueError
        If an argument is not accepted.

    References
    ----------
    Zhang et al., "Coil compression for accelerated imaging with Cartesian sampling", 2013.
    """
    require_kspace("kspace", kspace, dimensions=(3,))
    require_integer("coils", coils, lowest=1, highest=kspace.shape[0])
    require_pixel_axis("axis", axis)
    place = place_of(axis)
    hybrid = centred_fourier(kspace, inverse=True, dim=(place,)).movedim(place, 0)  # (places, C, lines)
    energies, vectors = torch.linalg.eigh(_gram(hybrid.detach()))
    rows = _aligned(vectors.flip(-1)[..., :coils].mH).to(kspace.dtype)
    mixed = (rows @ hybrid).movedim(0, place)
    total = float(energies.clamp(min=0).sum())
    kept = float(energies.flip(-1)[:, :coils].clamp(min=0).sum())
    return centred_fourier(mixed, dim=(place,)), min(kept / total, 1.0) if total > 0 else 1.0


def _gram(samples: torch.Tensor) -> torch.Tensor:
    """Return the products of all pairs of coils, (…, C, C), in double precision."""
    exact = samples.to(torch.complex128)
    return exact @ exact.mH


def _upright(rows: torch.Tensor) -> torch.Tensor:
    """Turn the phase of each row so that its largest entry is positive."""
    largest = rows.gather(-1, rows.abs().argmax(-1, keepdim=True))
    return rows * (largest.conj() / largest.abs())


def _aligned(rows: torch.Tensor) -> torch.Tensor:
    """Turn the virtual coils (places, D, C) of each place towards those of its neighbour, from the middle on."""
    turned, middle = rows.clone(), len(rows) // 2
    turned[middle] = _upright(rows[middle])
    for k in [*range(middle + 1, len(rows)), *range(middle - 1, -1, -1)]:
        left, _, right = torch.linalg.svd(turned[k - 1 if k > middle else k + 1] @ rows[k].mH)
        turned[k] = left @ right @ rows[k]
    return turned
