"""The losses are their formulas, and behave where gradients vanish."""

import pytest
import torch

from ddgp_lib.distillation import (
    consistency_penalty,
    decibel_loss,
    gradient_loss,
    row_space_penalty,
    scale_loss,
    squared_distance,
)
from ddgp_lib.distillation.losses import FLOOR, LOSS_OF_A_PAIR, Pair
from ddgp_lib.operators import HadamardCamera, null_projection, range_projection

SHAPE = (1, 8, 8)


@pytest.fixture(scope="module")
def camera():
    return HadamardCamera(0.25, SHAPE)


@pytest.fixture
def pair(generator):
    return torch.randn(2, 5, *SHAPE, generator=generator)


def norms(batch):
    return batch.flatten(1).norm(dim=1)


def test_gradient_loss_is_one_minus_cosine_squared_and_blind_to_scale(pair):
    a, b = pair
    cosines = (a * b).flatten(1).sum(1) / (norms(a) * norms(b))
    torch.testing.assert_close(gradient_loss(a, b), (1 - cosines).square().mean())
    torch.testing.assert_close(gradient_loss(7 * a, b), gradient_loss(a, b))
    assert gradient_loss(a, 2 * a) < 1e-10


def test_squared_distance(pair):
    a, b = pair
    torch.testing.assert_close(squared_distance(a, b), norms(a - b).square().mean())


def test_decibels_of_an_error_do_not_depend_on_units_and_count_images_alike(pair):
    a, b = pair
    error = decibel_loss(a, b)
    torch.testing.assert_close(decibel_loss(7 * a, 7 * b), error, rtol=1e-4, atol=1e-4)
    each = torch.stack([decibel_loss(a[n : n + 1], b[n : n + 1]) for n in range(len(a))])
    torch.testing.assert_close(each.mean(), error, rtol=1e-4, atol=1e-4)
    closer = decibel_loss(b + 0.1 * (a - b), b)
    torch.testing.assert_close(error - closer, torch.tensor(20.0), rtol=1e-3, atol=1e-3)


def test_the_error_against_an_image_of_zeros_is_relative_to_the_floor(pair):
    x = FLOOR * pair[0] / norms(pair[0])[:, None, None, None]
    torch.testing.assert_close(decibel_loss(x, torch.zeros_like(x)), torch.tensor(0.0), rtol=0, atol=1e-4)


def test_scale_loss_compares_lengths_alone(pair):
    a, b = pair
    expected = ((norms(a) - norms(b)) / (norms(a) + norms(b))).square().mean()
    torch.testing.assert_close(scale_loss(a, b), expected, rtol=1e-5, atol=0)
    torch.testing.assert_close(scale_loss(-a.flip(-1), b), scale_loss(a, b))
    assert scale_loss(a, a.flip(-1)) < 1e-12


def test_scale_loss_is_even_in_the_ratio_and_quadratic_in_its_logarithm(pair):
    a, _ = pair
    torch.testing.assert_close(scale_loss(10 * a, a), scale_loss(a, 10 * a))
    ratio = torch.tensor(1.05)
    torch.testing.assert_close(scale_loss(ratio * a, a), 0.25 * ratio.log() ** 2, rtol=1e-3, atol=0)


@pytest.mark.parametrize(("student", "teacher", "value"), [(0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (0.0, 0.0, 0.0)])
def test_scale_loss_of_vanishing_steps(pair, student, teacher, value):
    a = (student * pair[0]).requires_grad_()
    loss = scale_loss(a, teacher * pair[1])
    loss.backward()
    assert loss.item() == pytest.approx(value, abs=1e-5)
    assert torch.isfinite(a.grad).all()


def test_consistency_penalty_is_its_formula(pair, camera):
    direction, gradient = pair
    change = norms(camera.A(direction) - camera.A(gradient))
    expected = 0.5 * (change / norms(direction)).square().mean()
    torch.testing.assert_close(consistency_penalty(direction, gradient, camera, 0.5), expected)
    scaled = consistency_penalty(3 * direction, 3 * gradient, camera, 0.5)
    torch.testing.assert_close(scaled, expected)


def test_consistency_penalty_is_zero_where_the_data_do_not_see_the_change(pair, camera):
    correction, gradient = pair
    unseen = gradient + null_projection(camera, correction)
    seen = gradient + range_projection(camera, correction)
    assert consistency_penalty(unseen, gradient, camera, 1.0) < 1e-10
    assert consistency_penalty(seen, gradient, camera, 1.0) > 0.1


def test_consistency_penalty_is_bounded_where_the_data_are_fitted(pair, camera):
    direction = pair[0].clone().requires_grad_()
    loss = consistency_penalty(direction, torch.zeros_like(direction), camera, 1.0)
    loss.backward()
    assert 0 < loss < 1
    assert torch.isfinite(direction.grad).all()


def test_a_vanishing_direction_counts_as_one_of_the_floors_length(camera):
    gradient = range_projection(camera, torch.ones(1, *SHAPE))
    direction = torch.full((1, *SHAPE), FLOOR / 8)  # of norm FLOOR
    change = norms(camera.A(direction - gradient))
    expected = (change / (2 * FLOOR)).square().mean()
    torch.testing.assert_close(consistency_penalty(direction, gradient, camera, 1.0), expected)
    unseen = null_projection(camera, direction)
    expected = (norms(unseen) / (2 * FLOOR)).square().mean()
    torch.testing.assert_close(row_space_penalty(direction, camera), expected)


def test_every_loss_of_a_pair_is_its_formula(camera, generator):
    gradient, direction, teacher, x, teacher_x, truth = torch.randn(6, 3, *SHAPE, generator=generator)
    pair = Pair(camera, gradient, direction, teacher, 0.5, 2.0, x, teacher_x, truth)
    expected = {
        "gradient": gradient_loss(direction, teacher),
        "imitation": squared_distance(x, teacher_x),
        "supervised": squared_distance(x, truth),
        "decibels": decibel_loss(x, truth),
        "scale": scale_loss(0.5 * direction, 2.0 * teacher),
        "row_space": row_space_penalty(direction, camera),
        "penalty": consistency_penalty(direction, gradient, camera, 0.5),
    }
    assert {name: loss(pair) for name, loss in LOSS_OF_A_PAIR.items()} == expected


def test_row_space_penalty_is_the_unseen_share(pair, camera):
    direction, _ = pair
    share = (norms(null_projection(camera, direction)) / norms(direction)).square().mean()
    torch.testing.assert_close(row_space_penalty(direction, camera), share)
    assert row_space_penalty(camera.A_adjoint(camera.A(direction)), camera) < 1e-10
    torch.testing.assert_close(
        row_space_penalty(null_projection(camera, direction), camera), torch.tensor(1.0)
    )
