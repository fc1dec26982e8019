"""A head that seven coils have seen: classical methods and P at R = 4, 6 and 8, judged on k-space that was left out.

The record is full, so most of its columns can be left out and judge afterwards.  Settings are chosen without them, by
a fifth of the columns that are used beside the calibration region, see
:mod:`ddgp_lib.experiments.measured.multicoil`.  Nothing else was tuned.
"""

from collections.abc import Mapping
from typing import Any

import torch

from ...data import load_measured
from ...data.fourier import centred_fourier
from ...scanner import KSpace, corner_noise, draw_mask, noise_covariance, prewhiten
from ..heldout import HeldOut, hold_out
from .candidates import LONGEST
from .multicoil import Splits, compare, methods
from .records import Experiment, Row

ACCELERATIONS = (4, 6, 8)
CALIBRATION = 0.08
"""Side of the calibration region, as a fraction of the image's smaller side."""
SET_ASIDE = 0.2
"""Share of the used columns beside the calibration region that settings are chosen by."""
LEAST = 4
"""Columns that are set aside at least."""
NOISE = 0.5**0.5
"""Standard deviation of each part of a complex number after prewhitening."""


def prepared_head() -> KSpace:
    """Return the head's k-space, prewhitened by the noise of the air around it."""
    images = load_measured("head_7_coils")["image"]
    covariance = noise_covariance(corner_noise(images))
    white = prewhiten(centred_fourier(images), covariance)
    everywhere = torch.ones(white.shape[-2:], dtype=torch.bool)
    return KSpace(white.to(torch.complex64), everywhere, "head_7_coils")


def columns(sides: tuple[int, int], acceleration: float, seed: int = 0) -> Splits:
    """Return which columns are used and judge at an acceleration, and which are set aside: masks (W,)."""
    mask = draw_mask("columns", sides, acceleration, CALIBRATION, seed)
    width, side = len(mask), max(1, round(CALIBRATION * min(sides)))
    kept = torch.zeros_like(mask)
    kept[width // 2 - side // 2 : width // 2 - side // 2 + side] = True
    count = max(LEAST, round(SET_ASIDE * int((mask & ~kept).sum())))
    generator = torch.Generator().manual_seed(seed)
    return Splits(HeldOut(mask, ~mask), hold_out(mask, count, generator=generator, kept=kept & mask))


def run(iterations: tuple[int, ...], seed: int) -> tuple[Mapping[str, Any], list[Row]]:
    """Compare the methods on the measured head, stopping at one of some iterations, or later."""
    record = prepared_head()
    sides = (record.data.shape[-2], record.data.shape[-1])
    conditions = {f"R = {R}": columns(sides, R, seed) for R in ACCELERATIONS}
    found = compare(record, methods(), conditions, iterations, NOISE, longest=LONGEST)
    return {"calibration": CALIBRATION, "over_best": found.over_best, "edges": found.edges}, found.rows


EXPERIMENT = Experiment(
    title="a head at 3 T, seven coils, columns left out",
    data="head_7_coils",
    iterations=(1, 2, 3, 5, 7, 10, 14, 20, 30, 50),
    run=run,
)
