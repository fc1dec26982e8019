r"""Brain slices seen by a scanner with several receive coils, and one P for many such scanners.

The preset is not among the registered ones, since its methods have not been tuned: ``PRESET.load()`` makes its task,
with its own denoiser, and every kind runs with a setting of one's own.  Its P ships, and is loaded by
``load_preconditioner(PRESET.path("distilled"))``.

The recipe ``"distilled"`` trains one P for all scans of :data:`FAMILY`: coils, masks, acceleration and noise are
drawn anew by :func:`redraw_scan`, see :class:`~ddgp_lib.distillation.members.Members`.  Its form is a Newton step on
what the coils see, and a network's correction N on what they do not,

.. math::

    P(g; z) = R_\lambda\, g + \lambda R_\lambda N(g, z) = R_\lambda \bigl(g + \lambda N(g, z)\bigr) ,
    \qquad R_\lambda = \|A\|^2 (A^\top A + \lambda \|A\|^2)^{-1} .

With several coils no gap parts seen from unseen modes, so the null space needs a threshold.  It is λ = 0.03, the
damping of the Newton step: a mode with the singular value :math:`\sqrt{0.03}\, \|A\| = 0.17\, \|A\|` counts half as
seen, one with :math:`0.5\, \|A\|` 89 %, one with :math:`0.05\, \|A\|` 8 %.  The Newton step fits a mode in
one step by the same share, :math:`r^2 / (r^2 + \lambda)` for a relative singular value r, so N has a say exactly
where the step leaves something to do.  Because both have one λ, both are one solve, and an iteration with P costs
about as many products with :math:`A^\top A` as one of plug-and-play with Newton's step.

It is trained on simulated scans alone: brain slices with skull, squares of photographs, and dead leaves; half of the
latter two in the outline of a head.  All have phases, smooth ones or smooth and rough ones, and half of the images
that are taken get further ones, and another brightness.  The denoiser is trained on the same images.
As the preset is not registered, a file that imports ``PRESET`` from here makes it known to the command line:
``python -m ddgp_lib train --task FILE.py:PRESET --kind distilled``.
"""

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
    require_size,
)
from ..checkpoints import WEIGHTS_FOLDER
from ..data import (
    Split,
    dead_leaves,
    load_brains,
    load_photographs,
    random_maps,
    resample,
    rough_phase,
    smooth_phase,
    to_complex,
)
from ..kinds import AnnealedFista, ExactADMM, IteratedTikhonov, VariationFista
from ..names import MaskName
from ..operators import SenseMRI, noise_of
from ..recipes import DistillationRecipe, LinearRecipe
from ..scanner import MASKS, ScanFamily, draw_mask
from ..tasks import Counts, Preset, Task, chosen_sides, make_task
from .mri import DENOISER, head, times, turn_phase

STRENGTHS = (0.1, 1.0)
"""Least and largest standard deviation of a rough phase, in radians."""
EXPONENTS = (1.5, 3.0)
"""Least and largest power with which the spectrum of a rough phase falls."""
SPLIT = 0.03
"""λ of the soft split and of the Newton step, relative to ‖A‖²."""
LEAVES, PHOTOGRAPHS = 96, 192
"""Dead leaves and squares of photographs among the images to train on; every second one has the outline of a head."""
GAINS = (0.6, 1.6)
"""Least and largest factor of the brightness of an image that is changed: a scanner's units are never quite ours."""
FAMILY = ScanFamily(coils=(1, 10), accelerations=(3.0, 8.0), noise=(0.003, 0.06), split=SPLIT, tol=3e-3)
"""The scans that one P is trained for: 1 to 10 coils, R from 3 to 8, columns and places, noise of 0.003 to 0.06.

Conjugate gradients stop at a residual of 3e-3 while training.  On two of these scans, 20 iterations of plug-and-play
with Newton's step came within 0.02 dB of those with 1e-6, with 13 and 18 products in the place of 36 and 41 for each
solve; with 1e-2 within 0.11 dB, with 9 and 14.
"""


def multicoil_mri(
    *,
    acceleration: float = 6,
    teacher_acceleration: float = 3,
    mask: MaskName = "columns",
    calibration: float = 0.08,
    coils: int = 8,
    noise: float = 0.01,
    split: float = SPLIT,
    tol: float = 1e-3,
    size: int | tuple[int, int] | None = None,
    sigma: float = 0.03,
    seed: int = 0,
    denoiser: Denoiser | None = None,
    images: Split | None = None,
) -> Task:
    """Brain slices seen by a scanner with several receive coils that skips most of k-space.

    Images have two channels, the real and imaginary part.  K-space, sensitivities, noise, and phases that are smooth
    in half of the images and rough too in the others, are simulated.

    Parameters
    ----------
    acceleration : float
        Places of k-space over those that the student measures, 1 or above.
    teacher_acceleration : float
        The same for the teacher, which measures what the student does and more; at most ``acceleration``.
    mask : str
        ``"columns"``, ``"random"`` places or a ``"poisson_disc"``, of variable density.
    calibration : float
        Side of the region around the zero frequency that is always measured, as a fraction of the image's smaller
        side; from 0 to 1.
    coils : int
        Number of receive coils, of :func:`~ddgp_lib.data.sensitivities.random_maps`.
    noise : float
        Standard deviation of the Gaussian noise on the real and the imaginary part of each k-space entry.
    split, tol : float
        As for :class:`~ddgp_lib.operators.sense.SenseMRI`.
    size : int or pair of int, optional
        Side, or height and width, of the images in pixels; by default that of your own images, or 128.
    sigma : float
        Noise level for the denoiser.
    seed : int
        Seed of the maps, the masks, the phases and the scanners' noise generators.
    denoiser : Denoiser, optional
        Another denoiser than the preset's.
    images : Split, optional
        Your own images instead of the brain slices, each part (N, 2, H, W).

    Returns
    -------
    Task
    """
    for name, value in {"acceleration": acceleration, "teacher_acceleration": teacher_acceleration}.items():
        require_number(name, value, lowest=1)
    fewer = teacher_acceleration <= acceleration
    wanted = f"at most acceleration={acceleration}"
    require(fewer, "teacher_acceleration", teacher_acceleration, wanted)
    require_choice("mask", mask, MASKS)
    require_number("calibration", calibration, lowest=0, highest=1)
    require_count("coils", coils)
    require_size("size", size, none=True)
    require_seed("seed", seed)
    require_instance("images", images, Split, "a Split", none=True)
    sides = chosen_sides(size, images, 128)
    maps = random_maps(coils, sides, torch.Generator().manual_seed(int(seed)))
    few = draw_mask(mask, sides, acceleration, calibration, seed)
    more = few | draw_mask(mask, sides, teacher_acceleration, calibration, seed)
    student, teacher = (
        SenseMRI(maps, places, noise=noise, seed=seed + place, split=split, tol=tol)
        for place, places in enumerate((few, more))
    )
    return make_task(
        student,
        teacher,
        heads_and_others(sides, seed) if images is None else images,
        denoiser,
        sigma,
        preset=PRESET,
        img_size=(2, *sides),
        complex_valued=True,
    )


def complex_heads(size: int | tuple[int, int] = 128, seed: int = 0) -> Split:
    """Load the brain slices with simulated phases, as real and imaginary channels (N, 2, H, W).

    Parameters
    ----------
    size : int or pair of int
        Side, or height and width, of the images.
    seed : int
        Seed of the phases.

    Returns
    -------
    Split
        Magnitudes in [0, 1].
    """
    require_size("size", size)
    require_seed("seed", seed)
    generator = torch.Generator().manual_seed(int(seed))
    return Split(*(with_phases(resample(part, size), generator) for part in load_brains()))


def heads_and_others(size: int | tuple[int, int] = 128, seed: int = 0) -> Split:
    """Load the brain slices with simulated phases, and beside those to train on photographs and dead leaves.

    Parameters
    ----------
    size : int or pair of int
        Side, or height and width, of the images.
    seed : int
        Seed of the phases, the leaves, and of which photographs are taken.

    Returns
    -------
    Split
        Magnitudes in [0, 1]; images to choose on and to test are brain slices alone.
    """
    heads = complex_heads(size, seed)
    sides = (heads.train.shape[2], heads.train.shape[3])
    generator = torch.Generator().manual_seed(int(seed))
    squares = load_photographs(min(128, max(16, *sides)), leaves=0).train  # the sides that squares can have
    taken = torch.randperm(len(squares), generator=generator)[:PHOTOGRAPHS]
    others = torch.cat([dead_leaves(LEAVES, sides, generator), resample(squares[taken], sides)])
    outlines = torch.randint(len(heads.train), (len(others[::2]),), generator=generator)
    others[::2] *= head(heads.train[outlines])
    return heads._replace(train=torch.cat([heads.train, with_phases(others, generator)]))


def change_view(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Perturb complex images (N, 2, H, W) as single-coil MRI does, add new phases, and change the brightness.

    See :func:`~ddgp_lib.presets.mri.turn_phase` and :data:`GAINS`.
    """
    turned = turn_phase(images, generator)
    share = torch.rand(len(images), 1, 1, 1, generator=generator)
    gains = GAINS[0] * (GAINS[1] / GAINS[0]) ** share
    return gains * times(with_phases(torch.ones_like(turned[:, :1]), generator), turned)


def redraw_scan(task: Task, generator: torch.Generator) -> Task:
    """Return a task with a scanner and a teacher that are drawn from :data:`FAMILY`, and the σ that suits them.

    Parameters
    ----------
    task : Task
        Of this preset, with images of any size.
    generator : torch.Generator
        Makes all draws.
    """
    require_instance("task", task, Task, "a Task")
    require_generator("generator", generator)
    drawn = FAMILY.draw((task.img_size[1], task.img_size[2]), generator)
    level = noise_of(drawn.student)
    assert level is not None
    return replace(task, student=drawn.student, teacher=drawn.teacher, sigma=suited_sigma(level))


def suited_sigma(noise: float) -> float:
    """Return the denoiser's level that suits a scanner's noise ν with Newton's step: 2 ν, from 0.01 to 0.06.

    On four scans of :data:`FAMILY` with the noise 0.0035, 0.005, 0.0148 and 0.0268, the best of 0.01, 0.015, 0.02,
    0.03 and 0.05 for 20 iterations of plug-and-play with Newton's step and no momentum were 0.01, 0.02, 0.03 and
    0.05.  The one nearest to this rule was the best in three, and 0.14 dB below it at 0.005.  With 0.03 for all,
    2.7 dB were lost at 0.0035 and 1.6 dB at 0.0268.

    More than 0.06 takes too much away behind one coil.  Behind eight coils and noise above 0.03 it is too little:
    there Newton's step amplifies the noise from iteration to iteration, with P and without.

    Parameters
    ----------
    noise : float
        ν, the standard deviation of each part of a measurement, 0 or above.

    Examples
    --------
    >>> from ddgp_lib.presets.multicoil_mri import suited_sigma
    >>> [suited_sigma(noise) for noise in (0.001, 0.01, 0.03)]
    [0.01, 0.02, 0.06]
    """
    require_number("noise", noise, lowest=0)
    return min(0.06, max(0.01, 2 * noise))


def with_phases(magnitudes: torch.Tensor, generator: torch.Generator, *, rough: float = 0.5) -> torch.Tensor:
    """Give magnitudes random phases: smooth ones, to which some add structure of all sizes.

    The phase of a measured head of 7 coils at 3 T, its noise included, differs from a version of itself that keeps
    16 frequencies a side by 0.14 rad, weighted by the magnitude squared.  Smooth phases do by 0.007 rad, and are no
    match for it; those of rough images by 0.10, 0.22 and 0.38 rad (first decile, median, ninth decile of 30).

    Parameters
    ----------
    magnitudes : Tensor, shape (N, 1, H, W)
        Images in [0, 1].
    generator : torch.Generator
        Makes all draws.
    rough : float
        Probability, in [0, 1], that an image has a rough phase beside the smooth one; its strength and exponent are
        uniform in :data:`STRENGTHS` and :data:`EXPONENTS`.

    Returns
    -------
    Tensor, shape (N, 2, H, W)
        Real and imaginary part.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.presets.multicoil_mri import with_phases
    >>> images = with_phases(torch.ones(2, 1, 16, 16), torch.Generator().manual_seed(0))
    >>> tuple(images.shape), bool((images.norm(dim=1) - 1).abs().max() < 1e-5)
    ((2, 2, 16, 16), True)
    """
    require_images("magnitudes", magnitudes, channels=1)
    require_generator("generator", generator)
    require_number("rough", rough, lowest=0, highest=1)
    count, sides = len(magnitudes), (magnitudes.shape[2], magnitudes.shape[3])
    phases = smooth_phase(count, sides, generator)
    chosen, strength, exponent = torch.rand(3, count, generator=generator).tolist()
    for n in range(count):
        if chosen[n] < rough:
            options = {
                "strength": _between(STRENGTHS, strength[n]),
                "exponent": _between(EXPONENTS, exponent[n]),
            }
            phases[n] += rough_phase(1, sides, generator, **options)[0]
    return to_complex(magnitudes, phases)


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * share


PRESET: Preset = Preset(
    name="multicoil_mri",
    make=multicoil_mri,
    images=heads_and_others,
    augment=change_view,
    redraw=redraw_scan,
    denoiser=replace(DENOISER, steps=16000, perturbed=0.7),
    recipes={
        # The same with squared errors and a rate of 0.001, after 10 iterations: 29.70 in the place of 29.97 dB on the
        # validation slices, and 29.88 in the place of 29.90 dB on 14 scans drawn anew (Newton's step: 28.02).
        "distilled": DistillationRecipe(
            form="newton_null_space",
            losses={"gradient": 1.0, "decibels": 1.0},
            steps=5000,
            batch_size=4,
            learning_rate=2e-3,
            pool_size=32,
            perturbed=0.7,
            operators=8,
            redraw_every=40,
            horizon=60,
            momentum="none",
            damping=SPLIT,
            average=0.99,
            tuned_steps=300,
            tuned_unroll=4,
            tuned_rate=5e-4,
            tuned_batch=3,
            tuned_losses={"decibels": 1.0},
        )
    },
    linear=LinearRecipe(form="newton_null_space", structure="convolution", damping=SPLIT),
    classical=("none", "newton"),
    rivals={
        "cg_sense": IteratedTikhonov(),
        "tv": VariationFista(sigmas=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05)),
        "annealed": AnnealedFista(firsts=(0.1, 0.2, 0.3, 0.5), lasts=(0.0025, 0.005, 0.01, 0.02)),
        "admm": ExactADMM(firsts=(0.1, 0.2, 0.3, 0.5), lasts=(0.005, 0.01, 0.02, 0.03), taus=(1, 3, 10, 30)),
    },
    counts=Counts(tuning=6, validation=12, evaluation=48, study=(6, 24)),
    sigmas=(0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1),
    conditions={
        "noise 0.003": {"noise": 0.003},
        "noise 0.03": {"noise": 0.03},
        "acceleration 4": {"acceleration": 4},
        "acceleration 8": {"acceleration": 8},
        "random places": {"mask": "random"},
        "4 coils": {"coils": 4},
        "other coils and mask": {"seed": 1},
    },
    region=head,
    weights=WEIGHTS_FOLDER,
)
