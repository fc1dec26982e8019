"""A camera of one's own in one file: bright discs, 16×16, through a blur of deepinv.

Tests hand it to the command line, ``--task tests/own_camera.py:PRESET``, and use it where a camera has to be small.
"""

from dataclasses import replace

import torch
from deepinv.physics import BlurFFT, GaussianNoise
from deepinv.physics.functional import gaussian_blur

from ddgp_lib import Counts, Preset, Task, make_task
from ddgp_lib.data import Split
from ddgp_lib.denoisers import DenoiserRecipe
from ddgp_lib.recipes import AlternativeRecipe, DistillationRecipe, LinearRecipe
from ddgp_lib.tasks import Variant

SIZE = 16


def discs() -> Split:
    """Draw grey discs of random place, radius and brightness: 32 to train on, 8 to choose on, 24 to report on."""
    generator = torch.Generator().manual_seed(0)
    row, column, radius, grey = torch.rand(4, 64, 1, 1, generator=generator)
    pixel = torch.arange(SIZE) + 0.5
    distance = torch.hypot(pixel[:, None] - SIZE * row, pixel - SIZE * column)
    images = (0.4 + 0.6 * grey) * (2 + 4 * radius - distance).clamp(0, 1)
    return Split(*images[:, None].split([32, 8, 24]))


def blurred(*, blur: float = 1.5, noise: float = 0.01, denoiser=None) -> Task:
    """Grey discs seen through a Gaussian blur."""
    student, teacher = camera(blur, noise, 0), camera(0.7, noise, 1)
    return make_task(student, teacher, discs(), denoiser, sigma=0.05, preset=PRESET)


def camera(std: float, noise: float, seed: int) -> BlurFFT:
    """Make a Gaussian blur with noise."""
    model = GaussianNoise(noise, rng=torch.Generator().manual_seed(seed))
    return BlurFFT((1, SIZE, SIZE), filter=gaussian_blur(sigma=std), noise_model=model)


def redrawn(task: Task, generator: torch.Generator) -> Task:
    """Draw another blur and another noise."""
    blur, noise = torch.rand(2, generator=generator).tolist()
    student, teacher = (camera(std, 0.01 + 0.1 * noise, seed) for seed, std in enumerate((0.8 + blur, 0.7)))
    return replace(task, student=student, teacher=teacher)


def smoothed(**options) -> Task:
    """Grey discs seen through a Gaussian blur, with a denoiser that is not trained: a blend with a local mean."""
    mean = torch.nn.AvgPool2d(3, stride=1, padding=1)

    def smooth(x, sigma):
        return x + torch.as_tensor(4 * sigma).clamp(max=1).view(-1, 1, 1, 1) * (mean(x) - x)

    return blurred(denoiser=smooth, **options)


def _negatives(task: Task, count: int) -> dict[str, torch.Tensor]:
    return {"negatives": 1 - task.test_images[:count]}


QUICK = {"steps": 3, "batch_size": 4, "pool_size": 8, "horizon": 4, "parameters": "small", "momentum": "none"}

PRESET = Preset(
    name="own_camera",
    make=blurred,
    images=discs,
    redraw=redrawn,
    denoiser=DenoiserRecipe(steps=40, finetune_steps=2, batch_size=8, jacobian_images=2, power_iterations=2),
    recipes={
        "distilled": DistillationRecipe(**QUICK),
        "distilled_linear": LinearRecipe(
            structure="diagonal", iterations=2, n_images=16, ridges=(1e-2,), validation_images=2
        ),
    },
    alternatives={
        name: AlternativeRecipe(name, steps=2, batch_size=2, stages=2)
        for name in ("direct", "unfolded", "npn")
    },
    counts=Counts(tuning=2, validation=2, evaluation=4, study=(2, 3)),
    conditions={"noise 0.05": {"noise": 0.05}},
    other_images=_negatives,
    short=QUICK,
    studies={"forms": {"null space": Variant(), "free": Variant({"form": "free"}, {"blur": 2.0})}},
    linear_operators={"own_camera": Preset.load},
)
