"""Images that are not square, odd ones and coloured ones go all the way wherever the operators allow it."""

import math

import pytest
import torch
from PIL import Image

import ddgp_lib
from ddgp_lib.checks import check_adjoint
from ddgp_lib.data import Split, load_folder, perturb, resample
from ddgp_lib.denoisers import NoiseAwareDnCNN

SHORT = {"steps": 2, "batch_size": 2, "pool_size": 2, "progress": False}


@pytest.mark.parametrize(("name", "options"), [("mri", {}), ("mri", {"coils": 2}), ("super_resolution", {})])
def test_a_task_of_another_shape_is_measured_reconstructed_and_distilled(name, options):
    task = ddgp_lib.load_task(name, size=(32, 40), **options)
    assert task.img_size[1:] == (32, 40)
    images = task.test_images[:2]
    y = task.measure(images)
    check_adjoint(task.student, images.shape)
    x = ddgp_lib.load_solver(task, "none")(y, task.student)
    assert x.shape == images.shape
    assert task.psnr(x, images).min() > 15
    trained = ddgp_lib.distill(task, **SHORT)
    assert ddgp_lib.evaluate(task, trained.preconditioner, images=images, max_iter=2).psnr.isfinite().all()


def test_a_task_takes_the_sides_of_its_own_images():
    images = Split(*(torch.rand(2, 2, 30, 34) / 2 for _ in range(3)))
    task = ddgp_lib.load_task("mri", images=images)
    assert task.img_size == (2, 30, 34)
    x = ddgp_lib.load_solver(task, "distilled")(task.measure(images.test), task.student)
    assert x.shape == images.test.shape


def test_colour_takes_a_denoiser_of_colour(generator):
    images = Split(*(torch.rand(2, 3, 24, 32, generator=generator) for _ in range(3)))
    task = ddgp_lib.load_task("super_resolution", images=images, denoiser=NoiseAwareDnCNN(3).eval())
    assert task.img_size == (3, 24, 32)
    trained = ddgp_lib.distill(task, **SHORT)
    assert (
        ddgp_lib.evaluate(task, trained.preconditioner, images=images.test, max_iter=2).psnr.isfinite().all()
    )


@pytest.mark.parametrize("colour", [False, True])
def test_a_folder_gives_pictures_of_the_shape_that_is_asked_for(tmp_path, colour):
    for place in range(3):
        picture = Image.new("RGB", (60, 40))
        picture.paste((255, 0, 0), (30, 0, 60, 40))
        picture.putpixel((12, 4 * place), (99, 99, 99))  # no two are equal
        picture.save(tmp_path / f"{place}.png")
    images = load_folder(tmp_path, (10, 12), colour=colour, val=0.34, test=0.33)
    channels = 3 if colour else 1
    assert {part.shape for part in images} == {(1, channels, 10, 12)}
    red = images.test[0, 0, 5]
    assert red[:5].abs().max() < 0.05
    assert (red[-5:] - (1 if colour else 76 / 255)).abs().max() < 0.05
    assert not colour or images.test[0, 1:].abs().max() < 0.05


def test_a_turn_of_an_oblong_image_keeps_angles(generator):
    """A bar keeps its length and its width after a turn, to a pixel."""
    rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(96.0), indexing="ij")
    bar = ((rows - 23.5).abs() < 3) & ((columns - 47.5).abs() < 18)
    turned = perturb(bar.float().expand(8, 1, 48, 96), generator, degrees=45, scale=0.0)
    for image in turned[:, 0]:
        weight = image / image.sum()
        down, across = (weight * (rows - 23.5)), (weight * (columns - 47.5))
        spread = torch.stack(
            [
                (down * (rows - 23.5)).sum(),
                (down * (columns - 47.5)).sum(),
                (across * (columns - 47.5)).sum(),
            ]
        )
        covariance = torch.tensor([[spread[0], spread[1]], [spread[1], spread[2]]])
        lengths = torch.linalg.eigvalsh(covariance).sqrt() * math.sqrt(12)
        assert (lengths - torch.tensor([6.0, 36.0])).abs().max() < 1.0


def test_resampling_takes_a_side_or_both(generator):
    images = torch.rand(2, 1, 20, 20, generator=generator)
    assert resample(images, 20) is images
    assert resample(images, (10, 20)).shape == (2, 1, 10, 20)
