"""Learning rates: each is tried once, a divergence has no score, and the best of what is known is named."""

import json
from dataclasses import replace

import pytest

from ddgp_lib.experiments import rates
from ddgp_lib.experiments.alternatives import run_alternative
from ddgp_lib.experiments.rates import best_rate, rate_score, sweep_rates
from ddgp_lib.recipes import AlternativeRecipe
from ddgp_lib.training import DivergenceError

RECIPE = AlternativeRecipe("direct", steps=20, batch_size=4)


@pytest.fixture
def scored(monkeypatch):
    """Give each rate a score without a training, and note what was tried."""
    asked = []

    def score(task, recipe):
        asked.append((recipe.learning_rate, recipe.steps))
        return None if recipe.learning_rate > 0.5 else 20 - abs(recipe.learning_rate - 0.002)

    monkeypatch.setattr(rates, "rate_score", score)
    return asked


def test_a_share_of_the_steps_is_trained_and_nothing_twice(own, tmp_path, scored):
    task, path = own.load(), tmp_path / "rates.json"
    found = sweep_rates(task, "direct", RECIPE, path, rates=(0.001, 0.002), share=0.25)
    assert scored == [(0.001, 5), (0.002, 5)]
    again = sweep_rates(task, "direct", RECIPE, path, rates=(0.002, 0.004, 1.0), share=0.25)
    assert scored[2:] == [(0.004, 5), (1.0, 5)]
    assert list(again) == ["0.001", "0.002", "0.004", "1.0"]
    assert again["1.0"] is None
    assert again | found == again
    assert best_rate(again) == 0.002


def test_scores_of_another_training_are_not_kept(own, tmp_path, scored):
    task, path = own.load(), tmp_path / "rates.json"
    sweep_rates(task, "direct", RECIPE, path, rates=(0.001,))
    sweep_rates(task, "modl", replace(RECIPE, name="modl"), path, rates=(0.002,))
    other = sweep_rates(task, "direct", replace(RECIPE, batch_size=8), path, rates=(0.004,))
    assert list(other) == ["0.004"]
    assert set(json.loads(path.read_text())["rows"]) == {"direct", "modl"}


def test_a_score_is_that_of_validation_images(own):
    task = own.load()
    model = run_alternative(task, RECIPE, progress=False).model
    images = task.val_images[: task.preset.counts.validation]
    expected = task.psnr(model(task.measure(images), task.student), images).mean()
    assert rate_score(task, RECIPE) == pytest.approx(float(expected), abs=1e-3)
    distilled = rate_score(task, replace(own.recipes["distilled"], steps=2))
    assert distilled > 0


def test_a_training_that_diverges_has_no_score(own, monkeypatch):
    def diverge(*args, **kwargs):
        raise DivergenceError("loss=nan: expected a finite number")

    monkeypatch.setattr(rates, "run_alternative", diverge)
    assert rate_score(own.load(), RECIPE) is None


def test_what_is_no_rate_or_share_is_refused(own, tmp_path):
    path = tmp_path / "rates.json"
    with pytest.raises(ValueError, match=r"rates=-1: expected"):
        sweep_rates(own.load(), "direct", RECIPE, path, rates=(-1,))
    with pytest.raises(ValueError, match=r"share=2: expected"):
        sweep_rates(own.load(), "direct", RECIPE, path, share=2)
    with pytest.raises(ValueError, match="rates: expected a finite score"):
        best_rate({"0.1": None})


def test_the_command_prints_the_best(own, tmp_path, scored, monkeypatch, capsys):
    monkeypatch.setattr(rates, "PRESETS", {"own": own})
    rates.main(["own", "--only", "unfolded", "--rates", "0.001", "0.002", "--output", str(tmp_path)])
    assert "best 0.002" in capsys.readouterr().out
    assert (tmp_path / f"{own.name}-rates.json").is_file()
