"""Grey faces seen through a blur and decimation."""

import torch
from deepinv.models import Denoiser
from torch.nn import functional

from ..arguments import (
    require,
    require_choice,
    require_count,
    require_flag,
    require_generator,
    require_images,
    require_instance,
    require_integer,
    require_positive,
    require_seed,
    require_size,
)
from ..checkpoints import WEIGHTS_FOLDER
from ..data import Split, load_digits, load_faces, load_portraits, perturb
from ..data.faces import PERSONS_SPLIT
from ..denoisers import DenoiserRecipe
from ..kinds import AnnealedFista, ExactADMM, PolynomialFista, PulledFista, VariationFista
from ..names import Filter
from ..operators import FILTERS, FourierDownsampling, FramedDownsampling
from ..recipes import DistillationRecipe, LinearRecipe
from ..tasks import Counts, Preset, Task, Variant, chosen_sides, make_task
from . import variants
from .ablations import loss_ablations
from .few import few_steps
from .learned_rivals import rival_recipes


def super_resolution(
    *,
    factor: int = 4,
    teacher_factor: int = 2,
    filter: Filter = "gaussian",
    blur: float = 4.0,
    teacher_blur: float = 1.0,
    rtol: float = 0.03,
    framed: bool = False,
    noise: float = 0.001,
    size: int | tuple[int, int] | None = None,
    sigma: float = 0.03,
    seed: int = 0,
    denoiser: Denoiser | None = None,
    persons: int | None = None,
    images: Split | None = None,
) -> Task:
    """Grey faces seen through a blur and decimation, to be enlarged again.

    Parameters
    ----------
    factor : int
        The student keeps one pixel in ``factor`` × ``factor``; by default 4.
    teacher_factor : int
        The same for the teacher, at most ``factor``; 1 is a blur without decimation.
    filter : str
        Kernel of the blur before decimation, see :class:`~ddgp_lib.operators.FourierDownsampling`.
    blur, teacher_blur : float
        Standard deviations of the student's and the teacher's Gaussian kernel in pixels of the image.
    rtol : float
        Singular values below ``rtol`` · ‖A‖ count as zero, so that the null space of both operators includes what the
        noise hides.
    framed : bool
        Whether the blur at the border gathers what lies beyond it, as a photograph's does: then the image is larger
        than what is measured, see :class:`~ddgp_lib.operators.FramedDownsampling`.  By default boundaries are
        periodic.
    noise : float
        Standard deviation of the Gaussian noise on each pixel that is kept; the default is about that of rounding to
        8 bits.
    size : int or pair of int, optional
        Side, or height and width, of the images in pixels, multiples of both factors; by default that of your own
        images, or 64, and 88 where they are framed.
    sigma : float
        Noise level for the denoiser.
    seed : int
        Seed of the cameras' noise generators.
    denoiser : Denoiser, optional
        Another denoiser than the shipped one.
    persons : int, optional
        How many of the 28 persons are trained on, from the first; by default all.  Not with ``images``.
    images : Split, optional
        Your own images instead of the faces, each part (N, C, H, W); with C = 3 give a denoiser of colour too.

    Returns
    -------
    Task
    """
    for name, count in {"factor": factor, "teacher_factor": teacher_factor}.items():
        require_count(name, count)
    require_choice("filter", filter, FILTERS)
    for name, width in {"blur": blur, "teacher_blur": teacher_blur}.items():
        require_positive(name, width)
    require_size("size", size, none=True)
    require_seed("seed", seed)
    require_flag("framed", framed)
    require_instance("images", images, Split, "a Split", none=True)
    require(teacher_factor <= factor, "teacher_factor", teacher_factor, f"at most factor={factor}")

    sides = chosen_sides(size, images, 88 if framed else 64)
    img_size = (1 if images is None else images.train.shape[1], *sides)

    kind = FramedDownsampling if framed else FourierDownsampling

    def camera(factor: int, std: float, seed: int) -> FourierDownsampling | FramedDownsampling:
        kernel = {"std": std} if filter == "gaussian" else {}
        return kind(factor, img_size, filter=filter, noise=noise, seed=seed, rtol=rtol, **kernel)

    student, teacher = camera(factor, blur, seed), camera(teacher_factor, teacher_blur, seed + 1)
    require(images is None or persons is None, "persons", persons, "None with images of your own")
    if images is None:
        images = only_persons(faces_of(sides), persons)
    return make_task(student, teacher, images, denoiser, sigma, preset=PRESET, img_size=img_size)


def faces_of(sides: tuple[int, int]) -> Split:
    """Load the faces, cut to sides (H, W) from the middle of a square."""
    require_size("sides", sides)
    above, left = ((max(sides) - side) // 2 for side in sides)
    parts = load_faces(max(sides))
    return Split(*(part[..., above : above + sides[0], left : left + sides[1]] for part in parts))


def only_persons(faces: Split, persons: int | None) -> Split:
    """Return faces of which so many persons, the first of the 28, are left to train on; None leaves all."""
    everyone = len(PERSONS_SPLIT["train"])
    require_integer("persons", persons, lowest=1, highest=everyone, none=True)
    if persons is None:
        return faces
    return faces._replace(train=faces.train.unflatten(0, (-1, everyone))[:, :persons].flatten(0, 1))


def perturb_face(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Change faces as other people and other light would: there are but 28 persons to train on.

    Each is turned by up to 15 degrees, stretched by up to 15 %, mirrored with a probability of one half, with
    reflections beyond its edge; its grey values are raised to a power between 2/3 and 3/2, log-uniform, and scaled by
    up to 30 %.
    """
    require_images("images", images)
    require_generator("generator", generator)
    turned = perturb(images, generator, degrees=15, scale=0.15, flip=True, padding="reflection")
    uniform = 2 * torch.rand(2, len(images), 1, 1, 1, generator=generator) - 1
    power, gain = 1.5 ** uniform[0], 1 + 0.3 * uniform[1]
    return (gain.to(images) * turned.clamp(0, 1) ** power.to(images)).clamp(0, 1)


def _digits_and_portraits(task: Task, count: int) -> dict[str, torch.Tensor]:
    """Digits, enlarged; and two portraits, cut into parts of the images' size."""
    height, width = task.img_size[-2:]
    digits = functional.interpolate(load_digits().test[:count], size=(height, width), mode="bilinear")
    portraits = load_portraits(-(-3 * max(height, width) // 8) * 8).mean(dim=1, keepdim=True)
    blocks = portraits.unfold(2, height, height).unfold(3, width, width).reshape(-1, 1, height, width)
    return {"digits": digits, "two portraits": blocks[:count]}


LINEAR = LinearRecipe(
    structure="convolution",
    stride=4,
    form="newton_null_space",
    damping_noise=0.001,
    iterations=4,
    n_images=280,
    ridges=(1e-8, 1e-6, 1e-4),
    validation_images=20,
    sigma=0.05,
)

NOISES = (0.0005, 0.03)
"""Noise that every learned method is trained for."""

DISTILLED = DistillationRecipe(
    form="newton_null_space",
    losses={"gradient": 1.0, "supervised": 1.0},
    perturbed=1.0,
    steps=1000,
    batch_size=16,
    pool_size=256,
    sigma=0.03,
    momentum="none",
    damping_noise=0.001,
    noise_range=NOISES,
    sigma_noise=0.001,
    average=0.99,
)
"""Longer, validation faces lose 0.1 dB while those of training gain 0.4: they are of 28 persons."""

OF_PERSONS = {
    "losses": {"gradient": 1.0, "supervised": 1.0},
    "perturbed": 1.0,
    "noise_range": NOISES,
    "sigma_noise": 0.001,
    "average": 0.99,
}
"""What the recipe of the study of persons shares with that of the preconditioner which ships."""

PRESET: Preset = Preset(
    name="super_resolution",
    make=super_resolution,
    images=load_faces,
    augment=perturb_face,
    denoiser=DenoiserRecipe(
        network="unet",
        steps=14000,
        finetune_steps=0,
        batch_size=8,
        learning_rate=4e-3,
        warmup=0.03,
        clip=1.0,
        perturbed=0.3,
        sigma_min=0.005,
        sigma_max=0.3,
    ),
    recipes={
        "distilled": DISTILLED,
        "distilled_fast": few_steps(DISTILLED, steps=600, tuned_steps=900),
        "distilled_gradient_only": DistillationRecipe(
            form="newton_null_space",
            inputs="gradient_only",
            perturbed=1.0,
            steps=900,
            batch_size=16,
            pool_size=256,
            from_truth=0.5,
            sigma=0.03,
            momentum="none",
            damping_noise=0.001,
            noise_range=NOISES,
            sigma_noise=0.001,
        ),
        "distilled_linear": LINEAR,
    },
    linear=LINEAR,
    ablations=loss_ablations(DISTILLED),
    # Steps that take the time of "distilled", by ddgp_lib.experiments.budget; the best rates of experiments.rates.
    alternatives=rival_recipes(
        {"direct": 4300, "null_space_network": 4240, "unfolded": 2280, "modl": 716, "npn": 4090},
        learning_rate={
            "direct": 0.004,
            "null_space_network": 0.008,
            "unfolded": 0.008,
            "modl": 0.008,
            "npn": 0.008,
        },
        batch_size=16,
        damping_noise=0.001,
        noise_range=NOISES,
        perturbed=1.0,
    ),
    rivals={
        "tv": VariationFista(sigmas=(0.0003, 0.001, 0.003, 0.01, 0.03)),
        # Without momentum, digits and brains lost 0.7 and 1.1 dB: here it is not tried.
        "annealed": AnnealedFista(
            firsts=(0.2, 0.4, 0.8), lasts=(0.00001, 0.0001, 0.001), momenta=("chambolle_dossal",)
        ),
        "admm": ExactADMM(firsts=(0.1, 0.2, 0.4), lasts=(0.01, 0.02, 0.05), taus=(30, 300, 3000)),
        "polynomial": PolynomialFista(degrees=(2, 4, 8), sigmas=(0.02, 0.03, 0.05, 0.07)),
    },
    requested={"npn_fista": PulledFista(sigmas=(0.005, 0.01, 0.02, 0.03, 0.05))},
    counts=Counts(tuning=40, validation=40, evaluation=80, study=(20, 40)),
    conditions={
        "noise 0.003": {"noise": 0.003},
        "noise 0.01": {"noise": 0.01},
        "noise 0.03": {"noise": 0.03},
        "blur 1.5": {"blur": 1.5},
        "blur 2.5": {"blur": 2.5},
        "filter bicubic": {"filter": "bicubic"},
    },
    other_images=_digits_and_portraits,
    short={
        "form": "newton_null_space",
        "steps": 1000,
        "batch_size": 16,
        "pool_size": 256,
        "sigma": 0.03,
        "momentum": "none",
        "damping_noise": 0.001,
    },
    studies={
        "teachers": {
            f"super_resolution, factor {factor}, blur {blur}": Variant(
                options={"teacher_factor": factor, "teacher_blur": blur}
            )
            for factor, blur in ((4, 2.0), (2, 2.0), (2, 1.0), (1, 1.0))
        }
        | variants.without_teacher("super_resolution"),
        "networks": variants.network_rows(variants.BEST_NETWORKS, "super_resolution, "),
        "persons": {
            f"{persons} persons": Variant(OF_PERSONS, {"persons": persons}) for persons in (3, 7, 14, 28)
        }
        | {
            f"{persons} persons, longer": Variant(OF_PERSONS | {"steps": 4000}, {"persons": persons})
            for persons in (14, 28)
        },
    },
    linear_operators={"super_resolution": Preset.load},
    weights=WEIGHTS_FOLDER,
)
