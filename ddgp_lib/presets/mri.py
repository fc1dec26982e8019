"""Brain slices seen by a Cartesian MRI scanner."""

import math
from typing import Any

import numpy as np
import torch
from deepinv.models import Denoiser
from deepinv.physics import LinearPhysics

from ..arguments import (
    require,
    require_count,
    require_flag,
    require_generator,
    require_images,
    require_instance,
    require_number,
    require_seed,
    require_size,
)
from ..checkpoints import WEIGHTS_FOLDER
from ..data import Split, load_brains, perturb, resample, smooth_phase, to_complex
from ..denoisers import DenoiserRecipe
from ..kinds import AnnealedFista, ExactADMM, PulledFista, VariationFista
from ..operators import CartesianMRI, MultiCoilCartesianMRI
from ..recipes import DistillationRecipe, LinearRecipe
from ..tasks import Counts, Preset, Task, Variant, chosen_sides, make_task
from . import variants
from .ablations import loss_ablations
from .few import few_steps
from .learned_rivals import rival_recipes

HEAD = 0.05
"""Magnitude, on [0, 1], above which a pixel of a true slice is bright."""


def mri(
    *,
    acceleration: float = 4,
    teacher_acceleration: float = 2,
    center_fraction: float = 0.08,
    nested: bool = True,
    coils: int = 1,
    noise: float = 0.01,
    size: int | tuple[int, int] | None = None,
    sigma: float = 0.03,
    seed: int = 0,
    denoiser: Denoiser | None = None,
    images: Split | None = None,
) -> Task:
    """Brain slices seen by a Cartesian MRI scanner that skips most columns of k-space.

    Images have two channels, the real and imaginary part; k-space, phase and noise are simulated.  Training and
    validation slices come from one volume, test slices from another.

    Parameters
    ----------
    acceleration : float
        Columns of k-space over columns that the student measures, above 1; by default 4.
    teacher_acceleration : float
        The same for the teacher; 1 or above, and at most ``acceleration``.
    center_fraction : float
        Fraction of the columns, around the centre, that are always measured, in (0, 1).
    nested : bool
        Whether the teacher's columns include the student's (default), or are drawn on their own.
    coils : int
        Number of receive coils: one (default), or several with simulated sensitivities.
    noise : float
        Standard deviation of the Gaussian noise on the real and the imaginary part of each k-space entry.
    size : int or pair of int, optional
        Side, or height and width, of the images in pixels; by default that of your own images, or 128.  Slices are
        resampled where it is another.
    sigma : float
        Noise level for the denoiser.
    seed : int
        Seed of the masks, the phases and the scanners' noise generators.
    denoiser : Denoiser, optional
        Another denoiser than the shipped one.
    images : Split, optional
        Your own images instead of the brain slices, each part (N, 2, H, W).

    Returns
    -------
    Task
    """
    for name, value in {"acceleration": acceleration, "teacher_acceleration": teacher_acceleration}.items():
        require_number(name, value, lowest=1)
    require_flag("nested", nested)
    require_count("coils", coils)
    require_size("size", size, none=True)
    require_seed("seed", seed)
    require_instance("images", images, Split, "a Split", none=True)
    require(
        teacher_acceleration <= acceleration,
        "teacher_acceleration",
        teacher_acceleration,
        f"at most acceleration={acceleration}",
    )
    sides = chosen_sides(size, images, 128)
    img_size = (2, *sides)

    def scanner(factor: float, mask_seed: int, noise_seed: int) -> LinearPhysics:
        options: dict[str, Any] = {"center_fraction": center_fraction, "noise": noise}
        options |= {"mask_seed": mask_seed, "seed": noise_seed}
        if coils == 1:
            return CartesianMRI(factor, img_size, **options)
        return MultiCoilCartesianMRI(factor, img_size, coils=coils, **options)

    student = scanner(acceleration, seed, seed)
    teacher = scanner(teacher_acceleration, seed if nested else seed + 1, seed + 1)
    images = complex_brains(sides, seed) if images is None else images
    return make_task(
        student,
        teacher,
        images,
        denoiser,
        sigma,
        preset=PRESET,
        img_size=img_size,
        complex_valued=True,
    )


def complex_brains(size: int | tuple[int, int] = 128, seed: int = 0) -> Split:
    """Load the brain slices with a simulated smooth phase, as real and imaginary channels (N, 2, H, W)."""
    require_size("size", size)
    require_seed("seed", seed)
    generator = torch.Generator().manual_seed(int(seed))
    magnitudes = (resample(part, size) for part in load_brains())
    return Split(*(to_complex(part, smooth_phase(len(part), size, generator)) for part in magnitudes))


def turn_phase(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Perturb complex images (N, 2, H, W), mirror half of them, and turn each one's phase by a random angle."""
    require_images("images", images, channels=2)
    require_generator("generator", generator)
    perturbed = perturb(images, generator, flip=True)
    angle = 2 * math.pi * torch.rand(len(images), 1, 1, generator=generator)
    return times(torch.stack([angle.cos(), angle.sin()], dim=1), perturbed)


def times(factors: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Multiply complex images (N, 2, H, W) by complex factors (N, 2, H, W), or (N, 2, 1, 1) for one an image."""
    (a, b), (real, imaginary) = factors.unbind(dim=1), images.unbind(dim=1)
    return torch.stack([a * real - b * imaginary, b * real + a * imaginary], dim=1)


def head(truth: torch.Tensor) -> torch.Tensor:
    """Find the head in true slices: what is brighter than :data:`HEAD`, closed, with its holes filled.

    Closing fills gaps of up to 4 pixels between bright ones (two dilations by 3 × 3 pixels, two erosions).  Holes are
    what no path of dark neighbours, left, right, up and down, joins to the border of the image.

    Parameters
    ----------
    truth : Tensor, shape (N, 2, H, W)
        Real and imaginary part; magnitudes in [0, 1].

    Returns
    -------
    Tensor of bool, shape (N, 1, H, W)
        All pixels of a slice where none is bright.

    Raises
    ------
    ValueError
        If the images are none, or have not two channels.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.presets.mri import head
    >>> truth = torch.zeros(1, 2, 32, 32)
    >>> truth[0, 0, 8:24, 8:24] = 0.5
    >>> truth[0, 0, 12:20, 12:20] = 0  # a ventricle is within the head
    >>> int(head(truth).sum())
    256
    """
    from scipy import ndimage  # importing takes long, and not everyone asks for it

    require_images("truth", truth, channels=2)
    masks = []
    for bright in (truth.norm(dim=1) > HEAD).cpu().numpy():
        closed = ndimage.binary_closing(np.pad(bright, 2), np.ones((3, 3)), iterations=2)[2:-2, 2:-2]
        filled = ndimage.binary_fill_holes(closed)
        masks.append(torch.from_numpy(filled if filled.any() else np.ones_like(bright)))
    return torch.stack(masks)[:, None].to(truth.device)


def _training_volume(task: Task, count: int) -> dict[str, torch.Tensor]:
    """Return validation slices, which are of the person that was trained on."""
    return {"training volume": task.val_images[:count]}


def four_coils(preset: Preset) -> Task:
    """Build the task for four coils and images of 64 × 64."""
    return preset.load(coils=4, size=64)


# On rows a rank of 64 is no restriction: the teacher measures 32 columns more, each with a real and an imaginary
# part.  Rows are very many samples, so a ridge hardly matters.
LINEAR = LinearRecipe(
    structure="rows", rank=64, iterations=12, n_images=311, ridges=(1e-6,), validation_images=6
)

NOISES = (0.005, 0.1)
"""Noise that every learned method is trained for."""

DISTILLED = DistillationRecipe(
    losses={"gradient": 1.0, "supervised": 1.0},
    steps=1800,
    batch_size=8,
    learning_rate=3e-3,
    pool_size=128,
    horizon=100,
    sigma=0.03,
    momentum="none",
    noise_range=NOISES,
    sigma_noise=0.01,
    average=0.99,
    tuned_steps=250,
    tuned_unroll=4,
    tuned_rate=1e-3,
    tuned_batch=4,
    tuned_end=True,
)

DENOISER = DenoiserRecipe(
    network="unet",
    steps=25000,
    finetune_steps=0,
    batch_size=8,
    learning_rate=5e-3,
    warmup=0.03,
    clip=1.0,
    perturbed=0.3,
    crop=64,
    sigma_min=0.005,
    sigma_max=0.3,
)
"""How a denoiser of complex slices is trained."""

PRESET: Preset = Preset(
    name="mri",
    make=mri,
    images=complex_brains,
    augment=turn_phase,
    denoiser=DENOISER,
    denoisers={
        # A DnCNN of 91,000 weights, with modes that do not come to rest: the chapter on plug-and-play looks at them.
        "small": DenoiserRecipe(batch_size=8, crop=64, sigma_min=0.005, sigma_max=0.2, noise_scaled=True)
    },
    recipes={
        "distilled": DISTILLED,
        "distilled_fast": few_steps(DISTILLED, steps=1000, tuned_steps=2700),
        "distilled_gradient_only": DistillationRecipe(
            inputs="gradient_only",
            steps=2240,
            batch_size=8,
            pool_size=128,
            horizon=100,
            from_truth=0.5,
            sigma=0.03,
            momentum="none",
            noise_range=NOISES,
            sigma_noise=0.01,
        ),
        "distilled_linear": LINEAR,
    },
    linear=LINEAR,
    ablations=loss_ablations(DISTILLED),
    # Steps that take the time of "distilled", by ddgp_lib.experiments.budget; the best rates of experiments.rates.
    alternatives=rival_recipes(
        {"direct": 3450, "null_space_network": 3430, "unfolded": 1800, "modl": 600, "npn": 3370},
        learning_rate={
            "direct": 0.004,
            "null_space_network": 0.002,
            "unfolded": 0.008,
            "modl": 0.008,
            "npn": 0.002,
        },
        batch_size=8,
        noise_range=NOISES,
    ),
    classical=("none",),
    rivals={
        "tv": VariationFista(sigmas=(0.01, 0.02, 0.03, 0.05, 0.1)),
        "annealed": AnnealedFista(firsts=(0.3, 0.5, 0.8), lasts=(0.0025, 0.005, 0.01)),
        "admm": ExactADMM(firsts=(0.1, 0.2, 0.3), lasts=(0.01, 0.02, 0.03), taus=(1, 3, 10)),
    },
    requested={"npn_fista": PulledFista(sigmas=(0.005, 0.01, 0.02, 0.03, 0.05))},
    counts=Counts(tuning=30, validation=12, evaluation=48, study=(6, 24)),
    conditions={
        "noise 0.03": {"noise": 0.03},
        "noise 0.1": {"noise": 0.1},
        "acceleration 3": {"acceleration": 3},
        "acceleration 6": {"acceleration": 6},
        "another mask": {"seed": 1},
    },
    other_images=_training_volume,
    region=head,
    short={
        "steps": 800,
        "batch_size": 8,
        "pool_size": 128,
        "horizon": 30,
        "sigma": 0.03,
        "momentum": "none",
    },
    studies={
        "teachers": {
            f"mri, acceleration {factor}": Variant(options={"teacher_acceleration": factor})
            for factor in (3, 2, 1)
        }
        | variants.without_teacher("mri"),
        "networks": variants.network_rows(variants.BEST_NETWORKS, "mri, "),
    },
    linear_operators={"mri, 4 coils": four_coils},
    weights=WEIGHTS_FOLDER,
)
