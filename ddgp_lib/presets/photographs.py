r"""Photographs seen by a single-pixel camera, with Hadamard or Haar patterns, and one P for many such cameras.

It is what the measured single-pixel cameras are simulated by, see :mod:`ddgp_lib.experiments.measured.single_pixel`.
The preset is not among the registered ones: it is judged on measurements, and has no page of its own.  A file that
imports ``PRESET`` from here makes it known to the command line,

.. code-block:: sh

    echo "from ddgp_lib.presets.photographs import PRESET" > photographs.py
    python -m ddgp_lib train-denoiser --task photographs.py:PRESET --shipped
    python -m ddgp_lib train --task photographs.py:PRESET --kind distilled --shipped

The recipe ``"distilled"`` trains one P for all cameras that :func:`redraw_camera` draws: either basis, 8 % to 30 % of
the patterns.  The noise is drawn for each state, and σ follows it.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from deepinv.models import Denoiser

from ..arguments import (
    require,
    require_choice,
    require_count,
    require_generator,
    require_images,
    require_instance,
    require_number,
    require_seed,
)
from ..checkpoints import WEIGHTS_FOLDER
from ..data import Split, load_photographs
from ..denoisers import DenoiserRecipe
from ..kinds import AnnealedFista, VariationFista
from ..names import Basis
from ..operators import HaarCamera, HadamardCamera, noise_of
from ..recipes import DistillationRecipe
from ..tasks import Counts, Preset, Task, make_task

BASES: Mapping[Basis, type[HadamardCamera] | type[HaarCamera]] = {
    "hadamard": HadamardCamera,
    "haar": HaarCamera,
}
"""Cameras by their basis."""
RATIOS = (0.08, 0.3)
"""Least and largest share of the patterns that one P is trained for."""
TEACHER = 2.5
"""Times as many patterns that a drawn teacher measures."""
NOISES = (0.004, 0.08)
"""Noise that P is trained for: the measured cameras have 0.01 to 0.05."""
EXPONENTS = (0.6, 1.6)
"""Least and largest power of a change of contrast."""


def photographs(
    *,
    ratio: float = 0.25,
    teacher_ratio: float = 0.6,
    basis: Basis = "hadamard",
    noise: float = 0.02,
    size: int = 32,
    sigma: float = 0.05,
    seed: int = 0,
    denoiser: Denoiser | None = None,
    images: Split | None = None,
) -> Task:
    """Squares of photographs seen by a single-pixel camera.

    Parameters
    ----------
    ratio : float
        Fraction of the basis that the student measures, in (0, 1].
    teacher_ratio : float
        Fraction that the teacher measures; at least ``ratio``, so that its patterns include the student's.
    basis : str
        ``"hadamard"``, in cake-cutting order, or ``"haar"``, from coarse to fine.
    noise : float
        Standard deviation of the Gaussian noise on each measurement of either operator.
    size : int
        Side of the images in pixels, a power of two from 16 to 128.
    sigma : float
        Noise level for the denoiser.
    seed : int
        Seed of the cameras' own noise generators.
    denoiser : Denoiser, optional
        Another denoiser than that of this preset.
    images : Split, optional
        Your own images instead of the photographs, each part (N, 1, size, size).

    Returns
    -------
    Task
    """
    for name, value in {"ratio": ratio, "teacher_ratio": teacher_ratio}.items():
        require_number(name, value, above=0, highest=1)
    require(teacher_ratio >= ratio, "teacher_ratio", teacher_ratio, f"at least ratio={ratio}")
    require_choice("basis", basis, BASES)
    require_number("noise", noise, lowest=0)
    require_count("size", size)
    require_seed("seed", seed)
    require_instance("images", images, Split, "a Split", none=True)
    img_size = (1, int(size), int(size))
    student = BASES[basis](ratio, img_size, noise=noise, seed=seed)
    teacher = BASES[basis](teacher_ratio, img_size, noise=noise, seed=seed + 1)
    images = load_photographs(size) if images is None else images
    return make_task(student, teacher, images, denoiser, sigma, preset=PRESET, img_size=img_size)


def change_view(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Turn each image (N, C, H, W), H = W, by quarter turns, mirror it, and change its contrast, all at random.

    The contrast is changed by a power that is uniform in :data:`EXPONENTS`; images stay in [0, 1].
    """
    require_images("images", images, bounds=(0, 1))
    require_generator("generator", generator)
    turns = torch.randint(4, (len(images),), generator=generator).tolist()
    mirrored = (torch.rand(len(images), generator=generator) < 0.5).tolist()
    share = torch.rand(len(images), 1, 1, 1, generator=generator)
    turned = [image.rot90(quarter, (-2, -1)) for image, quarter in zip(images, turns, strict=True)]
    seen = [image.flip(-1) if flip else image for image, flip in zip(turned, mirrored, strict=True)]
    return torch.stack(seen) ** (EXPONENTS[0] + (EXPONENTS[1] - EXPONENTS[0]) * share)


def redraw_camera(task: Task, generator: torch.Generator) -> Task:
    """Return a task with a camera and a teacher of either basis, which see another share of the patterns.

    Parameters
    ----------
    task : Task
        Of this preset.
    generator : torch.Generator
        Makes all draws: the basis, the share, log-uniform in :data:`RATIOS`, and the order of Haar patterns.
    """
    require_instance("task", task, Task, "a Task")
    require_generator("generator", generator)
    share = float(torch.rand((), generator=generator))
    ratio = RATIOS[0] * (RATIOS[1] / RATIOS[0]) ** share
    order, seed = torch.randint(2**31, (2,), generator=generator).tolist()
    noise = noise_of(task.student) or 0.0
    img_size = (1, task.img_size[-2], task.img_size[-1])
    haar = float(torch.rand((), generator=generator)) < 0.5
    student, teacher = (
        HaarCamera(part, img_size, order=order, noise=noise, seed=seed + place)
        if haar
        else HadamardCamera(part, img_size, noise=noise, seed=seed + place)
        for place, part in enumerate((ratio, min(1.0, TEACHER * ratio)))
    )
    return replace(task, student=student, teacher=teacher)


PRESET: Preset = Preset(
    name="photographs",
    make=photographs,
    images=load_photographs,
    augment=change_view,
    redraw=redraw_camera,
    denoiser=DenoiserRecipe(steps=10000, finetune_steps=400, perturbed=1.0),
    recipes={
        "distilled": DistillationRecipe(
            losses={"gradient": 1.0, "supervised": 1.0},
            steps=4500,
            batch_size=32,
            learning_rate=2e-3,
            pool_size=512,
            perturbed=1.0,
            sigma_noise=0.02,
            momentum="none",
            noise_range=NOISES,
            average=0.99,
            redraw_every=40,
            operators=8,
            tuned_steps=400,
            tuned_unroll=6,
            tuned_rate=1e-3,
            tuned_batch=24,
        )
    },
    classical=("none",),
    rivals={
        "tv": VariationFista(sigmas=(0.005, 0.01, 0.02, 0.03, 0.05, 0.1)),
        "annealed": AnnealedFista(firsts=(0.1, 0.2, 0.3, 0.5), lasts=(0.02, 0.03, 0.05, 0.07)),
    },
    counts=Counts(tuning=24, validation=48, evaluation=80, study=(12, 40)),
    conditions={
        "noise 0.005": {"noise": 0.005},
        "noise 0.06": {"noise": 0.06},
        "ratio 0.1": {"ratio": 0.1},
        "basis haar": {"basis": "haar"},
        "size 64": {"size": 64},
    },
    weights=WEIGHTS_FOLDER,
)
