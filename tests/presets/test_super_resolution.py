"""Faces: how they are changed in training, what the teacher may be, and the images that no training saw."""

import pytest
import torch

from ddgp_lib import load_task
from ddgp_lib.data import Split, load_portraits
from ddgp_lib.operators import FourierDownsampling
from ddgp_lib.presets import PRESETS
from ddgp_lib.presets.super_resolution import perturb_face


@pytest.fixture
def faces(loaded):
    return loaded("super_resolution")


def test_faces_are_mirrored_and_reflected_at_the_edge(faces):
    assert faces.augment is perturb_face
    bright = faces.augment(torch.ones(8, 1, 16, 16), torch.Generator().manual_seed(0))
    torch.testing.assert_close(bright, bright[..., :1, :1].expand_as(bright))
    left = torch.zeros(200, 1, 16, 16)
    left[..., :8] = 1
    moved = faces.augment(left, torch.Generator().manual_seed(0))
    mirrored = moved[..., 12].mean(dim=(1, 2)) > moved[..., 3].mean(dim=(1, 2))
    assert 60 < mirrored.sum() < 140


def test_light_on_faces_changes_within_what_an_image_holds(faces):
    grey = faces.augment(torch.full((200, 1, 16, 16), 0.5), torch.Generator().manual_seed(0))[:, 0, 0, 0]
    assert 0.7 * 0.5**1.5 <= grey.min() < 0.35
    assert 0.65 < grey.max() <= 1.3 * 0.5 ** (2 / 3)


def test_digits_and_portraits_fill_the_images(faces):
    pytest.importorskip("skimage")
    others = PRESETS["super_resolution"].other_images(faces, 18)
    assert {name: tuple(images.shape) for name, images in others.items()} == {
        "digits": (18, 1, 64, 64),
        "two portraits": (18, 1, 64, 64),
    }
    assert all(images.min() >= 0 and images.max() <= 1 for images in others.values())
    grey = load_portraits(192).mean(dim=1)
    assert torch.equal(others["two portraits"][0, 0], grey[0, :64, :64])
    assert torch.equal(others["two portraits"][9, 0], grey[1, :64, :64])


def test_fewer_persons_are_trained_on_and_the_same_are_tested_on(faces):
    few = load_task("super_resolution", persons=3)
    assert few.train_images.shape[0] == 30
    by_person = faces.train_images.unflatten(0, (10, 28))
    assert torch.equal(few.train_images, by_person[:, :3].flatten(0, 1))
    assert torch.equal(few.test_images, faces.test_images)
    assert torch.equal(load_task("super_resolution", persons=28).train_images, faces.train_images)


def test_the_rows_of_the_study_of_persons_differ_in_them_and_in_the_steps_alone():
    preset = PRESETS["super_resolution"]
    rows = preset.studies["persons"]
    assert [row.options["persons"] for row in rows.values()] == [3, 7, 14, 28, 14, 28]
    recipe = {**preset.short, **rows["28 persons"].recipe}
    for name, row in rows.items():
        longer = {"steps": 4000} if name.endswith("longer") else {}
        assert row.recipe == rows["28 persons"].recipe | longer
    shipped = preset.recipes["distilled"]
    assert {name: getattr(shipped, name) for name in recipe} == recipe


@pytest.mark.parametrize("persons", [0, 29, 2.5])
def test_persons_who_are_not_there_are_refused(persons):
    with pytest.raises(ValueError, match=f"persons={persons}"):
        load_task("super_resolution", persons=persons)


def test_persons_are_the_books(faces):
    images = Split(*(part[:2] for part in (faces.train_images, faces.val_images, faces.test_images)))
    with pytest.raises(ValueError, match="persons=3: expected None with images of your own"):
        load_task("super_resolution", persons=3, images=images)


def test_a_teacher_that_sees_less_is_refused():
    with pytest.raises(ValueError, match="teacher_factor=8: expected at most factor=4"):
        load_task("super_resolution", teacher_factor=8)


def test_other_images_have_the_sides_of_the_camera():
    pytest.importorskip("skimage")
    task = load_task("super_resolution", size=(64, 80))
    others = PRESETS["super_resolution"].other_images(task, 4)
    assert {tuple(images.shape) for images in others.values()} == {(4, 1, 64, 80)}


def test_each_camera_has_its_own_blur():
    task = load_task("super_resolution", blur=2.0, teacher_blur=0.7)
    x = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    for physics, factor, std in ((task.student, 4, 2.0), (task.teacher, 2, 0.7)):
        assert torch.equal(physics.A(x), FourierDownsampling(factor, (1, 64, 64), std=std).A(x))
