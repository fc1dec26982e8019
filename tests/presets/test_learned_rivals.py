"""What preconditioners are compared with: every camera's recipes see what its preconditioner sees."""

import pytest

from ddgp_lib.checkpoints import load_checkpoint
from ddgp_lib.presets import PRESETS
from ddgp_lib.presets.learned_rivals import RIVALS, rival_recipes
from ddgp_lib.recipes import ALTERNATIVES, AlternativeRecipe

COMPARED = ("single_pixel", "mri", "super_resolution")
SEEDS = range(4)


def test_recipes_share_all_but_their_names_steps_and_rates():
    recipes = rival_recipes(
        {"direct": 10, "modl": 3}, learning_rate={"direct": 1e-3, "modl": 2e-3}, batch_size=4, damping=0.1
    )
    assert recipes == {
        "direct": AlternativeRecipe("direct", steps=10, learning_rate=1e-3, batch_size=4, damping=0.1),
        "modl": AlternativeRecipe("modl", steps=3, learning_rate=2e-3, batch_size=4, damping=0.1),
    }


def test_each_may_have_a_rate_of_its_own():
    steps = {"direct": 10, "modl": 3}
    recipes = rival_recipes(steps, learning_rate={"direct": 1e-3, "modl": 4e-3}, batch_size=4)
    assert {name: recipe.learning_rate for name, recipe in recipes.items()} == {"direct": 1e-3, "modl": 4e-3}
    same = rival_recipes(steps, learning_rate=2e-3, batch_size=4)
    assert {recipe.learning_rate for recipe in same.values()} == {2e-3}
    with pytest.raises(ValueError, match=r"learning_rate=.*expected a rate for 'modl'"):
        rival_recipes(steps, learning_rate={"direct": 1e-3}, batch_size=4)


def test_rivals_are_all_alternatives_that_there_are():
    assert tuple(ALTERNATIVES) == RIVALS


@pytest.mark.parametrize("name", COMPARED)
def test_a_camera_has_them_all_with_what_its_preconditioner_is_trained_with(name):
    preset = PRESETS[name]
    distilled = preset.recipes["distilled"]
    assert tuple(preset.alternatives) == RIVALS
    for key, recipe in preset.alternatives.items():
        assert recipe.name == key
        for field in (
            "batch_size",
            "perturbed",
            "weight_decay",
            "noise_range",
            "damping",
            "damping_noise",
            "seed",
        ):
            assert getattr(recipe, field) == getattr(distilled, field), field


@pytest.mark.parametrize("name", COMPARED)
def test_weights_that_are_there_are_of_the_presets_recipe(name):
    preset = PRESETS[name]
    for key, recipe in preset.alternatives.items():
        for seed in SEEDS:
            path = preset.path(key, seed)
            if path.is_file():
                _, description = load_checkpoint(path, kind=key, task=name)
                assert AlternativeRecipe(**description["recipe"] | {"seed": 0}) == recipe
                assert description["recipe"]["seed"] == seed
                assert path.stat().st_size < 3_000_000
