"""A step of a training: the scheduled rate, the clipped gradient; and what is written when."""

from dataclasses import dataclass

import pytest
import torch

from ddgp_lib.checkpoints import CheckpointError, load_checkpoint
from ddgp_lib.training import ResumableTraining, under, weights_of
from ddgp_lib.training.schedules import Schedule


@dataclass(frozen=True)
class Recipe:
    steps: int = 5
    learning_rate: float = 0.1


class Falling(ResumableTraining):
    """Gradient descent on 100 w: the gradient is clipped to 1, so a step moves w by the rate alone."""

    def __init__(self, recipe=None):
        recipe, model = recipe or Recipe(), torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(model.weight)
        optimiser = torch.optim.SGD(model.parameters(), lr=123.0)
        schedule = Schedule(lambda progress: 1 + progress, recipe.steps)
        super().__init__("falling", "none", recipe, model, optimiser, schedule, torch.Generator())

    def advance(self):
        loss = 100 * self.model.weight.sum()
        self.update_weights(loss)
        self.step += 1
        return loss.item()


def test_each_step_has_the_rate_of_its_place_in_the_schedule():
    training = Falling()
    for step in range(5):
        before = training.model.weight.item()
        training.advance()
        assert before - training.model.weight.item() == pytest.approx(0.1 * (1 + step / 5), rel=1e-5)


def test_a_run_takes_the_steps_that_are_left(tmp_path):
    whole, path = Falling(), tmp_path / "state.safetensors"
    whole.run("falling", None, 1, progress=False)
    assert whole.step == 5
    started = Falling()
    started.advance()
    started.save(path)
    resumed = Falling()
    resumed.run("falling", path, 2, progress=False)
    assert resumed.model.weight.item() == whole.model.weight.item()
    assert load_checkpoint(path)[1]["step"] == 5


def test_another_recipe_is_refused(tmp_path):
    path = tmp_path / "state.safetensors"
    Falling().save(path)
    with pytest.raises(CheckpointError, match=r"written by .*'steps': 5.*expected .*'steps': 6"):
        Falling(Recipe(steps=6)).restore(path)


def test_names_under_a_prefix_are_without_it():
    tensors = {"a.x": torch.zeros(1), "b.x": torch.ones(1)}
    assert under("b.", tensors) == {"x": tensors["b.x"]}


def test_a_copied_state_shares_no_memory():
    model = torch.nn.Linear(2, 2)
    copied = weights_of(model)
    with torch.no_grad():
        model.weight.add_(1)
    assert not torch.equal(copied["weight"], model.weight)
