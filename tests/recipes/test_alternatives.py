"""Alternatives before training: what they are built on, how large they are, and what is refused."""

import pytest
import torch

from ddgp_lib import load_preconditioner
from ddgp_lib.recipes import ALTERNATIVES, AlternativeRecipe, build_alternative

NAMES = tuple(ALTERNATIVES)


def recipe(name):
    return AlternativeRecipe(name, steps=1, batch_size=1)


@pytest.mark.parametrize("name", NAMES)
def test_untrained_they_are_what_they_are_built_on(task, name):
    y = task.measure(task.test_images[:2])
    with torch.no_grad():
        x = build_alternative(recipe(name), 1, task.stepsize)(y, task.student)
    # Where A Aᵀ = I, every gradient step from Aᵀy is zero.
    torch.testing.assert_close(x, task.student.A_adjoint(y), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_they_have_as_many_parameters_as_the_preconditioner(name):
    models = load_preconditioner("single_pixel"), build_alternative(recipe(name), 1, 1.0)
    wanted, found = (sum(parameter.numel() for parameter in model.parameters()) for model in models)
    assert found == pytest.approx(wanted, rel=0.01)


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
