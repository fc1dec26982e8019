"""Bring images to another size."""

from typing import Any

import torch
from torch.nn import functional

from ..arguments import LARGEST_IMAGE, LARGEST_SIDE, is_integer, require, require_images, require_integer

Size = int | tuple[int, int]


def height_and_width(size: Any, *, lowest: int = 1) -> tuple[int, int]:
    """Return the height and the width that a size, one integer or two, stands for.

    Raises
    ------
    ValueError
        If it is anything else, or a side is below ``lowest`` pixels or above 16,384.
    """
    sides = (size, size) if is_integer(size) else size
    fits = isinstance(sides, tuple | list) and len(sides) == 2
    fits = fits and all(is_integer(side) and lowest <= side <= LARGEST_SIDE for side in sides)
    bounds = f"from {lowest} to {LARGEST_SIDE}"
    require(fits, "size", size, f"an integer {bounds}, or a height and a width, each {bounds}")
    return int(sides[0]), int(sides[1])


def sides_of_phases(count: Any, size: Any) -> tuple[int, int]:
    """Return the height and the width of so many phases, once they are known to fit into memory.

    Raises
    ------
    ValueError
        If the number is no integer from 0 on, a side is below 2 pixels, or all are too many numbers.
    """
    require_integer("count", count, lowest=0)
    height, width = height_and_width(size, lowest=2)
    wanted = f"phases that fit into memory, {LARGEST_IMAGE} numbers at most"
    require(count * height * width <= LARGEST_IMAGE, "count", count, wanted)
    return height, width


def resample(images: torch.Tensor, size: Size) -> torch.Tensor:
    """Resample images bilinearly, without aliasing.

    Parameters
    ----------
    images : Tensor, shape (N, C, H, W)
        In [0, 1].
    size : int or pair of int
        The new side, or height and width, in pixels.

    Returns
    -------
    Tensor, shape (N, C, *size)
        In [0, 1].

    Raises
    ------
    ValueError
        If an argument is not accepted.
    """
    require_images("images", images, bounds=(0, 1))
    sides = height_and_width(size)
    if images.shape[-2:] == sides:
        return images
    return functional.interpolate(images, size=sides, mode="bilinear", antialias=True).clamp(0, 1)
