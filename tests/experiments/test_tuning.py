"""Tuning: settings are measured as evaluate does, run from the best down, and chosen by the lower of two scores."""

import json
import math
from dataclasses import replace

import pytest
import torch

from ddgp_lib import evaluate
from ddgp_lib.experiments import tuning
from ddgp_lib.experiments.tuning import (
    saved_tuning,
    tune,
    tuning_conditions,
    tuning_score,
    validation_psnr,
)
from ddgp_lib.kinds import DECAYS, MOMENTA, Fista, Setting
from ddgp_lib.pretrained import Method, load_preconditioner, save_tuning, tuning_path

QUICK = {"n_images": 2, "max_iter": 24, "sigmas": (0.05, 0.1)}


def test_a_sweep_measures_what_evaluate_does(own):
    task = own.load()
    found = tune(task, ("none",), **QUICK)
    chosen = next(row for row in found["none"]["sweep"] if row["sigma"] == task.sigma)
    trace = evaluate(task, images=task.val_images[:2], max_iter=24)
    assert chosen["psnr_20"] == pytest.approx(trace.psnr[19].mean().item(), abs=1e-3)
    assert chosen["psnr_last"] == pytest.approx(trace.psnr[23].mean().item(), abs=1e-3)


@pytest.mark.parametrize("kind", ["distilled", "distilled_linear", "newton", "teacher"])
def test_every_kind_runs_its_promising_settings_to_the_end(own, kind):
    task = own.load()
    found = tune(task, (kind,), **QUICK)[kind]
    sweep = found["sweep"]
    assert len(sweep) == 2 * len(MOMENTA) * len(DECAYS)
    finished = [row for row in sweep if row["psnr_last"] is not None]
    best = max(finished, key=tuning_score)
    assert found["setting"].items() <= best.items()
    assert max(sweep, key=lambda row: row["psnr_20"]) in finished
    assert all(row["psnr_20"] <= tuning_score(best) for row in sweep if row["psnr_last"] is None)
    method = Method(task, kind)
    solver = method.solver(Setting(**found["setting"]))
    images = task.val_images[:2]
    trace = evaluate(task, solver, images=images, physics=method.physics, max_iter=24)
    assert best["psnr_last"] == pytest.approx(trace.psnr[23].mean().item(), abs=1e-3)


def test_the_baseline_without_decay_is_always_run_to_the_end(own):
    sweep = tune(own.load(), ("none",), **QUICK)["none"]["sweep"]
    for row in sweep:
        if row["prior_decay"] is None and row["update_decay"] is None:
            assert row["psnr_last"] is not None


def test_the_score_is_the_lower_of_two():
    assert tuning_score({"psnr_20": 20.0, "psnr_last": 18.0}) == 18.0
    assert tuning_score({"psnr_20": 20.0, "psnr_last": 22.0}) == 20.0
    assert tuning_score({"psnr_20": 20.0, "psnr_last": None}) == -math.inf
    assert tuning_score({"psnr_20": 25.0, "psnr_last": math.nan}) == -math.inf
    assert tuning_score({"psnr_20": math.nan, "psnr_last": 25.0}) == -math.inf


class StandIn:
    """A method whose solver is the setting itself, for curves that are made up."""

    physics, definition = None, Fista()

    def __init__(self, task, kind):
        pass

    def solver(self, setting):
        return setting


@pytest.fixture
def made_up(own, monkeypatch):
    """Tune a method whose PSNR is that of a rule: (setting, iteration) ↦ dB."""

    def tuned(psnr):
        def curves(task, setting, images, physics, last):
            return torch.full((last, 2), psnr(setting, last))

        monkeypatch.setattr(tuning, "Method", StandIn)
        monkeypatch.setattr(tuning, "psnr_curves", curves)
        return tune(own.load(), ("distilled",), **QUICK)["distilled"]

    return tuned


@pytest.mark.parametrize("wild", [math.nan, math.inf, -math.inf])
def test_a_run_that_ends_in_nan_does_not_win(made_up, wild):
    def psnr(setting, last):
        if setting.update_decay == 10:
            return 20.0 - setting.sigma
        return 25.0 if last == 20 and setting.prior_decay is None else wild

    found = made_up(psnr)
    json.dumps(found, allow_nan=False)
    assert found["setting"] == {
        "sigma": 0.05,
        "momentum": MOMENTA[0],
        "prior_decay": None,
        "update_decay": 10,
    }
    assert {row["psnr_20"] for row in found["sweep"]} == {25.0, 19.95, 19.9, None}


def test_nothing_is_chosen_where_every_run_diverges(made_up):
    with pytest.raises(ValueError, match="kind='distilled': expected a finite score"):
        made_up(lambda setting, last: 25.0 if last == 20 else math.nan)


def test_what_a_tuning_depends_on_is_told_apart(own):
    task = own.load()
    first = tuning_conditions(task, "distilled")
    assert tune(task, ("teacher",), **QUICK)["teacher"]["conditions"] == tuning_conditions(
        task, "teacher", **QUICK
    )
    assert first == tuning_conditions(task, "distilled", n_images=own.counts.tuning, sigmas=own.sigmas)
    changes = QUICK | {"n_images": 1}
    others = [tuning_conditions(task, "distilled", **{name: value}) for name, value in changes.items()]
    others.append(tuning_conditions(task, "distilled_linear"))
    assert first not in others
    assert json.loads(json.dumps(first)) == first


def test_what_was_tuned_for_another_camera_of_the_same_name_is_not_taken(own, tmp_path):
    task, other = own.load(), own.load(blur=2.5)
    save_tuning(task, tune(task, ("none",), **QUICK), tmp_path / tuning_path(own.name, tmp_path).name)
    assert set(saved_tuning(task, tmp_path)) == {"none"}
    assert saved_tuning(other, tmp_path) == {}
    assert saved_tuning(task, tmp_path / "nothing") == {}


def test_as_many_images_are_used_as_the_preset_says(own):
    task = own.load()
    one, two = (tune(task, ("teacher",), **QUICK | {"n_images": n}) for n in (None, own.counts.tuning))
    assert one == two
    assert one != tune(task, ("teacher",), **QUICK | {"n_images": 1})


def test_claimed_numbers_are_those_of_the_training(own):
    task, recipe = own.load(), own.recipes["distilled_linear"]
    P = load_preconditioner(task, "distilled_linear")
    solver = Method(task, "distilled_linear").solver(Setting(task.sigma, recipe.momentum, None))
    curve = evaluate(task, solver, images=task.val_images[: own.counts.validation], max_iter=20).psnr.mean(
        dim=1
    )
    claimed = validation_psnr(task, P, recipe)
    assert list(claimed) == ["1", "2", "5", "10", "20"]
    assert claimed["5"] == pytest.approx(curve[4].item(), abs=1e-3)


def test_too_short_a_run_is_refused(own):
    with pytest.raises(ValueError, match="max_iter=19: expected an integer, 20 or above"):
        tune(own.load(), max_iter=19)
    with pytest.raises(ValueError, match="kind='best'"):
        tune(own.load(), ("best",))


@pytest.mark.parametrize(
    "option",
    [{"max_iter": 24.5}, {"n_images": 0}, {"n_images": True}, {"sigmas": ()}, {"sigmas": (0.1, math.nan)}],
)
def test_arguments_are_refused_by_name(own, option):
    with pytest.raises(ValueError, match=rf"^{next(iter(option))}=.*: expected"):
        tune(own.load(), **option)
    with pytest.raises(ValueError, match="task='mri': expected a Task"):
        tune("mri")


def test_the_noise_levels_are_the_presets_where_none_are_given_and_half_of_the_least_behind_a_teacher(own):
    task = replace(own, sigmas=(0.04, 0.08)).load()
    for kind, levels in {"none": [0.04, 0.08], "teacher": [0.02, 0.04, 0.08]}.items():
        sweep = tune(task, (kind,), n_images=1, max_iter=20)[kind]["sweep"]
        assert sorted({row["sigma"] for row in sweep}) == levels
