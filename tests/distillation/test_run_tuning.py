"""The second phase: its states, its loss through all iterations, and the same bits after an interruption."""

from dataclasses import replace

import pytest
import torch

from ddgp_lib import (
    DistillationRecipe,
    Identity,
    PreconditionedFISTA,
    distill,
    load_preconditioner,
    save_preconditioner,
    tune_run,
)
from ddgp_lib.checkpoints import CheckpointError, beside, load_checkpoint
from ddgp_lib.distillation import RunStates, build_preconditioner, squared_distance
from ddgp_lib.distillation.run_tuning import RunPhase
from ddgp_lib.recipes import first_phase, second_phase
from tests.own_camera import smoothed

RECIPE = DistillationRecipe(
    steps=3,
    batch_size=4,
    pool_size=8,
    horizon=21,
    form="free",
    network="cnn",
    parameters="small",
    tuned_steps=4,
    tuned_unroll=2,
    tuned_horizon=22,
    validate_every=2,
    validation_images=2,
    average=0.5,
)


@pytest.fixture(scope="module")
def camera():
    return smoothed()


@pytest.fixture(scope="module")
def first(camera):
    """Distil for three steps, without a second phase."""
    return distill(camera, replace(RECIPE, tuned_steps=0), progress=False)


def interrupted(task, after):
    """Return the task with a denoiser that presses Ctrl-C after some calls."""
    calls = iter(range(after))

    def denoiser(x, sigma):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return task.denoiser(x, sigma)

    return replace(task, denoiser=denoiser)


def assert_same(one, other):
    assert one.history == other.history
    for name, value in one.preconditioner.state_dict().items():
        torch.testing.assert_close(other.preconditioner.state_dict()[name], value, rtol=0, atol=0)


def test_a_batch_is_half_fresh_and_half_from_the_pool(camera, generator):
    states = RunStates(camera, replace(RECIPE, pool_size=6, horizon=1000), generator)
    states.tensors["end"].fill_(1000)
    states.tensors["k"] += 7
    places, drawn = states.draw(4)
    assert drawn["k"].tolist() == [0, 0, 7, 7]
    torch.testing.assert_close(drawn["z"][2:], states.tensors["z"][places], rtol=0, atol=0)
    states.put_back(places, drawn["x"] + 0.01, drawn["z"] + 0.02, 3)
    kept = states.tensors
    assert kept["k"][places].tolist() == [10, 10]
    assert sorted(kept["k"].tolist()) == [7, 7, 7, 7, 10, 10]
    torch.testing.assert_close(kept["z"][places], drawn["z"][2:] + 0.02, rtol=0, atol=0)


@pytest.mark.parametrize(("fresh", "late"), [(0.0, 4), (1.0, 0), (0.3, 3)])
def test_the_fraction_of_fresh_states_is_that_of_the_recipe(camera, generator, fresh, late):
    states = RunStates(camera, replace(RECIPE, tuned_fresh=fresh), generator)
    places, drawn = states.draw(4)
    assert (len(places), len(drawn["k"]), len(drawn["y_student"])) == (late, 4, 4)
    before = {name: tensor.clone() for name, tensor in states.tensors.items()}
    states.put_back(places, drawn["x"], drawn["z"], 2)
    others = [place for place in range(8) if place not in places.tolist()]
    for name, tensor in before.items():
        torch.testing.assert_close(states.tensors[name][others], tensor[others], rtol=0, atol=0)


def test_the_loss_is_the_mean_over_the_iterations_of_the_solver(camera, first):
    """From k = 0, it is that of the public solver's own iterates, and gradients flow through all of them."""
    options = {"tuned_unroll": 4, "tuned_fresh": 1.0, "tuned_momentum": "chambolle_dossal"}
    training = RunPhase(camera, first.preconditioner, replace(RECIPE, **options), "cpu")
    _, states = training.states.draw(3)
    _, _, losses = training._iterate(states)
    P = training.preconditioner
    solver = PreconditionedFISTA(camera.denoiser, P, stepsize=camera.stepsize, sigma=camera.sigma)
    iterates = [x for x, _ in solver.iterates(states["y_student"], camera.student, 4)]
    expected = sum(squared_distance(x.detach(), states["truth"]) for x in iterates[-4:]) / 4
    torch.testing.assert_close(losses["supervised"].detach(), expected, rtol=1e-4, atol=1e-5)
    (through,) = torch.autograd.grad(losses["supervised"], [next(P.parameters())])
    training.recipe = replace(training.recipe, tuned_end=True)
    end = training._iterate(states)[2]["supervised"].detach()
    torch.testing.assert_close(end, squared_distance(iterates[-1], states["truth"]), rtol=1e-4, atol=1e-5)
    total = torch.zeros(())
    training.recipe = replace(training.recipe, unroll=1, tuned_end=False)
    for k in range(4):
        x, z, losses = training._iterate(states)
        total = total + losses["supervised"] / 4
        states = states | {"x": x.detach(), "z": z.detach(), "k": torch.full((3,), k + 1)}
    (cut,) = torch.autograd.grad(total, [next(P.parameters())])
    assert (through - cut).norm() > 0.01 * through.norm()


def test_the_second_phase_follows_the_first(camera, first):
    both = distill(camera, RECIPE, progress=False)
    for name, values in first.history.items():
        assert both.history[name] == values
    alone = tune_run(camera, first.preconditioner, RECIPE, progress=False)
    assert {name: both.history[f"tuned_{name}"] for name in alone.history} == alone.history
    assert_same(replace(both, history={}), replace(alone, history={}))
    assert set(alone.history) == {"supervised", "total", "validation"}
    assert [len(alone.history[name]) for name in ("total", "validation")] == [4, 2]
    assert both.recipe == alone.recipe == RECIPE
    assert min(both.seconds, alone.seconds, both.cpu_seconds, alone.cpu_seconds) > 0
    assert both.preconditioner.made_for == first.preconditioner.made_for
    assert not both.preconditioner.training


def test_the_preconditioner_that_is_tuned_stays_as_it_is(camera, first):
    before = {name: value.clone() for name, value in first.preconditioner.state_dict().items()}
    frozen = first.preconditioner.requires_grad_(False)
    tuned = tune_run(camera, frozen, RECIPE, progress=False)
    for name, value in frozen.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
        assert not torch.equal(tuned.preconditioner.state_dict()[name], value)
    assert not any(weights.requires_grad for weights in frozen.parameters())
    frozen.requires_grad_(True)


@pytest.mark.parametrize("after", [1, 5, 30, 60])
@pytest.mark.parametrize("average", [0.0, 0.5])
def test_an_interruption_in_either_phase_changes_no_bit(camera, tmp_path, after, average):
    path = tmp_path / "training.safetensors"
    whole = distill(camera, RECIPE, average=average, progress=False)
    with pytest.raises(KeyboardInterrupt):
        distill(
            interrupted(camera, after),
            RECIPE,
            average=average,
            checkpoint=path,
            checkpoint_every=1,
            progress=False,
        )
    begun = beside(path, "tuned").is_file()
    assert begun == (after > 50)
    if begun:
        assert 1 <= load_checkpoint(beside(path, "tuned"), kind="run tuning")[1]["step"] < 4
    assert_same(distill(camera, RECIPE, average=average, checkpoint=path, progress=False), whole)
    assert_same(distill(camera, RECIPE, average=average, checkpoint=path, progress=False), whole)


def test_one_distillation_serves_several_second_phases(camera, first, tmp_path):
    path = tmp_path / "training.safetensors"
    distill(camera, RECIPE, checkpoint=path, progress=False)
    written = path.stat().st_mtime_ns
    with pytest.raises(CheckpointError, match="training-tuned"):
        distill(camera, RECIPE, tuned_rate=1e-2, checkpoint=path, progress=False)
    beside(path, "tuned").unlink()
    other = distill(camera, RECIPE, tuned_rate=1e-2, checkpoint=path, progress=False)
    assert other.history["total"] == first.history["total"]
    assert path.stat().st_mtime_ns == written


def test_a_checkpoint_of_another_start_is_refused(camera, first, tmp_path):
    path = tmp_path / "tuning.safetensors"
    tune_run(camera, first.preconditioner, RECIPE, checkpoint=path, progress=False)
    other = build_preconditioner(RECIPE, 1)
    with pytest.raises(CheckpointError, match=r"tuning\.safetensors.*another preconditioner"):
        tune_run(camera, other, RECIPE, checkpoint=path, progress=False)


def test_more_steps_go_on(camera, first, tmp_path):
    path = tmp_path / "tuning.safetensors"
    tune_run(camera, first.preconditioner, RECIPE, checkpoint=path, progress=False)
    longer = tune_run(camera, first.preconditioner, RECIPE, tuned_steps=6, checkpoint=path, progress=False)
    assert (len(longer.history["total"]), longer.extended) == (6, (4,))


def test_what_is_saved_is_loaded(camera, first, tmp_path):
    tuned, path = tune_run(camera, first.preconditioner, RECIPE, progress=False), tmp_path / "P.safetensors"
    save_preconditioner(path, tuned, camera)
    assert DistillationRecipe(**load_checkpoint(path)[1]["recipe"]) == RECIPE
    for name, value in load_preconditioner(path).state_dict().items():
        torch.testing.assert_close(value, tuned.preconditioner.state_dict()[name], rtol=0, atol=0)


def test_own_trajectories_are_tuned_too(camera):
    both = distill(camera, RECIPE, pairing="own_trajectories", unroll=2, progress=False)
    assert len(both.history["tuned_total"]) == 4


def test_tuning_lowers_the_error_after_as_many_iterations(small):
    """Thirty steps from an untrained P: the sixth iterate of other digits comes closer."""
    options = {"tuned_steps": 30, "tuned_batch": 8, "tuned_unroll": 6, "tuned_rate": 3e-3}
    plain = {"form": "null_space", "validate_every": 0, "average": 0.0, "tuned_fresh": 1.0}
    recipe = replace(RECIPE, **plain, **options)
    untrained, images = build_preconditioner(recipe, 1), small.val_images[:16]
    tuned, y = tune_run(small, untrained, recipe, progress=False).preconditioner, small.measure(images)

    def error(P):
        options = {"stepsize": small.stepsize, "sigma": small.sigma, "momentum": "none", "max_iter": 6}
        x = PreconditionedFISTA(small.denoiser, P, **options)(y, small.student)
        return squared_distance(x, images).item()

    assert error(tuned) < 0.95 * error(untrained), (error(tuned), error(untrained))


def test_the_phases_have_recipes_of_their_own():
    assert first_phase(RECIPE) == replace(RECIPE, tuned_steps=0, tuned_unroll=6, tuned_horizon=300)
    plain = replace(RECIPE, tuned_steps=0)
    assert first_phase(plain) is plain
    later = second_phase(replace(RECIPE, tuned_batch=3, tuned_horizon=9, tuned_losses={"gradient": 2.0}))
    assert (later.steps, later.unroll, later.batch_size, later.horizon) == (4, 2, 3, 9)
    assert (later.momentum, later.losses, later.learning_rate) == ("none", {"gradient": 2.0}, 3e-4)
    assert later.seed != RECIPE.seed
    assert second_phase(RECIPE).batch_size == RECIPE.batch_size
    assert second_phase(replace(RECIPE, seed=2**63 - 1)).seed < 2**63


def test_the_last_momentum_is_that_of_the_last_phase():
    assert RECIPE.last_momentum == "none"
    assert first_phase(RECIPE).last_momentum == "chambolle_dossal"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"tuned_steps": 0}, "tuned_steps=0: expected 1 or above, for a second phase"),
        ({"tuned_steps": -1}, "tuned_steps=-1"),
        ({"tuned_unroll": 0}, "tuned_unroll=0"),
        ({"tuned_batch": 9}, "tuned_batch=9: expected at most pool_size=8"),
        ({"tuned_losses": {"penalty": 1.0}}, "tuned_losses='penalty'"),
        ({"tuned_fresh": 1.1}, "tuned_fresh=1.1"),
        ({"average": 1.0}, "average=1.0"),
        ({"parameters": "medium"}, "recipe=.*expected what LearnedPreconditioner"),
        ({"form": "newton_null_space"}, "recipe=.*expected what LearnedPreconditioner"),
        ({"embedding": 1}, "recipe=.*expected what LearnedPreconditioner"),
        ({"device": "tpu"}, "device='tpu'"),
    ],
)
def test_bad_options_are_named(camera, first, options, named):
    with pytest.raises(ValueError, match=named):
        tune_run(camera, first.preconditioner, RECIPE, progress=False, **options)


@pytest.mark.parametrize("progress", [True, False])
def test_a_bar_is_shown_where_it_is_asked_for(camera, first, capsys, progress):
    tune_run(camera, first.preconditioner, RECIPE, progress=progress)
    assert (f"tune {camera.name}" in capsys.readouterr().err) is progress


@pytest.mark.parametrize("P", [None, "distilled", Identity()])
def test_what_is_not_learned_is_refused(camera, P):
    with pytest.raises(ValueError, match=r"^preconditioner=.*expected a LearnedPreconditioner"):
        tune_run(camera, P, RECIPE, progress=False)
