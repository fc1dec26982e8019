"""Longer trainings: all that grows is the number of steps, and the result that ships is that of these recipes."""

import json
from dataclasses import asdict, replace

import pytest

from ddgp_lib.experiments import load_benchmark
from ddgp_lib.experiments.benchmark import BENCHMARKS_FOLDER
from ddgp_lib.experiments.budget import are_equal
from ddgp_lib.fingerprint import alike
from ddgp_lib.presets import PRESETS
from ddgp_lib.presets.chosen import load_chosen
from ddgp_lib.presets.longer import MRI, TIMES, longer

SHIPPED = PRESETS["mri"]


def as_json(recipe):
    return json.loads(json.dumps(asdict(recipe)))


def test_both_phases_and_the_rivals_take_more_steps_and_nothing_else_changes():
    camera = longer(SHIPPED, 3, ("unfolded", "direct"))
    before, after = SHIPPED.recipes["distilled"], camera.recipes["distilled"]
    assert (after.steps, after.tuned_steps) == (3 * before.steps, 3 * before.tuned_steps)
    assert replace(after, steps=before.steps, tuned_steps=before.tuned_steps) == before
    assert set(camera.alternatives) == {"unfolded", "direct"}
    for name, recipe in camera.alternatives.items():
        assert recipe == replace(SHIPPED.alternatives[name], steps=3 * SHIPPED.alternatives[name].steps)
    assert camera.baselines == SHIPPED.baselines
    assert set(camera.distilled) == {"distilled"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((SHIPPED, 0), "times=0: expected"),
        ((SHIPPED, 1.5), "times=1.5: expected"),
        (("mri",), "preset='mri': expected a Preset"),
        ((SHIPPED, 2, ("fourfold",)), "rivals='fourfold': expected some of"),
        ((replace(SHIPPED, recipes={}),), "expected a DistillationRecipe for 'distilled', not None"),
    ],
)
def test_a_bad_argument_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        longer(*arguments)


def test_the_command_line_reads_it_as_a_file():
    assert load_chosen(None, "ddgp_lib/presets/longer.py:MRI").recipes == MRI.recipes


def test_what_ships_was_trained_by_these_recipes_in_equal_times_and_judged_on_the_same_images():
    result = load_benchmark("mri", BENCHMARKS_FOLDER / "longer")["seeds"]
    book = load_benchmark("mri")["seeds"]
    recipes = {**MRI.recipes, **MRI.alternatives}
    seconds = {}
    for name, recipe in recipes.items():
        found = result["methods"][name]
        assert found["recipe"] == as_json(recipe)
        (seconds[name],) = found["cpu_seconds"]
        assert seconds[name] > 0.7 * TIMES * book["methods"][name]["cpu_seconds"][0]
    assert are_equal(seconds)
    assert alike(result["fingerprint"], book["fingerprint"])
    for key in ("seed", "images"):
        assert result["conditions"][key] == book["conditions"][key]
    for name in MRI.baselines:
        assert result["methods"][name]["psnr"] == book["methods"][name]["psnr"]
