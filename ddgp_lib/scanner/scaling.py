"""Scaling: k-space in units in which the brightest tissue is about 1, whatever the scanner's were."""

import torch

from ..arguments import require, require_integer, require_number
from ..data.fourier import centred_fourier
from .calibration import calibration_region
from .coils import root_sum_of_squares
from .kspace import measured_places, require_kspace


def low_resolution(kspace: torch.Tensor, width: int = 32) -> torch.Tensor:
    """Make the images of coils from the middle of k-space alone, under a window that keeps them from ringing.

    Parameters
    ----------
    kspace : Tensor, complex, shape (C, H, W) or (S, C, H, W)
        Measurements.
    width : int
        Longest side of the middle; its part that was measured in full counts.

    Returns
    -------
    Tensor
        Images of the shape of ``kspace``; a uniform area keeps its brightness.

    Raises
    ------
    ValueError
        If an argument is not accepted, or the zero frequency was not measured in all slices.
    """
    require_kspace("kspace", kspace)
    require_integer("width", width, lowest=1)
    region = calibration_region(measured_places("kspace", kspace), width)
    window = kspace.real.new_zeros(kspace.shape[-2:])
    window[region] = (
        _hann(region.rows, kspace.shape[-2]).outer(_hann(region.columns, kspace.shape[-1])).to(window)
    )
    return centred_fourier(kspace * window, inverse=True)


def brightness(kspace: torch.Tensor, percentile: float = 99.0, width: int = 32) -> float:
    """Estimate how bright the brightest tissue is.

    Low resolution blurs thin structures, such as fat below the skin: at full resolution they may come out brighter.

    Parameters
    ----------
    kspace : Tensor, complex, shape (C, H, W) or (S, C, H, W)
        Measurements, all in the same units.
    percentile : float
        Of the pixels of a low-resolution root-sum-of-squares image, above 0 and at most 100.  Lower than 100, so that
        a few pixels beside a coil do not decide it.
    width : int
        Side of the middle of k-space, as in :func:`low_resolution`.

    Returns
    -------
    float
        Above 0.

    Raises
    ------
    ValueError
        If an argument is not accepted, or the image is zero.
    """
    require_number("percentile", percentile, above=0, highest=100)
    image = root_sum_of_squares(low_resolution(kspace, width).detach()).double().flatten()
    place = max(1, round(percentile / 100 * image.numel()))
    value = float(image.kthvalue(place).values)
    require(value > 0, "kspace", "an image that is zero at the percentile", "brighter tissue")
    return value


def scale_to_unit(
    kspace: torch.Tensor, percentile: float = 99.0, width: int = 32
) -> tuple[torch.Tensor, float]:
    """Divide k-space by the brightness of the brightest tissue.

    Parameters
    ----------
    kspace : Tensor, complex, shape (C, H, W) or (S, C, H, W)
        Measurements.
    percentile : float
        As in :func:`brightness`.
    width : int
        As in :func:`low_resolution`.

    Returns
    -------
    kspace : Tensor
        The same times the factor.
    factor : float
        What it was multiplied by: so is the noise's standard deviation.

    Raises
    ------
    ValueError
        If an argument is not accepted, or the image is zero.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.data.fourier import centred_fourier
    >>> from ddgp_lib.scanner import scale_to_unit
    >>> flat = centred_fourier(torch.full((1, 16, 16), 5 + 0j)) + 1e-6
    >>> round(scale_to_unit(flat)[1], 3)
    0.2
    """
    factor = 1 / brightness(kspace, percentile, width)
    return kspace * factor, factor


def _hann(interval: slice, side: int) -> torch.Tensor:
    """Return the window of an interval around the middle, 1 at the zero frequency and falling to both ends."""
    places = torch.arange(interval.start, interval.stop, dtype=torch.float64) - side // 2
    reach = max(side // 2 - interval.start, interval.stop - 1 - side // 2) + 1
    return torch.cos(torch.pi / 2 * places / reach).square()
