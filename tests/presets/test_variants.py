"""Rows of studies: which fields of the recipe each differs in."""

from dataclasses import replace

from ddgp_lib.distillation import DistillationRecipe
from ddgp_lib.presets import PRESETS
from ddgp_lib.presets.variants import LOSSES, UNROLL, form_rows, network_rows, without_teacher


def test_losses_are_the_sums_that_their_names_say():
    assert {name: tuple(variant.recipe["losses"]) for name, variant in LOSSES.items()} == {
        "L_G": ("gradient",),
        "L_I": ("imitation",),
        "L_S": ("supervised",),
        "L_G + L_I": ("gradient", "imitation"),
        "L_G + L_S": ("gradient", "supervised"),
        "L_I + L_S": ("imitation", "supervised"),
        "L_G + L_I + L_S": ("gradient", "imitation", "supervised"),
        "L_G + L_R": ("gradient", "scale"),
    }
    assert {weight for variant in LOSSES.values() for weight in variant.recipe["losses"].values()} == {1.0}


def test_forms_come_with_both_inputs_and_two_on_own_trajectories():
    rows = {name: dict(variant.recipe) for name, variant in form_rows(250, 16).items()}
    from_pool = {
        f"{form}, {inputs}": {"form": form, "inputs": inputs}
        for form in ("null_space", "free", "penalised")
        for inputs in ("state_aware", "gradient_only")
    }
    beside = {
        "own trajectories": {"steps": 250, "pairing": "own_trajectories"},
        "few updates": {"steps": 250},
        "few updates, wide batches": {"steps": 250, "batch_size": 128},
        "few updates, wide batches, short horizon": {"steps": 250, "batch_size": 128, "horizon": 8},
        "few updates, unrolled": {"steps": 250, "horizon": 8, "unroll": 8},
    }
    two = {form: {"form": form.split(", ")[0], "inputs": form.split(", ")[1]} for form in TWO}
    assert rows == from_pool | {f"{f}, {b}": two[f] | fields for f in TWO for b, fields in beside.items()}


TWO = ("null_space, state_aware", "free, gradient_only")


def test_rows_between_see_as_many_gradients_as_own_trajectories():
    short = PRESETS["single_pixel"].short
    assert DistillationRecipe(steps=1, pairing="own_trajectories").unrolled == UNROLL
    for form in TWO:
        rows = PRESETS["single_pixel"].studies["forms"]
        own = {**short, **rows[f"{form}, own trajectories"].recipe}
        pool = {**short, **rows[f"{form}, few updates, wide batches, short horizon"].recipe}
        seen = own["steps"] * own["batch_size"] * UNROLL
        assert (pool["steps"], pool["steps"] * pool["batch_size"], pool["horizon"]) == (
            own["steps"],
            seen,
            UNROLL,
        )


def test_the_last_of_them_differs_from_own_trajectories_by_its_pairing_alone():
    short = PRESETS["single_pixel"].short
    rows = PRESETS["single_pixel"].studies["forms"]
    for form in TWO:
        own = DistillationRecipe(**{**short, **rows[f"{form}, own trajectories"].recipe})
        pool = DistillationRecipe(**{**short, **rows[f"{form}, few updates, unrolled"].recipe})
        assert (own.unrolled, pool.unrolled) == (UNROLL, UNROLL)
        assert pool.horizon == UNROLL  # every state is at k = 0, as on own trajectories
        alike = {"pairing": own.pairing, "unroll": own.unroll, "horizon": own.horizon}
        assert replace(pool, **alike) == own


def test_every_camera_with_teachers_has_a_row_without():
    for name in ("single_pixel", "mri", "super_resolution"):
        rows = PRESETS[name].studies["teachers"]
        assert rows[f"{name}, no teacher"] == without_teacher(name)[f"{name}, no teacher"]
        assert dict(rows[f"{name}, no teacher"].recipe["losses"]) == {"supervised": 1.0}
        assert all("losses" not in row.recipe for key, row in rows.items() if "no teacher" not in key)


def test_networks_are_rows_under_a_prefix():
    rows = network_rows(("unet", "vit"), "big ")
    assert {name: dict(variant.recipe) for name, variant in rows.items()} == {
        "big unet": {"network": "unet"},
        "big vit": {"network": "vit"},
    }
    assert list(network_rows(("cnn",))) == ["cnn"]
