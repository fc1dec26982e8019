"""FISTA and its polynomial as kinds: the grid of before, and the solver that a user would write."""

from itertools import product

import pytest
import torch

from ddgp_lib import PreconditionedFISTA
from ddgp_lib.kinds import DECAYS, MOMENTA, Fista, PolynomialFista, PolynomialSetting, Setting
from ddgp_lib.preconditioners import Newton, Polynomial
from tests.own_camera import smoothed


@pytest.fixture(scope="module")
def task():
    return smoothed()


def test_the_grid_is_noise_levels_momenta_and_one_fade_at_most(task):
    expected = [
        Setting(sigma, momentum, *decays)
        for sigma, momentum, decays in product(task.preset.sigmas, MOMENTA, DECAYS)
    ]
    assert Fista().tried(task) == expected


@pytest.mark.parametrize("P", [None, Newton(0.1)])
def test_a_setting_is_arguments_of_the_solver(task, P):
    y = task.measure(task.test_images[:2])
    found = Fista(preconditioner=P).solver(task, Setting(0.05, "none", 3, None), max_iter=6)
    expected = PreconditionedFISTA(
        task.denoiser, P, stepsize=task.stepsize, sigma=0.05, momentum="none", prior_decay=3, max_iter=6
    )
    assert torch.equal(found(y, task.student), expected(y, task.student))


def test_what_stops_is_tried_without_momentum_and_without_fading(task):
    expected = [Setting(sigma, "none", None, None) for sigma in task.preset.sigmas]
    assert Fista(stop_after=3).tried(task) == expected
    with pytest.raises(ValueError, match=r"stop_after=0: expected None, or an integer, 1 or above"):
        Fista(stop_after=0)


def test_what_stops_gives_the_image_of_its_last_iteration_and_may_be_told_to_go_on(task):
    y, setting = task.measure(task.test_images[:2]), Setting(0.05, "none", None)
    images = {
        max_iter: PreconditionedFISTA(
            task.denoiser, stepsize=task.stepsize, sigma=0.05, momentum="none", max_iter=max_iter
        )(y, task.student)
        for max_iter in (1, 2, 6)
    }
    kind = Fista(stop_after=2)
    for asked, reached in {1: 1, 2: 2, 6: 2}.items():
        assert torch.equal(kind.solver(task, setting, max_iter=asked)(y, task.student), images[reached])
    further = kind.solver(task, setting, max_iter=6, stop_after=None)
    assert torch.equal(further(y, task.student), images[6])


def test_a_polynomial_is_the_l2_one_of_the_degree(task):
    y = task.measure(task.test_images[:2])
    setting = PolynomialSetting(0.05, "chambolle_dossal", None, degree=3)
    found = PolynomialFista().solver(task, setting, max_iter=6)
    expected = PreconditionedFISTA(
        task.denoiser, Polynomial.of("l2", 3), stepsize=task.stepsize, sigma=0.05, max_iter=6
    )
    assert torch.equal(found(y, task.student), expected(y, task.student))


def test_noise_levels_of_a_polynomial_may_be_its_own(task):
    assert PolynomialFista().grid(task)["sigma"] == task.preset.sigmas
    assert PolynomialFista(sigmas=(0.3,)).grid(task)["sigma"] == (0.3,)
    with pytest.raises(ValueError, match=r"degrees=9: expected an integer from 0 to 8"):
        PolynomialFista(degrees=(1, 9))
