"""A step of a training: the scheduled rate, the clipped gradient; what is written when, and what is refused."""

import math
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from ddgp_lib import distill
from ddgp_lib.checkpoints import CheckpointError, load_checkpoint, save_checkpoint
from ddgp_lib.training import ResumableTraining, under, weights_of
from ddgp_lib.training.schedules import Schedule
from tests.own_camera import QUICK, smoothed


@dataclass(frozen=True)
class Recipe:
    steps: int = 5
    learning_rate: float = 0.1


class Falling(ResumableTraining):
    """Gradient descent on 100 w: the gradient is clipped to 1, so a step moves w by the rate alone."""

    def __init__(self, recipe=None, task=None, at=None):
        recipe, model = recipe or Recipe(), torch.nn.Linear(1, 1, bias=False)
        self.at = at or {}  # what happens in a step
        torch.nn.init.zeros_(model.weight)
        optimiser = torch.optim.SGD(model.parameters(), lr=123.0)
        schedule = Schedule(lambda progress: 1 + progress, recipe.steps)
        super().__init__("falling", task or smoothed(), recipe, model, optimiser, schedule, torch.Generator())

    def advance(self):
        loss = 100 * self.model.weight.sum() * self.at.get(self.step, lambda: 1.0)()
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


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda task: {"student": task.teacher}, "another student operator"),
        (lambda task: {"teacher": task.student}, "another teacher operator"),
        (lambda task: {"student": smoothed(noise=0.02).student}, "other noise"),
        (lambda task: {"train_images": task.train_images.flip(0)}, "other images"),
        (lambda task: {"val_images": 1 - task.val_images}, "other images"),
        (lambda task: {"augment": lambda images, generator: images}, "another way to change images"),
        (lambda task: {"denoiser": lambda x, sigma: 0.9 * x}, "another denoiser"),
        (lambda task: {"sigma": 0.0501}, "another σ"),
    ],
)
def test_another_task_of_the_same_name_is_refused_by_the_part_that_differs(tmp_path, change, named):
    path, task = tmp_path / "state.safetensors", smoothed()
    Falling().save(path)
    with pytest.raises(CheckpointError, match=rf"checkpoint='.*': written for {named}$"):
        Falling(task=replace(task, **change(task))).restore(path)
    Falling(task=smoothed()).restore(path)


def test_a_name_in_the_place_of_a_task_is_refused():
    with pytest.raises(ValueError, match="task='mri': expected a Task"):
        Falling(task="mri")


def test_a_damaged_description_is_refused_by_file(tmp_path):
    path = tmp_path / "state.safetensors"
    Falling().save(path)
    tensors, description = load_checkpoint(path)
    for missing in ("recipe", "step"):
        save_checkpoint(path, tensors, {key: description[key] for key in description if key != missing})
        with pytest.raises(CheckpointError, match=rf"state\.safetensors.*KeyError: '{missing}'"):
            Falling().restore(path)


@pytest.mark.parametrize("every", [0, -1, 1.5, True])
def test_steps_between_writes_are_checked(every):
    with pytest.raises(ValueError, match=f"checkpoint_every={every}: expected an integer, 1 or above"):
        Falling().run("falling", None, every, progress=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_after_its_step_is_written(tmp_path, number):
    class EndedError(Exception):
        pass

    def end(*_):
        raise EndedError

    path, before = tmp_path / "state.safetensors", signal.signal(number, end)
    try:
        stopped = Falling(at={2: lambda: signal.raise_signal(number) or 1.0})
        with pytest.raises(EndedError):
            stopped.run("falling", path, 100, progress=False)
        assert signal.getsignal(number) is end
    finally:
        signal.signal(number, before)
    assert load_checkpoint(path)[1]["step"] == 3
    whole, resumed = Falling(), Falling()
    whole.run("falling", None, 1, progress=False)
    resumed.run("falling", path, 1, progress=False)
    assert resumed.model.weight.item() == whole.model.weight.item()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_a_training_and_keeps_the_checkpoint(tmp_path, value):
    path = tmp_path / "state.safetensors"
    spoilt = Falling(at={3: lambda: value})
    with pytest.raises(
        ValueError, match=r"gradient=(nan|inf): expected .* in step 4 of 5; '.*' has the state after step 2"
    ):
        spoilt.run("falling", path, 2, progress=False)
    assert math.isfinite(spoilt.model.weight.item())
    assert load_checkpoint(path)[1]["step"] == 2
    with pytest.raises(ValueError, match=r"in step 1 of 5; nothing was written"):
        Falling(at={0: lambda: value}).run("falling", None, 2, progress=False)


def test_a_loss_that_a_subclass_returns_is_checked_too(tmp_path):
    class Lost(Falling):
        def advance(self):
            super().advance()
            return math.nan

    with pytest.raises(ValueError, match=r"loss=nan: expected a finite number in step 1 of 5"):
        Lost().run("falling", tmp_path / "state.safetensors", 1, progress=False)
    assert load_checkpoint(tmp_path / "state.safetensors")[1]["step"] == 0


def test_a_training_at_its_end_can_be_given_more_steps_and_remembers(tmp_path):
    path, more = tmp_path / "state.safetensors", Recipe(steps=8)
    Falling().run("falling", path, 2, progress=False)
    at_the_end = load_checkpoint(path)[1]
    extended = Falling(more)
    extended.run("falling", path, 2, progress=False)
    assert (extended.step, extended.extended) == (8, [5])
    rates = [1 + step / 5 for step in range(5)] + [1 + step / 8 for step in range(5, 8)]
    assert extended.model.weight.item() == pytest.approx(-0.1 * sum(rates), rel=1e-5)
    again = Falling(more)
    again.run("falling", path, 2, progress=False)
    assert again.extended == [5]
    assert again.seconds >= at_the_end["seconds"] > 0
    with pytest.raises(CheckpointError, match="written by"):
        Falling(Recipe(steps=9, learning_rate=0.2)).restore(path)
    with pytest.raises(CheckpointError, match="written by"):
        Falling().restore(path)


def test_time_adds_up_over_runs(tmp_path):
    path = tmp_path / "state.safetensors"
    stopped = Falling(at={3: lambda: math.nan})
    with pytest.raises(ValueError, match="in step 4"):
        stopped.run("falling", path, 1, progress=False)
    spent = load_checkpoint(path)[1]
    resumed = Falling()
    resumed.restore(path)
    assert (resumed.seconds, resumed.cpu_seconds) == (spent["seconds"], spent["cpu_seconds"])
    resumed.run("falling", path, 1, progress=False)
    assert resumed.seconds > spent["seconds"] > 0


@pytest.mark.skipif(sys.platform == "win32", reason="it forks")
def test_twenty_kills_change_nothing(tmp_path):
    script = Path(__file__).with_name("kill_often.py")
    found = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout.split()) == (0, ["20", "kills,", "same", "weights"]), found.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["state.safetensors"]


def test_a_training_without_gradients_is_refused():
    for context in (torch.no_grad(), torch.inference_mode()):
        with context, pytest.raises(ValueError, match=r"^torch\.is_grad_enabled\(\)=False: expected True"):
            distill(smoothed(), progress=False, **QUICK)
