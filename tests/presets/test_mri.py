"""Brain slices: the teacher's columns, the turned phase, and magnitudes that are those of the slices."""

import pytest
import torch

from ddgp_lib import load_task
from ddgp_lib.data import Split, load_brains
from ddgp_lib.presets.mri import HEAD, complex_brains, head, turn_phase

GREY = Split(*torch.full((3, 1, 2, 32, 32), 0.5))


def columns(physics):
    return physics.mask[0, 0].amax(dim=0).bool()


@pytest.fixture
def images(generator):
    return torch.randn(200, 2, 16, 16, generator=generator)


def test_a_nested_teacher_measures_what_the_student_does_and_more():
    task = load_task("mri", size=32, images=GREY)
    student, teacher = columns(task.student), columns(task.teacher)
    assert (teacher | ~student).all()
    assert teacher.sum() > student.sum()


def test_a_teacher_that_is_not_nested_misses_some_of_it():
    nested, other = (load_task("mri", size=32, images=GREY, nested=nested) for nested in (True, False))
    student, teacher = columns(other.student), columns(other.teacher)
    assert torch.equal(student, columns(nested.student))
    assert (student & ~teacher).any()
    assert teacher.sum() == columns(nested.teacher).sum()


def test_turning_the_phase_is_a_multiplication_by_a_complex_number(images):
    """It commutes with the one by i, as no reflection does, and nor does any shear."""
    times_i = torch.stack([-images[:, 1], images[:, 0]], dim=1)
    turned, turned_after = (turn_phase(x, torch.Generator().manual_seed(1)) for x in (images, times_i))
    torch.testing.assert_close(turned_after, torch.stack([-turned[:, 1], turned[:, 0]], dim=1))


def test_phases_are_turned_all_the_way_round():
    ones = torch.zeros(400, 2, 9, 9)
    ones[:, 0] = 1
    real, imaginary = turn_phase(ones, torch.Generator().manual_seed(0))[:, :, 4, 4].unbind(dim=1)
    torch.testing.assert_close(real.square() + imaginary.square(), torch.ones(400))
    quadrant = 2 * (real > 0) + (imaginary > 0)
    assert quadrant.bincount(minlength=4).min() > 60


def test_half_of_the_slices_are_mirrored():
    left = torch.zeros(200, 2, 16, 16)
    left[..., :8] = 1
    moved = turn_phase(left, torch.Generator().manual_seed(0)).norm(dim=1)
    mirrored = moved[..., 12].mean(dim=1) > moved[..., 3].mean(dim=1)
    assert 60 < mirrored.sum() < 140


def test_complex_slices_have_the_slices_magnitudes():
    for complex_part, part in zip(complex_brains(), load_brains(), strict=True):
        torch.testing.assert_close(complex_part.norm(dim=1, keepdim=True), part, atol=1e-5, rtol=0)


def test_a_teacher_that_sees_less_is_refused():
    with pytest.raises(ValueError, match="teacher_acceleration=8: expected at most acceleration=4"):
        load_task("mri", teacher_acceleration=8)


def test_student_and_teacher_have_generators_of_neighbouring_seeds():
    task = load_task("mri", size=32, images=GREY, seed=7)
    assert [physics.noise_model.rng.initial_seed() for physics in (task.student, task.teacher)] == [7, 8]


def drawn(*rows: str) -> torch.Tensor:
    """Make a slice (1, 2, H, W) of a drawing: a pixel is bright, in its imaginary part, where it is not a dot."""
    bright = torch.tensor([[character != "." for character in row] for row in rows]).float()
    return torch.stack([0 * bright, 0.5 * bright])[None]


def test_the_head_has_no_holes_and_no_gaps():
    ring = drawn(*(".........", ".#######.", ".#.....#.", ".#.....#.", ".#.....#.", ".#######.", "........."))
    assert int(head(ring).sum()) == 5 * 7
    gap = torch.zeros(1, 2, 24, 24)
    gap[:, 0, 4:20, 4:20] = 1
    gap[:, 0, :, 10:14] = 0  # 4 pixels wide: closed
    assert int(head(gap).sum()) == 16 * 16
    gap[:, 0, :, 9:14] = 0  # 5 pixels wide: two parts
    assert int(head(gap).sum()) == 16 * 11


def test_a_head_at_the_border_is_not_eaten():
    assert head(torch.full((1, 2, 8, 8), 0.5)).all()


def test_the_head_begins_above_its_threshold_and_a_black_slice_is_all_of_it():
    truth = torch.zeros(3, 2, 16, 16)
    truth[0, 0, 4:12, 4:12], truth[1, 1, 4:12, 4:12] = HEAD - 1e-3, -HEAD - 1e-3
    assert head(truth).flatten(1).sum(dim=1).tolist() == [256, 64, 256]


def test_heads_of_the_test_slices_are_what_is_bright_and_a_little_more():
    truth = complex_brains().test
    masks, bright = head(truth), truth.norm(dim=1, keepdim=True) > HEAD
    assert masks.shape == (len(truth), 1, 128, 128)
    assert masks[bright].all()
    assert 0.28 < bright.float().mean() < masks.float().mean() < 0.30
    assert masks.flatten(1).float().mean(dim=1).min() > 0.1


def test_a_phase_is_drawn_evenly():
    ones = torch.zeros(2000, 2, 9, 9)
    ones[:, 0] = 1
    mean = turn_phase(ones, torch.Generator().manual_seed(0))[:, :, 4, 4].mean(dim=0)
    assert mean.norm() < 0.08  # 1/√2000 is 0.022


def test_what_is_no_seed_slice_or_generator_is_named(generator):
    with pytest.raises(ValueError, match=r"^seed=-1: expected"):
        complex_brains(32, seed=-1)
    with pytest.raises(ValueError, match=r"^images\.shape=\(1, 1, 8, 8\): expected 2 channel"):
        turn_phase(torch.zeros(1, 1, 8, 8), generator)
    with pytest.raises(ValueError, match=r"^generator=3: expected a torch\.Generator"):
        turn_phase(torch.zeros(1, 2, 8, 8), 3)


def test_a_scanner_has_as_many_coils_as_are_asked_for():
    assert load_task("mri", size=32, images=GREY, coils=3).student.coil_maps.shape[1] == 3
