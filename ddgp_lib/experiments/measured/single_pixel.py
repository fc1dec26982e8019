"""Two measured single-pixel cameras: a toy car with Hadamard patterns, the Jaszczak target with Haar patterns.

Both records are full.  A method may use 10 % or 25 % of the patterns, in an order that no image was needed for: the
cake-cutting order of Hadamard patterns, and from coarse to fine for Haar patterns, at random places within a level.
The other patterns judge.

Settings, and the iteration at which to stop, are chosen in simulation: on squares of photographs that no denoiser
and no P was trained on, behind the same patterns, with noise of the measured level.  Nothing is chosen on the
measurement.  The method that learns no preconditioner and is the best in simulation is the one that others are
compared with.

The noise is estimated from the record, since no repeats are known.  The 99 acquisitions of the car are none: they
differ in the diameter of the region that collects light, and in the series, of which names alone are known.  Two
series at one diameter show the same car, so what differs between them at the finest patterns is taken for noise.  The
Jaszczak target's noise grows with the light under a pattern, as that of photons does; it is fitted to the finest
level.

Newton's step is left out: the patterns are orthonormal, A Aᵀ = I, so it is a multiple of the gradient.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from deepinv.models import Denoiser
from torch.nn.functional import avg_pool2d

from ...checkpoints import weights_path
from ...data import load_measured, load_photographs
from ...data.measured import haar_coefficients, hadamard_coefficients
from ...denoisers import load_denoiser
from ...metrics import psnr
from ...operators import HaarCamera, HadamardCamera
from ...operators.haar import blocks
from ...preconditioners import Preconditioner
from ...presets import photographs, super_resolution
from ...pretrained import load_preconditioner
from ...variation import TotalVariation
from ..heldout import HeldOut
from ..noise_level import MEDIAN_ABSOLUTE
from .candidates import (
    LEARNED,
    MOMENTUM,
    Candidate,
    Choice,
    Solve,
    annealed,
    by_level,
    choose_in_simulation,
)
from .judging import Judge, chosen, judged
from .meter import Step
from .photons import PhotonNoise, fit_photon_noise, light_of, noise_between
from .records import Experiment, Row
from .shrinkage import HaarShrinkage

CAR, TARGET = "car", "jaszczak"
"""Names of the measured sets."""
RATIOS = (0.1, 0.25)
"""Shares of the patterns that a method may use."""
DIAMETERS = (65, 257)
"""Diameters of the collected light: little light with a bright picture of its own, and all of it."""
OFTEN = 16
"""Changes of sign in a row and in a column from which on a Hadamard pattern tells the noise of the car."""
SQUARES = 24
"""Squares of photographs that settings are chosen on."""
Camera = HadamardCamera | HaarCamera


@dataclass(frozen=True)
class Record:
    """What a camera measured with all patterns, in units in which the picture of the used ones is at most 1.

    Attributes
    ----------
    name : str
        What it is called.
    camera : HadamardCamera or HaarCamera
        The camera with the used patterns alone.
    coefficients : Tensor, shape (N, 1, H, W)
        Of all patterns.
    noise : PhotonNoise
        Of a coefficient.
    light : Tensor, shape (N, 1, H, W)
        The mean light under each pattern, as the used patterns tell it.
    """

    name: str
    camera: Camera
    coefficients: torch.Tensor
    noise: PhotonNoise
    light: torch.Tensor

    @property
    def y(self) -> torch.Tensor:
        """What a method gets."""
        return self.camera.mask * self.coefficients

    @property
    def reference(self) -> torch.Tensor:
        """The picture of all patterns, with their noise."""
        return self.camera.V(self.coefficients)

    @property
    def sigma(self) -> torch.Tensor:
        """Standard deviation of each coefficient."""
        return self.noise.sigma(self.light)

    @property
    def judge(self) -> Judge:
        """The judge by the patterns that are not used; errors are over places of all acquisitions together."""
        used = self.camera.mask[0, 0] != 0
        return Judge(self.coefficients, HeldOut(used, ~used), self.sigma, self.noise.rtol)

    def simulated(self, images: torch.Tensor, seed: int = 0) -> torch.Tensor:
        """Measure images (N, 1, H, W) in [0, 1] behind the same patterns, with noise as this record has it."""
        light = light_of(images, coarsest_of(self.camera))
        generator = torch.Generator().manual_seed(seed)
        noise = self.noise.sigma(light) * torch.randn(images.shape, generator=generator)
        return self.camera.mask * (self.camera.V_adjoint(images) + noise)


def coarsest_of(camera: Camera) -> int:
    """Return how many patterns in a row see the whole image or a block of it: 1 of a Hadamard basis."""
    return camera.coarsest if isinstance(camera, HaarCamera) else 1


def record_of(name: str, camera: Camera, coefficients: torch.Tensor, noise: PhotonNoise) -> Record:
    """Return a record in units in which the picture of the used patterns is at most 1.

    The light under each pattern is taken from the coarsest patterns alone, which are always used: it is that of a
    block.  Noise is linear in the light, so the energy of the noise in a block is right.

    Parameters
    ----------
    name : str
        What it is called.
    camera : HadamardCamera or HaarCamera
        The camera with the used patterns alone.
    coefficients : Tensor, shape (N, 1, H, W)
        Of all patterns, in any units.
    noise : PhotonNoise
        Of a coefficient, in the same units.
    """
    factor = 1 / float(camera.A_adjoint(camera.mask * coefficients).max())
    side = coarsest_of(camera)
    sums = torch.zeros_like(coefficients)
    sums[..., :side, :side] = factor * coefficients[..., :side, :side]
    return Record(name, camera, factor * coefficients, noise.scaled(factor), light_of(camera.V(sums), side))


def car_noise(coefficients: torch.Tensor) -> PhotonNoise:
    """Estimate the noise of the car's coefficients (series, 1, H, W) at one diameter, from its first two series.

    The third one is left out: at small diameters it has dark pixels, which the others do not have.
    """
    found = noise_between(coefficients[0, 0], coefficients[1, 0], min(OFTEN, coefficients.shape[-1] // 2))
    return PhotonNoise(found.sigma**2, 0.0, found.rtol)


def between_series(record: Record) -> dict[str, float]:
    """Return how much the first two acquisitions of a record differ, at the used patterns and at those held out.

    A factor between the two is fitted to the used patterns but the first one.  The median of what is left is given
    as a standard deviation of one acquisition, relative to the brightest pixel.  Where it is larger at the used
    patterns, which are the coarse ones, the scene differs, or the noise is not the same for all patterns.  In the
    second case the simulation, which has the noise of the finest patterns everywhere, is too kind.

    Parameters
    ----------
    record : Record
        Of two acquisitions or more.
    """
    one, two = record.coefficients[:2, 0].double()
    used = record.camera.mask[0, 0] != 0
    fitted = used.clone()
    fitted[0, 0] = False
    ratio = float((one * two)[fitted].sum() / one[fitted].square().sum())
    left = (two - ratio * one).abs() / (
        MEDIAN_ABSOLUTE * (1 + ratio**2) ** 0.5 * float(record.reference.max())
    )
    return {"used": float(left[fitted].median()), "held_out": float(left[~used].median())}


def target_noise(coefficients: torch.Tensor, coarsest: int) -> PhotonNoise:
    """Fit the noise of the Jaszczak target's coefficients (1, 1, H, W) to their finest level."""
    side = coefficients.shape[-1]
    image = HaarCamera(1.0, (1, side, side), coarsest).V(coefficients)
    light = light_of(image, coarsest)
    across, down, quarters = (coefficients[..., rows, columns] for rows, columns in blocks(side // 2))
    rows, columns = blocks(side // 2)[2]
    return fit_photon_noise(quarters, across.square() + down.square(), light[..., rows, columns])


def records(ratios: Sequence[float] = RATIOS) -> list[Record]:
    """Return the measured records, each with some shares of its patterns used."""
    car, target = load_measured(CAR), load_measured(TARGET)
    wavelets, coarsest = haar_coefficients(target), int(target.meta["coarsest"])
    found = []
    for ratio in ratios:
        for diameter in DIAMETERS:
            coefficients = hadamard_coefficients(car, diameter)
            hadamard = HadamardCamera(ratio, (1, *coefficients.shape[-2:]))
            name = f"{CAR} {diameter}, {ratio:.0%}"
            found.append(record_of(name, hadamard, coefficients, car_noise(coefficients)))
        haar = HaarCamera(ratio, (1, *wavelets.shape[-2:]), coarsest)
        found.append(record_of(f"{TARGET}, {ratio:.0%}", haar, wavelets, target_noise(wavelets, coarsest)))
    return found


def squares(side: int, count: int = SQUARES) -> torch.Tensor:
    """Return squares of the photographs to choose on, spread evenly, each divided by its largest value."""
    images = load_photographs(side, leaves=0).val
    places = torch.linspace(0, len(images) - 1, count).round().long()
    return images[places] / images[places].amax(dim=(1, 2, 3), keepdim=True)


def switched_off(rows: Sequence[Row]) -> list[str]:
    """Say where P would not be used: where simulation finds it behind the best classical method, which is first.

    Parameters
    ----------
    rows : sequence
        Of one record, as :func:`compare` returns them.
    """
    behind = [
        (row, rows[0].simulated - row.simulated)
        for row in rows[1:]
        if row.method.startswith(f"{LEARNED},")
        and row.simulated is not None
        and rows[0].simulated is not None
    ]
    return [
        f"{row.condition}: in simulation {lag:.2f} dB behind {rows[0].method}"
        for row, lag in behind
        if lag > 0
    ]


def own_denoiser() -> tuple[Denoiser, str]:
    """Return the photographs' denoiser where its weights are, else that of faces; and what it was trained on."""
    path = photographs.PRESET.path("denoiser")
    if path.is_file():
        return load_denoiser(path), "photographs"
    return load_denoiser(weights_path(super_resolution.PRESET.name, "denoiser")), "faces"


def own_preconditioner() -> Preconditioner | None:
    """Return P of the photographs where its weights are, for cameras of either basis."""
    path = photographs.PRESET.path("distilled")
    if not path.is_file():
        return None
    P = load_preconditioner(path)
    P.made_for = None  # its training drew cameras of both bases, and the file names the task's own alone
    return P


def methods(denoiser: Denoiser, P: Preconditioner | None = None) -> list[Candidate]:
    """Return the methods with their grids, the plain back-projection first."""
    levels = {"σ": (0.02, 0.04, 0.08)}

    found = [
        Candidate("A⁺", {}, lambda: lambda camera, y, iterations: [camera.A_adjoint(y)]),
        Candidate("wavelets", levels, by_level(HaarShrinkage(), None, MOMENTUM)),
        Candidate("TV", {"σ": (0.01, 0.02, 0.04)}, by_level(TotalVariation(), None, MOMENTUM)),
        Candidate("PnP", levels, by_level(denoiser, None, MOMENTUM)),
        Candidate(
            "PnP annealed", {"σ from": (0.1, 0.2, 0.4), "to": (0.02, 0.04, 0.08)}, partial(annealed, denoiser)
        ),
    ]
    if P is not None:
        found.append(Candidate(LEARNED, levels, by_level(denoiser, P, "none"), classical=False))
    return found


def compare(
    record: Record,
    methods: Sequence[Candidate],
    images: torch.Tensor,
    iterations: tuple[int, ...],
    seed: int = 0,
) -> tuple[list[Row], list[str]]:
    """Compare methods on a record, with settings that were chosen in simulation.

    Parameters
    ----------
    record : Record
        What was measured.
    methods : sequence of Candidate
        Methods with their grids.
    images : Tensor, shape (N, 1, H, W)
        What the simulation sees, in [0, 1].
    iterations : tuple of int
        Where a method may stop.
    seed : int
        Seed of the simulated noise.

    Returns
    -------
    rows : list of Row
        The one that others are compared with first: of the classical methods the best in simulation.
    edges : list of str
        Which choices still are the last of what was tried.
    """
    y = record.simulated(images, seed)
    each = {method.name: choose(method, record.camera, y, images, iterations) for method in methods}
    classical = [method for method in methods if method.classical]
    first = min(classical, key=lambda method: each[method.name].error)
    ordered = [first, *(method for method in methods if method is not first)]
    rows: list[Row] = []
    edges: list[str] = []
    baseline = None
    for method in ordered:
        choice = each[method.name]
        step = _last(method.make(*choice.point), record, choice.stop)
        prediction = record.camera.V_adjoint(step.image)
        row = judged(record.judge, record.name, method.label(choice.point), step, prediction, baseline)
        quality = float(_psnr(step.image, record.reference).mean())
        rows.append(replace(row, psnr=quality, simulated=choice.decibels, setting=tuple(choice.point)))
        edges += [f"{record.name}, {method.name}: {edge}" for edge in choice.edges]
        baseline = prediction if baseline is None else baseline
    return rows, edges


def choose(
    method: Candidate, camera: Camera, y: torch.Tensor, truth: torch.Tensor, iterations: tuple[int, ...]
) -> Choice:
    """Choose a method's setting, and where it stops, by the mean PSNR of simulated measurements."""
    return choose_in_simulation(method, camera, y, lambda x: psnr(x, truth), iterations)


def _last(solve: Solve, record: Record, stop: int) -> Step:
    (step,) = chosen(solve(record.camera, record.y, stop), (stop,))
    return step


def _psnr(x: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """PSNR of each image, with the reference's largest value as the peak."""
    peak = reference.amax(dim=(1, 2, 3), keepdim=True)
    return psnr(x / peak, reference / peak)


def run(
    iterations: tuple[int, ...],
    seed: int,
    measured: Sequence[Record] | None = None,
    count: int = SQUARES,
) -> tuple[Mapping[str, Any], list[Row]]:
    """Compare the methods on both measured targets, stopping at one of some iterations, or later.

    They are compared on the given records, by default all of :func:`records`, and chosen on ``count`` squares of
    photographs.

    What is returned beside the rows: what the denoiser was trained on; the level of the noise and the darkest mean of
    4 × 4 pixels, by which an offset is bounded, both relative to the brightest pixel of the full measurement; how
    much two series of one scene differ, see :func:`between_series`; which methods are left out; where P would be
    switched off, for simulation finds it behind; what is not known of the acquisitions; and which choices are at an
    edge.
    """
    denoiser, trained_on = own_denoiser()
    P = own_preconditioner()
    missing = photographs.PRESET.path("distilled").name
    left_out = [] if P is not None else [f"{LEARNED}: it has not been trained ({missing} is missing)"]
    candidates, found = methods(denoiser, P), records() if measured is None else measured
    rows: list[Row] = []
    edges: list[str] = []
    off: list[str] = []
    noises: dict[str, float] = {}
    darkest: dict[str, float] = {}
    between: dict[str, dict[str, float]] = {}
    images = {side: squares(side, count) for side in {record.coefficients.shape[-1] for record in found}}
    for record in found:
        these, at_edges = compare(record, candidates, images[record.coefficients.shape[-1]], iterations, seed)
        rows, edges, off = rows + these, edges + at_edges, off + switched_off(these)
        peak = float(record.reference.amax(dim=(1, 2, 3)).mean())
        noises[record.name] = float(record.sigma.square().mean().sqrt()) / peak
        if len(record.coefficients) > 1:
            between[record.name] = between_series(record)
        darkest[record.name] = float(avg_pool2d(record.reference, 4).min()) / peak
    about = {
        "denoiser": trained_on,
        "noise": noises,
        "darkest": darkest,
        "between_series": between,
        "left_out": left_out,
        "off": off,
        "unknown": {name: list(load_measured(name).card.unknown) for name in (CAR, TARGET)},
        "edges": edges,
    }
    return about, rows


EXPERIMENT = Experiment(
    title="single-pixel cameras: a toy car and the Jaszczak target, tuned in simulation",
    data=f"{CAR}, {TARGET}",
    iterations=(1, 2, 3, 5, 7, 10, 14, 20, 30, 50),
    run=run,
)
