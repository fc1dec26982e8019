r"""The noise level of measurements, from repeats, from the corners of k-space or of an image, or a scan of noise.

``sigma`` is the standard deviation of a real number, and of the real *and* of the imaginary part of a complex one:
the mean of :math:`|n|^2` is :math:`c \sigma^2` with :math:`c = 1` for real and :math:`c = 2` for complex numbers.
Noise is taken to be Gaussian and independent from number to number.  A level is as good as what it is estimated from:
compare the corners of k-space with those of the image, and lines with each other, before one number is taken for all.
"""

import math
from dataclasses import dataclass

import torch

from ..arguments import is_integer, require, require_count, require_flag, require_tensor

MEDIAN_ABSOLUTE = 0.6744897501960817
"""Median of |n| for a real Gaussian number of standard deviation 1."""
MEDIAN_ERROR = 1.1664
"""Standard error of σ by that median, as a multiple of σ / √N."""


@dataclass(frozen=True)
class NoiseEstimate:
    """A noise level and how sure it is.

    Attributes
    ----------
    sigma : float
        Standard deviation of a real number, or of each part of a complex one.
    error : float
        Its standard error, for Gaussian noise.
    numbers : int
        How many numbers it is from.
    """

    sigma: float
    error: float
    numbers: int

    @property
    def rtol(self) -> float:
        """Relative standard error, as ``sigma_rtol`` of :func:`~ddgp_lib.experiments.heldout.held_out_error`."""
        return self.error / self.sigma if self.sigma > 0 else math.inf


def noise_from_scan(scan: torch.Tensor) -> NoiseEstimate:
    """Estimate the noise from a scan of nothing, whose true values are all 0.

    Parameters
    ----------
    scan : Tensor, any shape
        Real or complex; one level is estimated for all.

    Returns
    -------
    NoiseEstimate

    Raises
    ------
    ValueError
        If the argument is not accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.noise_level import noise_from_scan
    >>> found = noise_from_scan(0.3 * torch.randn(4, 5000, generator=torch.Generator().manual_seed(0)))
    >>> abs(found.sigma - 0.3) < 3 * found.error, found.numbers
    (True, 20000)
    """
    require_tensor("scan", scan)
    require(scan.numel() > 0, "scan.shape", tuple(scan.shape), "one number at least")
    return _from_energy(_square(scan).sum(), _parts(scan) * scan.numel(), scan.numel())


def noise_from_repeats(repeats: torch.Tensor) -> NoiseEstimate:
    r"""Estimate the noise from repeats of one measurement, by what they differ from their mean.

    With R repeats of N numbers, :math:`\sigma^2 = \sum_{rk} |y_{rk} - \bar y_k|^2 / (c (R - 1) N)`.  Repeats must be
    exposures of their own: what drifts between them is taken for noise, and what they share is not seen.

    Parameters
    ----------
    repeats : Tensor, shape (R, …)
        Two or more repeats, real or complex.

    Returns
    -------
    NoiseEstimate

    Raises
    ------
    ValueError
        If the argument is not accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.noise_level import noise_from_repeats
    >>> generator = torch.Generator().manual_seed(0)
    >>> scene = torch.rand(1024, generator=generator)
    >>> found = noise_from_repeats(scene + 0.1 * torch.randn(5, 1024, generator=generator))
    >>> abs(found.sigma - 0.1) < 3 * found.error
    True
    """
    require_tensor("repeats", repeats)
    fits = repeats.ndim >= 2 and len(repeats) >= 2 and repeats.numel() > 0
    require(fits, "repeats.shape", tuple(repeats.shape), "(R, …), with two repeats or more")
    apart = _square(repeats - repeats.mean(dim=0, keepdim=True)).sum()
    freedom = _parts(repeats) * (repeats.numel() - repeats[0].numel())
    return _from_energy(apart, freedom, repeats.numel())


def noise_from_corners(values: torch.Tensor, side: int, *, robust: bool = False) -> NoiseEstimate:
    """Estimate the noise from the four corners of k-space or of an image, where the object is taken to be absent.

    An orthonormal Fourier transform keeps the noise level, so that the corners of a coil's complex image, the air
    around a head, are an estimate too.  What signal there is in the corners makes the estimate too large; that of a
    magnitude image, or of images that were filtered or interpolated, is another one.  So
    is that of k-space behind a window, which is smaller in the corners: :func:`noise_by_line` tells it.

    Parameters
    ----------
    values : Tensor, shape (…, H, W)
        Real or complex, with the origin of k-space in the middle.
    side : int
        Side of the squares in pixels, at most half of H and of W.
    robust : bool
        Whether the median of the energies is taken and not their mean, which single bright places change less.

    Returns
    -------
    NoiseEstimate

    Raises
    ------
    ValueError
        If an argument is not accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.noise_level import noise_from_corners
    >>> kspace = 0.2 * torch.view_as_complex(torch.randn(64, 64, 2, generator=torch.Generator().manual_seed(0)))
    >>> kspace[32, 32] = 100
    >>> found = noise_from_corners(kspace, 16)
    >>> abs(found.sigma - 0.2) < 3 * found.error, found.numbers
    (True, 1024)
    """
    _require_planes(values)
    _require_side(side, values.shape[-2:], "half of H and of W")
    require_flag("robust", robust)
    ends = torch.cat([torch.arange(side), torch.arange(-side, 0)])
    corners = values[..., ends, :][..., ends]
    numbers, parts = corners.numel(), _parts(values)
    if not robust:
        return _from_energy(_square(corners).sum(), parts * numbers, numbers)
    sigma = math.sqrt(float(_square(corners).median()) / _median_energy(parts))
    relative = 1 / (2 * math.log(2)) if parts == 2 else MEDIAN_ERROR
    return NoiseEstimate(sigma, relative * sigma / math.sqrt(numbers), numbers)


def noise_by_line(values: torch.Tensor, side: int, *, dim: int = -2, robust: bool = False) -> torch.Tensor:
    """Estimate the noise of each line of k-space, from the ends of the lines, where the object is taken to be absent.

    What a scanner or its software filters has noise of another level in each line: a window along the readout makes
    the noise of the corners far smaller than that of the middle.  Where all lines have one level, one number is surer
    (:func:`noise_from_corners`).

    Parameters
    ----------
    values : Tensor, shape (…, H, W)
        Real or complex, with the origin of k-space in the middle; what is in front, such as slices, has one level.
    side : int
        How many places at both ends of a line are taken, at most half of its length.
    dim : int
        The dimension along which the level changes: -2 for rows, -1 for columns.
    robust : bool
        Whether the median of the energies is taken and not their mean.

    Returns
    -------
    Tensor, shape (H, 1) or (1, W)
        ``sigma`` of each line in double precision, which broadcasts to ``values``.  Its relative standard error is
        1 / √(2 c N) with N numbers at the ends of a line, and 1.4 times that with the median of complex numbers.

    Raises
    ------
    ValueError
        If an argument is not accepted, or the ends of a line are all 0.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.noise_level import noise_by_line
    >>> levels = torch.linspace(0.1, 1, 32)[:, None]
    >>> scan = levels * torch.randn(50, 32, 64, generator=torch.Generator().manual_seed(0))
    >>> found = noise_by_line(scan, 8)
    >>> found.shape, (found / levels - 1).abs().max().item() < 0.1
    (torch.Size([32, 1]), True)
    """
    _require_planes(values)
    require(is_integer(dim) and dim in (-2, -1), "dim", dim, "-2 for rows or -1 for columns")
    require_flag("robust", robust)
    lines = values.movedim(dim, 0)
    _require_side(side, lines.shape[-1:], "half of the length of a line")
    energies = _square(torch.cat([lines[..., :side], lines[..., -side:]], dim=-1)).flatten(1)
    parts = _parts(values)
    if not robust:
        sigma = (energies.mean(dim=1) / parts).sqrt()
    else:
        sigma = (energies.median(dim=1).values / _median_energy(parts)).sqrt()
    empty = (sigma == 0).nonzero().flatten().tolist()
    require(not empty, "values", values, f"numbers that are not 0 at the ends of lines {empty[:5]}")
    return sigma[:, None] if dim == -2 else sigma[None]


def _require_planes(values: torch.Tensor) -> None:
    require_tensor("values", values)
    require(values.ndim >= 2 and values.numel() > 0, "values.shape", tuple(values.shape), "(…, H, W)")


def _require_side(side: int, lengths: tuple[int, ...], words: str) -> None:
    require_count("side", side)
    largest = min(lengths) // 2
    require(side <= largest, "side", side, f"1 to {largest}, {words}")


def _median_energy(parts: int) -> float:
    """Return the median of |n|² for noise of standard deviation 1."""
    return 2 * math.log(2) if parts == 2 else MEDIAN_ABSOLUTE**2


def _from_energy(energy: torch.Tensor, freedom: int, numbers: int) -> NoiseEstimate:
    """Return σ from a sum of squares of real numbers, with its degrees of freedom."""
    sigma = math.sqrt(float(energy) / freedom)
    return NoiseEstimate(sigma, sigma / math.sqrt(2 * freedom), numbers)


def _parts(values: torch.Tensor) -> int:
    return 2 if values.is_complex() else 1


def _square(values: torch.Tensor) -> torch.Tensor:
    return values.abs().double().square()
