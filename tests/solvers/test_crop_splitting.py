"""ADMM for a lens-less camera: it ends at the solution, by its conditions, and refuses what is no use."""

import pytest
import torch

from ddgp_lib.solvers import crop_admm
from tests.solvers.lensless import camera_of, objective, scene, solution_of

CAMERA = camera_of(6, 8)
TRUTH, Y = scene(CAMERA)


@pytest.mark.parametrize(("penalty", "coupling"), [(0.3, 0.01), (1.0, 0.1), (0.1, 0.03)])
def test_it_ends_at_the_solution(penalty, coupling):
    *_, x = crop_admm(CAMERA, Y, 1500, penalty=penalty, coupling=coupling)
    assert objective(CAMERA, x, Y) == pytest.approx(objective(CAMERA, solution_of(CAMERA, Y), Y), rel=0.02)


def test_every_iterate_is_nonnegative():
    assert all(float(x.min()) >= 0 for x in crop_admm(CAMERA, Y, 20))


def test_without_the_constraint_it_fits_the_data():
    *_, x = crop_admm(CAMERA, Y, 500, nonnegative=False)
    assert objective(CAMERA, x, Y) < 1e-4 * objective(CAMERA, torch.zeros_like(x), Y)
    assert float(x.min()) < 0


def test_images_of_a_batch_do_not_disturb_each_other():
    other = scene(CAMERA, seed=1)[1]
    *_, together = crop_admm(CAMERA, torch.cat([Y, other]), 20)
    *_, alone = crop_admm(CAMERA, other, 20)
    torch.testing.assert_close(together[1:], alone)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"camera": None}, "^camera="),
        ({"y": Y[..., :5]}, r"^y.shape="),
        ({"y": Y * float("inf")}, "^y="),
        ({"steps": -1}, "^steps="),
        ({"penalty": 0}, "^penalty="),
        ({"coupling": -1}, "^coupling="),
        ({"nonnegative": None}, "^nonnegative="),
    ],
)
def test_arguments_that_are_no_use_are_refused_at_the_call(changed, message):
    with pytest.raises(ValueError, match=message):
        crop_admm(**({"camera": CAMERA, "y": Y, "steps": 1} | changed))
