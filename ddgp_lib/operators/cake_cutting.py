"""The cake-cutting order of Hadamard patterns, the same on every machine.

Patterns come in the order of how many pieces they have, and many have equally many.  deepinv leaves their order to
NumPy's sort, which is not stable: with AVX-512, with AVX2 and without either it gives three different orders, and so
three different cameras.  At the sides in ``cake_cutting.npz`` ties are broken as they were where the book's
preconditioners were trained; at all others the pattern that comes first in the list comes first.
"""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from deepinv.physics.singlepixel import cake_cutting_seq, sequency_order

KEPT = Path(__file__).with_name("cake_cutting.npz")
"""Orders by side of the image."""


@cache
def cake_cutting_order(side: int) -> np.ndarray:
    """Return the places of the patterns in sequency order, those with the fewest pieces first, shape (side²,).

    Examples
    --------
    >>> from ddgp_lib.operators.cake_cutting import cake_cutting_order
    >>> cake_cutting_order(4)[:4].tolist()
    [0, 1, 7, 2]
    """
    with np.load(KEPT) as kept:
        if f"side_{side}" in kept:
            return kept[f"side_{side}"].astype(np.int64)
    pieces = [count for row in range(1, side + 1) for count in cake_cutting_seq(row, side)]
    return np.argsort(pieces, kind="stable")


def cake_cutting_mask(img_size: tuple[int, int, int], patterns: int) -> torch.Tensor:
    """Return the mask (1, C, H, W) of the first patterns, 1 where a Hadamard coefficient is measured; H = W."""
    side = img_size[-1]
    first = sequency_order(side * side)[cake_cutting_order(side)[:patterns]]
    columns, rows = np.divmod(first, side)  # patterns are numbered column by column
    mask = torch.zeros((1, *img_size))
    mask[:, :, rows, columns] = 1.0
    return mask
