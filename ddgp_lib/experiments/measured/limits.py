"""What limits one P for many scans on the head of seven coils: its scanners, its images, or neither.

The shipped P saw simulated scanners and images.  Two more are trained here, equally long and with the same recipe,
for the measured scanner alone: its sensitivity maps, its noise, columns drawn anew at R from 4 to 8.

- ``"this scanner"`` sees the shipped P's simulated images.
- ``"this scanner, this head"`` sees the image that it is judged on, from the whole record.

Nobody can train the second: it has seen the answer, the noise of the record included.  An image holds 1/C of the
noise of C coils.  If all of it was learned, the estimate of the error's energy is too low by twice that, see
:func:`learned_noise`.  It is the control that tells how far P could come.  Where it gains much over the first, the
images limit P; where the first gains much over the shipped P, so does having to work for many scanners; where neither
gains, something else does.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from ...data import Split
from ...denoisers import load_denoiser
from ...distillation import distill
from ...operators import SenseMRI
from ...preconditioners import Preconditioner
from ...presets import multicoil_mri
from ...pretrained import load_preconditioner
from ...recipes import DistillationFields, DistillationRecipe
from ...scanner import draw_mask
from ...tasks import Augment, Task, make_task
from .candidates import LONGEST, best_by_name
from .head import ACCELERATIONS, CALIBRATION, NOISE, columns, prepared_head
from .judging import chosen, judged
from .multicoil import Scan, both_denoisers, choose, learned, scan_of
from .records import Experiment, Row

SHIPPED, SCANNER, HEAD = "shipped P", "P for this scanner", "P for this scanner, this head"
BUDGET: DistillationFields = {
    "steps": 1500,
    "batch_size": 2,
    "pool_size": 16,
    "operators": 4,
    "tuned_batch": 1,
}
"""What both trainings have less than the shipped one: each image has three times as many pixels."""


@dataclass(frozen=True)
class Columns:
    """Draws columns of one scanner: its maps and noise stay."""

    maps: torch.Tensor
    noise: float

    def __call__(self, task: Task, generator: torch.Generator) -> Task:
        """Return the task with other columns at R between the least and the largest that is judged, and a teacher."""
        sides = (self.maps.shape[-2], self.maps.shape[-1])
        share = float(torch.rand((), generator=generator))
        R = ACCELERATIONS[0] + (ACCELERATIONS[-1] - ACCELERATIONS[0]) * share
        seeds = torch.randint(2**62, (3,), generator=generator).tolist()
        few, more = (draw_mask("columns", sides, rate, CALIBRATION, seeds[0]) for rate in (R, R / 2))
        student, teacher = (
            SenseMRI(self.maps, places, noise=self.noise, seed=seed, split=multicoil_mri.SPLIT, tol=3e-3)
            for places, seed in ((few, seeds[1]), (few | more, seeds[2]))
        )
        return replace(task, student=student, teacher=teacher)


def trained(scan: Scan, image: torch.Tensor | None, seed: int, *, progress: bool = True) -> Preconditioner:
    """Train P for the scanner of a scan, on simulated images or, where one is given, on that one as it is."""
    maps, noise = scan.whole.coil_maps[0], float(scan.judge.sigma)
    sides = (maps.shape[-2], maps.shape[-1])
    augment: Augment = multicoil_mri.change_view
    if image is None:
        images = multicoil_mri.heads_and_others(sides, seed)
    else:  # images of a task have magnitudes up to 1
        brightest = float(image.norm(dim=1).max())
        images, augment = Split(*[image / brightest] * 3), lambda drawn, _: brightest * drawn
    preset = replace(multicoil_mri.PRESET, redraw=Columns(maps, noise), augment=augment)
    task = make_task(
        scan.physics,
        scan.whole,
        images,
        load_denoiser(preset.path("denoiser")),
        multicoil_mri.suited_sigma(noise),
        preset=preset,
        img_size=(2, *sides),
        complex_valued=True,
    )
    recipe = preset.recipes["distilled"]
    assert isinstance(recipe, DistillationRecipe)
    recipe = replace(replace(recipe, **BUDGET), seed=seed)
    return distill(task, recipe, progress=progress).preconditioner


def head_alone(scan: Scan) -> torch.Tensor:
    """Return the image of the whole record, (1, 2, H, W), in the units of a scan of some of its columns."""
    return scan.whole.A_adjoint(torch.view_as_real(scan.judge.measured).movedim(-1, 0)[None])


def beyond_maps(scan: Scan) -> float:
    """Return the relative error of what the maps cannot say of the whole record: the root of its share of the energy.

    The image of the whole record, seen through the maps again, differs from the record by what no image explains, and
    by 1 − 1/C of the noise, as it has one number for C.
    """
    found = scan.judge.error(scan.predict(head_alone(scan)))
    coils = scan.whole.coil_maps.shape[1]
    return math.sqrt(max(0.0, found.value + found.noise_energy / coils) / found.signal)


def learned_noise(scan: Scan) -> float:
    """Return by how much a relative squared error is too low at most, where the record's noise was learned: 2 ν² / C.

    ν² is the energy of the noise over that of the signal on what judges.  An image with the record's own noise n is
    compared with x + n: its error is told as |e|² − 2⟨e, n⟩, and is |e|².
    """
    found = scan.judge.error(torch.zeros_like(scan.judge.measured))
    return 2 * found.noise_energy / found.signal / scan.whole.coil_maps.shape[1]


def run(iterations: tuple[int, ...], seed: int) -> tuple[Mapping[str, Any], list[Row]]:
    """Train both, and compare all three on the measured head."""
    record = prepared_head()
    sides = (record.data.shape[-2], record.data.shape[-1])
    splits = {R: columns(sides, R, seed) for R in ACCELERATIONS}
    middle = scan_of(record, splits[ACCELERATIONS[1]].judging, NOISE)
    found = {
        SHIPPED: load_preconditioner(multicoil_mri.PRESET.path("distilled")),
        SCANNER: trained(middle, None, seed),
        HEAD: trained(middle, head_alone(middle), seed),
    }
    denoisers = both_denoisers()
    rows: list[Row] = []
    beyond: dict[str, float] = {}
    noise: dict[str, float] = {}
    for R, split in splits.items():
        scan, aside = (scan_of(record, part, NOISE) for part in split)
        beyond[f"R = {R}"], noise[f"R = {R}"] = beyond_maps(scan), learned_noise(scan)
        shipped: torch.Tensor | None = None
        for name, P in found.items():
            ways = learned(name, P, denoisers)
            tried = ((way, choose(aside, way, iterations, LONGEST)) for way in ways)
            ((way, choice),) = best_by_name(tried)
            (step,) = chosen(way.make(*choice.point)(scan.physics, scan.y, choice.stop), (choice.stop,))
            prediction = scan.predict(step.image)
            row = judged(scan.judge, f"R = {R}", way.label(choice.point), step, prediction, shipped)
            rows.append(replace(row, setting=choice.point))
            shipped = prediction if shipped is None else shipped
    return {"budget": BUDGET, "beyond_maps": beyond, "learned_noise": noise}, rows


EXPERIMENT = Experiment(
    title="what limits one P for many scans, on a head at 3 T with seven coils",
    data="head_7_coils",
    iterations=(1, 2, 3, 5, 7, 10, 14, 20, 30, 50),
    run=run,
)
