"""Scans by several coils: methods, and their comparison on measurements that were left out.

Settings, and the iteration at which to stop, are chosen on a part of the measurements that a method may use.  It is
set aside, each setting is run on the others, and the one that predicts what was set aside best is run once more on
all that may be used.  A laboratory can do the same with an accelerated scan.

Every method has a grid that grows until the best setting is inside, see
:mod:`ddgp_lib.experiments.measured.choosing`; where the best still is the last of what was tried, the comparison says
so.  P is there where its weights are: those of :mod:`ddgp_lib.presets.multicoil_mri`, which saw simulations alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import torch
from deepinv.models import Denoiser
from tqdm.auto import tqdm

from ...denoisers import load_denoiser
from ...kinds import NoPrior
from ...operators import SenseMRI
from ...preconditioners import Newton, Preconditioner
from ...presets import mri, multicoil_mri
from ...pretrained import load_preconditioner
from ...scanner import KSpace, espirit_maps, prepare_scan
from ...variation import TotalVariation
from ..heldout import HeldOut
from .candidates import (
    FADING,
    LEARNED,
    MOMENTUM,
    Candidate,
    Choice,
    Solve,
    admm,
    annealed,
    best_by_name,
    best_first,
    by_level,
    choose_setting,
    exact_admm,
    fista,
)
from .choosing import Point, Tried
from .judging import Judge, chosen, judged, over_best
from .records import Row

DAMPING = multicoil_mri.SPLIT
"""λ of the Newton step of plug-and-play, and of the soft split that P takes."""
BRIGHT = 0.53
"""Brightness of what is reconstructed, as simulated heads have it: 0.46 to 0.57 of 30 behind such columns."""
LEVELS = {"σ": (0.01, 0.02, 0.04)}
ENDS = {"σ from": (0.1, 0.2, 0.4), "to": (0.005, 0.01, 0.02)}
"""Where grids of σ begin, constant and falling."""


class Comparison(NamedTuple):
    """What :func:`compare` returns."""

    rows: list[Row]
    """A row for each condition and method; the best of the classical ones first, by what was set aside."""
    edges: list[str]
    """Which choices still are the last of what was tried."""
    over_best: dict[str, dict[str, Any]]
    """What P gains over the best classical method with hindsight by condition, see :func:`~.judging.over_best`; its
    ``"iterations"``, and those after which P was as good, ``"reached"``, None where it never was."""


class Splits(NamedTuple):
    """How measurements are divided, by places of k-space."""

    judging: HeldOut
    """What a method may use, and what judges it at the end."""
    choosing: HeldOut
    """The former once more: what settings are run on, and what is set aside to choose them."""


@dataclass(frozen=True)
class Scan:
    """A scan of some places: its operator and measurements, and those of the whole record in the same units."""

    physics: SenseMRI
    y: torch.Tensor
    whole: SenseMRI
    judge: Judge

    def predict(self, x: torch.Tensor) -> torch.Tensor:
        """Return what an image (1, 2, H, W) predicts for all of k-space, (C, H, W), complex."""
        return torch.view_as_complex(self.whole.A(x)[0].movedim(0, -1).contiguous())


def scan_of(record: KSpace, split: HeldOut, noise: float) -> Scan:
    """Return the scan of the used places of a record, to be judged on those held out: masks (W,) or (H, W).

    ``noise`` is the standard deviation of each part of the record's complex numbers.
    """
    maps = espirit_maps(record.data * split.used)
    physics, y, factor = prepare_scan(
        record, split.used, maps=maps, noise=noise, bright=BRIGHT, split=DAMPING
    )
    whole = SenseMRI(maps.maps, torch.ones_like(split.used))
    return Scan(physics, y, whole, Judge(factor * record.data, split, noise * factor))


def methods() -> list[Candidate]:
    """Return the methods with their grids; P last, where its weights are.

    Plug-and-play, and P, run with two denoisers, and the better one is taken: that of this camera, which P was
    trained with, and that of single-coil MRI, which has seen brain slices with smooth phases alone.
    """
    denoisers = both_denoisers()
    found = [
        Candidate("CG-SENSE", {"λ": (0.01, 0.03, 0.1, 0.3)}, tikhonov),
        *_variation(TotalVariation()),
        *(method for note, denoiser in denoisers.items() for method in _plug_and_play(denoiser, note)),
    ]
    weights = multicoil_mri.PRESET.path("distilled")
    if weights.is_file():
        found += learned(LEARNED, load_preconditioner(weights), denoisers)
    return found


def both_denoisers() -> dict[str, Denoiser]:
    """Return the denoisers by what labels say of them: this camera's own, and that of single-coil MRI."""
    own = load_denoiser(multicoil_mri.PRESET.path("denoiser"))
    return {"": own, "brain denoiser": load_denoiser(mri.PRESET.path("denoiser"))}


def learned(name: str, P: Preconditioner, denoisers: Mapping[str, Denoiser]) -> list[Candidate]:
    """Return the ways of running P: with each denoiser, with fading and without."""
    found = []
    for note, denoiser in denoisers.items():
        for fading in (None, FADING):
            make = by_level(denoiser, P, "none", update_decay=fading)
            words = ", ".join(filter(None, (note, "fading" if fading else "")))
            found.append(Candidate(name, LEVELS, make, words, classical=False))
    return found


def tikhonov(damping: float) -> Solve:
    """Return CG-SENSE: Tikhonov's image, by Newton's steps with its λ."""
    return fista(NoPrior(), Newton(damping), 1.0, "none")


def _variation(prior: TotalVariation) -> list[Candidate]:
    """Return total variation by FISTA, by Newton's step, and by ADMM with an exact data step."""
    weights = {"σ": (0.0025, 0.005, 0.01)}
    return [
        Candidate("TV", weights, by_level(prior, None, MOMENTUM)),
        Candidate("TV", weights, by_level(prior, Newton(DAMPING), "none"), "Newton's step"),
        Candidate("TV", weights | {"τ": (1.0, 10.0)}, partial(admm, prior), "ADMM"),
    ]


def _plug_and_play(denoiser: Denoiser, note: str) -> list[Candidate]:
    """Return the ways of plug-and-play that learn no P, with one denoiser; steps may fade, as those of P may."""

    def newton(sigma: float, damping: float) -> Solve:
        return fista(denoiser, Newton(damping), sigma, "none")

    fading = f"{note}, fading" if note else "fading"
    faded = {"update_decay": FADING}
    return [
        Candidate("PnP", LEVELS, by_level(denoiser, None, MOMENTUM), note),
        Candidate("PnP", LEVELS, by_level(denoiser, None, MOMENTUM, **faded), fading),
        Candidate("PnP annealed", ENDS, partial(annealed, denoiser), note),
        Candidate("ADMM annealed", ENDS | {"τ": (1.0, 3.0, 10.0)}, partial(exact_admm, denoiser), note),
        Candidate("Newton-PnP", LEVELS | {"λ": (0.01, 0.03, 0.1)}, newton, note),
        Candidate("Newton-PnP", LEVELS, by_level(denoiser, Newton(DAMPING), "none", **faded), fading),
    ]


def compare(
    record: KSpace,
    methods: Sequence[Candidate],
    conditions: Mapping[str, Splits],
    iterations: tuple[int, ...],
    noise: float,
    longest: int = 1,
) -> Comparison:
    """Compare methods on parts of a record, with settings that were chosen without what judges.

    Parameters
    ----------
    record : KSpace
        One slice.
    methods : sequence of Candidate
        Methods with their grids.  Of several of one name the best is taken.
    conditions : mapping of str to Splits
        What is used, and what judges, by what the rows are called.
    iterations : tuple of int
        Where a method may stop.
    noise : float
        Standard deviation of each part of the record's complex numbers.
    longest : int
        How many times the last of ``iterations`` a method's best setting may run, in doublings, while it stops at
        the end.
    """
    found = Comparison([], [], {})
    for condition, splits in conditions.items():
        scan, aside = (scan_of(record, split, noise) for split in splits)
        assert scan.physics.squared_norm > 0  # found here, once, and not at the expense of the first method
        tried = tqdm(methods, desc=f"choosing, {condition}")
        each = best_by_name((method, choose(aside, method, iterations, longest)) for method in tried)
        predictions: dict[str, torch.Tensor] = {}
        for method, choice in best_first(each):
            label = method.label(choice.point)
            (step,) = chosen(method.make(*choice.point)(scan.physics, scan.y, choice.stop), (choice.stop,))
            prediction = scan.predict(step.image)
            baseline = next(iter(predictions.values()), None)
            row = judged(scan.judge, condition, label, step, prediction, baseline)
            found.rows.append(replace(row, setting=choice.point))
            found.edges.extend(f"{condition}, {label}: {edge}" for edge in choice.edges)
            if method.classical:
                predictions[label] = prediction
            else:
                found.over_best[condition] = over = over_best(scan.judge, predictions, prediction)
                stops = {method.label(choice.point): choice.stop for method, choice in each}
                over["iterations"] = stops[over["best"]]
                over["reached"] = _reached(scan, method, choice, predictions[over["best"]])
    return found


def _reached(scan: Scan, method: Candidate, choice: Choice, best: torch.Tensor) -> int | None:
    """Return after how many iterations a method is as good as the best of others; None where it never is."""
    error = scan.judge.error(best).value
    iterates = enumerate(method.make(*choice.point)(scan.physics, scan.y, choice.stop), 1)
    return next((k for k, x in iterates if scan.judge.error(scan.predict(x)).value <= error), None)


def choose(scan: Scan, method: Candidate, iterations: tuple[int, ...], longest: int) -> Choice:
    """Choose a method's setting by what was set aside, and where it stops."""

    def run(point: Point, marks: tuple[int, ...]) -> Tried:
        steps = chosen(method.make(*point)(scan.physics, scan.y, max(marks)), marks)
        errors = [Tried(scan.judge.error(scan.predict(step.image)).value, step.number) for step in steps]
        return min(errors, key=lambda tried: tried.rank)

    return choose_setting(method, run, iterations, longest * iterations[-1])
