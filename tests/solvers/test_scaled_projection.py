"""The projection in a metric: the solution of its quadratic program, and a bound of the error that holds."""

import doctest
import importlib

import pytest
import torch
from scipy.optimize import nnls

from ddgp_lib.solvers import CirculantMetric, ScalarMetric, project_nonnegative
from tests.solvers.lensless import camera_of, matrix_of

METRIC = CirculantMetric.of(camera_of(4, 5), 0.02)
M = matrix_of(METRIC.apply, (8, 10))


def points(count=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 1, 8, 10, generator=generator, dtype=torch.float64)


def length(x):
    return (x * METRIC.apply(x)).flatten(1).sum(1).sqrt()


def exact(v):
    """Solve the quadratic program by an active-set method, on a square root of M."""
    root = torch.linalg.cholesky(M).T
    solved = [nnls(root.numpy(), (root @ one.flatten()).numpy())[0] for one in v]
    return torch.stack([torch.from_numpy(u) for u in solved]).reshape(v.shape)


def test_it_solves_the_quadratic_program():
    v = points()
    found = project_nonnegative(v, METRIC, tolerance=1e-8, max_iter=1000)
    assert found.iterations < 1000
    assert float(found.image.min()) == 0
    torch.testing.assert_close(found.image, exact(v), rtol=0, atol=1e-7)


@pytest.mark.parametrize("max_iter", [1, 3, 10, 30])
def test_the_error_is_a_bound_of_the_error(max_iter):
    v = points()
    found = project_nonnegative(v, METRIC, tolerance=0, max_iter=max_iter)
    assert found.iterations == max_iter
    true = length(found.image - exact(v))
    assert (true <= found.error).all()
    assert (found.error < 100 * true).all()


@pytest.mark.parametrize("tolerance", [0.5, 0.1, 1e-3])
def test_the_loop_ends_at_an_error_relative_to_the_step(tolerance):
    v, reference = points(), points(seed=1).clamp(min=0)
    found = project_nonnegative(v, METRIC, reference=reference, tolerance=tolerance, max_iter=1000)
    assert (length(found.image - exact(v)) <= tolerance * length(found.image - reference)).all()
    finer = project_nonnegative(v, METRIC, reference=reference, tolerance=tolerance / 100, max_iter=1000)
    assert finer.iterations > found.iterations


def test_setting_negative_pixels_to_zero_is_another_and_a_worse_point():
    v = points()
    u = exact(v)
    assert (length(v.clamp(min=0) - v) > 1.1 * length(u - v)).all()
    assert ((u - v)[v > 0].abs() > 0.01).any()


def test_a_start_at_the_solution_takes_one_step():
    v = points()
    found = project_nonnegative(v, METRIC, start=exact(v), tolerance=1e-6)
    assert found.iterations == 1


def test_nonnegative_images_stay_as_they_are():
    v = points().abs()
    found = project_nonnegative(v, METRIC)
    assert torch.equal(found.image, v)
    assert (found.iterations, float(found.error.max())) == (0, 0.0)


def test_in_a_scalar_metric_it_sets_negative_pixels_to_zero():
    v = points()
    found = project_nonnegative(v, ScalarMetric(2.0), start=points(seed=1))
    assert found.iterations == 1
    torch.testing.assert_close(found.image, v.clamp(min=0))


def test_images_of_a_batch_do_not_disturb_each_other():
    v = points()
    alone = [project_nonnegative(one[None], METRIC, tolerance=1e-8, max_iter=1000).image for one in v]
    together = project_nonnegative(v, METRIC, tolerance=1e-8, max_iter=1000).image
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-7)
    early = [project_nonnegative(one[None], METRIC, max_iter=2).error for one in v]
    torch.testing.assert_close(project_nonnegative(v, METRIC, max_iter=2).error, torch.cat(early))


@pytest.mark.parametrize("name", ["v", "start"])
def test_an_image_that_diverged_leaves_the_others_alone(name):
    right = {"v": points(), "start": points()}
    broken = right[name].clone()
    broken[0] = torch.nan
    options = {"metric": METRIC, "tolerance": 0, "max_iter": 300}
    found, wanted = (
        project_nonnegative(**given, **options).image for given in (right | {name: broken}, right)
    )
    assert found[0].isnan().any()
    torch.testing.assert_close(found[1:], wanted[1:])


def test_single_precision_ends_by_itself():
    v = points().float()
    metric = CirculantMetric(METRIC.spectrum.float(), (8, 10))
    found = project_nonnegative(v, metric, tolerance=0, max_iter=1000)
    assert found.iterations < 1000
    torch.testing.assert_close(found.image.double(), exact(points()), rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"v": None}, "^v="),
        ({"v": points()[0]}, r"^v.shape="),
        ({"metric": 2.0}, "^metric="),
        ({"start": points(2)}, r"^start.shape="),
        ({"reference": "x"}, "^reference="),
        ({"tolerance": -0.1}, "^tolerance="),
        ({"tolerance": 1.5}, "^tolerance="),
        ({"max_iter": 0}, "^max_iter="),
        ({"max_iter": 1.0}, "^max_iter="),
    ],
)
def test_arguments_that_are_no_use_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        project_nonnegative(**({"v": points(), "metric": METRIC} | changed))


@pytest.mark.parametrize(
    "name",
    ["solvers.scaled_projection", "solvers.scaled_gradient", "solvers.crop_splitting", "operators.lensless"],
)
def test_examples_run(name):
    tried = doctest.testmod(importlib.import_module(f"ddgp_lib.{name}"))
    assert tried.attempted > 0
    assert tried.failed == 0
