"""Ablations differ in what they are about, and in nothing else."""

from dataclasses import replace

import pytest

from ddgp_lib.checkpoints import load_checkpoint
from ddgp_lib.presets import PRESETS
from ddgp_lib.presets.ablations import loss_ablations
from ddgp_lib.recipes import DistillationRecipe


def test_only_the_losses_of_the_first_phase_differ():
    recipe = DistillationRecipe(
        losses={"gradient": 1.0, "supervised": 1.0}, steps=70, tuned_steps=5, sigma=0.02
    )
    found = loss_ablations(recipe)
    assert {name: set(other.losses) for name, other in found.items()} == {
        "distilled_supervised": {"supervised"},
        "distilled_imitation": {"gradient", "imitation"},
    }
    for other in found.values():
        assert replace(other, losses=recipe.losses) == recipe


@pytest.mark.parametrize("name", ["single_pixel", "mri", "super_resolution"])
def test_the_books_cameras_have_those_of_their_preconditioner(name):
    preset = PRESETS[name]
    assert preset.ablations == loss_ablations(preset.recipes["distilled"])
    assert not set(preset.ablations) & set(preset.methods)


@pytest.mark.parametrize("name", ["single_pixel", "mri", "super_resolution"])
def test_weights_that_are_there_are_of_the_presets_recipe(name):
    preset = PRESETS[name]
    for kind, recipe in preset.ablations.items():
        for seed in range(4):
            path = preset.path(kind, seed)
            if path.is_file():
                _, description = load_checkpoint(path, kind=kind, task=name)
                assert DistillationRecipe(**description["recipe"]) == replace(recipe, seed=seed)
