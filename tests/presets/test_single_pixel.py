"""Digits: never mirrored, on a background of zeros; the teacher's patterns include the student's."""

import pytest
import torch

from ddgp_lib import load_task
from ddgp_lib.data import perturb
from ddgp_lib.presets import PRESETS
from ddgp_lib.presets.single_pixel import signed_patterns


def test_digits_are_not_mirrored_and_zeros_lie_beyond_the_edge(task):
    assert task.augment is perturb
    left = torch.zeros(200, 1, 16, 16)
    left[..., :8] = 1
    moved = task.augment(left, torch.Generator().manual_seed(0))
    assert (moved[..., 3].mean(dim=(1, 2)) > moved[..., 12].mean(dim=(1, 2))).all()
    assert moved.amin() < 0.5


def test_the_teacher_measures_what_the_student_does_and_more(task):
    student, teacher = task.student.mask.bool(), task.teacher.mask.bool()
    assert (teacher | ~student).all()
    assert teacher.sum() == pytest.approx(4 * student.sum(), abs=4)


def test_a_teacher_may_see_as_much_as_the_student():
    task = load_task("single_pixel", ratio=0.2, teacher_ratio=0.2)
    assert torch.equal(task.student.mask, task.teacher.mask)


def test_a_teacher_that_sees_less_is_refused():
    with pytest.raises(ValueError, match=r"teacher_ratio=0.05: expected at least ratio=0.1"):
        load_task("single_pixel", teacher_ratio=0.05)


def test_random_signs_have_an_adjoint(generator):
    physics = signed_patterns(PRESETS["single_pixel"]).student
    x, y = torch.randn(1, 1, 32, 32, generator=generator), torch.randn(1, 410, generator=generator)
    assert float((physics.A(x) * y).sum()) == pytest.approx(
        float((x * physics.A_adjoint(y)).sum()), rel=1e-3, abs=1e-2
    )


def test_random_signs_are_both_signs_of_one_size():
    columns = signed_patterns(PRESETS["single_pixel"]).student.A(torch.eye(1024).reshape(-1, 1, 32, 32))
    assert columns.shape == (1024, 410)
    assert columns.unique().tolist() == [-1 / 32, 1 / 32]
    assert (columns > 0).float().mean() == pytest.approx(0.5, abs=0.005)


def test_random_signs_are_the_same_each_time(generator):
    x = torch.randn(1, 1, 32, 32, generator=generator)
    first, again = (signed_patterns(PRESETS["single_pixel"]).student.A(x) for _ in range(2))
    assert torch.equal(first, again)
