"""Distillation: the losses are their formulas, the pool behaves, training is reproducible and resumes."""

import json
import shutil
from dataclasses import asdict, replace

import pytest
import torch

from ddgp_lib import distill, load_task
from ddgp_lib.checkpoints import CheckpointError, load_checkpoint
from ddgp_lib.distillation import (
    DistillationRecipe,
    StatePool,
    _rate_factor,
    build_preconditioner,
    gradient_loss,
    squared_distance,
)

QUICK = {"steps": 6, "batch_size": 4, "pool_size": 8, "progress": False}


def recipe(**options):
    return DistillationRecipe(batch_size=4, **options)


def weights(distillation):
    return distillation.preconditioner.state_dict()


def assert_same_weights(first, second):
    for name, value in weights(first).items():
        torch.testing.assert_close(weights(second)[name], value, rtol=0, atol=0)


def test_gradient_loss_is_one_minus_cosine_squared_and_blind_to_scale(generator):
    a, b = torch.randn(2, 5, 1, 4, 4, generator=generator)
    cosines = (a * b).flatten(1).sum(1) / (a.flatten(1).norm(dim=1) * b.flatten(1).norm(dim=1))
    torch.testing.assert_close(gradient_loss(a, b), (1 - cosines).square().mean())
    torch.testing.assert_close(gradient_loss(7 * a, b), gradient_loss(a, b))
    assert gradient_loss(a, 2 * a) < 1e-10


def test_squared_distance(generator):
    a, b = torch.randn(2, 5, 1, 4, 4, generator=generator)
    torch.testing.assert_close(
        squared_distance(a, b), torch.stack([(p - q).norm() ** 2 for p, q in zip(a, b, strict=True)]).mean()
    )


def test_pool_advances_and_restarts(task, generator):
    pool = StatePool(task, recipe(pool_size=16, horizon=3), generator)
    assert pool.tensors["end"].min() >= 1
    assert pool.tensors["end"].max() <= 3
    for _ in range(20):
        places, states = pool.draw(8)
        assert len(set(places.tolist())) == 8
        pool.put_back(places, states["x"], states["z"])
        assert (pool.tensors["k"] < pool.tensors["end"]).all()


def test_pool_restarts_states_that_blow_up(task, generator):
    pool = StatePool(task, recipe(pool_size=4, horizon=1000), generator)
    pool.tensors["end"].fill_(1000)
    places = torch.arange(4)
    z = pool.tensors["z"].clone()
    z[0], z[1] = float("nan"), 1e6
    pool.put_back(places, z, z)
    assert pool.tensors["k"].tolist() == [0, 0, 1, 1]
    assert torch.isfinite(pool.tensors["z"]).all()


@pytest.mark.parametrize("from_truth", [0.0, 1.0])
def test_states_start_at_back_projections_or_at_the_truth(task, generator, from_truth):
    tensors = StatePool(task, recipe(pool_size=4, from_truth=from_truth), generator).tensors
    expected = tensors["truth"] if from_truth else task.student.A_adjoint(tensors["y_student"])
    torch.testing.assert_close(tensors["z"], expected)
    torch.testing.assert_close(tensors["x"], expected)


def test_training_is_reproducible(task):
    first, second = distill(task, **QUICK), distill(task, **QUICK)
    assert_same_weights(first, second)
    assert first.history == second.history
    assert not torch.equal(
        torch.tensor(first.history["total"]), torch.tensor(distill(task, seed=1, **QUICK).history["total"])
    )


def test_training_resumes_to_the_same_bits(task, tmp_path):
    path = tmp_path / "training.safetensors"
    whole = distill(task, **QUICK)
    with pytest.raises(KeyboardInterrupt):
        distill(_interrupted(task, after=3), checkpoint=path, checkpoint_every=2, **QUICK)
    _, description = load_checkpoint(path, kind="training")
    assert description["step"] == 2
    resumed = distill(task, checkpoint=path, **QUICK)
    assert_same_weights(whole, resumed)
    assert resumed.history == whole.history


def _interrupted(task, after):
    """Return the task with a denoiser that presses Ctrl-C in a later step."""
    calls = iter(range(2 * after))

    def denoiser(x, sigma):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return task.denoiser(x, sigma)

    return replace(task, denoiser=denoiser)


def test_interruption_before_the_first_write_can_be_resumed(task, tmp_path):
    path = tmp_path / "training.safetensors"
    with pytest.raises(KeyboardInterrupt):
        distill(_interrupted(task, after=1), checkpoint=path, **QUICK)
    assert_same_weights(distill(task, checkpoint=path, **QUICK), distill(task, **QUICK))


def test_other_recipe_does_not_resume(task, tmp_path):
    path = tmp_path / "training.safetensors"
    distill(task, checkpoint=path, **QUICK)
    with pytest.raises(CheckpointError, match="written by"):
        distill(task, checkpoint=path, **(QUICK | {"steps": 7}))


def test_damaged_checkpoint_is_refused(task, tmp_path):
    path = tmp_path / "training.safetensors"
    distill(task, checkpoint=path, **QUICK)
    shutil.copy(path, tmp_path / "copy")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="not a readable"):
        distill(task, checkpoint=path, **QUICK)


@pytest.mark.parametrize("inputs", ["state_aware", "gradient_only"])
def test_loss_falls(task, inputs):
    options = QUICK | {"steps": 40, "batch_size": 16, "pool_size": 32}
    history = distill(
        task, inputs=inputs, losses={"gradient": 1, "imitation": 1, "supervised": 0.5}, **options
    ).history
    assert set(history) == {"gradient", "imitation", "supervised", "total"}
    totals = torch.tensor(history["total"])
    assert totals[-10:].mean() < 0.9 * totals[:5].mean()
    parts = history["gradient"][0] + history["imitation"][0] + 0.5 * history["supervised"][0]
    assert history["total"][0] == pytest.approx(parts, rel=1e-5)


def test_free_form_trains(task):
    history = distill(task, form="free", **QUICK).history
    assert all(torch.isfinite(torch.tensor(values)).all() for values in history.values())


def test_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    first = build_preconditioner(recipe(), 1)
    torch.manual_seed(2)
    second = build_preconditioner(recipe(), 1)
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_rate_rises_then_falls():
    factors = [_rate_factor(step / 1000) for step in range(1000)]
    assert factors[0] < 0.2
    assert max(factors) == pytest.approx(1.0, abs=1e-6)
    assert factors[-1] < 1e-4


def test_recipe_survives_json():
    original = recipe(losses={"gradient": 2.0})
    assert DistillationRecipe(**json.loads(json.dumps(asdict(original)))) == original


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"steps": 0}, "steps=0"),
        ({"batch_size": 5, "pool_size": 4}, "batch_size=5"),
        ({"perturbed": 1.5}, "perturbed=1.5"),
        ({"from_truth": -0.1}, "from_truth=-0.1"),
        ({"learning_rate": -1.0}, "learning_rate=-1.0"),
        ({"losses": {}}, "losses={}"),
        ({"losses": {"perceptual": 1.0}}, "losses='perceptual'"),
        ({"losses": {"gradient": 0.0}}, r"losses\['gradient'\]=0.0"),
        ({"network": "resnet"}, "network='resnet'"),
        ({"form": "half"}, "form='half'"),
        ({"inputs": "all"}, "inputs='all'"),
        ({"momentum": "heavy"}, "momentum='heavy'"),
    ],
)
def test_bad_options_are_named(task, options, named):
    with pytest.raises(ValueError, match=named):
        distill(task, progress=False, **options)


@pytest.mark.parametrize(
    ("name", "options", "named"),
    [
        ("ct", {}, "name='ct'.*single_pixel"),
        ("single_pixel", {"ratio": 0.0}, "ratio=0.0"),
        ("single_pixel", {"ratio": 0.5}, "teacher_ratio=0.4: expected at least ratio=0.5"),
        ("single_pixel", {"size": 48}, r"img_size=\(1, 48, 48\)"),
        ("single_pixel", {"ordering": "spiral"}, "ordering='spiral'"),
    ],
)
def test_bad_tasks_are_named(name, options, named):
    with pytest.raises(ValueError, match=named):
        load_task(name, **options)


def test_task_at_another_size():
    task = load_task("single_pixel", size=16)
    assert task.img_size == (1, 16, 16)
    assert float(task.test_images.max()) <= 1.0
