"""Photographs behind a single-pixel camera: the task, its draws, and that its trainings run."""

import math
import warnings
from dataclasses import replace

import pytest
import torch

from ddgp_lib import PreconditionedFISTA, distill, load_preconditioner
from ddgp_lib.data import Split
from ddgp_lib.denoisers import train_denoiser
from ddgp_lib.fingerprint import OperatorMismatch
from ddgp_lib.operators import HaarCamera, HadamardCamera, noise_of
from ddgp_lib.presets import PRESETS
from ddgp_lib.presets.photographs import (
    BASES,
    EXPONENTS,
    NOISES,
    PRESET,
    RATIOS,
    change_view,
    photographs,
    redraw_camera,
)
from ddgp_lib.pretrained import save_preconditioner

IMAGES = Split(*torch.rand(3, 6, 1, 32, 32, generator=torch.Generator().manual_seed(0)))


def blend(x, sigma):
    """Blend an image with a local mean: a denoiser that is not trained."""
    share = (4 * torch.as_tensor(sigma)).clamp(max=1).reshape(-1, 1, 1, 1)
    return x + share * (torch.nn.functional.avg_pool2d(x, 3, 1, 1) - x)


@pytest.fixture
def task():
    return PRESET.load(images=IMAGES, denoiser=blend)


def test_the_preset_is_not_registered():
    assert PRESET.name not in PRESETS
    assert PRESET.methods == ("none", "tv", "annealed", "distilled", "teacher")


@pytest.mark.parametrize("basis", BASES)
def test_cameras_are_as_asked_and_the_teacher_measures_more(basis):
    task = PRESET.load(images=IMAGES, denoiser=blend, basis=basis, ratio=0.1, teacher_ratio=0.3, noise=0.04)
    assert isinstance(task.student, BASES[basis])
    assert [int(physics.mask.sum()) for physics in (task.student, task.teacher)] == [102, 307]
    assert bool((task.student.mask <= task.teacher.mask).all())
    assert noise_of(task.student) == pytest.approx(0.04)
    assert task.stepsize == 1


def test_your_own_images_are_taken_and_the_seed_is_that_of_the_noise():
    def seen(seed):
        task = photographs(images=IMAGES, denoiser=blend, seed=seed)
        assert torch.equal(task.test_images, IMAGES.test)
        return task.student(IMAGES.test)

    assert torch.equal(seen(3), seen(3))
    assert not torch.equal(seen(3), seen(4))


def test_photographs_are_its_images():
    pytest.importorskip("skimage")
    task = photographs(denoiser=blend)
    counts = PRESET.counts
    assert task.img_size == (1, 32, 32)
    assert max(counts.tuning, counts.validation, counts.study[0]) <= len(task.val_images)
    assert max(counts.evaluation, counts.study[1]) <= len(task.test_images)
    assert PRESET.images().train.shape == task.train_images.shape


def test_every_condition_can_be_made():
    for options in PRESET.conditions.values():
        size = options.get("size", 32)
        images = Split(*torch.full((3, 1, 1, size, size), 0.5))
        made = PRESET.load(images=images, denoiser=blend, **options)
        assert torch.isfinite(made.measure(images.test)).all()


def test_views_are_turned_mirrored_and_of_another_contrast():
    image = torch.linspace(0.1, 0.9, 16).reshape(1, 1, 4, 4).expand(64, -1, -1, -1)
    seen = change_view(image, torch.Generator().manual_seed(0))
    assert 0 <= float(seen.min()) < float(seen.max()) <= 1
    orders = {tuple(each.flatten().argsort().tolist()) for each in seen}
    assert len(orders) == 8  # four turns, mirrored or not
    powers = seen.flatten(1).amin(dim=1).log() / math.log(0.1)
    assert EXPONENTS[0] - 1e-4 <= float(powers.min()) < 0.8 < 1.4 < float(powers.max()) <= EXPONENTS[1] + 1e-4
    assert torch.equal(seen, change_view(image, torch.Generator().manual_seed(0)))


def test_cameras_are_drawn_anew_with_all_else_as_it_was(task):
    drawn = [redraw_camera(task, torch.Generator().manual_seed(seed)) for seed in range(40)]
    shares = [float(each.student.mask.mean()) for each in drawn]
    assert RATIOS[0] - 1e-3 <= min(shares) < 0.1 < 0.25 < max(shares) <= RATIOS[1] + 1e-3
    assert {type(each.student) for each in drawn} == {HadamardCamera, HaarCamera}
    for each in drawn:
        assert type(each.teacher) is type(each.student)
        assert bool((each.student.mask <= each.teacher.mask).all())
        assert each.teacher.mask.sum() > 2 * each.student.mask.sum()
        assert noise_of(each.student) == noise_of(task.student)
        assert each.train_images is task.train_images
    again = redraw_camera(task, torch.Generator().manual_seed(3))
    assert torch.equal(again.student.mask, drawn[3].student.mask)


def test_what_is_no_task_and_no_generator_is_named(task):
    with pytest.raises(ValueError, match=r"^task="):
        redraw_camera("photographs", torch.Generator())
    with pytest.raises(ValueError, match=r"^generator="):
        redraw_camera(task, 3)


def test_one_p_is_trained_for_both_bases_and_takes_other_sizes(task, tmp_path):
    """A few steps of both phases of the recipe; P runs at another size, and does not warn there."""
    recipe = PRESET.recipes["distilled"]
    assert recipe.noise_range == NOISES
    short = {"steps": 4, "redraw_every": 2, "pool_size": 16, "operators": 2, "batch_size": 4}
    short |= {"tuned_steps": 2, "tuned_batch": 4, "parameters": "small"}
    distillation = distill(task, replace(recipe, **short), progress=False)
    assert all(map(math.isfinite, distillation.history["total"]))
    path = tmp_path / "P.safetensors"
    save_preconditioner(path, distillation, task)
    with warnings.catch_warnings():
        warnings.simplefilter("error", OperatorMismatch)
        P = load_preconditioner(path)
    P.made_for = None  # the file names the task's own basis alone
    images = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    for physics in (HaarCamera(0.1, (1, 64, 64)), HadamardCamera(0.1, (1, 64, 64))):
        solver = PreconditionedFISTA(blend, P, stepsize=1.0, sigma=0.05, momentum="none")
        x = list(solver.iterates(physics.A(images), physics, 3))[-1][0]
        assert x.shape == images.shape
        assert torch.isfinite(x).all()


def test_its_denoiser_is_trained_on_views():
    recipe = replace(PRESET.denoiser, steps=2, finetune_steps=1, batch_size=4, jacobian_images=2)
    denoiser = train_denoiser(IMAGES, recipe, augment=PRESET.augment, progress=False)
    assert torch.isfinite(denoiser(IMAGES.val, 0.1)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": 0.0}, r"^ratio=0\.0"),
        ({"teacher_ratio": 0.1}, r"^teacher_ratio=0\.1.*ratio=0\.25"),
        ({"basis": "fourier"}, "^basis='fourier'"),
        ({"noise": -1.0}, r"^noise=-1\.0"),
    ],
)
def test_what_is_not_accepted_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        photographs(images=IMAGES, denoiser=blend, **options)
