"""Rows of studies that any camera can run: what differs is a field of the recipe, not the camera."""

from collections.abc import Mapping, Sequence

from ..tasks import Variant

LOSSES: Mapping[str, Variant] = {
    " + ".join(f"L_{letter}" for letter in letters): Variant({"losses": dict.fromkeys(names, 1.0)})
    for letters, names in (
        ("G", ("gradient",)),
        ("I", ("imitation",)),
        ("S", ("supervised",)),
        ("GI", ("gradient", "imitation")),
        ("GS", ("gradient", "supervised")),
        ("IS", ("imitation", "supervised")),
        ("GIS", ("gradient", "imitation", "supervised")),
        ("GR", ("gradient", "scale")),
    )
}
"""Sums of losses."""


def form_rows(own_steps: int) -> dict[str, Variant]:
    """Rows for each form and input; ``own_steps`` optimisation steps on own trajectories.

    Own trajectories see eight iterations in each step: an eighth of the steps sees as many gradients.
    """
    rows = {
        f"{form}, {inputs}": Variant({"form": form, "inputs": inputs})
        for inputs in ("state_aware", "gradient_only")
        for form in ("null_space", "free", "penalised")
    }
    own = {"pairing": "own_trajectories", "steps": own_steps}
    return rows | {
        f"{form}, {inputs}, own trajectories": Variant({"form": form, "inputs": inputs} | own)
        for form, inputs in (("null_space", "state_aware"), ("free", "gradient_only"))
    }


def network_rows(names: Sequence[str], prefix: str = "") -> dict[str, Variant]:
    """Rows for networks by name; the rows' names begin with ``prefix``."""
    return {f"{prefix}{name}": Variant({"network": name}) for name in names}


BEST_NETWORKS = ("unet", "indi", "vit")
"""The three with the largest gain in the single-pixel task, which are tried on other tasks."""
