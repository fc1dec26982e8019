"""The networks that a user would pick instead: how they train, what is written, what ships."""

from dataclasses import replace

import pytest
import torch

from ddgp_lib.__main__ import main
from ddgp_lib.checkpoints import CheckpointError, load_checkpoint
from ddgp_lib.experiments.alternatives import load_alternative, train_alternative
from ddgp_lib.presets import PRESETS
from ddgp_lib.recipes import ALTERNATIVES, AlternativeRecipe, build_alternative
from ddgp_lib.recipes.alternatives import STAGES

NAMES = tuple(ALTERNATIVES)
SHORT = {name: AlternativeRecipe(name, steps=3, batch_size=2) for name in NAMES}


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_every_stage_of_the_unrolled_network_learns(task):
    model = train_alternative(task, SHORT["unrolled"], progress=False)
    fresh = build_alternative(SHORT["unrolled"], 1, task.stepsize)
    for stage in range(STAGES):
        old, new = (weights(net.prior[stage]) for net in (fresh, model))
        assert not torch.equal(old, new)


@pytest.mark.parametrize("name", NAMES)
def test_training_lowers_the_error(task, name):
    recipe = AlternativeRecipe(name, steps=30, batch_size=8, learning_rate=4e-3)
    images = task.val_images[:20]
    y = task.measure(images)
    before = build_alternative(recipe, 1, task.stepsize)(y, task.student)
    after = train_alternative(task, recipe, progress=False)(y, task.student)
    assert task.psnr(after, images).mean() > task.psnr(before, images).mean() + 0.5


def test_an_interrupted_training_gives_the_same_weights(own, tmp_path):
    task, path = own.load(), tmp_path / "state.safetensors"
    recipe = AlternativeRecipe("end_to_end", steps=4, batch_size=2, perturbed=1.0)
    whole = train_alternative(task, recipe, progress=False)
    left = iter(range(3))

    def until_the_third(images, generator):
        next(left)
        return task.augment(images, generator)

    unplugged = replace(task, augment=until_the_third)
    with pytest.raises(StopIteration):
        train_alternative(unplugged, recipe, checkpoint=path, checkpoint_every=2, progress=False)
    assert load_checkpoint(path)[1]["step"] == 2
    resumed = train_alternative(task, recipe, checkpoint=path, progress=False)
    assert torch.equal(weights(whole), weights(resumed))
    with pytest.raises(CheckpointError, match="written by"):
        train_alternative(task, SHORT["end_to_end"], checkpoint=path, progress=False)
    with pytest.raises(CheckpointError, match="written for other images"):
        train_alternative(
            replace(task, train_images=task.train_images[1:]), recipe, checkpoint=path, progress=False
        )


def test_each_step_sees_a_batch_of_the_recipes_size_and_changes_the_fraction_that_it_says(own):
    seen = []

    def counting(images, generator):
        seen.append(len(images))
        return images

    task = replace(own.load(), augment=counting)
    for perturbed in (1.0, 0.5, 0.0):
        recipe = AlternativeRecipe("end_to_end", steps=20, batch_size=6, perturbed=perturbed)
        train_alternative(task, recipe, progress=False)
        assert sum(seen) == pytest.approx(20 * 6 * perturbed, abs=25 * perturbed * (1 - perturbed) * 4)
        assert perturbed < 1 or seen == [6] * 20
        seen.clear()


def test_the_command_writes_what_load_alternative_reads(tmp_path, capsys):
    options = ["--steps", "2", "--output", str(tmp_path), "--checkpoints", str(tmp_path / "state")]
    assert main(["train-alternatives", "single_pixel", "--name", "end_to_end", *options]) == 0
    assert "validation_psnr" in capsys.readouterr().out
    model = load_alternative("single_pixel", "end_to_end", tmp_path / "single_pixel-end_to_end.safetensors")
    assert not any(parameter.requires_grad for parameter in model.parameters())
    with pytest.raises(CheckpointError, match="kind is 'end_to_end'"):
        load_alternative("single_pixel", "unrolled", tmp_path / "single_pixel-end_to_end.safetensors")


@pytest.mark.parametrize("name", NAMES)
def test_shipped_ones_do_what_they_claim(task, name):
    _, description = load_checkpoint(PRESETS["single_pixel"].path(name))
    images = task.val_images[:200]
    with torch.no_grad():
        x = load_alternative("single_pixel", name)(task.measure(images), task.student)
    claimed = description["metrics"]["validation_psnr"]
    assert task.psnr(x, images).mean().item() == pytest.approx(claimed, abs=0.05)
