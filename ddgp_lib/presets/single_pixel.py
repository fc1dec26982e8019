"""MNIST digits seen by a single-pixel camera."""

from dataclasses import replace

import torch
from deepinv.models import Denoiser
from deepinv.physics import GaussianNoise, LinearPhysics

from ..arguments import require, require_count, require_instance, require_number, require_seed
from ..checkpoints import WEIGHTS_FOLDER
from ..data import Split, load_digits, load_faces, resample
from ..denoisers import DenoiserRecipe
from ..kinds import AnnealedFista, ExactADMM, PulledFista, VariationFista
from ..names import Ordering
from ..operators import HadamardCamera
from ..recipes import DistillationRecipe, LinearRecipe
from ..tasks import Counts, Preset, Task, Variant, make_task
from . import variants
from .ablations import loss_ablations
from .few import few_steps
from .learned_rivals import rival_recipes


def single_pixel(
    *,
    ratio: float = 0.1,
    teacher_ratio: float = 0.4,
    ordering: Ordering = "cake_cutting",
    noise: float = 0.01,
    size: int = 32,
    sigma: float = 0.07,
    seed: int = 0,
    denoiser: Denoiser | None = None,
    images: Split | None = None,
) -> Task:
    """MNIST digits seen by a single-pixel camera with a Hadamard basis.

    Parameters
    ----------
    ratio : float
        Fraction of the basis that the student measures, in (0, 1]; by default 0.1, 102 of 1,024 patterns.
    teacher_ratio : float
        Fraction that the teacher measures; at least ``ratio``, so that its patterns include the student's.
    ordering : str
        Order of the patterns, see :class:`~ddgp_lib.operators.HadamardCamera`.
    noise : float
        Standard deviation of the Gaussian noise on each measurement of either operator.  With the orthonormal
        basis a digit's 102 measurements have a norm of about 8.
    size : int
        Side of the images in pixels, a power of two; digits are resampled where it is not 32.
    sigma : float
        Noise level for the denoiser.
    seed : int
        Seed of the cameras' own noise generators.
    denoiser : Denoiser, optional
        Another denoiser than the shipped one.
    images : Split, optional
        Your own images instead of the embedded digits, each part (N, 1, size, size).

    Returns
    -------
    Task
    """
    for name, value in {"ratio": ratio, "teacher_ratio": teacher_ratio}.items():
        require_number(name, value, above=0, highest=1)
    require_count("size", size)
    require_seed("seed", seed)
    require_instance("images", images, Split, "a Split", none=True)
    require(teacher_ratio >= ratio, "teacher_ratio", teacher_ratio, f"at least ratio={ratio}")
    img_size = (1, size, size)
    student = HadamardCamera(ratio, img_size, ordering, noise, seed)
    teacher = HadamardCamera(teacher_ratio, img_size, ordering, noise, seed + 1)
    if images is None:
        images = Split(*(resample(part, size) for part in load_digits()))
    return make_task(student, teacher, images, denoiser, sigma, preset=PRESET, img_size=img_size)


def signed_patterns(preset: Preset) -> Task:
    """Build the task for 410 patterns of random signs in the place of a Hadamard basis."""
    generator = torch.Generator().manual_seed(0)
    signs = (2.0 * torch.randint(2, (410, 1024), generator=generator) - 1) / 32
    physics = LinearPhysics(
        A=lambda x: x.flatten(1) @ signs.T,
        A_adjoint=lambda y: (y @ signs).reshape(-1, 1, 32, 32),
        noise_model=GaussianNoise(0.01, rng=torch.Generator()),
    )
    return replace(preset.load(), student=physics)


def _faces(task: Task, count: int) -> dict[str, torch.Tensor]:
    return {"faces": load_faces(task.img_size[-1]).test[:count]}


SHORT_STEPS = 1500

SHORT_BATCH = 16
"""States in each of their steps."""

NOISES = (0.005, 0.1)
"""Noise that every learned method is trained for."""

DISTILLED = DistillationRecipe(
    losses={"gradient": 1.0, "supervised": 1.0},
    steps=7000,
    learning_rate=2e-3,
    noise_range=NOISES,
    average=0.99,
    tuned_steps=300,
    tuned_unroll=5,
    tuned_rate=1e-3,
    tuned_batch=24,
    tuned_end=True,
)

PRESET: Preset = Preset(
    name="single_pixel",
    make=single_pixel,
    images=load_digits,
    denoiser=DenoiserRecipe(),
    recipes={
        "distilled": DISTILLED,
        "distilled_fast": few_steps(DISTILLED, steps=3000, tuned_steps=4800, iterations=3),
        "distilled_gradient_only": DistillationRecipe(
            inputs="gradient_only", steps=7250, from_truth=0.5, sigma=0.1, momentum="none", noise_range=NOISES
        ),
        "distilled_linear": LinearRecipe(n_images=8000, iterations=8, rank=32),
    },
    linear=LinearRecipe(),
    ablations=loss_ablations(DISTILLED),
    # Steps that take the time of "distilled", by ddgp_lib.experiments.budget; the best rates of experiments.rates.
    alternatives=rival_recipes(
        {"direct": 11840, "null_space_network": 11330, "unfolded": 5500, "modl": 2050, "npn": 11490},
        learning_rate={
            "direct": 0.004,
            "null_space_network": 0.002,
            "unfolded": 0.008,
            "modl": 0.004,
            "npn": 0.002,
        },
        batch_size=32,
        noise_range=NOISES,
    ),
    classical=("none",),
    rivals={
        "tv": VariationFista(sigmas=(0.005, 0.01, 0.02, 0.03, 0.05, 0.1)),
        "annealed": AnnealedFista(firsts=(0.2, 0.3, 0.5), lasts=(0.02, 0.03, 0.05)),
        "admm": ExactADMM(firsts=(0.2, 0.3, 0.5), lasts=(0.07, 0.1, 0.15), taus=(10, 30, 100)),
    },
    requested={"npn_fista": PulledFista(sigmas=(0.03, 0.05, 0.07, 0.1, 0.15))},
    counts=Counts(tuning=50, validation=200, evaluation=200, study=(40, 100)),
    conditions={
        "noise 0.03": {"noise": 0.03},
        "noise 0.1": {"noise": 0.1},
        "ratio 0.05": {"ratio": 0.05},
        "ratio 0.2": {"ratio": 0.2},
        "ordering zig_zag": {"ordering": "zig_zag"},
    },
    other_images=_faces,
    short={"steps": SHORT_STEPS, "batch_size": SHORT_BATCH, "pool_size": 256, "momentum": "none"},
    studies={
        "forms": variants.form_rows(SHORT_STEPS // variants.UNROLL, SHORT_BATCH),
        "losses": variants.LOSSES,
        "teachers": {
            f"single_pixel, {ratio:.0%} of the patterns": Variant(options={"teacher_ratio": ratio})
            for ratio in (0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
        }
        | variants.without_teacher("single_pixel"),
        "networks": variants.network_rows(("mlp", "cnn", "cbam", "unet", "mdcnn", "indi", "vit", "convnext")),
    },
    linear_operators={"single_pixel": Preset.load, "random signs": signed_patterns},
    weights=WEIGHTS_FOLDER,
)
