"""Tuning: settings are measured as evaluate does, run from the best down, and chosen by the lower of two scores."""

import math
from dataclasses import replace

import pytest

from ddgp_lib import evaluate
from ddgp_lib.experiments.tuning import DECAYS, MOMENTA, tune, tuning_score, validation_psnr
from ddgp_lib.pretrained import Method, Setting, load_preconditioner

QUICK = {"n_images": 2, "max_iter": 24, "sigmas": (0.05, 0.1)}


def test_a_sweep_measures_what_evaluate_does(own):
    task = own.load()
    tuning = tune(task, ("none",), **QUICK)
    chosen = next(row for row in tuning["none"]["sweep"] if row["sigma"] == task.sigma)
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


def test_the_noise_levels_are_the_presets_where_none_are_given(own):
    task = replace(own, sigmas=(0.04, 0.08)).load()
    sweep = tune(task, ("teacher",), n_images=1, max_iter=20)["teacher"]["sweep"]
    assert sorted({row["sigma"] for row in sweep}) == [0.04, 0.08]
