"""The networks that a user would pick instead: how they train, what is written, what ships."""

import re
from dataclasses import replace

import pytest
import torch

from ddgp_lib import commands, load_preconditioner
from ddgp_lib.__main__ import main
from ddgp_lib.checkpoints import CheckpointError, load_checkpoint
from ddgp_lib.distillation.states import FreshStates
from ddgp_lib.experiments.alternatives import (
    judged,
    load_alternative,
    load_null_space_pull,
    reconstruct,
    run_alternative,
    save_alternative,
    train_alternative,
    trained_networks,
)
from ddgp_lib.operators import null_projection, range_projection
from ddgp_lib.presets import PRESETS
from ddgp_lib.recipes import ALTERNATIVES, AlternativeRecipe, build_alternative
from ddgp_lib.recipes.alternatives import STAGES
from tests import own_camera

NAMES = tuple(ALTERNATIVES)
SHORT = {name: AlternativeRecipe(name, steps=3, batch_size=2) for name in NAMES}


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_every_stage_of_the_unfolded_network_learns(task):
    model = train_alternative(task, SHORT["unfolded"], progress=False)
    fresh = build_alternative(SHORT["unfolded"], 1)
    for stage in range(STAGES):
        old, new = (weights(net.networks[stage]) for net in (fresh, model))
        assert not torch.equal(old, new)
    assert (model.steps != fresh.steps).all()


@pytest.mark.parametrize("name", NAMES)
def test_training_lowers_the_error(task, name):
    recipe = AlternativeRecipe(name, steps=30, batch_size=8, learning_rate=4e-3)
    images = task.val_images[:20]
    y = task.measure(images)
    models = (
        build_alternative(recipe, 1),
        train_alternative(task, recipe, progress=False),
    )
    with torch.no_grad():
        before, after = (task.psnr(reconstruct(task, name, model, y), images).mean() for model in models)
    assert after > before + 0.5


def test_npn_is_judged_on_what_the_teacher_sees_and_the_student_does_not(task):
    x = task.val_images[:4]
    expected = null_projection(task.student, range_projection(task.teacher, x))
    torch.testing.assert_close(judged(task, "npn")(x), expected, rtol=0, atol=1e-5)
    assert judged(task, "direct")(x) is x
    model = train_alternative(task, SHORT["npn"], progress=False)
    y = task.measure(x)
    with torch.no_grad():
        made, start = reconstruct(task, "npn", model, y), model.start(y, task.student)
        seen = judged(task, "npn")(model(y, task.student))
    torch.testing.assert_close(judged(task, "npn")(made), seen, rtol=0, atol=1e-5)
    torch.testing.assert_close(task.student.A(made), task.student.A(start), rtol=0, atol=1e-5)


def test_noise_is_drawn_from_the_range_for_each_image(own, monkeypatch):
    levels = []
    states = FreshStates._noise_levels

    def kept(self, count):
        levels.append(states(self, count))
        return levels[-1]

    monkeypatch.setattr(FreshStates, "_noise_levels", kept)
    recipe = AlternativeRecipe("direct", steps=20, batch_size=8, noise_range=(0.01, 1.0))
    train_alternative(own.load(), recipe, progress=False)
    drawn = torch.cat(levels).log10()
    assert len(drawn) == 160
    assert (drawn.min() >= -2) & (drawn.max() <= 0)
    assert drawn.mean().item() == pytest.approx(-1, abs=0.2)


def test_the_processor_time_of_a_resumed_training_counts_from_its_beginning(own, tmp_path):
    task, path = own.load(), tmp_path / "state.safetensors"
    recipe = AlternativeRecipe("direct", steps=2, batch_size=2)
    first = run_alternative(task, recipe, checkpoint=path, progress=False)
    again = run_alternative(task, recipe, checkpoint=path, progress=False)
    assert again.cpu_seconds == first.cpu_seconds > 0
    longer = run_alternative(task, replace(recipe, steps=4), checkpoint=path, progress=False)
    assert longer.cpu_seconds > first.cpu_seconds


def test_npn_is_loaded_as_a_pull_with_the_tasks_teacher(own, tmp_path):
    task = own.load()
    model = train_alternative(task, own.alternatives["npn"], progress=False)
    path = tmp_path / "mine.safetensors"
    save_alternative(path, model, task, own.alternatives["npn"], {})
    P = load_null_space_pull(task, 0.3, 0.9, path=path)
    assert (P.weight, P.decay, P.teacher) == (0.3, 0.9, task.teacher)
    y = task.measure(task.test_images[:2])
    torch.testing.assert_close(P.predictor(y, task.student), model(y, task.student))
    assert not any(parameter.requires_grad for parameter in P.parameters())
    with pytest.raises(ValueError, match="weight=0"):
        load_null_space_pull(task, 0, path=path)
    with pytest.raises(FileNotFoundError, match="own_camera-npn-seed3"):
        load_null_space_pull(task, seed=3)


def test_an_interrupted_training_gives_the_same_weights(own, tmp_path):
    task, path = own.load(), tmp_path / "state.safetensors"
    recipe = AlternativeRecipe("direct", steps=4, batch_size=2, perturbed=1.0)
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
        train_alternative(task, SHORT["direct"], checkpoint=path, progress=False)
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
        recipe = AlternativeRecipe("direct", steps=20, batch_size=6, perturbed=perturbed)
        train_alternative(task, recipe, progress=False)
        assert seen.pop() == 2  # the fingerprint's
        assert sum(seen) == pytest.approx(20 * 6 * perturbed, abs=25 * perturbed * (1 - perturbed) * 4)
        assert perturbed < 1 or seen == [6] * 20
        seen.clear()


def test_the_command_writes_what_load_alternative_reads(tmp_path, capsys):
    options = ["--steps", "2", "--output", str(tmp_path), "--checkpoints", str(tmp_path / "state")]
    assert main(["train-alternatives", "single_pixel", "--name", "direct", *options]) == 0
    assert "validation_psnr" in capsys.readouterr().out
    model = load_alternative("single_pixel", "direct", tmp_path / "single_pixel-direct.safetensors")
    assert not any(parameter.requires_grad for parameter in model.parameters())
    with pytest.raises(CheckpointError, match="kind is 'direct'"):
        load_alternative("single_pixel", "unfolded", tmp_path / "single_pixel-direct.safetensors")


@pytest.mark.parametrize(("old", "new"), [("end_to_end", "direct"), ("unrolled", "unfolded")])
def test_a_name_of_before_is_refused_with_what_has_taken_its_place(old, new, capsys):
    message = f"name='{old}': expected '{new}', which has taken its place; all are ('direct', "
    with pytest.raises(ValueError, match=re.escape(message)):
        load_alternative("single_pixel", old)
    with pytest.raises(ValueError, match=re.escape(message)):
        AlternativeRecipe(old, steps=1, batch_size=1)
    assert main(["train-alternatives", "single_pixel", "--name", old]) == 2
    assert f"--{message}" in capsys.readouterr().err


def test_another_seed_is_another_training_in_a_file_of_its_own(tmp_path, capsys, own):
    camera = ["--task", f"{own_camera.__file__}:PRESET", "--weights", str(own.weights)]
    options = ["--output", str(tmp_path), "--checkpoints", str(tmp_path / "state")]
    for seed in ("0", "2"):
        rest = [*camera, *options, "--seed", seed]
        assert main(["train-alternatives", "--name", "unfolded", *rest]) == 0
        assert main(["train", "--kind", "distilled", *rest]) == 0
    preset = replace(own, weights=tmp_path)
    for kind in ("unfolded", "distilled"):
        seeds = {seed: load_checkpoint(preset.path(kind, seed))[1] for seed in (0, 2)}
        assert {seed: found["recipe"]["seed"] for seed, found in seeds.items()} == {0: 0, 2: 2}
        assert all(found["metrics"]["cpu_seconds"] > 0 for found in seeds.values())
    assert preset.path("unfolded", 2).name == "own_camera-unfolded-seed2.safetensors"
    task = preset.load()
    for load, kind in ((load_alternative, "unfolded"), (load_preconditioner, "distilled")):
        one, other = (weights(load(task, kind, seed=seed)) for seed in (0, 2))
        assert not torch.equal(one, other)
        with pytest.raises(FileNotFoundError, match=f"{kind}-seed1"):
            load(task, kind, seed=1)
        with pytest.raises(ValueError, match="seed=-1"):
            load(task, kind, seed=-1)


def test_a_whole_training_of_another_seed_tunes_nothing(tmp_path, capsys, own, monkeypatch):
    monkeypatch.setattr(commands, "tune", None)
    camera = ["--task", f"{own_camera.__file__}:PRESET", "--weights", str(own.weights)]
    options = ["--output", str(tmp_path), "--checkpoints", str(tmp_path / "state"), "--seed", "1"]
    before = (own.weights / "own_camera-tuning.json").read_bytes()
    assert main(["train", *camera, *options]) == 0
    assert (tmp_path / "own_camera-tuning.json").read_bytes() == before
    for kind in own.recipes:
        assert (tmp_path / own.path(kind, 1).name).is_file()


@pytest.mark.parametrize("name", trained_networks(PRESETS["single_pixel"]))
def test_shipped_ones_do_what_they_claim(task, name):
    _, description = load_checkpoint(PRESETS["single_pixel"].path(name))
    images = task.val_images[:200]
    with torch.no_grad():
        x = reconstruct(task, name, load_alternative("single_pixel", name), task.measure(images))
    claimed = description["metrics"]["validation_psnr"]
    assert task.psnr(x, images).mean().item() == pytest.approx(claimed, abs=0.05)
