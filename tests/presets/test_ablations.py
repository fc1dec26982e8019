"""Ablations differ in what they are about, and in nothing else."""

from dataclasses import replace

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
