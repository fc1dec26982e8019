"""Equal training times: what is timed, what follows from it, and that what ships had them."""

import json
from dataclasses import replace

import pytest

from ddgp_lib.experiments import budget
from ddgp_lib.experiments.alternatives import save_alternative, train_alternative
from ddgp_lib.experiments.budget import (
    are_equal,
    equal_steps,
    measure_steps,
    step_seconds,
    trained_seconds,
    trainings,
)
from ddgp_lib.presets import PRESETS
from ddgp_lib.recipes import AlternativeRecipe

COMPARED = (
    "distilled",
    *dict.fromkeys(name for preset in PRESETS.values() for name in preset.alternatives),
)


def test_all_that_is_trained_by_steps_is_timed(own):
    assert list(trainings(own)) == ["distilled", "direct", "unfolded", "npn"]


def test_trainings_take_turns_for_equally_many_steps_and_the_first_round_is_not_counted(own, monkeypatch):
    asked = []

    def seconds(task, recipe):
        asked.append((recipe.name, recipe.steps))
        return 1000.0 if len(asked) <= 2 else 4.0 * len(asked)

    monkeypatch.setattr(budget, "_cpu_seconds", seconds)
    recipes = {name: AlternativeRecipe(name, 999, 1) for name in ("direct", "modl")}
    found = step_seconds(own.load(), recipes, rounds=3, steps=2, progress=False)
    assert asked == [("direct", 2), ("modl", 2)] * 4
    assert found == {"direct": 2 * 5, "modl": 2 * 6}


def test_a_second_phase_is_not_timed_with_the_first(own, monkeypatch):
    asked = []
    monkeypatch.setattr(budget, "_cpu_seconds", lambda task, recipe: asked.append(recipe) or 1.0)
    recipe = replace(own.recipes["distilled"], tuned_steps=50)
    step_seconds(own.load(), {"distilled": recipe}, rounds=1, steps=3, progress=False)
    assert {(other.steps, other.tuned_steps) for other in asked} == {(3, 0)}


def test_more_stages_take_longer_and_so_get_fewer_steps(own):
    task = own.load()
    recipes = {"direct": AlternativeRecipe("direct", 1, 8), "modl": AlternativeRecipe("modl", 1, 8)}
    times = step_seconds(task, recipes, rounds=3, steps=2, progress=False)
    assert times["modl"] > 2 * times["direct"] > 0
    found = measure_steps(task, recipes | {"distilled": own.recipes["distilled"]}, 100.0, rounds=1, steps=2)
    assert found["direct"] > 2 * found["modl"]
    assert found["distilled"] >= 1


def test_steps_fill_the_budget():
    assert equal_steps({"a": 0.01, "b": 0.04, "c": 1e6}, 100.0) == {"a": 10000, "b": 2500, "c": 1}
    with pytest.raises(ValueError, match="budget=0"):
        equal_steps({"a": 0.01}, 0)


@pytest.mark.parametrize("argument", ["rounds", "steps"])
def test_numbers_below_one_are_refused(own, argument):
    with pytest.raises(ValueError, match=f"{argument}=0"):
        step_seconds(own.load(), {}, **{argument: 0})


def test_budgets_are_equal_within_a_tenth():
    assert are_equal({})
    assert are_equal({"a": 100.0, "b": 109.9})
    assert not are_equal({"a": 100.0, "b": 105.0, "c": 111.0})


def test_seconds_are_read_from_the_files_that_carry_them(own, tmp_path):
    preset, task = replace(own, weights=tmp_path), own.load()
    for name, seed, metrics in (
        ("unfolded", 0, {"cpu_seconds": 3.0}),
        ("npn", 0, {}),
        ("unfolded", 1, {"cpu_seconds": 4.0}),
    ):
        recipe = own.alternatives[name]
        save_alternative(
            preset.path(name, seed), train_alternative(task, recipe, progress=False), task, recipe, metrics
        )
    assert trained_seconds(preset, ("distilled", "unfolded", "npn")) == {"unfolded": 3.0}
    assert trained_seconds(preset, ("unfolded",), seed=1) == {"unfolded": 4.0}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", PRESETS)
def test_what_ships_had_equal_budgets(name, seed):
    """Files without seconds, or that are not there, are not compared; P may have had less than its rivals."""
    seconds = trained_seconds(PRESETS[name], COMPARED, seed)
    own = seconds.pop("distilled", 0.0)
    assert are_equal(seconds), seconds
    assert own <= 1.1 * min(seconds.values(), default=own), (own, seconds)


def test_the_command_prints_a_line_for_each_or_json(capsys, monkeypatch):
    monkeypatch.setattr(budget, "_cpu_seconds", lambda task, recipe: 0.05 * recipe.steps)
    options = ["single_pixel", "--rounds", "1", "--only", "direct", "npn"]
    budget.main([*options, "--seconds", "10"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "single_pixel: steps that take 10 processor seconds"
    assert [line.split()[0] for line in lines[1:]] == ["distilled", "direct", "npn"]
    assert all(" 200 steps" in line for line in lines[1:])
    budget.main([*options, "--json"])
    found = json.loads(capsys.readouterr().out)
    steps = PRESETS["single_pixel"].recipes["distilled"].steps
    assert found["steps"] == dict.fromkeys(("distilled", "direct", "npn"), steps)
    with pytest.raises(ValueError, match="name='magic'"):
        budget.main(["single_pixel", "--only", "magic"])
