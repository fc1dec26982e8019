"""Rows of studies: which fields of the recipe each differs in."""

from ddgp_lib.presets.variants import LOSSES, form_rows, network_rows


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
    rows = {name: dict(variant.recipe) for name, variant in form_rows(250).items()}
    from_pool = {
        f"{form}, {inputs}": {"form": form, "inputs": inputs}
        for form in ("null_space", "free", "penalised")
        for inputs in ("state_aware", "gradient_only")
    }
    own = {"pairing": "own_trajectories", "steps": 250}
    assert rows == from_pool | {
        "null_space, state_aware, own trajectories": {"form": "null_space", "inputs": "state_aware"} | own,
        "free, gradient_only, own trajectories": {"form": "free", "inputs": "gradient_only"} | own,
    }


def test_networks_are_rows_under_a_prefix():
    rows = network_rows(("unet", "vit"), "big ")
    assert {name: dict(variant.recipe) for name, variant in rows.items()} == {
        "big unet": {"network": "unet"},
        "big vit": {"network": "vit"},
    }
    assert list(network_rows(("cnn",))) == ["cnn"]
