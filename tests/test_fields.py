"""Fields of recipes: each has an entry in its table, which refuses what is no use by the field's name."""

import json
import math
from dataclasses import asdict, fields

import numpy as np
import pytest
import torch

from ddgp_lib.presets import PRESETS
from ddgp_lib.recipes import AlternativeRecipe, DistillationRecipe, LinearRecipe
from ddgp_lib.recipes.alternatives import ALTERNATIVE_FIELDS
from ddgp_lib.recipes.denoising import DENOISER_FIELDS, DenoiserRecipe
from ddgp_lib.recipes.distillation import DISTILLATION_FIELDS
from ddgp_lib.recipes.linear import LINEAR_FIELDS

TABLES = {
    DistillationRecipe: DISTILLATION_FIELDS,
    LinearRecipe: LINEAR_FIELDS,
    AlternativeRecipe: ALTERNATIVE_FIELDS,
    DenoiserRecipe: DENOISER_FIELDS,
}
NEEDED = {AlternativeRecipe: {"name": "unfolded", "steps": 1, "batch_size": 1}}
EACH = [pytest.param(kind, name, id=f"{kind.__name__}-{name}") for kind in TABLES for name in TABLES[kind]]

NEVER = (
    *("", "x", b"x", math.nan, math.inf, -math.inf, np.nan, np.float64("inf"), 1j, -1, -0.5, -(2**63)),
    *([], (), {}, set(), ["x"], (math.nan,), {"x": 1.0}, {"gradient": math.nan}, {"gradient": "1"}),
    *(
        (1.0, math.inf),
        ("0.1", "0.2"),
        (-1.0,),
        np.ones(2),
        torch.ones(2),
        object(),
        int,
    ),
)
"""Values that no field accepts."""

WHOLE = ("steps", "batch_size", "seed", "crop", "rank", "stride", "unroll", "embedding", "horizon")
"""Fields, among others, that hold integers."""


def made(kind, **changes):
    return kind(**NEEDED.get(kind, {}) | changes)


@pytest.mark.parametrize("kind", TABLES)
def test_every_field_has_an_entry(kind):
    assert [field.name for field in fields(kind)] == list(TABLES[kind])


@pytest.mark.parametrize(("kind", "name"), EACH)
def test_what_no_field_accepts_is_refused_by_the_fields_name(kind, name):
    for value in NEVER:
        with pytest.raises(ValueError, match=rf"^{name}(=|\[)"):
            made(kind, **{name: value})


@pytest.mark.parametrize(("kind", "name"), EACH)
def test_none_and_flags_are_for_the_fields_that_say_so(kind, name):
    annotation = str(kind.__annotations__[name])
    optional, flag = "None" in annotation, annotation in ("bool", "<class 'bool'>")
    for value, accepted in ((None, optional), (True, flag), (False, flag)):
        if accepted:
            assert getattr(made(kind, **{name: value}), name) is value
        else:
            with pytest.raises(ValueError, match=f"^{name}="):
                made(kind, **{name: value})


@pytest.mark.parametrize(("kind", "name"), [each for each in EACH if each.values[1] in WHOLE])
def test_integers_are_no_floats(kind, name):
    for value in (1.0, 1.5, "1", np.float32(1)):
        with pytest.raises(ValueError, match=f"^{name}="):
            made(kind, **{name: value})


@pytest.mark.parametrize("kind", TABLES)
def test_numbers_of_numpy_are_kept_as_pythons(kind):
    plain = {name: value for name, value in asdict(made(kind)).items() if type(value) in (int, float)}
    arrays = {name: np.asarray(value)[()] for name, value in plain.items()}
    recipe = made(kind, **arrays)
    assert recipe == made(kind)
    assert all(type(getattr(recipe, name)) is type(value) for name, value in plain.items())
    json.dumps(asdict(recipe))


@pytest.mark.parametrize(
    "recipe",
    [
        *(made(kind) for kind in TABLES),
        DistillationRecipe(noise_range=(np.float32(0.5), 1), losses={"gradient": np.float64(2)}),
        LinearRecipe(ridges=[np.float64(1e-3), 1]),
        *(recipe for preset in PRESETS.values() for recipe in preset.recipes.values()),
        *(recipe for preset in PRESETS.values() for recipe in preset.alternatives.values()),
        *(preset.denoiser for preset in PRESETS.values() if preset.denoiser is not None),
    ],
    ids=repr,
)
def test_a_recipe_is_equal_to_the_one_read_from_its_json(recipe):
    assert type(recipe)(**json.loads(json.dumps(asdict(recipe)))) == recipe


def test_a_seed_is_one_that_every_generator_takes():
    for seed in (0, 2**63 - 1):
        torch.Generator().manual_seed(DistillationRecipe(seed=seed).seed)
    with pytest.raises(ValueError, match=f"^seed={2**63}: expected an integer from 0 to {2**63 - 1}$"):
        DistillationRecipe(seed=2**63)


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (DistillationRecipe, {"batch_size": 10**12}, "batch_size=1000000000000: expected an integer from 1"),
        (DistillationRecipe, {"batch_size": 1024}, "batch_size=1024: expected at most pool_size=512"),
        (DistillationRecipe, {"sigma": 0}, "sigma=0: expected None, or a finite number above 0"),
        (DistillationRecipe, {"sigma_noise": 0}, "sigma_noise=0: expected None, or a finite number above 0"),
        (DistillationRecipe, {"weight_decay": -1}, "weight_decay=-1: expected a finite number, 0 or above"),
        (DistillationRecipe, {"losses": {"style": 1.0}}, "losses='style': expected names among"),
        (
            DistillationRecipe,
            {"losses": {"scale": 0}},
            r"losses\['scale'\]=0: expected a finite number above 0",
        ),
        (DistillationRecipe, {"noise_range": (0.1,)}, "noise_range=.*expected None, or "),
        (DistillationRecipe, {"noise_range": (0.2, 0.1)}, "noise_range=.*expected None, or "),
        (
            DistillationRecipe,
            {"noise_range": (0.0, 0.1)},
            "noise_range=0.0: expected a finite number above 0",
        ),
        (LinearRecipe, {"n_images": 1}, "n_images=1: expected an integer from 2"),
        (LinearRecipe, {"ridges": ()}, r"ridges=\(\): expected a tuple of at least one value"),
        (LinearRecipe, {"ridges": (1e-3, math.inf)}, "ridges=inf: expected a finite number, 0 or above"),
        (DenoiserRecipe, {"sigma_max": 0.001}, "sigma_max=0.001: expected at least sigma_min=0.01"),
        (DenoiserRecipe, {"crop": 0}, "crop=0: expected None, or an integer, 1 or above"),
    ],
)
def test_a_refusal_says_what_is_accepted(kind, changes, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        made(kind, **changes)
