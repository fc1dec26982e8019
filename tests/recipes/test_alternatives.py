"""Alternatives before training: what they are built on, how large they are, and what is refused."""

import pytest
import torch

from ddgp_lib import load_preconditioner
from ddgp_lib.checkpoints import hash_of
from ddgp_lib.operators import newton
from ddgp_lib.recipes import ALTERNATIVES, AlternativeRecipe, build_alternative

NAMES = tuple(ALTERNATIVES)
BITS = {
    "direct": "212decf5039c266a",
    "null_space_network": "212decf5039c266a",
    "unfolded": "a3b323b606e82dbb",
    "modl": "5023a9f05e189a80",
    "npn": "212decf5039c266a",
}
"""Digests of the untrained weights."""


def recipe(name):
    return AlternativeRecipe(name, steps=1, batch_size=1)


@pytest.mark.parametrize("name", NAMES)
def test_untrained_they_are_what_they_are_built_on(task, name):
    y = task.measure(task.test_images[:2])
    with torch.no_grad():
        x = build_alternative(recipe(name), 1)(y, task.student)
    # Where A Aᵀ = I, x_λ is a multiple of Aᵀy; a Newton step from it goes on, and rounds in the null space.
    adjoint = task.student.A_adjoint(y)
    stages = 6 if name in ("unfolded", "modl") else 0
    torch.testing.assert_close(x, (1 - (1e-3 / 1.001) ** (1 + stages)) * adjoint, rtol=0, atol=2e-3)


def test_the_damping_is_the_recipes_and_follows_the_noise(task):
    y = task.measure(task.test_images[:2])
    damped = AlternativeRecipe("direct", steps=1, batch_size=1, damping=0.1, damping_noise=0.005)
    with torch.no_grad():
        x = build_alternative(damped, 1)(y, task.student)
    wanted = newton(task.student, task.student.A_adjoint(y), 4 * 0.1) * task.stepsize
    torch.testing.assert_close(x, wanted)


def test_unfolded_stages_have_networks_of_their_own_and_modl_has_one():
    for stages in (2, 6):
        unfolded, modl = (
            build_alternative(AlternativeRecipe(name, 1, 1, stages=stages), 1)
            for name in ("unfolded", "modl")
        )
        assert (len(unfolded.networks), len(modl.networks)) == (stages, 1)
        assert len(unfolded.places) == len(modl.places) == stages
        counts = [sum(p.numel() for p in model.parameters()) for model in (unfolded, modl)]
        assert counts[0] == pytest.approx(counts[1], rel=0.05)


def test_they_are_built_to_the_same_bits():
    """Weights that ship are loaded into them, and a training that was begun goes on."""
    digests = {name: hash_of(build_alternative(recipe(name), 1).state_dict()) for name in NAMES}
    assert {name: digest[:16] for name, digest in digests.items()} == BITS


@pytest.mark.parametrize("name", NAMES)
def test_they_have_as_many_parameters_as_the_preconditioner(name):
    models = load_preconditioner("single_pixel"), build_alternative(recipe(name), 1)
    wanted, found = (sum(parameter.numel() for parameter in model.parameters()) for model in models)
    assert found == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "magic"}, "name='magic'"),
        ({"name": "unrolled"}, "expected 'unfolded', which has taken its place"),
        ({"steps": 0}, "steps=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"learning_rate": -1.0}, "learning_rate=-1.0"),
        ({"stages": 0}, "stages=0"),
        ({"damping": 0.0}, "damping=0.0"),
        ({"noise_range": (0.2, 0.1)}, "noise_range="),
    ],
)
def test_bad_recipes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        AlternativeRecipe(**{"name": "unfolded", "steps": 1, "batch_size": 1} | change)
