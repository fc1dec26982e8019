"""A head that seven coils have seen: classical methods and P at R = 4, 6 and 8, judged on k-space that was left out.

The record is full, so most of its columns can be left out and judge afterwards.  Settings, and the iteration at which
to stop, are chosen without them: a fifth of the columns that are used, beside the calibration region, is set aside,
each setting is run on the others, and the one that predicts the set-aside columns best is run once more on all that
are used.  A laboratory can do the same with an accelerated scan.  Nothing else was tuned.

Every method may run for 50 iterations and more, and its grid grows until the best setting is inside, see
:mod:`ddgp_lib.experiments.measured.choosing`; where the best still is the last of what was tried, the result says so
under ``"edges"``.  P is there where its weights are: those of :mod:`ddgp_lib.presets.multicoil_mri`, which saw
simulated scans alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch

from ...data import load_measured
from ...data.fourier import centred_fourier
from ...denoisers import load_denoiser
from ...kinds import NoPrior
from ...kinds.base import SCHEDULE
from ...names import Momentum
from ...operators import SenseMRI
from ...preconditioners import Newton, Preconditioner
from ...presets import mri, multicoil_mri
from ...pretrained import load_preconditioner
from ...scanner import (
    KSpace,
    corner_noise,
    draw_mask,
    espirit_maps,
    noise_covariance,
    prepare_scan,
    prewhiten,
)
from ...solvers import Geometric
from ...variation import TotalVariation
from ..heldout import HeldOut, hold_out
from .candidates import LONGEST, MOMENTUM, Candidate, Choice, Solve, choose_setting, fista
from .choosing import Point, Tried
from .judging import Judge, chosen, judged
from .records import Experiment, Row

ACCELERATIONS = (4, 6, 8)
CALIBRATION = 0.08
"""Side of the calibration region, as a fraction of the image's smaller side."""
SET_ASIDE = 0.2
"""Share of the used columns beside the calibration region that settings are chosen by."""
DAMPING = multicoil_mri.SPLIT
"""λ of the Newton step of plug-and-play, and of the soft split that P takes."""
NOISE = 0.5**0.5
"""Standard deviation of each part of a complex number after prewhitening."""


class Comparison(NamedTuple):
    """What :func:`compare` returns."""

    rows: list[Row]
    """A row for each method and acceleration."""
    edges: list[str]
    """Which choices still are the last of what was tried."""


@dataclass(frozen=True)
class Scan:
    """An accelerated scan: its operator and measurements, and those of the whole record in the same units."""

    physics: SenseMRI
    y: torch.Tensor
    whole: SenseMRI
    judge: Judge

    def predict(self, x: torch.Tensor) -> torch.Tensor:
        """Return what an image (1, 2, H, W) predicts for all of k-space, (C, H, W), complex."""
        return torch.view_as_complex(self.whole.A(x)[0].movedim(0, -1).contiguous())


def prepared_head() -> KSpace:
    """Return the head's k-space, prewhitened by the noise of the air around it."""
    images = load_measured("head_7_coils")["image"]
    covariance = noise_covariance(corner_noise(images))
    white = prewhiten(centred_fourier(images), covariance)
    everywhere = torch.ones(white.shape[-2:], dtype=torch.bool)
    return KSpace(white.to(torch.complex64), everywhere, "head_7_coils")


def scan_of(record: KSpace, used: torch.Tensor, judging: torch.Tensor, noise: float = NOISE) -> Scan:
    """Return the scan that measured the columns ``used``, to be judged on others: masks (W,)."""
    maps = espirit_maps(record.data * used)
    physics, y, factor = prepare_scan(record, used, maps=maps, noise=noise, split=DAMPING)
    whole = SenseMRI(maps.maps, torch.ones_like(used))
    judge = Judge(factor * record.data, HeldOut(used, judging), noise * factor)
    return Scan(physics, y, whole, judge)


def methods() -> list[Candidate]:
    """Return the methods with their grids; the denoiser is that of single-coil MRI."""
    denoiser = load_denoiser(mri.PRESET.path("denoiser"))
    newton, tv = Newton(DAMPING), TotalVariation()
    plug_and_play = {"σ": (0.01, 0.02, 0.04)}

    def tikhonov(damping: float) -> Solve:
        return fista(NoPrior(), Newton(damping), 1.0, "none")

    def falling(first: float, last: float) -> Solve:
        return fista(denoiser, None, Geometric(first, last, SCHEDULE), MOMENTUM)

    def steps(prior: Any, step: Preconditioner | None, momentum: Momentum) -> Callable[..., Solve]:
        return lambda sigma: fista(prior, step, sigma, momentum)

    found = [
        Candidate("CG-SENSE", {"λ": (0.01, 0.03, 0.1, 0.3)}, tikhonov),
        Candidate("TV", {"σ": (0.0025, 0.005, 0.01)}, steps(tv, None, MOMENTUM)),
        Candidate("PnP", plug_and_play, steps(denoiser, None, MOMENTUM)),
        Candidate("PnP annealed", {"σ from": (0.1, 0.2, 0.4), "to": (0.005, 0.01, 0.02)}, falling),
        Candidate("Newton-PnP", plug_and_play, steps(denoiser, newton, MOMENTUM)),
        Candidate("Newton-PnP", plug_and_play, steps(denoiser, newton, "none"), "no momentum"),
    ]
    weights = multicoil_mri.PRESET.path("distilled")
    if weights.is_file():
        P = load_preconditioner(weights)
        found.append(Candidate("P", plug_and_play, steps(denoiser, P, "none")))
    return found


def compare(
    record: KSpace,
    methods: Sequence[Candidate],
    accelerations: Sequence[float],
    iterations: tuple[int, ...],
    seed: int = 0,
    noise: float = NOISE,
    longest: int = 1,
) -> Comparison:
    """Compare methods on a record whose columns are left out, with settings that were chosen without them.

    Parameters
    ----------
    record : KSpace
        One slice, measured in full and prewhitened.
    methods : sequence of Candidate
        Methods with their grids; the first one is what others are compared with.  Of several of one name the best is
        taken.
    accelerations : sequence of float
        R, above 1.
    iterations : tuple of int
        Where a method may stop.
    seed : int
        Seed of the masks and of what is set aside.
    noise : float
        Standard deviation of each part of the record's complex numbers.
    longest : int
        How many times the last of ``iterations`` a method's best setting may run, in doublings, while it stops at
        the end.
    """
    found = Comparison([], [])
    for acceleration in accelerations:
        sides = (record.data.shape[-2], record.data.shape[-1])
        mask = draw_mask("columns", sides, acceleration, CALIBRATION, seed)
        scan, first = scan_of(record, mask, ~mask, noise), None
        aside = scan_of(record, *_set_aside(mask, sides, seed), noise)
        for name in dict.fromkeys(method.name for method in methods):
            group = [method for method in methods if method.name == name]
            method, choice = _choose(aside, group, iterations, longest)
            label, condition = method.label(choice.point), f"R = {acceleration:g}"
            (step,) = chosen(method.make(*choice.point)(scan.physics, scan.y, choice.stop), (choice.stop,))
            prediction = scan.predict(step.image)
            found.rows.append(judged(scan.judge, condition, label, step, prediction, first))
            found.edges.extend(f"{condition}, {label}: {edge}" for edge in choice.edges)
            first = prediction if first is None else first
    return found


def _choose(
    scan: Scan, group: Sequence[Candidate], iterations: tuple[int, ...], longest: int
) -> tuple[Candidate, Choice]:
    """Choose among methods of one name by columns that were set aside, and where to stop."""

    def run(method: Candidate, point: Point, marks: tuple[int, ...]) -> Tried:
        steps = chosen(method.make(*point)(scan.physics, scan.y, max(marks)), marks)
        errors = [Tried(scan.judge.error(scan.predict(step.image)).value, step.number) for step in steps]
        return min(errors, key=lambda tried: tried.rank)

    limit = longest * iterations[-1]
    each = [(method, choose_setting(method, partial(run, method), iterations, limit)) for method in group]
    return min(each, key=lambda pair: Tried(pair[1].error, pair[1].stop).rank)


def _set_aside(mask: torch.Tensor, sides: Sequence[int], seed: int) -> HeldOut:
    """Set columns aside: masks (W,) of those that are used and of those that judge."""
    width = len(mask)
    side = max(1, round(CALIBRATION * min(sides)))
    kept = torch.zeros_like(mask)
    kept[width // 2 - side // 2 : width // 2 - side // 2 + side] = True
    count = max(2, round(SET_ASIDE * int((mask & ~kept).sum())))
    return hold_out(mask, count, generator=torch.Generator().manual_seed(seed), kept=kept & mask)


def run(iterations: tuple[int, ...], seed: int) -> tuple[Mapping[str, Any], list[Row]]:
    """Compare the methods on the measured head, stopping at one of some iterations, or later."""
    found = compare(prepared_head(), methods(), ACCELERATIONS, iterations, seed, longest=LONGEST)
    return {"calibration": CALIBRATION, "edges": found.edges}, found.rows


EXPERIMENT = Experiment(
    title="a head at 3 T, seven coils, columns left out",
    data="head_7_coils",
    iterations=(1, 2, 3, 5, 7, 10, 14, 20, 30, 50),
    run=run,
)
