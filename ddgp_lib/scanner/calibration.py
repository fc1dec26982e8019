"""The calibration region: the part around the zero frequency that was measured in full."""

from typing import NamedTuple

import torch

from ..arguments import require, require_instance, require_integer


class Region(NamedTuple):
    """A rectangle of k-space, for an index such as ``kspace[..., region.rows, region.columns]``."""

    rows: slice
    columns: slice

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start


def calibration_region(mask: torch.Tensor, largest: int | None = None) -> Region:
    """Find the largest rectangle around the zero frequency that was measured in full.

    Parameters
    ----------
    mask : Tensor, bool, shape (H, W)
        Places that were measured; the zero frequency is at H // 2, W // 2.
    largest : int, optional
        Longest side: a larger rectangle is cut around the zero frequency.

    Returns
    -------
    Region

    Raises
    ------
    ValueError
        If an argument is not accepted, or the zero frequency was not measured.

    Notes
    -----
    Each row has a run of measured places around the middle column; a rectangle from one row to another is as wide as
    the shortest run between them, to the left and to the right.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.scanner import calibration_region
    >>> mask = torch.zeros(8, 8, dtype=torch.bool)
    >>> mask[:, 3:6] = True  # whole columns
    >>> calibration_region(mask).sides
    (8, 3)
    """
    wanted = "a tensor of bool, shape (H, W), with the zero frequency measured"
    require_instance("mask", mask, torch.Tensor, wanted)
    require(mask.dtype == torch.bool and mask.ndim == 2 and mask.numel() > 0, "mask", mask, wanted)
    require_integer("largest", largest, lowest=1, none=True)
    row, column = (side // 2 for side in mask.shape)
    require(bool(mask[row, column]), "mask", mask, wanted)
    right = _runs(mask[:, column:])
    left = _runs(mask[:, : column + 1].flip(1)) - 1
    up = [_shortest(run[: row + 1].flip(0)) for run in (left, right)]
    down = [_shortest(run[row:]) for run in (left, right)]
    widths = [torch.minimum(above[:, None], below) for above, below in zip(up, down, strict=True)]
    heights = torch.arange(len(up[0]))[:, None] + torch.arange(len(down[0])) + 1
    measured = (up[1] > 0)[:, None] & (down[1] > 0)
    areas = heights * (widths[0] + widths[1]) * measured
    above, below = divmod(int(areas.argmax()), areas.shape[1])
    first, last = column - int(widths[0][above, below]), column + int(widths[1][above, below])
    return Region(_cut(row - above, row + below + 1, row, largest), _cut(first, last, column, largest))


def _runs(mask: torch.Tensor) -> torch.Tensor:
    """Count the measured places of each row up to the first that was not."""
    return mask.long().cumprod(dim=1).sum(dim=1)


def _shortest(runs: torch.Tensor) -> torch.Tensor:
    """Return the shortest run up to each row."""
    return runs.cummin(dim=0).values


def _cut(start: int, stop: int, middle: int, largest: int | None) -> slice:
    """Cut an interval to a length, around the middle as far as it reaches."""
    if largest is None or stop - start <= largest:
        return slice(start, stop)
    start = min(max(start, middle - largest // 2), stop - largest)
    return slice(start, start + largest)
