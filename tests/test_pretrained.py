"""What is saved is loaded again, by name, by task and by file; what ships is complete and does what it claims."""

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

import ddgp_lib
from ddgp_lib import distill, load_preconditioner, load_solver, load_tuning, save_preconditioner
from ddgp_lib.checkpoints import load_checkpoint
from ddgp_lib.experiments import tune, tuning_score, validation_psnr
from ddgp_lib.experiments.alternatives import trained_networks
from ddgp_lib.experiments.benchmark import load_benchmark
from ddgp_lib.experiments.tuning import saved_tuning
from ddgp_lib.fingerprint import fingerprint
from ddgp_lib.kinds import Setting
from ddgp_lib.preconditioners import Newton
from ddgp_lib.presets import PRESETS, multicoil_mri, photographs
from ddgp_lib.presets.learned_rivals import RIVALS
from ddgp_lib.pretrained import Method, TuningMismatch, load_kind, save_tuning, tuning_path
from ddgp_lib.solvers import PreconditionedFISTA
from tests.own_camera import QUICK, blurred

OTHERS = ("mri", "super_resolution")  # single_pixel has tests of its own
SIZES = {"denoiser": 1_300_000, "distilled_fast": 1_000_000, **dict.fromkeys(RIVALS, 3_000_000)}
"""Bytes of a file at most; 5 million where nothing is said."""


def shipped():
    """Enumerate every file of weights that must be there, with the recipe that it must carry."""
    for preset in (*PRESETS.values(), photographs.PRESET, multicoil_mri.PRESET):
        networks = {name: preset.alternatives[name] for name in trained_networks(preset)}
        for kind, recipe in {**preset.all_denoisers, **preset.recipes, **networks}.items():
            yield pytest.param(preset, kind, recipe, id=f"{preset.name}-{kind}")


@pytest.fixture(scope="module", params=OTHERS)
def other(request, loaded):
    return loaded(request.param)


@pytest.mark.parametrize(("preset", "kind", "recipe"), list(shipped()))
def test_weights_are_there_small_and_of_the_presets_recipe(preset, kind, recipe):
    path = preset.path(kind)
    saved = "denoiser" if kind in preset.all_denoisers else kind
    _, description = load_checkpoint(path, kind=saved, task=preset.name)
    assert path.stat().st_size < SIZES.get(kind, 5_000_000)
    assert type(recipe)(**description["recipe"]) == recipe


def test_presets_have_what_the_chapter_on_three_tasks_compares():
    for preset in (PRESETS[name] for name in ("single_pixel", *OTHERS)):
        assert preset.denoiser is not None
        assert {"distilled", "distilled_gradient_only", "distilled_linear"} <= set(preset.recipes)
        assert tuple(preset.alternatives) == RIVALS
        assert preset.kinds[0] == "none"
        assert preset.kinds[-1] == "teacher"


def test_the_two_strongest_rivals_of_a_camera_ship():
    for preset in (PRESETS[name] for name in ("single_pixel", *OTHERS)):
        rows = load_benchmark(preset.name)["seeds"]["methods"]
        score = {name: np.mean(rows[name]["psnr"]["20"]) for name in ("direct", "null_space_network")}
        assert {max(score, key=score.__getitem__), "unfolded"} <= set(trained_networks(preset))


def test_all_that_ships_is_small():
    assert sum(path.stat().st_size for path in PRESETS["mri"].weights.iterdir()) < 25_000_000


def test_no_file_of_weights_is_left_over():
    expected = {param.values[0].path(param.values[1]).name for param in shipped()}
    expected |= {f"{name}-tuning.json" for name in PRESETS}
    found = {path.name for path in PRESETS["mri"].weights.iterdir()}
    assert expected <= found
    assert found - expected <= may_be_there()


def may_be_there():
    """Return the files of ablations, of further seeds and of all networks, of which any may be missing."""
    return {
        preset.path(kind, seed).name
        for preset in PRESETS.values()
        for kind in (*preset.distilled, *preset.alternatives)
        for seed in range(4)
    }


@pytest.mark.parametrize("kind", ["distilled", "distilled_linear"])
def test_weights_do_what_they_claim(other, kind):
    preconditioner = load_preconditioner(other, kind)
    _, description = load_checkpoint(other.preset.path(kind))
    measured = validation_psnr(other, preconditioner, other.preset.recipes[kind])
    claimed = description["metrics"]["validation_psnr"]
    assert all(claimed[k] == pytest.approx(value, abs=0.05) for k, value in measured.items())


@pytest.mark.parametrize("name", PRESETS)
def test_settings_are_the_best_of_their_sweep(name, loaded):
    tuning = load_tuning(name)
    assert tuple(kind for kind in PRESETS[name].loadable if kind in tuning) == tuple(tuning)
    assert set(PRESETS[name].methods) <= set(tuning)
    here = [
        kind for kind in tuning if kind not in PRESETS[name].ablations or PRESETS[name].path(kind).is_file()
    ]
    for kind in here:
        settings = tuning[kind]
        tried = [asdict(setting) for setting in load_kind(loaded(name), kind).tried(loaded(name))]
        assert [{key: row[key] for key in settings["setting"]} for row in settings["sweep"]] == tried
        best = max(settings["sweep"], key=tuning_score)
        assert settings["setting"].items() <= best.items()
        unfinished = [row["psnr_20"] for row in settings["sweep"] if row["psnr_last"] is None]
        assert max(unfinished, default=0) <= tuning_score(best)


def test_distilled_gains_on_held_out_images(other):
    images = other.test_images[:6]
    y = other.measure(images)
    psnr = {}
    for kind in ("none", "distilled"):
        solver = Method(other, kind).tuned_solver()
        psnr[kind] = [other.psnr(x, images).mean() for x, _ in solver.iterates(y, other.student, 20)]
    assert psnr["distilled"][20] > psnr["none"][20] + 1.0
    assert psnr["distilled"][5] > max(psnr["none"])


def test_solver_runs_on_the_other_tasks(other):
    truth = other.test_images[:1]
    x = load_solver(other.name, max_iter=2, task=other)(other.measure(truth), other.student)
    assert x.shape == truth.shape
    assert torch.isfinite(x).all()


def test_a_file_is_taken_for_what_it_says(own):
    task = own.load()
    for kind in own.recipes:
        by_file, by_task = load_preconditioner(own.path(kind)), load_preconditioner(task, kind)
        assert type(by_file) is type(by_task)
        for a, b in zip(by_file.state_dict().values(), by_task.state_dict().values(), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=0)
        assert not any(parameter.requires_grad for parameter in by_file.parameters())
    with pytest.raises(ValueError, match=r"path=.*expected a preconditioner that save_preconditioner wrote"):
        load_preconditioner(own.path("denoiser"))
    with pytest.raises(ValueError, match="path='a': expected None beside source="):
        load_preconditioner(own.path("distilled"), path="a")


def test_a_method_knows_its_operator_its_step_and_its_preconditioner(own):
    task = own.load()
    teacher, newton, learned = (Method(task, kind) for kind in ("teacher", "newton", "distilled"))
    assert (teacher.physics, teacher.stepsize) == (task.teacher, task.teacher_stepsize)
    assert teacher.preconditioner is None
    assert isinstance(newton.preconditioner, Newton)
    assert (learned.physics, learned.stepsize) == (task.student, task.stepsize)
    with pytest.raises(ValueError, match=r"kind='best': expected one of .*teacher"):
        Method(task, "best")


def test_options_of_a_solver_go_before_what_was_tuned(own):
    task = own.load()
    assert Method(task, "none").setting == Setting(0.05, "none", None)
    solver = load_solver(task, "none", max_iter=3, sigma=0.2, momentum="chambolle_dossal")
    y = task.measure(task.test_images[:1])
    expected = Method(task, "none").solver(Setting(0.2, "chambolle_dossal", None), max_iter=3)
    torch.testing.assert_close(solver(y, task.student), expected(y, task.student), rtol=0, atol=0)
    assert (solver(y, task.student) - load_solver(task, "none", max_iter=3)(y, task.student)).norm() > 1e-3


def test_an_ablation_is_trained_tuned_and_loaded_where_it_is_asked_for(copied):
    preset = replace(
        copied, ablations={"without": replace(copied.recipes["distilled"], losses={"supervised": 1.0})}
    )
    task = preset.load()
    with pytest.raises(FileNotFoundError, match="own_camera-without"):
        load_solver(task, "without")
    distillation = distill(task, preset.ablations["without"], progress=False)
    save_preconditioner(preset.path("without"), distillation, task, "without")
    tuned = tune(task, ("without",), n_images=2, max_iter=20, sigmas=(0.05,))
    save_tuning(preset, tuned)
    assert "without" not in preset.methods
    assert load_preconditioner(task, "without").form == "null_space"
    assert Method(task, "without").setting.sigma == 0.05
    assert set(load_tuning(copied)) == {*copied.kinds, "without"}
    with pytest.raises(ValueError, match="kind='without': expected one of"):
        load_solver(copied.load(), "without")


def test_a_solver_is_not_loaded_for_another_task(own):
    with pytest.raises(ValueError, match="source='mri': expected 'own_camera'"):
        load_solver("mri", task=own.load())


def test_settings_are_written_where_they_are_read(own, tmp_path):
    tuning = load_tuning(own)
    save_tuning(own, tuning, tmp_path / "own_camera-tuning.json")
    assert (tmp_path / "own_camera-tuning.json").read_bytes() == (
        own.weights / "own_camera-tuning.json"
    ).read_bytes()


@pytest.fixture
def copied(own, tmp_path):
    """Return the preset with a copy of its files, to change."""
    for path in own.weights.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return replace(own, weights=tmp_path)


SETTING = {"sigma": 0.1, "momentum": "none", "prior_decay": None, "update_decay": None}


@pytest.mark.parametrize(
    "methods",
    [
        {"none": {}},
        {"none": None},
        {"none": {"setting": {}}},
        {"none": {"setting": SETTING | {"momentum": "heavy"}}},
        {"none": {"setting": SETTING | {"sigma": "0.1"}}},
        {"none": {"setting": SETTING | {"prior_decay": 0}}},
        {"none": {"setting": SETTING | {"colour": 1}}},
        {"none": {"setting": SETTING, "conditions": 3}},
        {"none": {"setting": SETTING, "conditions": {"weights": []}}},
        [],
        None,
    ],
)
def test_damaged_settings_are_refused_by_file(copied, methods):
    path = tuning_path(copied.name, copied.weights)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"methods": methods}))
    with pytest.raises(ValueError, match=rf"path='.*{path.name}'") as error:
        load_tuning(copied)
    assert type(error.value) is ValueError
    with pytest.raises(ValueError, match=path.name):
        load_solver(copied.load(), "none")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "not readable as JSON"),
        (b"\xff\xfe{}", "not readable"),
        (b'{"none": {"setting": {}}}', "format is None, expected 'ddgp-tuning-2'"),
        (b'{"format": "ddgp-tuning-2", "task": "mri"}', "task is 'mri', expected 'own_camera'"),
        (b'{"format": "ddgp-tuning-2", "task": "own_camera"}', "KeyError: 'methods'"),
    ],
)
def test_other_files_are_no_settings(copied, content, named):
    tuning_path(copied.name, copied.weights).write_bytes(content)
    with pytest.raises(ValueError, match=rf"path='.*own_camera-tuning\.json'.*{named}"):
        load_tuning(copied)


def test_settings_of_a_kind_are_added_to_those_of_others(copied):
    task, before = copied.load(), load_tuning(copied)
    changed = {"setting": SETTING | {"sigma": 0.07}, "sweep": []}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda kind: save_tuning(task, {kind: changed}), ("newton", "none")))
    found = load_tuning(task)
    assert tuple(found) == tuple(before) == copied.kinds
    assert found == before | {"none": changed, "newton": changed}


def test_a_fingerprint_that_differs_by_rounding_stays_as_it_was_written(copied):
    path = tuning_path(copied.name, copied.weights)
    written = json.loads(path.read_text())
    sketch = written["fingerprint"]["student"]["sketch"]
    sketch[0] *= 1 + 1e-9
    path.write_text(json.dumps(written))
    save_tuning(copied.load(), {"none": {"setting": SETTING, "sweep": []}})
    assert json.loads(path.read_text())["fingerprint"] == written["fingerprint"]


def test_settings_of_another_task_do_not_stay(copied):
    other = replace(copied.load(), sigma=0.06)
    save_tuning(other, {"none": {"setting": SETTING, "sweep": []}})
    assert tuple(load_tuning(copied)) == ("none",)


def test_settings_that_do_not_say_of_which_task_are_taken_but_not_kept_beside_others(copied):
    path, task = tuning_path(copied.name, copied.weights), copied.load()
    written = json.loads(path.read_text())
    path.write_text(json.dumps(written | {"fingerprint": None}))
    assert saved_tuning(task, copied.weights) == written["methods"]
    save_tuning(task, {"none": {"setting": SETTING, "sweep": []}})
    assert tuple(load_tuning(copied)) == ("none",)
    assert json.loads(path.read_text())["fingerprint"] == fingerprint(task)


@pytest.mark.parametrize("damage", ["bad value", "cut short"])
def test_settings_of_other_kinds_are_not_lost_where_their_file_cannot_be_read(copied, damage):
    path, task = tuning_path(copied.name, copied.weights), copied.load()
    written = json.loads(path.read_text())
    written["methods"]["none"]["setting"]["sigma"] = "0.1"
    content = json.dumps(written)
    path.write_text(content[:200] if damage == "cut short" else content)
    kept, other = path.read_bytes(), {"newton": {"setting": SETTING, "sweep": []}}
    with pytest.raises(ValueError, match=rf"path='.*{path.name}'"):
        save_tuning(task, other)
    assert path.read_bytes() == kept
    save_tuning(task, other, replacing=True)
    assert tuple(load_tuning(copied)) == ("newton",)


@pytest.mark.parametrize(
    ("tuning", "message"),
    [
        ([1], r"tuning=\[1\]: expected by kind"),
        ({"none": {"sweep": []}}, r"tuning\['none'\]="),
        ({"none": {"setting": {"sigma": 0.1, "speed": 3}}}, r"tuning\['none'\]=.*speed"),
        ({"none": {"setting": SETTING | {"sigma": -1}}}, "sigma=-1"),
    ],
)
def test_what_could_not_be_loaded_again_is_not_saved(copied, tuning, message):
    path = tuning_path(copied.name, copied.weights)
    kept = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        save_tuning(copied.load(), tuning)
    assert path.read_bytes() == kept


def test_names_that_are_paths_are_refused(copied):
    for name in ("../x", "/tmp/x"):
        with pytest.raises(ValueError, match="source="):
            save_tuning(name, {})
        with pytest.raises(ValueError, match="name="):
            tuning_path(name, copied.weights)


def test_settings_for_other_weights_are_told(copied):
    task = copied.load()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_solver(task, "distilled")
    other = distill(task, progress=False, seed=1, **QUICK)
    save_preconditioner(copied.path("distilled"), other, task)
    with pytest.warns(
        TuningMismatch, match=r"tuning\.json': 'distilled' was tuned with other weights; .* tune own_"
    ):
        load_solver(task, "distilled")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_solver(task, "none")


def test_settings_for_another_operator_are_told(copied):
    task = copied.load()
    other = replace(task, student=blurred(blur=2.5, denoiser=task.denoiser).student)
    with pytest.warns(TuningMismatch, match=r"tuning\.json': tuned for another operator, BlurFFT"):
        load_tuning(other)


def test_a_file_says_how_the_training_went(own, tmp_path):
    task, path = own.load(), tmp_path / "mine.safetensors"
    state = tmp_path / "state.safetensors"
    distill(task, checkpoint=state, progress=False, **QUICK)
    longer = distill(task, checkpoint=state, progress=False, **QUICK | {"steps": 5})
    save_preconditioner(path, longer, task)
    _, description = load_checkpoint(path)
    assert description["extended"] == [3]
    assert description["seconds"] == longer.seconds > 0
    assert description["recipe"]["steps"] == len(longer.history["total"]) == 5
    with pytest.raises(FileNotFoundError, match="path=''"):
        load_preconditioner(task, path="")


def test_half_precision_halves_a_file_and_changes_no_image_visibly(own, tmp_path):
    task = own.load()
    distillation = distill(task, progress=False, **QUICK | {"network": "unet"})
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    save_preconditioner(whole, distillation, task)
    save_preconditioner(half, distillation, task, half=True)
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    y = task.measure(task.val_images[:2])
    runs = [
        PreconditionedFISTA(
            task.denoiser, load_preconditioner(path), stepsize=task.stepsize, sigma=0.05, max_iter=5
        )
        for path in (whole, half)
    ]
    with torch.no_grad():
        first, second = (solver(y, task.student) for solver in runs)
    assert task.psnr(second, first).min() > 60
    with pytest.raises(ValueError, match="half="):
        save_preconditioner(half, distillation, task, half="yes")


def test_a_module_of_before_says_where_its_parts_are():
    with pytest.raises(AttributeError, match=r"ddgp_lib\.shipped is gone: .*ddgp_lib\.pretrained"):
        ddgp_lib.shipped  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ddgp_lib.nothing  # noqa: B018


def test_the_package_s_own_settings_are_not_replaced_by_the_way():
    with pytest.raises(ValueError, match=r"path=None: expected a file: .*`tune mri --shipped` alone"):
        save_tuning("mri", load_tuning("mri"))
