"""What every kind promises: a grid of settings, each of which a solver takes, and readable as JSON."""

import json
from dataclasses import asdict, replace

import pytest
import torch

from ddgp_lib.kinds import (
    AnnealedFista,
    ExactADMM,
    Fista,
    Kind,
    PolynomialFista,
    Setting,
    VariationFista,
    require_values,
)
from ddgp_lib.preconditioners import Newton
from ddgp_lib.pretrained import load_kind, load_solver, load_tuning, save_tuning
from tests.own_camera import PRESET, smoothed

KINDS = {
    "none": Fista(),
    "newton": Fista(preconditioner=Newton(0.1)),
    "teacher": Fista(on_teacher=True),
    "polynomial": PolynomialFista(degrees=(1, 2)),
    "tv": VariationFista(),
    "annealed": AnnealedFista(),
    "admm": ExactADMM(),
    "admm, τ ∝ σ²": ExactADMM(follows=True),
}


@pytest.fixture(scope="module")
def task():
    return smoothed()


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def test_settings_that_are_tried_are_of_the_grid_in_its_order_and_differ(kind, task):
    grid, tried = kind.grid(task), kind.tried(task)
    assert len(set(tried)) == len(tried) > 1
    places = [[list(grid[name]).index(value) for name, value in asdict(setting).items()] for setting in tried]
    assert all(set(asdict(setting)) == set(grid) for setting in tried)
    order = [list(asdict(tried[0])).index(name) for name in grid]
    assert places == sorted(places, key=lambda place: [place[at] for at in order])


def test_a_setting_is_what_json_gives_back(kind, task):
    for setting in kind.tried(task):
        assert kind.setting(json.loads(json.dumps(asdict(setting)))) == setting


def test_a_setting_of_another_kind_is_refused_by_its_arguments(kind):
    with pytest.raises(ValueError, match=r"setting=\{'gamma': 1\}: expected a setting of .*gamma"):
        kind.setting({"gamma": 1})


def test_values_take_the_place_of_the_grids(kind, task):
    name = next(iter(kind.grid(task)))
    assert {getattr(setting, name) for setting in kind.tried(task, **{name: (1,)})} <= {1}
    with pytest.raises(ValueError, match="replaced='gamma': expected one of"):
        kind.tried(task, gamma=(1,))


def test_every_argument_of_a_setting_changes_what_comes_out(kind, task):
    truth = task.test_images[:2]
    physics, grid = kind.physics(task), kind.grid(task)
    y = task.measure(truth)
    setting = kind.tried(task)[0]
    first = kind.solver(task, setting, max_iter=30)(y, physics)
    for name in asdict(setting):
        others = [value for value in grid[name] if value != getattr(setting, name)]
        other = replace(setting, **{name: others[-1]})
        assert not torch.equal(kind.solver(task, other, max_iter=30)(y, physics), first), name


def test_options_go_before_the_setting(kind, task):
    setting = kind.tried(task)[0]
    solver = kind.solver(task, setting, max_iter=3, sigma=0.123, stepsize=0.25)
    assert solver.max_iter == 3
    assert solver.init_params_algo["g_param"] == [0.123]
    assert solver.init_params_algo["stepsize"] == [0.25]


def test_a_kind_runs_on_its_operator_with_its_step(kind, task):
    assert kind.physics(task) is (task.teacher if kind == KINDS["teacher"] else task.student)
    assert kind.stepsize(task) == (task.teacher_stepsize if kind == KINDS["teacher"] else task.stepsize)


def test_limits_are_ends_of_arguments_with_a_reason(kind, task):
    for name, ends in kind.limits.items():
        assert name in kind.grid(task)
        assert all(end in ("lowest", "highest") and reason for end, reason in ends.items())


def test_a_kind_of_ones_own_needs_a_grid_and_a_solver(task):
    with pytest.raises(NotImplementedError):
        Kind().grid(task)
    with pytest.raises(NotImplementedError):
        Kind().solver(task, Setting(0.1, "none", None))


def test_values_of_a_grid_are_one_or_more():
    with pytest.raises(ValueError, match=r"sigmas=\(\): expected one value or more"):
        require_values("sigmas", (), print)


RIVALS = {name: KINDS[name] for name in ("polynomial", "tv", "annealed", "admm")}


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    """Make a camera with rivals, the first setting of each written as tuned."""
    preset = replace(PRESET, rivals=RIVALS, recipes={}, weights=tmp_path_factory.mktemp("rivals"))
    task = replace(smoothed(), preset=preset)
    first = {name: load_kind(task, name).tried(task)[0] for name in preset.methods}
    tuning = {name: {"setting": asdict(setting), "sweep": []} for name, setting in first.items()}
    save_tuning(task, tuning)
    return task


def test_a_preset_loads_its_rivals_as_it_does_other_methods(camera):
    assert camera.preset.methods == ("none", "newton", *RIVALS, "teacher")
    assert tuple(load_tuning(camera)) == camera.preset.methods
    y = camera.measure(camera.test_images[:2])
    for name, kind in RIVALS.items():
        expected = kind.solver(camera, kind.tried(camera)[0], max_iter=4)(y, camera.student)
        found = load_solver(camera, name, max_iter=4)(y, camera.student)
        torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_a_setting_of_a_rival_is_checked_by_its_kind(camera):
    with pytest.raises(ValueError, match=r"setting=.*expected a setting of ExactADMM"):
        camera.preset.setting("admm", {"sigma": 0.1})
    with pytest.raises(ValueError, match=r"tau=-1: expected a finite number above 0"):
        camera.preset.setting("admm", {"sigma_first": 0.2, "sigma_last": 0.1, "tau": -1})


def test_settings_of_a_rival_that_a_preset_no_longer_has_do_not_matter(camera):
    without = replace(camera.preset, rivals={})
    assert set(load_tuning(without)) == set(camera.preset.methods)


def test_a_rival_is_a_kind_and_has_a_name_of_its_own():
    with pytest.raises(ValueError, match=r"rivals='none': expected another name than those of"):
        replace(PRESET, rivals={"none": VariationFista()})
    with pytest.raises(ValueError, match=r"rivals\['tv'\]=.*expected a ddgp_lib\.kinds\.Kind"):
        replace(PRESET, rivals={"tv": Setting(0.1, "none", None)})
    with pytest.raises(ValueError, match=r"ablations='distilled': expected another name than those of"):
        replace(PRESET, ablations={"distilled": PRESET.recipes["distilled"]})
