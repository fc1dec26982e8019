"""NPN as a kind: the solver that a user would write, tuned like the others, and no baseline."""

import shutil
from dataclasses import replace

import pytest
import torch

from ddgp_lib import PreconditionedFISTA
from ddgp_lib.experiments.alternatives import load_null_space_pull, run_alternative, save_alternative
from ddgp_lib.experiments.tuning import tune
from ddgp_lib.kinds import PulledFista, PulledSetting, VariationFista
from ddgp_lib.presets import PRESETS
from ddgp_lib.pretrained import TuningMismatch, load_solver, save_tuning
from tests.own_camera import PRESET, smoothed

KIND = PulledFista(sigmas=(0.05, 0.1), weights=(0.5,), decays=(0.8, 1.0), momenta=("none",))


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """Return the tiny camera with NPN where it is asked for, its network trained for two steps."""
    rivals = {"tv": VariationFista(sigmas=(0.05,), iterations=3)}
    folder = tmp_path_factory.mktemp("weights")
    preset = replace(PRESET, rivals=rivals, requested={"npn_fista": KIND}, weights=folder)
    task, recipe = replace(smoothed(), preset=preset), preset.alternatives["npn"]
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
    found = tune(task, ("npn_fista",), max_iter=20)
    assert len(found["npn_fista"]["sweep"]) == 4
    assert set(found["npn_fista"]["setting"]) >= {"sigma", "weight", "decay"}
    assert "own_camera-npn.safetensors" in found["npn_fista"]["conditions"]["weights"]
    save_tuning(task, found)
    solver = load_solver(task, "npn_fista", max_iter=2)
    assert solver.fixed_point.iterator.preconditioner.weight == 0.5


def test_settings_of_another_network_are_warned_of(task, tmp_path):
    shutil.copytree(task.preset.weights, tmp_path / "copy")
    preset = replace(task.preset, weights=tmp_path / "copy")
    copied, recipe = replace(task, preset=preset), replace(preset.alternatives["npn"], seed=1)
    save_tuning(copied, tune(copied, ("npn_fista",), max_iter=20))
    load_solver(copied, "npn_fista")
    other = run_alternative(copied, recipe, progress=False).model
    save_alternative(preset.path("npn"), other, copied, recipe, {})
    with pytest.warns(TuningMismatch, match="'npn_fista' was tuned with other weights"):
        load_solver(copied, "npn_fista")


def test_it_is_run_where_it_is_asked_for_alone(task):
    assert "npn_fista" in task.preset.loadable
    assert "npn_fista" not in task.preset.methods
    with pytest.raises(ValueError, match=r"requested='tv': expected another name"):
        replace(task.preset, requested={"tv": KIND})
    with pytest.raises(ValueError, match=r"requested\['npn_fista'\]=3: expected a ddgp_lib.kinds.Kind"):
        replace(task.preset, requested={"npn_fista": 3})


@pytest.mark.parametrize("name", ["single_pixel", "mri", "super_resolution"])
def test_the_books_cameras_have_it_where_it_is_asked_for(name):
    assert isinstance(PRESETS[name].requested["npn_fista"], PulledFista)


def test_no_gain_is_counted_from_what_is_learned(task):
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
