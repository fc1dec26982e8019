"""Every field of every recipe changes what it names; a field that is added fails here until it is tried too."""

from dataclasses import fields, replace

import pytest
import torch

from ddgp_lib import State, distill, distill_linear
from ddgp_lib.denoisers import DenoiserRecipe, train_denoiser
from ddgp_lib.experiments import train_alternative
from ddgp_lib.recipes import AlternativeRecipe, DistillationRecipe, LinearRecipe
from tests.own_camera import discs

ADVANCED = {"batch_size": 8, "horizon": 50, "steps": 4}
"""All states of the pool take part in every step, and none is started afresh: late iterations are seen."""
NEWTON = {"form": "newton_null_space"}
EVERY = {"validate_every": 1}
TUNED = {"steps": 1, "tuned_steps": 3, "tuned_unroll": 3}
"""A second phase after one step; β_2, which is not zero, takes part."""

BASES = {
    DistillationRecipe: DistillationRecipe(
        steps=3, batch_size=4, pool_size=8, horizon=4, parameters="small", momentum="none"
    ),
    LinearRecipe: LinearRecipe(
        structure="diagonal", iterations=3, n_images=16, ridges=(1e-3, 1.0), validation_images=4
    ),
    AlternativeRecipe: AlternativeRecipe("direct", steps=2, batch_size=3),
    DenoiserRecipe: DenoiserRecipe(
        steps=2, finetune_steps=1, batch_size=4, jacobian_images=2, power_iterations=2, bound=0.1
    ),
}

# field: (another value, what else the recipe needs for the field to matter)
CHANGES = {
    DistillationRecipe: {
        "network": ("cnn", {}),
        "form": ("free", {}),
        "inputs": ("gradient_only", {}),
        "losses": ({"supervised": 1.0}, {}),
        "steps": (2, {}),
        "batch_size": (2, {}),
        "learning_rate": (1e-2, {}),
        "weight_decay": (0.5, {}),
        "pool_size": (6, {}),
        "horizon": (1, {}),
        "perturbed": (0.0, {}),
        "from_truth": (1.0, {}),
        "sigma": (0.2, {}),
        "sigma_noise": (0.001, {"noise_range": (0.2, 0.4)}),
        "momentum": ("chambolle_dossal", ADVANCED),
        "seed": (1, {}),
        "pairing": ("own_trajectories", {}),
        "unroll": (2, {}),
        "penalty": (5.0, {"form": "penalised"}),
        "embedding": (2, {}),
        "optimiser": ("adam", {"weight_decay": 0.5}),
        "schedule": ("constant", {}),
        "noise_range": ((0.1, 0.2), {}),
        "validate_every": (1, {}),
        "validation_images": (2, EVERY),
        "damping": (0.1, NEWTON),
        "damping_noise": (0.001, NEWTON),
        "bias": (True, {}),
        "parameters": ("medium", {}),
        "average": (0.5, {}),
        "redraw_every": (2, {"redraw_every": 1}),
        "operators": (2, {"redraw_every": 1}),
        "tuned_steps": (2, TUNED),
        "tuned_unroll": (2, TUNED),
        "tuned_rate": (1e-2, TUNED),
        "tuned_batch": (2, TUNED),
        "tuned_horizon": (1, TUNED),
        "tuned_fresh": (0.0, TUNED),
        "tuned_losses": ({"supervised": 1.0, "gradient": 5.0}, TUNED),
        "tuned_momentum": ("deepinv", TUNED),
        "tuned_end": (True, TUNED),
    },
    LinearRecipe: {
        "structure": ("scalar", {}),
        "stride": (2, {"structure": "convolution"}),
        "rank": (1, {"structure": "rows"}),
        "inputs": ("gradient_only", {}),
        "form": ("free", {}),
        "after": ("last", {}),
        "iterations": (2, {}),
        "n_images": (8, {}),
        "ridges": ((10.0,), {}),
        "validation_images": (2, {}),
        "sigma": (0.2, {}),
        "momentum": ("chambolle_dossal", {}),
        "seed": (1, {}),
        "damping": (0.1, NEWTON),
        "damping_noise": (0.001, NEWTON),
    },
    AlternativeRecipe: {
        "name": ("unfolded", {}),
        "steps": (3, {}),
        "batch_size": (2, {}),
        "learning_rate": (1e-2, {}),
        "weight_decay": (0.5, {}),
        "perturbed": (0.0, {}),
        "seed": (1, {}),
        "stages": (2, {"name": "modl"}),
        "damping": (0.1, {}),
        "damping_noise": (0.001, {}),
        "noise_range": ((0.1, 0.2), {}),
    },
    DenoiserRecipe: {
        "steps": (3, {}),
        "finetune_steps": (2, {}),
        "batch_size": (3, {}),
        "learning_rate": (1e-2, {}),
        "sigma_min": (0.1, {}),
        "sigma_max": (0.2, {}),
        "penalty": (100.0, {}),
        "bound": (0.5, {}),
        "jacobian_images": (1, {}),
        "power_iterations": (1, {}),
        "noise_scaled": (True, {}),
        "crop": (8, {}),
        "seed": (1, {}),
        "network": ("unet", {}),
        "widths": ((4, 8), {"network": "unet"}),
        "perturbed": (1.0, {}),
        "warmup": (0.5, {"steps": 4}),
        "clip": (1e-6, {"learning_rate": 0.1}),
    },
}

OF_HISTORY = ("validate_every", "validation_images")
"""What these name is looked at by validation, and need not change the weights of a training this short."""


def distilled(task, recipe):
    result = distill(task, recipe, progress=False)
    return result.preconditioner.state_dict(), result.history


def distilled_linear(task, recipe):
    """Return the weights with what P gives in the first iteration and after the last, and the history."""
    result = distill_linear(task, recipe, progress=False)
    z = task.test_images[:2]
    y = task.measure(z)
    given = {}
    for k in (0, 5):
        given[f"given {k}"] = result.preconditioner(z, State(z, k, task.student, y))
    return result.preconditioner.state_dict() | given, result.history


def alternative(task, recipe):
    return train_alternative(task, recipe, progress=False).state_dict(), {}


def denoised(task, recipe):
    return train_denoiser(discs(), recipe, progress=False).state_dict(), {}


TRAIN = {
    DistillationRecipe: distilled,
    LinearRecipe: distilled_linear,
    AlternativeRecipe: alternative,
    DenoiserRecipe: denoised,
}


@pytest.fixture(scope="module")
def trained(own):
    """Train with a recipe, once for each."""
    task, known = own.load(), {}

    def train(recipe):
        if repr(recipe) not in known:
            known[repr(recipe)] = TRAIN[type(recipe)](task, recipe)
        return known[repr(recipe)]

    return train


@pytest.mark.parametrize("kind", BASES)
def test_every_field_is_tried(kind):
    assert [field.name for field in fields(kind)] == list(CHANGES[kind])


@pytest.mark.parametrize(
    ("kind", "name"),
    [pytest.param(kind, name, id=f"{kind.__name__}-{name}") for kind in CHANGES for name in CHANGES[kind]],
)
def test_a_field_changes_what_it_names(trained, kind, name):
    value, needed = CHANGES[kind][name]
    base = replace(BASES[kind], **needed)
    changed = replace(base, **{name: value})
    assert getattr(base, name) != value
    (weights, history), (other_weights, other_history) = trained(base), trained(changed)
    if name in OF_HISTORY:
        assert history != other_history
        return
    same = weights.keys() == other_weights.keys() and all(
        torch.equal(weights[key], other_weights[key]) for key in weights
    )
    assert not same


@pytest.mark.parametrize("kind", BASES)
def test_the_same_recipe_gives_the_same_weights(own, trained, kind):
    """So what differs above is due to the field, and not to chance."""
    weights, _ = trained(BASES[kind])
    again, _ = TRAIN[kind](own.load(), BASES[kind])
    for name, tensor in weights.items():
        torch.testing.assert_close(again[name], tensor, rtol=0, atol=0)
