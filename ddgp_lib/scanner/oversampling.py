"""Removal of the readout's oversampling: the scanner samples a wider field of view than the image shows."""

from dataclasses import replace

import torch

from ..arguments import require, require_instance, require_integer
from ..data.fourier import centred_fourier
from ..names import PixelAxis
from .kspace import KSpace, place_of, require_kspace, require_pixel_axis


def remove_oversampling(kspace: torch.Tensor, size: int, axis: PixelAxis = "width") -> torch.Tensor:
    """Keep the middle of the field of view along an axis that is sampled in full.

    K-space is transformed along the axis, cut to the middle, and transformed back.  White noise stays white, of the
    same standard deviation.

    Parameters
    ----------
    kspace : Tensor, complex, shape (C, H, W) or (S, C, H, W)
        Each line along the axis has to be measured as a whole, or not at all.
    size : int
        Pixels that are kept.
    axis : str
        ``"height"`` or ``"width"``: the readout.

    Returns
    -------
    Tensor
        With ``size`` places along the axis.

    Raises
    ------
    ValueError
        If an argument is not accepted, or there are fewer than ``size`` places.

    References
    ----------
    Bernstein, King and Zhou, "Handbook of MRI pulse sequences", 2004, section 11.1.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.scanner import remove_oversampling
    >>> remove_oversampling(torch.ones(2, 6, 8, dtype=torch.complex64), 4).shape
    torch.Size([2, 6, 4])
    """
    require_kspace("kspace", kspace)
    require_pixel_axis("axis", axis)
    place = place_of(axis)
    require_integer("size", size, lowest=1, highest=kspace.shape[place])
    images = centred_fourier(kspace, inverse=True, dim=(place,))
    middle = images.narrow(place, kspace.shape[place] // 2 - size // 2, size)
    return centred_fourier(middle, dim=(place,))


def without_oversampling(measured: KSpace) -> KSpace:
    """Remove the oversampling of a record's readout, as far as the record knows of it.

    Parameters
    ----------
    measured : KSpace
        With a known ``readout`` and ``size``.

    Returns
    -------
    KSpace
        With ``size`` places along the readout, and its share of the field of view.

    Raises
    ------
    ValueError
        If the readout or the size is unknown, or lines were measured in part, as with an asymmetric echo.
    """
    require_instance("measured", measured, KSpace, "a KSpace")
    known = measured.readout is not None and measured.size is not None
    require(known, "measured", measured, "a record whose readout and size are known")
    assert measured.readout is not None
    assert measured.size is not None
    place = place_of(measured.readout)
    size, width = measured.size[place], measured.data.shape[place]
    whole = bool((measured.mask.any(place) == measured.mask.all(place)).all())
    require(
        whole, "measured", measured, "lines that were measured as a whole along the readout, or not at all"
    )
    require(size <= width, "measured", measured, f"a size of at most {width} along the readout")
    view = None if measured.field_of_view is None else list(measured.field_of_view)
    if view is not None:
        view[place] *= size / width
    return replace(
        measured,
        data=remove_oversampling(measured.data, size, measured.readout),
        mask=measured.mask.narrow(place, 0, size),
        field_of_view=None if view is None else (view[0], view[1]),
    )
