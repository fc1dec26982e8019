"""Two heads at 0.055 T, one coil, three columns of four left out: P from simulation, judged on what was left out.

Both records are full: ten slices each, a gradient echo from the front and a spin echo from the side.  A method gets a
quarter of the columns, and the others judge.  Settings, and the iteration at which to stop, are chosen in simulation:
on slices of the volume that P was trained with, half of them with rough phases, behind the same columns, with white
noise of the level that the record has.  Nothing is chosen on the measurement.  The method that learns no
preconditioner and is the best in simulation is the one that others are compared with.

The noise is estimated row by row from the ends of the rows of k-space (:func:`~..noise_level.noise_by_line`), since a
window was applied from row to row.  The air around the heads gives another estimate, see :func:`air_noise`: the ratio
of the two is written beside the rows, and how far it is from 1 is taken as the error of the noise's level.  As the
energy of the noise cancels in a paired difference, it matters for the decibels and not for who is ahead.

P is the one for many scans, of :mod:`ddgp_lib.presets.multicoil_mri`: its family has scans by one coil too.  A second
P, the unfolded network and the null-space network are those of single-coil MRI, as they ship: they have seen one
choice of columns.  Newton's step is left out, since behind one coil it is a multiple of the gradient.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from deepinv.models import Denoiser
from deepinv.physics import LinearPhysics
from tqdm.auto import tqdm

from ...data import load_measured
from ...data.fourier import centred_fourier
from ...denoisers import load_denoiser
from ...metrics import psnr
from ...operators import CartesianMRI
from ...presets import mri, multicoil_mri
from ...pretrained import load_preconditioner
from ...scanner import corner_noise
from ...tasks import Task
from ...variation import TotalVariation
from ..alternatives import load_alternative, reconstruct, trained_networks
from ..heldout import HeldOut
from ..noise_level import noise_by_line
from .candidates import (
    FADING,
    LEARNED,
    MOMENTUM,
    Candidate,
    Choice,
    admm,
    annealed,
    best_by_name,
    best_first,
    by_level,
    choose_in_simulation,
    exact_admm,
)
from .judging import Judge, chosen, judged, over_best
from .records import Experiment, Row

RECORDS = ("lowfield_gre", "lowfield_fse")
"""Names of the measured sets."""
ACCELERATION = 4
"""Columns over the columns that a method may use."""
IMAGES = 6
"""Slices of the simulation that settings are chosen on."""
LONG = 200
"""Iterations of the second row of each method, which says what becomes of it."""
OUTER = 8
"""Places at either end of a row of k-space that tell the noise of the row."""
BRIGHT = 0.7
"""99th percentile of the magnitude of the image of a slice's used columns; simulated slices have 0.6 to 0.7."""
LEVELS = {"σ": (0.02, 0.04, 0.08)}
ENDS = {"σ from": (0.1, 0.2, 0.4), "to": (0.02, 0.04, 0.08)}
"""Where grids of σ begin, constant and falling."""
ONE_CAMERA = "P of one camera"
"""Name of that of single-coil MRI."""


@dataclass(frozen=True)
class Scans:
    """The slices of a record, accelerated, in units in which it is as bright as a simulated one.

    Attributes
    ----------
    name : str
        The record's.
    kspace : Tensor, complex, shape (S, H, W)
        All that was measured.
    noise : Tensor, shape (S, H, 1)
        Standard deviation of the real and of the imaginary part, row by row.
    doubt : float
        Relative error of the noise's level: what the air says in its place.
    task : Task
        Single-coil MRI of the same size, columns and mean noise, with simulated slices.
    """

    name: str
    kspace: torch.Tensor
    noise: torch.Tensor
    doubt: float
    task: Task

    @property
    def y(self) -> torch.Tensor:
        """What a method gets: (S, 2, H, W)."""
        return self.task.student.mask * in_channels(self.kspace)

    @property
    def reference(self) -> torch.Tensor:
        """The images of all that was measured, with its noise: (S, 2, H, W)."""
        return in_channels(centred_fourier(self.kspace, inverse=True))

    @property
    def judge(self) -> Judge:
        """The judge by the columns that are not used; errors are over columns of all slices together."""
        used = self.task.student.mask[0, 0, 0] != 0
        return Judge(self.kspace, HeldOut(used, ~used), self.noise, self.doubt, dim=-1)

    def psnr(self, x: torch.Tensor) -> torch.Tensor:
        """PSNR of the magnitude of each slice against that of the reference, which has noise of its own."""
        return psnr(x, self.reference, complex_valued=True)


def in_channels(values: torch.Tensor) -> torch.Tensor:
    """Return complex numbers (S, H, W) as real and imaginary channels (S, 2, H, W)."""
    return torch.view_as_real(values).movedim(-1, 1).contiguous()


def predicted(x: torch.Tensor) -> torch.Tensor:
    """Return all of k-space (S, H, W), complex, that images (S, 2, H, W) predict."""
    return centred_fourier(torch.view_as_complex(x.movedim(1, -1).contiguous()))


def bright(images: torch.Tensor) -> torch.Tensor:
    """Return the 99th percentile of the magnitude of each image (S, H, W), shape (S, 1, 1)."""
    return torch.quantile(images.abs().flatten(1), 0.99, dim=1)[:, None, None]


def air_noise(kspace: torch.Tensor) -> float:
    """Return the standard deviation of each part of the noise of records (S, H, W), by the air around the object."""
    images = centred_fourier(kspace, inverse=True)
    return float((corner_noise(images[:, None]).abs().double().square().mean() / 2).sqrt())


def scans_of(name: str, slices: slice = slice(None)) -> Scans:
    """Return a record's slices as an accelerated scan, in its own units; all slices, if not said otherwise.

    Slices are scaled by the image of the used columns alone, see :data:`BRIGHT`.
    """
    measured = load_measured(name)["kspace"]
    sides = (measured.shape[-2], measured.shape[-1])
    kspace = measured[slices]
    mask = CartesianMRI(ACCELERATION, (2, *sides)).mask[0, 0]
    scale = bright(centred_fourier(kspace * mask, inverse=True)) / BRIGHT
    by_row = noise_by_line(measured, OUTER)
    noise = by_row[None] / scale
    level = float(noise.square().mean().sqrt())
    doubt = abs(air_noise(measured) / float(by_row.square().mean().sqrt()) - 1)
    images = multicoil_mri.complex_heads(sides)
    task = mri.PRESET.load(size=sides, acceleration=ACCELERATION, noise=level, images=images)
    return Scans(name, (kspace / scale).to(torch.complex64), noise, doubt, task)


def methods(task: Task) -> list[Candidate]:
    """Return the methods with their grids, the image of the used columns first.

    Plug-and-play, and P, run with two denoisers, and the better one is taken: that of
    :mod:`~ddgp_lib.presets.multicoil_mri`, and that of single-coil MRI, which has seen brain slices alone.
    """
    brain = load_denoiser(mri.PRESET.path("denoiser"))
    many = load_denoiser(multicoil_mri.PRESET.path("denoiser"))
    variation = {"σ": (0.01, 0.02, 0.04)}
    found = [
        Candidate("zero-filled", {}, lambda: lambda scanner, y, iterations: [scanner.A_adjoint(y)]),
        Candidate("TV", variation, by_level(TotalVariation(), None, MOMENTUM)),
        Candidate("TV", variation | {"τ": (1.0, 10.0)}, partial(admm, TotalVariation()), "ADMM"),
        *_plug_and_play(many, ""),
        *_plug_and_play(brain, "brain denoiser"),
    ]
    for name, preset in {LEARNED: multicoil_mri.PRESET, ONE_CAMERA: mri.PRESET}.items():
        if (path := preset.path("distilled")).is_file():
            P = load_preconditioner(path)
            P.made_for = None  # other operators than those of its training are the point here
            for note, denoiser in {"": many, "brain denoiser": brain}.items():
                make = by_level(denoiser, P, "none", update_decay=FADING)
                found.append(Candidate(name, LEVELS, make, note, classical=False))
    return found + [_network(task, name) for name in trained_networks(mri.PRESET)]


def _plug_and_play(denoiser: Denoiser, note: str) -> list[Candidate]:
    """Return the ways of plug-and-play that learn no P, with one denoiser; steps may fade, as those of P do."""
    fading = f"{note}, fading" if note else "fading"
    return [
        Candidate("PnP", LEVELS, by_level(denoiser, None, MOMENTUM), note),
        Candidate("PnP", LEVELS, by_level(denoiser, None, MOMENTUM, update_decay=FADING), fading),
        Candidate("PnP annealed", ENDS, partial(annealed, denoiser), note),
        Candidate("ADMM annealed", ENDS | {"τ": (0.3, 1.0, 3.0)}, partial(exact_admm, denoiser), note),
    ]


def _network(task: Task, name: str) -> Candidate:
    """Return a learned rival that has no setting and takes one step."""
    model = load_alternative(task, name).eval()

    @torch.no_grad()
    def solve(physics: LinearPhysics, y: torch.Tensor, iterations: int) -> Iterable[torch.Tensor]:
        return [reconstruct(task, name, model, y, physics)]

    return Candidate(name.replace("_", " "), {}, lambda: solve, classical=False)


def compare(
    scans: Scans,
    methods: list[Candidate],
    iterations: tuple[int, ...],
    images: int = IMAGES,
    long: int = LONG,
) -> tuple[list[Row], list[str], dict[str, Any]]:
    """Compare methods on a record, with settings that were chosen in simulation.

    Parameters
    ----------
    scans : Scans
        What was measured.
    methods : list of Candidate
        Methods with their grids; of several of one name the best is taken.
    iterations : tuple of int
        Where a method may stop.
    images : int
        Simulated slices, spread evenly over those for validation.
    long : int
        Iterations of the rows that say what becomes of a method; those that end by themselves have none.

    Returns
    -------
    rows : list of Row
        The method that others are compared with first: of the classical ones the best in simulation.
    edges : list of str
        Which choices still are the last of what was tried.
    over_best : dict
        What P gains over the best of ``"classical"`` methods, and of the ``"networks"`` that are no P, with
        hindsight, see :func:`~.judging.over_best`.
    """
    each = chosen_settings(scans.task, methods, iterations, images)
    rows: list[Row] = []
    edges: list[str] = []
    predictions: dict[str, dict[str, torch.Tensor]] = {"classical": {}, "networks": {}}
    baseline = learned = None
    for method, choice in best_first(each):
        for condition, stop in ((scans.name, choice.stop), (f"{scans.name}, {long}", long)):
            steps = list(chosen(method.make(*choice.point)(scans.task.student, scans.y, stop), (stop,)))
            for step in steps:
                prediction = predicted(step.image)
                row = judged(scans.judge, condition, method.label(choice.point), step, prediction, baseline)
                quality = float(scans.psnr(step.image).mean())
                promised = choice.decibels if condition == scans.name else None
                rows.append(replace(row, psnr=quality, simulated=promised, setting=choice.point))
                baseline = prediction if baseline is None else baseline
                if condition == scans.name and method.name == LEARNED:
                    learned = prediction
                elif condition == scans.name and method.name != ONE_CAMERA:
                    predictions["classical" if method.classical else "networks"][method.name] = prediction
        edges += [f"{scans.name}, {method.name}: {edge}" for edge in choice.edges]
    if learned is None:
        return rows, edges, {}
    return rows, edges, {name: over_best(scans.judge, those, learned) for name, those in predictions.items()}


def chosen_settings(
    task: Task, methods: list[Candidate], iterations: tuple[int, ...], images: int = IMAGES
) -> list[tuple[Candidate, Choice]]:
    """Choose the setting of each method in simulation, and of several of one name the best method."""
    places = torch.linspace(0, len(task.val_images) - 1, images).round().long()
    truth = task.val_images[places]
    y = task.measure(truth)

    def choose(method: Candidate) -> Choice:
        return choose_in_simulation(method, task.student, y, lambda x: task.psnr(x, truth), iterations)

    return best_by_name((method, choose(method)) for method in tqdm(methods, desc="choosing"))


def run(iterations: tuple[int, ...], seed: int) -> tuple[Mapping[str, Any], list[Row]]:
    """Compare the methods on both records, stopping at one of some iterations, or later.

    What is returned beside the rows: the level of the noise, relative to the brightest tissue, and its error; what is
    not known of the acquisitions; and which choices are at an edge.  ``seed`` changes nothing: which columns are used
    is the preset's choice, and the noise of the simulation the task's.
    """
    rows: list[Row] = []
    edges: list[str] = []
    about: dict[str, dict[str, Any]] = {"noise": {}, "doubt": {}, "over_best": {}, "unknown": {}}
    for name in RECORDS:
        scans = scans_of(name)
        these, at_edges, about["over_best"][name] = compare(scans, methods(scans.task), iterations)
        rows, edges = rows + these, edges + at_edges
        about["noise"][name] = float(scans.noise.square().mean().sqrt())
        about["doubt"][name] = scans.doubt
        about["unknown"][name] = list(load_measured(name).card.unknown)
    return {**about, "edges": edges}, rows


EXPERIMENT = Experiment(
    title="heads at 0.055 T, one coil, a quarter of the columns, tuned in simulation",
    data=", ".join(RECORDS),
    iterations=(1, 2, 3, 5, 7, 10, 14, 20, 30, 50),
    run=run,
)
