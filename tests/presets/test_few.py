"""A preconditioner for few iterations: its recipe, how it is trained and tuned, and where its solver stops."""

from dataclasses import fields, replace

import pytest
import torch

from ddgp_lib import (
    PreconditionedFISTA,
    distill,
    evaluate,
    load_preconditioner,
    load_solver,
    save_preconditioner,
)
from ddgp_lib.experiments import tune
from ddgp_lib.experiments.tuning import validation_psnr
from ddgp_lib.kinds import Setting
from ddgp_lib.presets import PRESETS
from ddgp_lib.presets.few import few_steps
from ddgp_lib.pretrained import save_tuning
from ddgp_lib.recipes import DistillationRecipe, second_phase
from tests.own_camera import PRESET, smoothed

CAMERAS = ("single_pixel", "mri", "super_resolution")
CHANGED = {"parameters", "momentum", "steps", "tuned_steps", "tuned_unroll", "tuned_end", "tuned_fresh"}
RECIPE = few_steps(PRESET.recipes["distilled"], steps=3, tuned_steps=4)


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """Return a camera with a preconditioner for two iterations, trained for a few steps and tuned."""
    folder = tmp_path_factory.mktemp("few")
    recipes = {**PRESET.recipes, "distilled_fast": RECIPE}
    task = replace(smoothed(), preset=replace(PRESET, recipes=recipes, weights=folder))
    trained = distill(task, RECIPE, progress=False)
    assert len(trained.history["tuned_total"]) == 4
    save_preconditioner(task.preset.path("distilled_fast"), trained, task, "distilled_fast")
    save_tuning(task, tune(task, ("distilled_fast",)))
    return task


def test_only_the_network_and_the_phases_differ():
    recipe = DistillationRecipe(form="free", steps=70, sigma=0.02, momentum="deepinv", tuned_rate=0.1)
    few = few_steps(recipe, steps=7, tuned_steps=9, iterations=3)
    differing = {f.name for f in fields(few) if getattr(few, f.name) != getattr(recipe, f.name)}
    assert differing == CHANGED
    assert (few.steps, few.tuned_steps, few.tuned_unroll, few.stop_after) == (7, 9, 3, 3)
    assert few_steps(recipe, steps=7, tuned_steps=9).stop_after == 2
    with pytest.raises(ValueError, match="tuned_steps=0"):
        few_steps(recipe, steps=7, tuned_steps=0)


def test_its_second_phase_sees_the_start_and_the_end_of_a_run_alone():
    phase = second_phase(RECIPE)
    assert (phase.tuned_fresh, phase.tuned_end, phase.unroll, phase.momentum) == (1.0, True, 2, "none")


@pytest.mark.parametrize("changed", [{"tuned_fresh": 0.5}, {"tuned_end": False}, {"tuned_steps": 0}])
def test_a_run_that_was_tuned_otherwise_may_go_on(changed):
    assert replace(RECIPE, **changed).stop_after is None


@pytest.mark.parametrize("name", CAMERAS)
def test_a_camera_has_one_for_two_or_three_iterations(name):
    recipes = PRESETS[name].recipes
    few = recipes["distilled_fast"]
    counts = {"steps": few.steps, "tuned_steps": few.tuned_steps, "iterations": few.tuned_unroll}
    assert few == few_steps(recipes["distilled"], **counts)
    assert recipes["distilled"].stop_after is None
    assert few.stop_after in (2, 3)


def test_only_the_noise_level_is_tuned(task):
    solver = load_solver(task, "distilled_fast")
    tried = tune(task, ("distilled_fast",), max_iter=20)["distilled_fast"]["conditions"]["grid"]
    assert tried == {
        "sigma": list(task.preset.sigmas),
        "momentum": ["none"],
        "update_decay": [None],
        "prior_decay": [None],
    }
    assert solver.max_iter == solver.stop_after == 2


def test_two_iterations_are_those_of_fista_and_fifty_give_the_same_image(task):
    y = task.measure(task.test_images[:3])
    setting = Setting(0.1, "none", None)
    P = load_preconditioner(task, "distilled_fast")
    plain = PreconditionedFISTA(
        task.denoiser, P, stepsize=task.stepsize, sigma=setting.sigma, momentum="none", max_iter=2
    )
    expected = plain(y, task.student)
    for max_iter in (2, 50):
        solver = load_solver(task, "distilled_fast", max_iter=max_iter, sigma=setting.sigma)
        assert torch.equal(solver(y, task.student), expected)
    first = load_solver(task, "distilled_fast", max_iter=1, sigma=setting.sigma)(y, task.student)
    assert not torch.equal(first, expected)


def test_its_curve_is_level_from_where_it_stops(task):
    trace = evaluate(task, load_solver(task, "distilled_fast"), images=task.test_images[:3], max_iter=50)
    assert len(trace.psnr) == 50
    assert torch.equal(trace.psnr[1:], trace.psnr[1:2].expand(49, -1))
    assert not torch.equal(trace.psnr[0], trace.psnr[1])
    assert float(trace.fixed_point[2:].abs().max()) == 0


def test_what_is_measured_while_training_stops_too(task):
    found = validation_psnr(task, load_preconditioner(task, "distilled_fast"), RECIPE)
    assert found["2"] == found["5"] == found["20"] != found["1"]
