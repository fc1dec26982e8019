"""NPN as a kind: the solver that a user would write, tuned like the others, and no baseline."""

from dataclasses import replace

import pytest
import torch

from ddgp_lib import PreconditionedFISTA
from ddgp_lib.experiments.alternatives import load_null_space_pull, run_alternative, save_alternative
from ddgp_lib.experiments.tuning import tune
from ddgp_lib.kinds import PulledFista, PulledSetting, VariationFista
from ddgp_lib.pretrained import load_solver, save_tuning
from tests.own_camera import PRESET, smoothed

KIND = PulledFista(sigmas=(0.05, 0.1), weights=(0.5,), decays=(0.8, 1.0), momenta=("none",))


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """Return the tiny camera with NPN among its rivals, its network trained for two steps."""
    rivals = {"tv": VariationFista(sigmas=(0.05,), iterations=3), "npn": KIND}
    preset = replace(PRESET, rivals=rivals, weights=tmp_path_factory.mktemp("weights"))
    task, recipe = replace(smoothed(), preset=preset), preset.learned_rivals["npn"]
    trained = run_alternative(task, recipe, progress=False)
    save_alternative(preset.path("npn"), trained.model, task, recipe, {})
    return task


def test_a_setting_is_arguments_of_fista_and_of_the_pull(task):
    y = task.measure(task.test_images[:2])
    setting = PulledSetting(0.05, "none", None, weight=0.3, decay=0.9)
    P = load_null_space_pull(task, 0.3, 0.9)
    expected = PreconditionedFISTA(
        task.denoiser, P, sigma=0.05, momentum="none", stepsize=task.stepsize, max_iter=4
    )
    found = KIND.solver(task, setting, max_iter=4)
    assert torch.equal(found(y, task.student), expected(y, task.student))


def test_it_is_tuned_and_loaded_as_others_are(task):
    found = tune(task, ("npn",), max_iter=20)
    assert len(found["npn"]["sweep"]) == 4
    assert set(found["npn"]["setting"]) >= {"sigma", "weight", "decay"}
    assert "own_camera-npn.safetensors" in found["npn"]["conditions"]["weights"]
    save_tuning(task, found)
    solver = load_solver(task, "npn", max_iter=2)
    assert solver.fixed_point.iterator.preconditioner.weight == 0.5


def test_no_gain_is_counted_from_what_is_learned(task):
    assert "npn" in task.preset.methods
    assert task.preset.baselines == ("none", "newton", "tv")


def test_a_network_that_was_not_trained_is_missed_by_its_file(task, tmp_path):
    elsewhere = replace(task, preset=replace(task.preset, weights=tmp_path))
    with pytest.raises(FileNotFoundError, match="own_camera-npn"):
        KIND.solver(elsewhere, PulledSetting(0.05, "none", None))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"weights": (0.0,)}, "weights=0.0"),
        ({"decays": (1.5,)}, "decays=1.5"),
        ({"sigmas": ()}, r"sigmas=\(\)"),
    ],
)
def test_bad_grids_are_named(arguments, named):
    with pytest.raises(ValueError, match=rf"{named}: expected"):
        PulledFista(**arguments)
