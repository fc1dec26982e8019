"""Brain slices: the teacher's columns, the turned phase, and magnitudes that are those of the slices."""

import pytest
import torch

from ddgp_lib import load_task
from ddgp_lib.data import Split, load_brains
from ddgp_lib.presets.mri import complex_brains, turn_phase

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
