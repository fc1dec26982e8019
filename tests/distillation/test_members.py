"""Operators that are drawn anew while one P is trained: which are there when, with which states, and after a stop."""

import warnings
from dataclasses import replace

import pytest
import torch
from deepinv.physics import BlurFFT
from deepinv.physics.functional import gaussian_blur

from ddgp_lib import distill, tune_run
from ddgp_lib.checkpoints import CheckpointError
from ddgp_lib.distillation import DistillationRecipe, FreshStates, StatePool
from ddgp_lib.distillation.members import Members
from ddgp_lib.distillation.phase import Phase
from ddgp_lib.fingerprint import OperatorMismatch, fingerprint, foreign
from ddgp_lib.operators import noise_of
from ddgp_lib.pretrained import load_preconditioner, save_preconditioner
from tests.own_camera import PRESET, redrawn, smoothed

RECIPE = DistillationRecipe(
    batch_size=2,
    pool_size=9,
    horizon=4,
    parameters="small",
    momentum="none",
    redraw_every=2,
    operators=3,
    steps=9,
    perturbed=0.0,
)


def family(redraw=redrawn):
    return replace(smoothed(), preset=replace(PRESET, redraw=redraw))


def members(recipe=RECIPE, task=None, seed=0, source=StatePool):
    generator = torch.Generator().manual_seed(seed)
    return Members(task or family(), recipe, generator, source, lambda task: task)


def draws(some):
    return [member.draw for member in some.all]


def test_the_oldest_operator_gives_way_and_its_states_go_with_it():
    some = members()
    seen = {0: draws(some)}
    for step in range(1, 9):
        before = list(some.all)
        some.renew(step)
        seen[step] = draws(some)
        changed = [place for place in range(3) if some.all[place] is not before[place]]
        assert changed == ([(step // 2 - 1) % 3] if step % 2 == 0 else [])
    assert seen[0] == seen[1] == [0, 1, 2]
    assert seen[2] == seen[3] == [3, 1, 2]
    assert seen[8] == [6, 4, 5]


def test_states_are_those_of_their_operator():
    for member in members().all:
        states, student = member.states.tensors, member.task.student
        assert len(states["k"]) == 3
        torch.testing.assert_close(states["adjoint_student"], student.A_adjoint(states["y_student"]))
        noise = states["y_student"] - student.A(states["truth"])
        assert float(noise.std()) == pytest.approx(member.noise, rel=0.15)
        assert member.noise == noise_of(student)


def test_without_redrawing_there_is_the_task_itself_and_nothing_is_drawn():
    recipe = replace(RECIPE, redraw_every=0, operators=1)
    task = smoothed()
    some, alone = members(recipe, task), torch.Generator().manual_seed(0)
    pool = StatePool(task, recipe, alone)
    some.renew(2)
    assert some.choose().task is task
    assert torch.equal(some.generator.get_state(), alone.get_state())
    assert all(torch.equal(value, some.tensors()[f"states.{name}"]) for name, value in pool.tensors.items())


def test_what_is_drawn_follows_from_the_seed_and_not_from_the_generator():
    def blurs(some):
        return [member.task.student.filter for member in some.all]

    one, other = members(), members(seed=1)
    assert all(map(torch.equal, blurs(one), blurs(other)))
    assert not any(map(torch.equal, blurs(one), blurs(members(replace(RECIPE, seed=1)))))
    assert not torch.equal(blurs(one)[0], blurs(one)[1])


def test_each_operator_may_bring_its_own_level_for_the_denoiser():
    levels = []

    def smooth(x, sigma):
        levels.append(sigma)
        return x

    def louder(task, generator):
        drawn = redrawn(task, generator)
        return replace(drawn, sigma=noise_of(drawn.student))

    task = replace(family(louder), denoiser=smooth)
    wanted = {member.noise for member in members(task=task).all}
    training = Phase(task, replace(RECIPE, steps=12, losses={"gradient": 1.0}, redraw_every=100), "cpu")
    for _ in range(12):
        training.advance()
    assert set(levels) == wanted
    levels.clear()
    Phase(task, replace(RECIPE, sigma=0.3), "cpu").advance()
    assert set(levels) == {0.3}


def test_every_operator_is_looked_at_as_often():
    some = members(source=FreshStates)
    counts = torch.tensor([some.choose().draw for _ in range(600)]).bincount(minlength=3)
    assert counts.tolist() == pytest.approx([200, 200, 200], abs=50)


@pytest.mark.parametrize("pairing", ["same_iterate", "own_trajectories"])
@pytest.mark.parametrize("stop", [1, 4, 7])
def test_a_training_that_was_stopped_comes_to_the_same_bits(tmp_path, pairing, stop):
    task, recipe, path = family(), replace(RECIPE, pairing=pairing, unroll=1), tmp_path / "run.safetensors"
    whole = distill(task, recipe, progress=False)
    stopped = Phase(task, recipe, "cpu")
    for _ in range(stop):
        stopped.advance()
    stopped.save(path)
    resumed = distill(task, recipe, checkpoint=path, progress=False)
    assert resumed.history == whole.history
    for name, value in whole.preconditioner.state_dict().items():
        assert torch.equal(resumed.preconditioner.state_dict()[name], value)


def test_redrawing_and_their_number_change_the_weights():
    def losses(task, **options):
        return distill(task, replace(RECIPE, **options), progress=False).history["total"]

    assert len({tuple(losses(family(), **each)) for each in ({}, {"redraw_every": 3}, {"operators": 2})}) == 3


def test_a_second_phase_redraws_too():
    task, recipe = family(), replace(RECIPE, steps=1, tuned_steps=5, tuned_unroll=2)
    P = distill(task, replace(recipe, tuned_steps=0), progress=False).preconditioner
    tuned = tune_run(task, P, recipe, progress=False)
    other = tune_run(task, P, replace(recipe, redraw_every=100), progress=False)
    assert tuned.history["total"][:2] == other.history["total"][:2]
    assert tuned.history["total"] != other.history["total"]


def test_another_family_does_not_resume(tmp_path):
    path = tmp_path / "run.safetensors"
    Phase(family(), RECIPE, "cpu").save(path)

    def wider(task, generator):
        torch.rand(1, generator=generator)
        return redrawn(task, generator)

    with pytest.raises(CheckpointError, match="written for another family of operators"):
        distill(family(wider), RECIPE, checkpoint=path, progress=False)


def test_a_preset_that_cannot_draw_is_named():
    with pytest.raises(ValueError, match=r"redraw_every=2: expected 0: preset 'own_camera' has no redraw"):
        distill(family(None), RECIPE, progress=False)


def test_what_cannot_draw_is_no_way_to_redraw():
    with pytest.raises(
        ValueError, match=r"^redraw=3: expected None, or a function of a task and a generator"
    ):
        replace(PRESET, redraw=3)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"redraw_every": 0}, "operators=3: expected 1 where redraw_every is 0"),
        ({"batch_size": 4}, r"batch_size=4: expected at most pool_size=9 // operators=3"),
        ({"tuned_batch": 4}, r"tuned_batch=4: expected at most pool_size=9 // operators=3"),
        ({"redraw_every": -1}, "redraw_every=-1"),
        ({"operators": 0}, "operators=0"),
    ],
)
def test_recipes_that_make_no_sense_are_named(options, named):
    with pytest.raises(ValueError, match=named):
        replace(RECIPE, **options)


def test_what_was_trained_for_a_family_knows_its_members(tmp_path):
    """Neither after the training nor from its file does P warn of a member; of a stranger it does."""
    task, path = family(), tmp_path / "P.safetensors"
    distillation = distill(task, RECIPE, steps=2, progress=False)
    save_preconditioner(path, distillation, task)
    member = redrawn(task, torch.Generator().manual_seed(99))
    stranger = replace(task, student=Scaled(task.student))
    for P in (distillation.preconditioner, load_preconditioner(path)):
        made_for = P.made_for["student"]
        assert not foreign(made_for, member.student, task.train_images)
        assert foreign(made_for, stranger.student, task.train_images)
        smaller = BlurFFT((1, 12, 12), filter=gaussian_blur(sigma=1.0))
        assert foreign(made_for, smaller, torch.zeros(1, 1, 12, 12))
    assert foreign(fingerprint(task)["student"], member.student, task.train_images)
    with warnings.catch_warnings():
        warnings.simplefilter("error", OperatorMismatch)
        load_preconditioner(member, path=path)
    with pytest.warns(OperatorMismatch):
        load_preconditioner(stranger, path=path)


class Scaled(torch.nn.Module):
    """Half of an operator, of another class."""

    def __init__(self, physics):
        super().__init__()
        self.physics = physics

    def A(self, x, **_):  # noqa: N802 (deepinv's name)
        return self.physics.A(x) / 2
