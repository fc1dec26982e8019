"""Cartesian lines, as scanners store them one by one: put where they belong in k-space."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..arguments import LARGEST_IMAGE, require
from .kspace import KSpace
from .records import record


@dataclass(frozen=True, eq=False)
class Line:
    """One readout of all coils.

    Attributes
    ----------
    samples : ndarray, complex64, shape (coils, samples)
        What was measured.
    row : int
        Its place along the phase encoding, counted from the zero frequency.
    centre : int
        Which of the samples is at the zero frequency.
    slice : int
        Number of the slice.
    """

    samples: np.ndarray
    row: int
    centre: int
    slice: int


def assemble(
    lines: Sequence[Line],
    sides: tuple[int, int],
    source: str,
    *,
    noise: Sequence[np.ndarray] = (),
    **known: Any,
) -> KSpace:
    """Put lines into k-space, the readout along the width; places that were measured again hold the mean.

    Parameters
    ----------
    lines : sequence of Line
        The lines, in any order.
    sides : pair of int
        Height and width of the encoded k-space.
    source : str
        The file, for messages.
    noise : sequence of ndarray, shape (coils, samples)
        Readouts without a signal.
    **known : Any
        Attributes of the record.

    Returns
    -------
    KSpace
        With ``about["averages"]``, the fewest and the most times that a measured place was measured.

    Raises
    ------
    ValueError
        If there are no lines, they have different numbers of coils, or one does not fit into k-space.
    """
    require(len(lines) > 0, "path", source, "a file with lines of an image")
    coils, slices = len(lines[0].samples), 1 + max(line.slice for line in lines)
    shape = (slices, coils, *sides)
    require(
        slices * coils * sides[0] * sides[1] <= LARGEST_IMAGE,
        "kspace",
        f"{shape}, in {source}",
        f"at most {LARGEST_IMAGE} numbers",
    )
    total = np.zeros(shape, dtype=np.complex64)
    count = np.zeros((slices, *sides), dtype=np.int32)
    for line in lines:
        top, left = sides[0] // 2 + line.row, sides[1] // 2 - line.centre
        right = left + line.samples.shape[1]
        inside = 0 <= top < sides[0] and 0 <= left < right <= sides[1] and line.slice >= 0
        found = f"row {top}, columns {left} to {right} of {len(line.samples)} coils, in {source}"
        require(inside and len(line.samples) == coils, "line", found, f"a place in {sides} of {coils} coils")
        with np.errstate(all="ignore"):  # what is not finite is refused below
            total[line.slice, :, top, left:right] += line.samples
        count[line.slice, top, left:right] += 1
    total /= np.maximum(count, 1)[:, None]
    measured = count > 0
    empty = np.flatnonzero(~measured.any(axis=(1, 2)))
    require(
        empty.size == 0, "path", f"{source} without lines of slices {empty.tolist()}", "lines of each slice"
    )
    known["about"] = {**known.get("about", {}), "averages": (int(count[measured].min()), int(count.max()))}
    known["noise"] = _joined(noise, coils)
    if slices == 1:
        total, measured = total[0], measured[0]
    return record(total, source, mask=measured, readout="width", **known)


def matched(noise: np.ndarray, dwell: float | None, image_dwell: float | None) -> np.ndarray:
    """Scale noise to the strength that it has in the image: its variance is inverse to the time of a sample.

    Parameters
    ----------
    noise : ndarray, complex, shape (coils, samples)
        A readout without a signal.
    dwell, image_dwell : float, optional
        Time that a sample of the noise and one of the image took, in the same unit; unknown if None or not positive.

    Returns
    -------
    ndarray
        The noise as it is where a time is unknown.

    References
    ----------
    Kellman and McVeigh, "Image reconstruction in SNR units", 2005.
    """
    if not dwell or not image_dwell or min(dwell, image_dwell) < 0:
        return noise
    return noise * np.float32(math.sqrt(dwell / image_dwell))


def _joined(noise: Sequence[np.ndarray], coils: int) -> torch.Tensor | None:
    """Join the readouts of a noise scan; none where they are too few, or of other coils."""
    fitting = [samples for samples in noise if len(samples) == coils]
    if not fitting or sum(samples.shape[1] for samples in fitting) <= coils:
        return None
    return torch.from_numpy(np.concatenate(fitting, axis=1).astype(np.complex64))
