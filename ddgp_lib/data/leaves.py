r"""Dead leaves: images of discs that hide each other, which have the edges and the scales of photographs.

Discs fall one after the other on a plane, at uniform places, with grey levels of their own and with radii r of the
density

.. math::

    p(r) \propto r^{-3} , \qquad r_{\min} \le r \le r_{\max} .

What is seen from above, once the plane is covered, is piecewise constant, and with this density the same at every
scale between the two radii.  Photographs are, too, and share the spectrum near :math:`\|k\|^{-2}` and the heavy tails
of their differences.  So these images teach what an edge is without showing what it belongs to, nobody holds rights
in them, and there are as many as one likes.
"""

import numpy as np
import torch

from ..arguments import LARGEST_IMAGE, require, require_integer, require_number
from .augment import require_generator
from .resampling import height_and_width

FINER = 2
"""Images are drawn as many times finer and averaged, as a detector's pixel averages."""
LAYERS = 6
"""Times that the discs' area covers the image: e⁻⁶ of it, 0.25 %, stays the ground."""


def dead_leaves(
    count: int,
    size: int | tuple[int, int],
    generator: torch.Generator,
    *,
    smallest: float = 2.0,
    largest: float = 0.5,
) -> torch.Tensor:
    """Draw dead leaves images.

    Parameters
    ----------
    count : int
        Number of images N, 0 or above.
    size : int or pair of int
        Their side, or height and width, 2 or above.
    generator : torch.Generator
        Makes all draws.
    smallest : float
        Smallest radius in pixels, 1 or above.
    largest : float
        Largest radius as a fraction of the larger side, above 0 and at most 2; never below ``smallest``.

    Returns
    -------
    Tensor, float32, shape (N, 1, H, W)
        Grey levels in [0, 1].

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Lee, Mumford and Huang, "Occlusion models for natural images: a statistical study of a scale-invariant dead leaves
    model", 2001.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.data import dead_leaves
    >>> images = dead_leaves(2, 32, torch.Generator().manual_seed(0))
    >>> tuple(images.shape), 0 <= float(images.min()) < float(images.max()) <= 1
    ((2, 1, 32, 32), True)
    """
    require_integer("count", count, lowest=0)
    height, width = height_and_width(size, lowest=2)
    wanted = f"images that fit into memory, {LARGEST_IMAGE} numbers at most"
    require(count * height * width * FINER**2 <= LARGEST_IMAGE, "count", count, wanted)
    require_generator(generator)
    require_number("smallest", smallest, lowest=1)
    require_number("largest", largest, above=0, highest=2)
    ends = float(smallest), max(float(smallest), largest * max(height, width))
    images = np.empty((count, height, width), dtype=np.float32)
    for image in images:
        image[:] = _image((height, width), ends, generator)
    return torch.from_numpy(images)[:, None]


def _image(sides: tuple[int, int], ends: tuple[float, float], generator: torch.Generator) -> np.ndarray:
    """Draw an image (H, W): discs from the lowest to the topmost, whose centres lie up to a radius outside."""
    fine = np.full((FINER * sides[0], FINER * sides[1]), 0.5, dtype=np.float32)
    reach = FINER * ends[1]
    spans = [side + 2 * reach for side in fine.shape]
    number = _number(spans, FINER * ends[0], reach)
    rows, columns, shares, greys = torch.rand(4, number, generator=generator, dtype=torch.float64).numpy()
    radii = FINER * _radii(shares, *ends)
    for row, column, radius, grey in zip(
        spans[0] * rows - reach, spans[1] * columns - reach, radii, greys, strict=True
    ):
        _paint(fine, row, column, radius, grey)
    return fine.reshape(sides[0], FINER, sides[1], FINER).mean(axis=(1, 3))


def _radii(shares: np.ndarray, smallest: float, largest: float) -> np.ndarray:
    """Return radii of the density r⁻³ from uniform shares, by the inverse of its distribution."""
    low, high = smallest**-2, largest**-2
    return (low - shares * (low - high)) ** -0.5


def _number(spans: list[float], smallest: float, largest: float) -> int:
    """Return the number of discs whose area covers the plane :data:`LAYERS` times."""
    ratio = largest / smallest
    square = smallest**2 * (2 * np.log(ratio) / (1 - ratio**-2) if ratio > 1 else 1.0)  # the mean of r²
    return int(np.ceil(LAYERS * spans[0] * spans[1] / (np.pi * square)))


def _paint(image: np.ndarray, row: float, column: float, radius: float, grey: float) -> None:
    """Paint a disc over an image, where they meet."""
    top, bottom = max(0, int(row - radius)), min(image.shape[0], int(row + radius) + 2)
    left, right = max(0, int(column - radius)), min(image.shape[1], int(column + radius) + 2)
    if top >= bottom or left >= right:
        return
    down = np.arange(top, bottom)[:, None] + 0.5 - row
    across = np.arange(left, right) + 0.5 - column
    image[top:bottom, left:right][down**2 + across**2 <= radius**2] = grey
