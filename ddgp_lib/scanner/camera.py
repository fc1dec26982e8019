"""From a scanner's k-space to a camera of this library: an operator, and measurements in its convention and units."""

from typing import NamedTuple

import torch

from ..arguments import require, require_instance, require_number
from ..operators import SenseMRI, normalise_maps
from .espirit import Sensitivities, espirit_maps
from .kspace import KSpace
from .scaling import brightness


class PreparedScan(NamedTuple):
    """A scan as the solvers of this library take it."""

    physics: SenseMRI
    """The operator, with the maps and the mask of the scan."""
    y: torch.Tensor
    """Measurements (1, 2, C, H, W), in units in which the brightness is what was asked for."""
    factor: float
    """What the record's k-space was multiplied by."""


def prepare_scan(
    measured: KSpace,
    mask: torch.Tensor | None = None,
    *,
    maps: Sensitivities | torch.Tensor | None = None,
    noise: float = 0.0,
    percentile: float = 99.0,
    bright: float = 1.0,
    split: float = 1e-2,
    tol: float = 1e-3,
    seed: int = 0,
) -> PreparedScan:
    """Make an operator and its measurements of one slice that a scanner measured.

    K-space of a record and of :class:`~ddgp_lib.operators.sense.SenseMRI` have the same convention: the transform is
    orthonormal, and pixel and frequency zero stand at n // 2.  So nothing is done to the measurements but to choose
    among them and to scale them, and white noise stays white.

    Parameters
    ----------
    measured : KSpace
        One slice, (C, H, W); best prewhitened, see :func:`~ddgp_lib.scanner.prewhitening.prewhiten`.
    mask : Tensor, bool, shape (W,) or (H, W), optional
        Columns or places to use of those that were measured, for a scan that is accelerated afterwards; by default
        all.
    maps : Sensitivities, or Tensor, complex, shape (C, H, W), optional
        Maps of the coils; by default ESPIRiT's from the used places alone.  A tensor is divided by its root sum of
        squares; maps that ESPIRiT found keep their support.
    noise : float
        Standard deviation of the noise on the real and on the imaginary part of each entry, in the record's units.
    percentile : float
        Of the brightness, as in :func:`~ddgp_lib.scanner.scaling.brightness`; it is found from the used places alone.
    bright : float
        The brightness in the new units, above 0.  By default the brightest tissue is about 1; for a denoiser or a P,
        take the brightness that the images had which it was trained on.
    split, tol, seed : float, float, int
        As for :class:`~ddgp_lib.operators.sense.SenseMRI`.

    Returns
    -------
    PreparedScan

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or the places that are used have no calibration region.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.data.fourier import centred_fourier
    >>> from ddgp_lib.operators import birdcage_maps
    >>> from ddgp_lib.scanner import KSpace, prepare_scan
    >>> data = centred_fourier(5 * birdcage_maps(4, 32, 32))
    >>> scan = prepare_scan(KSpace(data, torch.ones(32, 32, dtype=torch.bool), "simulated"))
    >>> round(scan.factor, 2)
    0.2
    """
    require_instance("measured", measured, KSpace, "a KSpace")
    require(
        measured.data.ndim == 3, "measured.data.shape", tuple(measured.data.shape), "one slice, (C, H, W)"
    )
    require_number("noise", noise, lowest=0)
    require_number("bright", bright, above=0)
    used = measured.mask & _chosen(mask, measured.mask)
    require(bool(used.any()), "mask", mask, "one measured place or more")
    kspace = measured.data * used
    factor = bright / brightness(kspace, percentile)
    physics = SenseMRI(_unit_maps(maps, kspace), used, noise=noise * factor, seed=seed, split=split, tol=tol)
    y = torch.view_as_real(factor * kspace).movedim(-1, 0)[None].contiguous()
    return PreparedScan(physics, y, factor)


def _chosen(mask: torch.Tensor | None, measured: torch.Tensor) -> torch.Tensor:
    """Return which places are to be used, (H, W)."""
    if mask is None:
        return torch.ones_like(measured)
    shapes = ((measured.shape[1],), tuple(measured.shape))
    wanted = f"None, or a tensor of bool, shape {shapes[0]} or {shapes[1]}"
    require_instance("mask", mask, torch.Tensor, wanted)
    require(mask.dtype == torch.bool and tuple(mask.shape) in shapes, "mask", mask, wanted)
    return mask.expand(measured.shape)


def _unit_maps(maps: Sensitivities | torch.Tensor | None, kspace: torch.Tensor) -> torch.Tensor:
    """Return maps of a root sum of squares of 1 or less, of the shape of k-space."""
    if maps is None:
        maps = espirit_maps(kspace)
    wanted = "None, Sensitivities, or a complex tensor (C, H, W)"
    require_instance("maps", maps, Sensitivities | torch.Tensor, wanted)
    found = maps.maps if isinstance(maps, Sensitivities) else normalise_maps(maps)
    require(
        found.shape == kspace.shape, "maps.shape", tuple(found.shape), f"{tuple(kspace.shape)}, as the scan"
    )
    return found
