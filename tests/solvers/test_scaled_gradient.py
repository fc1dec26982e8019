"""Gradients in a metric: the clipped step diverges, the projected one falls and ends at the solution."""

from functools import cache
from itertools import pairwise

import pytest
import torch

from ddgp_lib.operators import LenslessCamera
from ddgp_lib.preconditioners import Identity
from ddgp_lib.solvers import CONSTRAINTS, CirculantMetric, ScalarMetric, descend, descend_in_metric
from tests.solvers.lensless import camera_of, objective, scene, solution_of

CAMERA = camera_of(12, 16)
TRUTH, Y = scene(CAMERA)
METRIC = CirculantMetric.of(CAMERA, 0.01)
FLAT = ScalarMetric(CAMERA.squared_norm)


def values(metric=METRIC, steps=60, **options):
    return [objective(CAMERA, x, Y) for x in descend_in_metric(CAMERA, Y, metric, steps, **options)]


@cache
def solution():
    return solution_of(CAMERA, Y)


def test_the_clipped_step_diverges_where_the_projected_one_converges():
    clipped = values(constraint="clipped", restart=False)
    right = values(restart=False)
    assert clipped[-1] > 100 * clipped[0]
    assert right[-1] < 0.05 * right[0]
    assert right[-1] < 1e-3 * clipped[-1]


def test_the_clipped_step_diverges_without_momentum_too_and_a_guard_only_stops_it():
    clipped = values(constraint="clipped", restart=False, momentum="none", steps=100)
    assert clipped[-1] > 100 * clipped[0]
    stopped = values(constraint="clipped", momentum="none", steps=100)
    assert stopped[-1] > 100 * values(momentum="none", steps=100)[-1]


@pytest.mark.parametrize("momentum", ["none", "chambolle_dossal", "deepinv"])
@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("inner_steps", [1, 3, 30])
def test_the_objective_never_rises(momentum, constraint, inner_steps):
    found = values(constraint=constraint, momentum=momentum, inner_steps=inner_steps, steps=40)
    assert all(b <= a * (1 + 1e-6) for a, b in pairwise(found))


@pytest.mark.parametrize("tolerance", [0.0, 0.1, 0.49])
def test_without_momentum_it_falls_by_itself_as_much_as_is_said(tolerance):
    xs = list(
        descend_in_metric(
            CAMERA, Y, METRIC, 40, momentum="none", restart=False, tolerance=tolerance, inner_steps=500
        )
    )
    for before, after in pairwise(xs):
        step = float(((after - before) * METRIC.apply(after - before)).sum())
        fall = objective(CAMERA, before, Y) - objective(CAMERA, after, Y)
        assert fall >= 0.5 * (1 - 2 * tolerance) * step - 1e-12


def test_a_projection_is_as_exact_as_its_tolerance_asks():
    def first(tolerance):
        options = {"momentum": "none", "restart": False, "inner_steps": 500}
        return next(iter(descend_in_metric(CAMERA, Y, METRIC, 1, tolerance=tolerance, **options)))

    exact, near, rough = map(first, (0.0, 0.01, 0.49))
    assert (near - exact).norm() < 0.1 * (rough - exact).norm()


def test_it_ends_at_the_solution():
    lowest = objective(CAMERA, solution(), Y)
    assert values(steps=400)[-1] == pytest.approx(lowest, rel=0.01)


def test_momentum_has_its_rate_in_the_metric():
    lowest, x = objective(CAMERA, solution(), Y), solution()
    distance = float((x * METRIC.apply(x)).sum())
    found = values(steps=60, restart=False, tolerance=1e-3, inner_steps=500, momentum="chambolle_dossal")
    assert all(f - lowest <= 2 * distance / (k + 1) ** 2 for k, f in enumerate(found, 1))


def test_the_preconditioned_step_needs_a_quarter_of_the_residual_with_and_without_the_constraint():
    for constraint in ("none", "nonnegative"):
        plain = values(FLAT, 20, constraint=constraint, restart=False)[-1]
        assert values(METRIC, 20, constraint=constraint)[-1] < plain / 16


def test_it_stays_at_the_solution_for_long_in_single_precision():
    camera = LenslessCamera(CAMERA.psf.float())
    *_, x = descend_in_metric(camera, Y.float(), CirculantMetric.of(camera), 400)
    assert objective(CAMERA, x.double(), Y) == pytest.approx(objective(CAMERA, solution(), Y), rel=0.02)


def test_iterates_are_nonnegative_where_that_is_asked():
    for constraint, least in (("nonnegative", True), ("clipped", True), ("none", False)):
        *_, x = descend_in_metric(CAMERA, Y, METRIC, 5, constraint=constraint, start=-TRUTH)
        assert bool((x >= 0).all()) == least


def test_without_constraint_in_a_scalar_metric_it_is_gradient_descent():
    start = torch.zeros_like(TRUTH)
    expected = list(descend(CAMERA, Y, Identity(), 10, start=start))
    found = list(descend_in_metric(CAMERA, Y, FLAT, 10, constraint="none", momentum="none", restart=False))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)


def test_in_a_scalar_metric_the_projection_is_the_clipped_one():
    pair = [
        list(descend_in_metric(CAMERA, Y, FLAT, 20, constraint=constraint, restart=False))
        for constraint in ("nonnegative", "clipped")
    ]
    for a, b in zip(*pair, strict=True):
        torch.testing.assert_close(a, b)


def test_images_of_a_batch_have_their_own_momentum():
    other = scene(CAMERA, seed=1)[1]
    options = {"constraint": "none", "momentum": "deepinv"}
    *_, together = descend_in_metric(CAMERA, torch.cat([Y, other]), METRIC, 40, **options)
    for place, y in enumerate((Y, other)):
        *_, alone = descend_in_metric(CAMERA, y, METRIC, 40, **options)
        torch.testing.assert_close(together[place : place + 1], alone)


def test_it_does_not_track_gradients_nor_change_those_of_the_caller():
    for x in descend_in_metric(CAMERA, Y, METRIC, 2):
        assert torch.is_grad_enabled()
        assert not x.requires_grad


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"physics": None}, "^physics="),
        ({"y": Y[..., :5]}, r"^y.shape="),
        ({"y": Y * float("nan")}, "^y="),
        ({"metric": 1.0}, "^metric="),
        ({"steps": -1}, "^steps="),
        ({"constraint": "naive"}, "^constraint="),
        ({"momentum": "heavy"}, "^momentum="),
        ({"restart": 1}, "^restart="),
        ({"tolerance": 0.5}, "^tolerance="),
        ({"tolerance": -1}, "^tolerance="),
        ({"inner_steps": 0}, "^inner_steps="),
        ({"start": Y}, r"^start.shape="),
    ],
)
def test_arguments_that_are_no_use_are_refused_at_the_call(changed, message):
    with pytest.raises(ValueError, match=message):
        descend_in_metric(**({"physics": CAMERA, "y": Y, "metric": METRIC, "steps": 1} | changed))
