"""Rivals that learn no preconditioner, by the equations of their methods."""

import pytest
import torch

from ddgp_lib import PreconditionedFISTA
from ddgp_lib.kinds import (
    SCHEDULE,
    ADMMSetting,
    AnnealedFista,
    AnnealedSetting,
    ExactADMM,
    VariationFista,
    VariationSetting,
)
from ddgp_lib.solvers import geometric
from ddgp_lib.variation import total_variation
from tests.own_camera import smoothed


@pytest.fixture(scope="module")
def task():
    return smoothed()


@pytest.fixture(scope="module")
def y(task):
    return task.measure(task.test_images[:2])


def test_total_variation_makes_its_cost_least(task, y):
    sigma = 0.02
    solver = VariationFista(iterations=300).solver(task, VariationSetting(sigma), max_iter=400)

    def cost(x):
        misfit = 0.5 * (task.student.A(x) - y).square().flatten(1).sum(dim=1)
        return misfit + sigma / task.stepsize * total_variation(x)

    x = solver(y, task.student)
    least = cost(x)
    generator = torch.Generator().manual_seed(0)
    for size in (1e-2, 1e-1):
        for other in (x + size * torch.randn(x.shape, generator=generator), (1 - size) * x, 0 * x):
            assert (cost(other) > least - 1e-4 * least).all()
    assert (cost(x.clamp(0, 1)) > 0.999 * least).all()


def test_total_variation_takes_no_denoiser_of_the_task(task, y):
    solver = VariationFista(iterations=7).solver(task, VariationSetting(0.02))
    assert solver.prior[0].denoiser.iterations == 7


def test_the_noise_level_falls_for_twenty_iterations(task):
    setting = AnnealedSetting(0.4, 0.1, "none")
    for max_iter in (5, 20, 30):
        solver = AnnealedFista().solver(task, setting, max_iter=max_iter)
        levels = solver.init_params_algo["g_param"]
        assert levels[:SCHEDULE] == pytest.approx(geometric(0.4, 0.1, SCHEDULE))
        assert levels[SCHEDULE - 1] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("kind", "setting"),
    [(AnnealedFista(), AnnealedSetting(0.4, 0.1, "none")), (ExactADMM(), ADMMSetting(0.4, 0.1, 2.0))],
)
def test_a_run_ends_with_its_schedule(task, y, kind, setting):
    records = [state["est"][0] for state in kind.solver(task, setting).states(y, task.student, 30)]
    assert len(records) == 31
    assert not torch.equal(records[SCHEDULE - 1], records[SCHEDULE])
    assert all(torch.equal(records[SCHEDULE], later) for later in records[SCHEDULE + 1 :])
    longer = kind.solver(task, setting, max_iter=30, stop_after=None)
    assert not torch.equal(longer(y, task.student), records[-1])


def test_annealing_is_fista_with_that_sequence(task, y):
    solver = AnnealedFista().solver(task, AnnealedSetting(0.4, 0.1, "none", 15), max_iter=SCHEDULE)
    sigma = geometric(0.4, 0.1, SCHEDULE)
    options = {"stepsize": task.stepsize, "sigma": sigma, "momentum": "none", "update_decay": 15}
    expected = PreconditionedFISTA(task.denoiser, max_iter=SCHEDULE, **options)
    assert torch.equal(solver(y, task.student), expected(y, task.student))


@pytest.mark.parametrize("follows", [False, True])
def test_admm_takes_the_proximal_map_of_the_data(task, y, follows):
    setting = ADMMSetting(0.4, 0.1, tau=2.0)
    solver = ExactADMM(follows=follows).solver(task, setting, max_iter=3)
    x, dual = task.student.A_adjoint(y), 0
    for k in range(3):
        sigma = geometric(0.4, 0.1, SCHEDULE)[k]
        tau = 2 * task.stepsize * ((sigma / 0.1) ** 2 if follows else 1)
        u = task.student.prox_l2(x - dual, y, tau)
        x = task.denoiser(u + dual, sigma)
        dual = dual + u - x if k else u - x
    torch.testing.assert_close(solver(y, task.student), x, rtol=1e-4, atol=1e-4)


def test_tau_is_relative_to_the_operator(task):
    options = {"stepsize": 0.25 * task.stepsize}
    one, other = (ExactADMM().solver(task, ADMMSetting(0.4, 0.1, 2.0), **more) for more in ({}, options))
    tau = one.init_params_algo["tau"]
    assert tau == [pytest.approx(2 * task.stepsize)]
    assert other.init_params_algo["tau"] == [pytest.approx(0.5 * task.stepsize)]


@pytest.mark.parametrize("kind", [AnnealedFista(firsts=(0.1, 0.3), lasts=(0.1, 0.2)), ExactADMM()])
def test_only_levels_that_fall_are_tried(task, kind):
    tried = kind.tried(task)
    assert tried
    assert all(setting.sigma_first > setting.sigma_last for setting in tried)
