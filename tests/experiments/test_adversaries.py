"""Preconditioners that do harm: what residuals miss, what was held out contradicts; what does good is kept."""

import pytest

from ddgp_lib import State
from ddgp_lib.experiments.adversaries import adversaries, harm
from ddgp_lib.pretrained import load_preconditioner, load_tuning
from ddgp_lib.solvers import Safeguard

COUNT = 6


@pytest.fixture(scope="module")
def tried(task):
    named = adversaries(load_preconditioner(task), task.test_images[-COUNT:])
    setting = load_tuning(task)["distilled"]["setting"]

    def run(name, safeguard):
        return harm(task, named[name], task.test_images[:COUNT], 12, safeguard, **setting)

    return run


@pytest.mark.parametrize(("name", "left"), [("its correction × −0.1", 0.5), ("another image", 0.1)])
def test_what_residuals_miss_is_contradicted_by_what_was_held_out(tried, name, left):
    watched, contradicted = tried(name, True), tried(name, Safeguard(held_out=0.2))
    assert watched.loss.mean() > 2
    assert contradicted.loss.mean() < left * watched.loss.mean()
    assert watched.rejected < 3 < contradicted.rejected


def test_what_does_good_is_kept(tried):
    alone, guarded = (tried("P itself", guard) for guard in (False, Safeguard(held_out=0.2)))
    assert alone.loss.mean() < -3
    assert guarded.loss.mean() < -3
    assert guarded.rejected <= 1


def test_adversaries_are_the_same_each_time(task):
    named = [adversaries(load_preconditioner(task), task.test_images[:1]) for _ in range(2)]
    state = State(task.test_images[:1], 0, task.student, None)
    first, again = (made["a random U-Net × 0.1"](task.test_images[:1], state) for made in named)
    assert bool((first == again).all())
