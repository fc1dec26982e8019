"""The networks that a user would pick instead: what they start as, how they train, what ships."""

import pytest
import torch
from ddgp_lib.alternatives import (
    ALTERNATIVES,
    STAGES,
    AlternativeRecipe,
    build_alternative,
    load_alternative,
    train_alternative,
)
from ddgp_lib.shipped import ALTERNATIVE_RECIPES, load_preconditioner

from ddgp_lib.__main__ import main
from ddgp_lib.checkpoints import WEIGHTS_FOLDER, CheckpointError, load_checkpoint
from ddgp_lib.tasks import TASKS

NAMES = tuple(ALTERNATIVES)
SHORT = {name: AlternativeRecipe(name, steps=3, batch_size=2) for name in NAMES}


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("name", NAMES)
def test_untrained_they_are_what_they_are_built_on(task, name):
    images = task.test_images[:2]
    y = task.measure(images)
    adjoint = task.student.A_adjoint(y)
    with torch.no_grad():
        x = build_alternative(SHORT[name], 1, task.stepsize)(y, task.student)
    # Where A Aᵀ = I, every gradient step from Aᵀy is zero.
    torch.testing.assert_close(x, adjoint, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_they_have_as_many_parameters_as_the_preconditioner(name):
    count = weights(load_preconditioner("single_pixel")).numel()
    assert weights(build_alternative(SHORT[name], 1, 1.0)).numel() == pytest.approx(count, rel=0.01)


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


def test_an_interrupted_training_gives_the_same_weights(task, tmp_path, monkeypatch):
    path, recipe = tmp_path / "state.safetensors", AlternativeRecipe("end_to_end", steps=4, batch_size=2)
    whole = train_alternative(task, recipe, progress=False)
    advance = train_alternative.__globals__["_Training"].advance
    monkeypatch.setattr(
        "ddgp_lib.alternatives._Training.advance",
        lambda self: advance(self) if self.step < 2 else (_ for _ in ()).throw(KeyboardInterrupt),
    )
    with pytest.raises(KeyboardInterrupt):
        train_alternative(task, recipe, checkpoint=path, checkpoint_every=2, progress=False)
    monkeypatch.undo()
    resumed = train_alternative(task, recipe, checkpoint=path, progress=False)
    assert torch.equal(weights(whole), weights(resumed))
    with pytest.raises(CheckpointError, match="written by"):
        train_alternative(task, SHORT["end_to_end"], checkpoint=path, progress=False)


def test_the_command_writes_what_load_alternative_reads(task, tmp_path, capsys):
    options = ["--steps", "2", "--output", str(tmp_path), "--checkpoints", str(tmp_path / "state")]
    assert main(["train-alternatives", "single_pixel", "--name", "end_to_end", *options]) == 0
    assert "validation_psnr" in capsys.readouterr().out
    model = load_alternative("single_pixel", "end_to_end", tmp_path / "single_pixel-end_to_end.safetensors")
    assert not any(parameter.requires_grad for parameter in model.parameters())
    with pytest.raises(CheckpointError, match="kind is 'end_to_end'"):
        load_alternative("single_pixel", "unrolled", tmp_path / "single_pixel-end_to_end.safetensors")


@pytest.mark.parametrize(
    ("task_name", "name"),
    [(task_name, name) for task_name in TASKS for name in ALTERNATIVE_RECIPES[task_name]],
)
def test_shipped_ones_carry_their_recipe(task_name, name):
    path = WEIGHTS_FOLDER / f"{task_name}-{name}.safetensors"
    _, description = load_checkpoint(path, kind=name, task=task_name)
    assert path.stat().st_size < 3_000_000
    assert AlternativeRecipe(**description["recipe"]) == ALTERNATIVE_RECIPES[task_name][name]


@pytest.mark.parametrize("name", ALTERNATIVE_RECIPES["single_pixel"])
def test_shipped_ones_do_what_they_claim(task, name):
    _, description = load_checkpoint(WEIGHTS_FOLDER / f"single_pixel-{name}.safetensors")
    images = task.val_images[:200]
    with torch.no_grad():
        x = load_alternative("single_pixel", name)(task.measure(images), task.student)
    claimed = description["metrics"]["validation_psnr"]
    assert task.psnr(x, images).mean().item() == pytest.approx(claimed, abs=0.05)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "magic"}, "name='magic'"),
        ({"steps": 0}, "steps=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"learning_rate": -1.0}, "learning_rate=-1.0"),
    ],
)
def test_bad_recipes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        AlternativeRecipe(**{"name": "unrolled", "steps": 1, "batch_size": 1} | change)
