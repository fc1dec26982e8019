"""What all readers do: refuse a path or a number of a slice, and make a record of what a file holds."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..arguments import LARGEST_IMAGE, LARGEST_SIDE, is_integer, require
from .kspace import KSpace


def record(array: np.ndarray, source: str, *, mask: np.ndarray | None = None, **known: Any) -> KSpace:
    """Make a record of an array that a file holds; whatever does not fit is said of the file.

    Parameters
    ----------
    array : ndarray, complex, shape (C, H, W) or (S, C, H, W)
        K-space, of any precision and order of bytes.
    source : str
        The file.
    mask : ndarray, shape (H, W) or (S, H, W), optional
        Places that were measured; those where a coil has another value than zero, unless given.
    **known : Any
        What else is known: attributes of :class:`KSpace`.

    Raises
    ------
    ValueError
        If the array is not finite, holds zeros alone, or is too large.
    """
    found = f"{array.dtype} of shape {array.shape}, in {source}"
    fits = array.dtype.kind == "c" and array.ndim in (3, 4) and 0 < array.size <= LARGEST_IMAGE
    fits = fits and max(array.shape) <= LARGEST_SIDE
    require(
        fits,
        "kspace",
        found,
        f"complex (coils, H, W) or (slices, coils, H, W), {LARGEST_IMAGE} numbers at most",
    )
    with np.errstate(over="ignore"):
        data = torch.from_numpy(np.require(array, np.complex64, ["C", "W"]))
    finite = bool(torch.isfinite(torch.view_as_real(data)).all())
    require(
        finite, "kspace", f"numbers that are NaN or infinite, in {source}", "finite ones in single precision"
    )
    require(bool((data != 0).any()), "kspace", f"zeros alone, in {source}", "a place that was measured")
    if mask is None:
        return KSpace(data, (data != 0).any(dim=-3), source, **known)
    measured = torch.from_numpy(np.require(mask, bool, ["C", "W"]))
    return KSpace(data * measured.unsqueeze(-3), measured, source, **known)


def require_path(argument: str, value: Any) -> None:
    """Raise a ``ValueError`` unless ``value`` is the path of a file, or a ``FileNotFoundError`` if there is none."""
    fits = isinstance(value, str | os.PathLike) and str(value) != "" and "\0" not in str(value)
    require(fits, argument, value, "the path of a file")
    if not Path(value).is_file():
        raise FileNotFoundError(f"{argument}={str(value)!r}: no such file")


def require_chosen(argument: str, value: Any, count: int, source: str) -> None:
    """Raise a ``ValueError`` unless ``value`` is None or numbers of slices that a file has.

    Parameters
    ----------
    argument : str
        The argument's name.
    value : Any
        What was given: numbers from 0, no one twice.
    count : int
        Slices that there are.
    source : str
        The file.
    """
    numbers = isinstance(value, list | tuple | range) and len(value) > 0 and all(map(is_integer, value))
    fits = numbers and min(value) >= 0 and max(value) < count and len(set(value)) == len(value)
    require(
        value is None or fits, argument, value, f"None, or numbers from 0 to {count - 1}, slices of {source}"
    )
