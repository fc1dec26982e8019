"""A scan that was accelerated eight times when it was made: no reference exists, and single places of k-space judge.

A tenth of the measured places outside of the calibration region is held out and judges.  Settings are chosen by a
tenth of the others, see :mod:`ddgp_lib.experiments.measured.multicoil`.

There is no place of k-space that holds noise alone, and no scan of noise.  So coils are not prewhitened, and nothing
is subtracted from the held-out error: it holds the energy of the noise, which is the same for all methods, and gains
in dB are understated by it.
"""

from collections.abc import Mapping
from typing import Any

import torch

from ...data import load_measured
from ...scanner import KSpace
from ..heldout import hold_out
from .candidates import LONGEST
from .multicoil import Splits, compare, methods
from .records import Experiment, Row

SHARE = 0.1
"""Share of the places outside of the calibration region that judges, and of the rest that chooses."""

NOTHING = 1e-9
"""What is subtracted from the held-out error in the place of the noise, relative to the largest number of k-space."""


def prepared_scan() -> tuple[KSpace, torch.Tensor]:
    """Return the scan as it was measured, and its calibration region, (H, W)."""
    measured = load_measured("head_8_coils")
    kspace = measured["kspace"].to(torch.complex64)
    mask = (kspace != 0).any(dim=0)
    height, width = measured.meta["calibration"]
    rows, columns = mask.shape
    kept = torch.zeros_like(mask)
    top, left = rows // 2 - height // 2, columns // 2 - width // 2
    kept[top : top + height, left : left + width] = True
    return KSpace(kspace, mask, "head_8_coils"), kept & mask


def places(mask: torch.Tensor, kept: torch.Tensor, seed: int = 0) -> Splits:
    """Return which measured places are used and judge, and which are set aside: masks (H, W)."""
    generator = torch.Generator().manual_seed(seed)
    judging = hold_out(mask, round(SHARE * int((mask & ~kept).sum())), generator=generator, kept=kept)
    rest = judging.used
    return Splits(
        judging, hold_out(rest, round(SHARE * int((rest & ~kept).sum())), generator=generator, kept=kept)
    )


def run(iterations: tuple[int, ...], seed: int) -> tuple[Mapping[str, Any], list[Row]]:
    """Compare the methods on the accelerated scan, stopping at one of some iterations, or later."""
    record, kept = prepared_scan()
    conditions = {"R = 8": places(record.mask, kept, seed)}
    nothing = NOTHING * float(record.data.abs().max())
    found = compare(record, methods(), conditions, iterations, nothing, longest=LONGEST)
    return {
        "measured": float(record.mask.float().mean()),
        "over_best": found.over_best,
        "edges": found.edges,
    }, found.rows


EXPERIMENT = Experiment(
    title="a head, eight coils, accelerated eight times, no reference",
    data="head_8_coils",
    iterations=(1, 2, 3, 5, 7, 10, 14, 20, 30, 50),
    run=run,
)
