"""Tuning: settings are measured as evaluate does, run from the best down, and chosen by the lower of two scores."""

import json
import math
from dataclasses import replace

import pytest

from ddgp_lib import evaluate
from ddgp_lib.experiments import tuning
from ddgp_lib.experiments.tuning import (
    DECAYS,
    MOMENTA,
    tune,
    tuning_conditions,
    tuning_score,
    validation_psnr,
)
from ddgp_lib.preconditioners import Preconditioner
from ddgp_lib.pretrained import Method, Setting, load_preconditioner

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


class Late(Preconditioner):
    """A step that explodes from an iteration on where nothing fades."""

    def __init__(self, first):
        super().__init__()
        self.first = first

    def forward(self, grad, state):
        return grad if state.k < self.first else 1e30 * grad


@pytest.fixture
def late(monkeypatch):
    def from_iteration(first):
        def method(task, kind):
            found = Method(task, "none")
            found.preconditioner = Late(first)
            return found

        monkeypatch.setattr(tuning, "Method", method)

    return from_iteration


def test_runs_that_end_in_nan_do_not_win(own, late):
    late(20)
    found = tune(own.load(), ("distilled",), n_images=2, max_iter=40, sigmas=(0.05, 0.1))["distilled"]
    json.dumps(found, allow_nan=False)
    finished = [row for row in found["sweep"] if row["psnr_last"] is not None]
    assert found["setting"] in [
        {name: row[name] for name in ("sigma", "momentum", "prior_decay", "update_decay")} for row in finished
    ]
    assert any(row["psnr_20"] is not None and row["psnr_last"] is None for row in found["sweep"])


def test_nothing_is_chosen_where_every_run_diverges(own, late):
    late(0)
    with pytest.raises(ValueError, match="kind='distilled': expected a finite score"):
        tune(own.load(), ("distilled",), **QUICK)


def test_what_a_tuning_depends_on_is_told_apart(own):
    task = own.load()
    first = tuning_conditions(task, "distilled")
    assert tune(task, ("teacher",), **QUICK)["teacher"]["conditions"] == tuning_conditions(
        task, "teacher", **QUICK
    )
    assert first == tuning_conditions(task, "distilled", n_images=own.counts.tuning, sigmas=own.sigmas)
    others = [tuning_conditions(task, "distilled", **{name: value}) for name, value in QUICK.items()]
    others.append(tuning_conditions(task, "distilled_linear"))
    assert first not in others
    assert json.loads(json.dumps(first)) == first


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
