"""Measured coefficients of single-pixel cameras, put into the order and the signs of the library's operators."""

import torch

from ...arguments import require, require_instance, require_integer
from ...operators.haar import blocks
from .records import Measured


def diameters_of(measured: Measured) -> tuple[int, ...]:
    """Return the diameters of the region that collects light, each with an acquisition of every series, rising.

    Parameters
    ----------
    measured : Measured
        The set ``car``.

    Raises
    ------
    ValueError
        If the set is none of acquisitions with Hadamard patterns.

    Examples
    --------
    >>> from ddgp_lib.data import load_measured
    >>> from ddgp_lib.data.measured import diameters_of
    >>> diameters_of(load_measured("car"))[:3]  # doctest: +SKIP
    (1, 9, 17)
    """
    found: dict[str, set[int]] = {}
    for series, diameter in _acquisitions(measured):
        found.setdefault(series, set()).add(diameter)
    return tuple(sorted(set.intersection(*found.values())))


def hadamard_coefficients(measured: Measured, diameter: int) -> torch.Tensor:
    """Return what a single-pixel camera with Hadamard patterns measured, at one diameter of the collected light.

    The patterns of the file have entries of ±1 and are in their natural order.  Those of
    :class:`~ddgp_lib.operators.HadamardCamera` have norm 1, in the same order: coefficients are divided by the side.

    Parameters
    ----------
    measured : Measured
        The set ``car``.
    diameter : int
        One of :func:`diameters_of`.

    Returns
    -------
    Tensor, shape (series, 1, H, W), float32
        All coefficients of the series ``boat``, ``half`` and ``zernike``, in the units of the file.  An image of the
        same units follows by ``HadamardCamera.V``.

    Raises
    ------
    ValueError
        If the set is none of acquisitions with Hadamard patterns, or has none of this diameter.

    Examples
    --------
    >>> from ddgp_lib.data import load_measured
    >>> from ddgp_lib.data.measured import hadamard_coefficients
    >>> hadamard_coefficients(load_measured("car"), 257).shape  # doctest: +SKIP
    torch.Size([3, 1, 32, 32])
    """
    acquisitions = _acquisitions(measured)
    require_integer("diameter", diameter, lowest=1)
    chosen = [place for place, (_, each) in enumerate(acquisitions) if each == diameter]
    require(bool(chosen), "diameter", diameter, f"one of {diameters_of(measured)}")
    side = int(measured.meta["size"])
    return (measured["coefficients"][chosen] / side).reshape(-1, 1, side, side).float()


def haar_coefficients(measured: Measured) -> torch.Tensor:
    """Return what a single-pixel camera with Haar patterns measured.

    In the file a difference is the second half minus the first, in each direction, so that those of the quarters have
    the signs of :class:`~ddgp_lib.operators.HaarCamera` and the others have not: they are turned.

    Parameters
    ----------
    measured : Measured
        The set ``jaszczak``.

    Returns
    -------
    Tensor, shape (1, 1, H, W), float32
        All coefficients, in the units of the file.  An image of the same units follows by ``HaarCamera.V``.

    Raises
    ------
    ValueError
        If the set is none of Haar coefficients.

    Examples
    --------
    >>> from ddgp_lib.data import load_measured
    >>> from ddgp_lib.data.measured import haar_coefficients
    >>> haar_coefficients(load_measured("jaszczak")).shape  # doctest: +SKIP
    torch.Size([1, 1, 64, 64])
    """
    _require_set(measured, {"coarsest", "detail_sign"}, "a set of Haar coefficients, as jaszczak")
    found = measured["coefficients"].clone()
    side = int(measured.meta["coarsest"])
    while side < len(found):
        across, down, _ = blocks(side)
        for rows, columns in (across, down):
            found[rows, columns] *= measured.meta["detail_sign"]
        side *= 2
    return found[None, None].float()


def _acquisitions(measured: Measured) -> list[tuple[str, int]]:
    """Return the series and the diameter of each acquisition, from names such as ``Car_boat_roi_105``."""
    _require_set(measured, {"acquisition", "size"}, "a set of acquisitions with Hadamard patterns, as car")
    names = [name.split("_") for name in measured.meta["acquisition"]]
    return [(name[1], int(name[-1])) for name in names]


def _require_set(measured: Measured, entries: set[str], expected: str) -> None:
    require_instance("measured", measured, Measured, "a measured set, from load_measured")
    fits = "coefficients" in measured.arrays and entries <= set(measured.meta)
    require(fits, "measured", measured, expected)
