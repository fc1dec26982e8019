"""Distillation: each pairing is its equations, training is reproducible, resumes, and keeps its best weights."""

import json
import shutil
from dataclasses import asdict, replace
from typing import get_args

import pytest
import torch

from ddgp_lib import Preconditioner, State, distill, evaluate, load_task
from ddgp_lib.checkpoints import CheckpointError, load_checkpoint, save_checkpoint
from ddgp_lib.distillation import (
    PAIRINGS,
    DistillationRecipe,
    FreshStates,
    StatePool,
    build_preconditioner,
    gradient_loss,
    squared_distance,
)
from ddgp_lib.distillation.phase import Phase, chosen_recipe
from ddgp_lib.names import Network
from ddgp_lib.solvers import followed_sigma
from ddgp_lib.training.schedules import SCHEDULES

QUICK = {"steps": 6, "batch_size": 4, "pool_size": 8, "progress": False}
SHORT = {"steps": 5, "batch_size": 2, "pool_size": 4, "unroll": 2, "progress": False}


def recipe(**options):
    return DistillationRecipe(batch_size=4, **options)


def weights(distillation):
    return distillation.preconditioner.state_dict()


def assert_same_weights(first, second):
    for name, value in weights(first).items():
        torch.testing.assert_close(weights(second)[name], value, rtol=0, atol=0)


def test_a_networks_name_stands_for_the_default_recipe_with_it():
    assert chosen_recipe("vit", {}) == DistillationRecipe(network="vit")
    assert chosen_recipe("vit", {"steps": 3}) == DistillationRecipe(network="vit", steps=3)
    assert chosen_recipe(None, {}) == DistillationRecipe()


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


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("pairing", PAIRINGS)
def test_every_schedule_and_pairing_resumes_to_the_same_bits(small, tmp_path, schedule, pairing):
    options = SHORT | {
        "schedule": schedule,
        "pairing": pairing,
        "optimiser": "adam",
        "validate_every": 2,
        "validation_images": 2,
        "horizon": 2,
        "form": "penalised",
    }
    path = tmp_path / "training.safetensors"
    whole = distill(small, **options)
    with pytest.raises(KeyboardInterrupt):
        distill(_interrupted(small, after=33), checkpoint=path, checkpoint_every=1, **options)
    _, description = load_checkpoint(path, kind="training")
    assert 2 <= description["step"] < 5
    resumed = distill(small, checkpoint=path, **options)
    assert_same_weights(whole, resumed)
    assert resumed.history == whole.history


def test_a_checkpoint_of_before_sigma_followed_the_noise_resumes_to_the_same_bits(small, tmp_path):
    path, options = tmp_path / "state.safetensors", QUICK | {"noise_range": (0.01, 0.1)}
    whole = distill(small, **options)
    with pytest.raises(KeyboardInterrupt):
        distill(_interrupted(small, after=3), checkpoint=path, checkpoint_every=1, **options)
    tensors, description = load_checkpoint(path, kind="training")
    del tensors["states.noise"], description["recipe"]["sigma_noise"]
    save_checkpoint(path, tensors, description)
    with pytest.raises(CheckpointError, match="written by"):
        distill(small, checkpoint=path, sigma_noise=0.01, **options)
    assert_same_weights(whole, distill(small, checkpoint=path, **options))


def test_interruption_before_the_first_write_can_be_resumed(task, tmp_path):
    path = tmp_path / "training.safetensors"
    with pytest.raises(KeyboardInterrupt):
        distill(_interrupted(task, after=1), checkpoint=path, **QUICK)
    assert_same_weights(distill(task, checkpoint=path, **QUICK), distill(task, **QUICK))


@pytest.mark.parametrize("network", get_args(Network))
def test_every_network_resumes_to_the_same_bits_where_states_have_strides_of_their_own(tmp_path, network):
    mean = torch.nn.AvgPool2d(3, stride=1, padding=1)
    brains = load_task("mri", size=16, center_fraction=0.1, denoiser=lambda x, sigma: mean(x))
    options = SHORT | {"steps": 3, "unroll": 1, "parameters": "small", "network": network}
    whole, path = distill(brains, **options), tmp_path / "training.safetensors"
    stopped = Phase(brains, whole.recipe, "cpu")
    stopped.advance()
    stopped.advance()
    stopped.save(path)
    resumed = distill(brains, checkpoint=path, **options)
    assert_same_weights(whole, resumed)
    assert resumed.history == whole.history


def test_states_of_another_shape_do_not_resume(small, tmp_path):
    path = tmp_path / "training.safetensors"
    distill(small, checkpoint=path, **SHORT)
    tensors, description = load_checkpoint(path)
    save_checkpoint(path, tensors | {"states.x": tensors["states.x"][:1]}, description)
    with pytest.raises(CheckpointError, match=r"training\.safetensors.*x=<tensor \(1, 1, 16, 16\)"):
        distill(small, checkpoint=path, **SHORT)


def test_another_camera_does_not_resume(small, tmp_path):
    path = tmp_path / "training.safetensors"
    distill(small, checkpoint=path, **SHORT)
    others = {"ratio": 0.3}, {"noise": 0.1}, {"teacher_ratio": 0.9}, {"ordering": "zig_zag"}, {"sigma": 0.2}
    for options in others:
        other = load_task("single_pixel", size=16, denoiser=small.denoiser, **options)
        with pytest.raises(CheckpointError, match=r"training\.safetensors'.*written for (an)?other"):
            distill(other, checkpoint=path, **SHORT)


def test_other_recipe_does_not_resume(task, tmp_path):
    path = tmp_path / "training.safetensors"
    distill(task, checkpoint=path, **QUICK)
    with pytest.raises(CheckpointError, match="written by"):
        distill(task, checkpoint=path, **(QUICK | {"steps": 7, "seed": 1}))
    with pytest.raises(CheckpointError, match="written by"):
        distill(task, checkpoint=path, **(QUICK | {"steps": 5}))


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


def _one_step(task, **options):
    """Return a training at its start, and the states that its first step will draw."""
    training = Phase(task, recipe(**SHORT_RECIPE | options), "cpu")
    torch.nn.init.normal_(
        training.preconditioner.network.unet.Conv_1x1.weight,
        std=0.05,
        generator=torch.Generator().manual_seed(0),
    )
    source = StatePool if training.recipe.pairing == "same_iterate" else FreshStates
    twin = source.from_recipe(task, training.recipe, torch.Generator().manual_seed(training.recipe.seed))
    return training, twin.draw(training.recipe.batch_size)[1]


SHORT_RECIPE = {"pool_size": 4, "unroll": 2, "horizon": 3, "losses": {"gradient": 1.0, "imitation": 0.5}}


class Listening(torch.nn.Module):
    """A denoiser that remembers its levels."""

    def __init__(self):
        super().__init__()
        self.levels = []

    def forward(self, x, sigma):
        self.levels.append(torch.as_tensor(sigma))
        return 0.9 * x


@pytest.mark.parametrize("pairing", PAIRINGS)
def test_sigma_follows_the_noise_of_each_state(small, pairing):
    task = replace(small, denoiser=Listening())
    options = {"noise_range": (0.005, 0.5), "sigma": 0.05, "pairing": pairing}
    training, states = _one_step(task, sigma_noise=0.01, **options)
    training._iterate(states)
    assert len(task.denoiser.levels) == 4  # two iterations of student and teacher
    expected = followed_sigma(0.05, states["noise"], 0.01, task.stepsize)
    assert len(set(expected.tolist())) > 1
    for level in task.denoiser.levels:
        torch.testing.assert_close(level, expected)
    task.denoiser.levels.clear()
    training, states = _one_step(task, **options)
    training._iterate(states)
    assert [level.item() for level in task.denoiser.levels] == [pytest.approx(0.05)] * 4


def test_sigma_follows_the_operators_noise_where_none_is_drawn(small):
    task = replace(small, denoiser=Listening())
    training, states = _one_step(task, sigma=0.002, sigma_noise=0.005)
    training._iterate(states)
    assert [level.item() for level in task.denoiser.levels] == [pytest.approx(0.004)] * 4
    assert_same_weights(distill(small, **SHORT), distill(small, sigma_noise=0.01, **SHORT))


def test_the_preconditioner_is_told_the_noise_of_each_state(small):
    told = []

    class Spy(Preconditioner):
        def forward(self, grad, state):
            told.append(state.noise)
            return grad

    for options, expected in (({"noise_range": (0.01, 0.1)}, True), ({}, False)):
        training, states = _one_step(small, **options)
        training.preconditioner = Spy()
        training._iterate(states)
        torch.testing.assert_close(told[-1], states["noise"]) if expected else None
        assert (told[-1] is None) == (not expected)


def test_a_training_with_a_newton_step_damps_each_state_by_its_noise(small):
    options = SHORT | {"form": "newton_null_space", "damping": 0.1, "noise_range": (0.01, 0.5)}
    constant, following = distill(small, **options), distill(small, damping_noise=0.01, **options)
    assert constant.history["total"] != following.history["total"]
    loud = load_task("single_pixel", size=16, noise=0.3)  # whose own noise is not that of the states
    again = distill(loud, damping_noise=0.01, **options)
    assert again.history["total"] == pytest.approx(following.history["total"], rel=1e-4)


@pytest.mark.parametrize("pairing", PAIRINGS)
def test_two_unrolled_iterations_are_their_equations(small, pairing):
    training, states = _one_step(small, pairing=pairing, momentum="deepinv")
    P, student, teacher, D = training.preconditioner, small.student, small.teacher, small.denoiser
    y = states["y_student"]
    y_teacher = teacher.A(states["adjoint_teacher"])  # A Aᵀ = I: the same data
    x, z = states["x"], states["z"]
    x_t = z_t = states["adjoint_teacher"]
    gradients, imitations = [], []
    for k in range(2):
        beta = training.momentum(k + 1)
        point = z_t if pairing == "own_trajectories" else z.detach()
        grad = student.A_adjoint(student.A(z) - y)
        target = teacher.A_adjoint(teacher.A(point) - y_teacher)
        direction = P(grad, State(z, k, student, y))
        x_next = D(z - small.stepsize * direction, small.sigma)
        with torch.no_grad():
            x_t_next = D(point - small.teacher_stepsize * target, small.sigma)
        gradients.append(gradient_loss(direction, target))
        imitations.append(squared_distance(x_next, x_t_next))
        x, z = x_next, x_next + beta * (x_next - x)
        x_t, z_t = x_t_next, x_t_next + beta * (x_t_next - x_t)
    imitation = sum(imitations) / 2
    weights = list(P.parameters())
    expected = torch.autograd.grad(imitation, weights)
    x_got, z_got, losses = training._iterate(states)
    torch.testing.assert_close(losses["imitation"], imitation, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(x_got, x, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(z_got, z, rtol=1e-4, atol=1e-5)
    for ours, theirs in zip(torch.autograd.grad(losses["imitation"], weights), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-2, atol=1e-3 * float(theirs.abs().max()))


def test_gradients_flow_through_the_students_trajectory(small):
    """The second iterate depends on the first direction: cutting it off changes the gradient of the weights."""
    training, states = _one_step(small, pairing="own_trajectories", losses={"supervised": 1.0})
    weights = training.preconditioner.network.unet.Conv_1x1.weight
    _, _, losses = training._iterate(states)
    (through,) = torch.autograd.grad(losses["supervised"], weights)
    cut = states
    total = torch.zeros(())
    for _ in range(2):
        training.recipe = replace(training.recipe, unroll=1)
        x, z, losses = training._iterate(cut)
        total = total + losses["supervised"] / 2
        cut = cut | {"x": x.detach(), "z": z.detach(), "k": cut["k"] + 1}
    (without,) = torch.autograd.grad(total, weights)
    assert (through - without).norm() > 0.01 * through.norm()


@pytest.mark.parametrize(
    "options",
    [
        {"pairing": "own_trajectories"},
        {"losses": {"scale": 1.0, "row_space": 0.1}},
        {"form": "penalised", "penalty": 3.0},
        {"embedding": 2},
        {"noise_range": (0.001, 0.1)},
        {"optimiser": "adam", "schedule": "one_cycle"},
    ],
)
def test_every_option_trains(small, options):
    first, second = (distill(small, **SHORT | options) for _ in range(2))
    assert_same_weights(first, second)
    assert first.history == second.history
    on = set(first.recipe.weights)
    assert set(first.history) == {*on, "total"}
    assert ("penalty" in on) == (first.recipe.form == "penalised")
    assert all(torch.isfinite(torch.tensor(values)).all() for values in first.history.values())
    expected = sum(weight * first.history[name][-1] for name, weight in first.recipe.weights.items())
    assert first.history["total"][-1] == pytest.approx(expected, rel=1e-5)
    start = build_preconditioner(first.recipe, 1).state_dict()
    assert any(not torch.equal(value, start[name]) for name, value in weights(first).items())


@pytest.mark.parametrize("scores", [[1.0, 3.0, 2.0], [3.0, float("-inf"), 1.0], [1.0, 2.0, 3.0]])
def test_the_best_validation_decides_the_weights(small, monkeypatch, scores):
    seen = []

    def score(training):
        seen.append({name: value.clone() for name, value in training.preconditioner.state_dict().items()})
        return scores[len(seen) - 1]

    monkeypatch.setattr(Phase, "_score", score)
    result = distill(small, validate_every=2, **SHORT)
    assert result.history["validation"] == scores  # after steps 2, 4 and the last, 5
    best = seen[scores.index(max(scores))]
    for name, value in weights(result).items():
        torch.testing.assert_close(value, best[name], rtol=0, atol=0)


def test_validation_is_the_lower_psnr_and_disturbs_nothing(small):
    options = SHORT | {"steps": 2}
    plain = distill(small, **options)
    checked = distill(small, validate_every=2, validation_images=2, horizon=25, **options)
    assert checked.history["validation"][0] > 10
    assert_same_weights(distill(small, horizon=25, **options), checked)
    assert "validation" not in plain.history
    trace = evaluate(small, checked.preconditioner, images=small.val_images[:2], max_iter=25)
    lower = min(trace.psnr[19].mean().item(), trace.psnr[24].mean().item())
    assert checked.history["validation"][0] == pytest.approx(lower, abs=1e-3)


def test_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    first = build_preconditioner(recipe(), 1)
    torch.manual_seed(2)
    second = build_preconditioner(recipe(), 1)
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_recipe_survives_json():
    original = recipe(losses={"gradient": 2.0}, noise_range=(0.01, 0.1), unroll=3)
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
        ({"losses": {"penalty": 1.0}}, "losses='penalty'"),
        ({"pairing": "none"}, "pairing='none'.*own_trajectories"),
        ({"unroll": 0}, "unroll=0"),
        ({"penalty": 0.0}, "penalty=0.0"),
        ({"embedding": -1}, "embedding=-1"),
        ({"optimiser": "sgd"}, "optimiser='sgd'.*adamw"),
        ({"schedule": "step"}, "schedule='step'.*plateau"),
        ({"noise_range": (0.1, 0.01)}, r"noise_range=\(0.1, 0.01\)"),
        ({"noise_range": (0.0, 0.1)}, "noise_range"),
        ({"validate_every": -1}, "validate_every=-1"),
        ({"validation_images": 0}, "validation_images=0"),
        ({"pairing": "own_trajectories", "from_truth": 0.5}, "from_truth=0.5: expected 0 with pairing"),
        ({"device": "tpu"}, "device='tpu'"),
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


def test_task_at_another_size(small):
    assert small.img_size == (1, 16, 16)
    assert float(small.test_images.max()) <= 1.0
