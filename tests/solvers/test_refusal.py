"""Refusal: what the discrepancy counts, whose images are kept, and what becomes of the others."""

import pytest
import torch
from deepinv.physics import GaussianNoise, LinearPhysics
from deepinv.utils import TensorList

from ddgp_lib.data import load_faces
from ddgp_lib.experiments.refusing import refusing
from ddgp_lib.operators import measure
from ddgp_lib.solvers import Refusal, discrepancy


def identity(noise=0.1, **maps):
    maps = {"A": lambda x, **_: x, "A_adjoint": lambda y, **_: y} | maps
    return LinearPhysics(noise_model=GaussianNoise(noise, rng=torch.Generator()), **maps)


@pytest.fixture
def images():
    return torch.rand(3, 1, 40, 40, generator=torch.Generator().manual_seed(0))


def test_the_true_image_has_a_discrepancy_of_one(images):
    physics = identity(0.05)
    q = discrepancy(images, measure(physics, images, 0), physics)
    torch.testing.assert_close(q, torch.ones(3), rtol=0, atol=0.06)


def test_it_is_the_residual_over_the_noise_and_counts_what_was_measured(images):
    mask = (torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(1)) > 0.7).float()
    physics = identity(0.1, A=lambda x, **_: mask * x, A_adjoint=lambda y, **_: mask * y)
    y = mask * (images + 0.2)
    torch.testing.assert_close(discrepancy(images, y, physics), torch.full((3,), 2.0))
    torch.testing.assert_close(discrepancy(images, y, physics, noise=0.4), torch.full((3,), 0.5))
    flat = torch.complex(y, y)
    plain = identity(0.1, A=lambda x, **_: torch.complex(mask * x, mask * x), A_adjoint=lambda y, **_: y.real)
    torch.testing.assert_close(discrepancy(images, flat, plain), torch.full((3,), 2.0))


def test_lists_of_measurements_are_counted_together(images):
    physics = identity(0.1, A=lambda x, **_: TensorList([x, 2 * x]), A_adjoint=lambda y, **_: y[0] + 2 * y[1])
    y = TensorList([images + 0.1, 2 * images + 0.3])
    torch.testing.assert_close(discrepancy(images, y, physics), torch.full((3,), 5.0**0.5))


def test_only_refused_images_are_the_fallbacks(images):
    physics = identity(0.1)
    y = images.clone()
    shift = torch.tensor([0.05, 0.5, float("nan")]).reshape(3, 1, 1, 1)
    asked = []

    def fallback(y, physics):
        asked.append(len(y))
        return y + 7

    solver = Refusal(lambda y, physics: y + shift, fallback, highest=1.0)
    x, refused = solver.decide(y, physics)
    assert refused.tolist() == [False, True, True]
    torch.testing.assert_close(x[0], images[0] + 0.05)
    torch.testing.assert_close(x[1:], images[1:] + 7)
    assert asked == [2]
    torch.testing.assert_close(solver(y, physics), x)
    _, refused = Refusal(lambda y, physics: y, fallback, highest=1.0).decide(y, physics)
    assert not refused.any()
    assert asked == [2, 2]


def test_lists_are_split_by_images(images):
    physics = identity(0.1, A=lambda x, **_: TensorList([x, x]), A_adjoint=lambda y, **_: y[0])
    shift = torch.tensor([0.0, 1.0, 0.0]).reshape(3, 1, 1, 1)
    solver = Refusal(lambda y, physics: y[0] + shift, lambda y, physics: y[1], highest=1.0)
    x, refused = solver.decide(TensorList([images, images]), physics)
    assert refused.tolist() == [False, True, False]
    torch.testing.assert_close(x, images)


def test_digits_are_kept_and_faces_are_given_to_total_variation(loaded):
    task = loaded("single_pixel")
    solver, truth = refusing(task), task.test_images[:30]
    _, refused = solver.decide(task.measure(truth), task.student)
    assert not refused.any()
    faces = load_faces(32).test[:30]
    y = task.measure(faces)
    x, refused = solver.decide(y, task.student)
    assert refused.all()
    assert task.psnr(x, faces).mean() > task.psnr(solver.solver(y, task.student), faces).mean() + 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": 3}, "solver=3: expected a reconstructor"),
        ({"fallback": None}, "fallback=None: expected a reconstructor"),
        ({"highest": 0}, "highest=0: expected a finite number above 0"),
        ({"noise": -1}, "noise=-1: expected"),
    ],
)
def test_what_is_no_refusal_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        Refusal(**{"solver": abs, "fallback": abs, "highest": 1.0} | options)


def test_what_is_no_batch_of_images_is_named(images):
    with pytest.raises(ValueError, match=r"^x\.shape="):
        discrepancy(images[0], images, identity())


def test_an_operator_has_to_tell_its_noise(images, loaded):
    with pytest.raises(
        ValueError, match="noise=None: expected a number above 0, where the operator tells none"
    ):
        discrepancy(images, images, LinearPhysics(A=abs, A_adjoint=abs))
    with pytest.raises(ValueError, match=r"margin=0\.5: expected"):
        refusing(loaded("single_pixel"), margin=0.5)
