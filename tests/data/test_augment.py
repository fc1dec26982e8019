"""Random changes: near their originals, to both sides, as far as they say, and on each side on its own."""

import math
from dataclasses import replace

import pytest
import torch

from ddgp_lib import distill
from ddgp_lib.data import Split, load_digits, perturb
from ddgp_lib.data.augment import augmented
from ddgp_lib.denoisers import DenoiserRecipe, train_denoiser
from ddgp_lib.linear.states import training_images

PIXEL = torch.arange(33) - 16.0


def spots(count, row, column):
    """Draw a round spot at a place relative to the middle."""
    spot = torch.exp(-((PIXEL[:, None] - row) ** 2 + (PIXEL - column) ** 2) / 4)
    return spot.expand(count, 1, 33, 33)


def middles(images):
    """Return the centres of mass (rows, columns), relative to the middle."""
    mass = images.sum(dim=(1, 2, 3))
    return (images * PIXEL[:, None]).sum(dim=(1, 2, 3)) / mass, (images * PIXEL).sum(dim=(1, 2, 3)) / mass


def test_images_are_turned_to_both_sides_by_the_largest_angle_at_most(generator):
    rows, columns = middles(perturb(spots(300, 0, 9), generator, degrees=20, scale=0))
    angles = torch.atan2(rows, columns) * 180 / math.pi
    assert angles.abs().max() <= 20.2
    assert angles.max() > 18
    assert angles.min() < -18
    assert angles.mean().abs() < 2
    torch.testing.assert_close(torch.hypot(rows, columns), torch.full((300,), 9.0), atol=0.05, rtol=0)


@pytest.mark.parametrize("across", [True, False])
def test_width_and_height_are_stretched_each_on_its_own(generator, across):
    place = (0.0, 9.0) if across else (9.0, 0.0)
    rows, columns = middles(perturb(spots(300, *place), generator, degrees=0, scale=0.2))
    moved, still = (columns, rows) if across else (rows, columns)
    assert moved.max() > 10.5
    assert moved.min() < 8
    assert moved.max() <= 9 / 0.8 + 0.2
    assert still.abs().max() < 0.05


def test_the_factors_of_width_and_height_are_not_the_same(generator):
    rows, columns = middles(perturb(spots(300, 6, 6), generator, degrees=0, scale=0.2))
    assert torch.corrcoef(torch.stack([rows, columns]))[0, 1].abs() < 0.2


def test_perturbed_digits_are_near_their_originals(generator):
    images = load_digits().train[:32]
    moved = perturb(images, generator)
    change = (moved - images).flatten(1).norm(dim=1) / images.flatten(1).norm(dim=1)
    assert moved.shape == images.shape
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert 0.05 < change.mean() < 0.8
    again = perturb(images, torch.Generator().manual_seed(0))
    torch.testing.assert_close(again, moved, rtol=0, atol=0)
    assert perturb(images[:0], generator).shape == (0, 1, 32, 32)


def test_perturbing_by_nothing_changes_nothing(generator):
    images = load_digits().train[:4]
    torch.testing.assert_close(perturb(images, generator, degrees=0, scale=0), images, atol=1e-5, rtol=0)


def test_flips_show_the_image_or_its_mirror_image(generator):
    images = load_digits().train[:64]
    moved = perturb(images, generator, degrees=0, scale=0, flip=True)
    kept = (moved - images).abs().amax(dim=(1, 2, 3)) < 1e-4
    mirrored = (moved - images.flip(-1)).abs().amax(dim=(1, 2, 3)) < 1e-4
    assert (kept | mirrored).all()
    assert 16 < mirrored.sum() < 48


def test_flipping_leaves_the_angles_and_factors_as_they_were():
    images = load_digits().train[:64]
    plain, flipped = (perturb(images, torch.Generator().manual_seed(3), flip=flip) for flip in (False, True))
    same = (flipped == plain).flatten(1).all(dim=1)
    assert 16 < same.sum() < 48


@pytest.mark.parametrize("padding", ["border", "reflection"])
def test_padding_keeps_a_bright_background(padding, generator):
    bright = torch.ones(8, 1, 16, 16)
    torch.testing.assert_close(perturb(bright, generator, padding=padding), bright)
    assert perturb(bright, generator).min() < 0.5


def test_unknown_padding_is_refused(generator):
    with pytest.raises(ValueError, match="padding='mirror': expected one of"):
        perturb(torch.ones(1, 1, 8, 8), generator, padding="mirror")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"images": torch.ones(1, 8, 8)}, "images.shape"),
        ({"images": torch.ones(1, 1, 8, 8, dtype=torch.uint8)}, "images.dtype"),
        ({"images": torch.ones(1, 1, 8, 8, dtype=torch.complex64)}, "images.dtype"),
        ({"images": None}, "images=None"),
        ({"generator": 0}, "generator=0: expected a torch.Generator"),
        ({"degrees": -1}, "degrees=-1"),
        ({"degrees": float("nan")}, "degrees=nan"),
        ({"scale": 1}, "scale=1: expected a finite number of 0 or more and below 1"),
        ({"flip": "yes"}, "flip='yes'"),
        ({"padding": None}, "padding=None"),
    ],
)
def test_arguments_are_named(options, named, generator):
    with pytest.raises(ValueError, match=named):
        perturb(**{"images": torch.ones(1, 1, 8, 8), "generator": generator, **options})


def test_doubles_stay_doubles(generator):
    images = torch.rand(2, 1, 8, 8, dtype=torch.float64)
    assert perturb(images, generator).dtype == torch.float64


@pytest.mark.parametrize(
    ("augment", "found"),
    [
        (lambda images, generator: images[:1], r"\(1, 1, 33, 33\)"),
        (lambda images, generator: images.double(), "float64"),
        (lambda images, generator: images * torch.nan, "values up to nan"),
        (lambda images, generator: images * 255, "values up to 255"),
        (lambda images, generator: images.numpy(), "ndarray"),
        (lambda images, generator: None, "NoneType"),
    ],
)
def test_what_a_change_gives_is_looked_at(augment, found, generator):
    with pytest.raises(ValueError, match=rf"^augment\(images, generator\)=.*{found}.*: expected "):
        augmented(augment, spots(3, 0, 9), generator)


def test_a_change_in_place_leaves_the_images(generator):
    images = spots(3, 0, 9).clone()
    assert torch.equal(augmented(lambda given, _: given.mul_(0.5), images, generator), 0.5 * images)
    assert torch.equal(images, spots(3, 0, 9))


def test_a_training_does_not_take_a_changed_image_for_several(loaded):
    task = replace(loaded("single_pixel"), augment=lambda images, generator: images[:1])
    quick = {"steps": 1, "batch_size": 4, "pool_size": 4, "parameters": "small", "progress": False}
    with pytest.raises(ValueError, match="augment"):
        distill(task, perturbed=1.0, **quick)
    images = Split(task.train_images[:8], task.val_images[:8], task.test_images[:8])
    with pytest.raises(ValueError, match="augment"):
        train_denoiser(images, DenoiserRecipe(steps=1, perturbed=1.0), augment=task.augment, progress=False)
    with pytest.raises(ValueError, match="augment"):
        training_images(task, len(task.train_images) + 2, generator=torch.Generator())
