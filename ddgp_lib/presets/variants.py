"""Rows of studies that any camera can run: what differs is a field of the recipe, not the camera."""

from collections.abc import Mapping, Sequence
from typing import Any

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


UNROLL = 8
"""Iterations that a step of own trajectories unrolls where nothing else is said."""


def form_rows(own_steps: int, batch_size: int) -> dict[str, Variant]:
    """Rows for each form and input, and for two of them what own trajectories are compared with.

    Own trajectories see eight iterations in each step: an eighth of the steps sees as many gradients.  So they take
    fewer updates than the pool.  Four rows each say what that does: the pool with as few updates; with as few updates
    and as many gradients; with a horizon of eight iterations too; and with eight iterations unrolled in each step,
    after which the pairing alone differs.

    Parameters
    ----------
    own_steps : int
        Optimisation steps on own trajectories.
    batch_size : int
        States in a step of all other rows.

    Examples
    --------
    >>> from ddgp_lib.presets.variants import form_rows
    >>> form_rows(10, 16)["free, gradient_only, few updates, wide batches"].recipe["batch_size"]
    128
    """
    rows = {
        f"{form}, {inputs}": Variant({"form": form, "inputs": inputs})
        for inputs in ("state_aware", "gradient_only")
        for form in ("null_space", "free", "penalised")
    }
    few: dict[str, Any] = {"steps": own_steps}
    wide = few | {"batch_size": UNROLL * batch_size}
    beside: dict[str, dict[str, Any]] = {
        "own trajectories": few | {"pairing": "own_trajectories"},
        "few updates": few,
        "few updates, wide batches": wide,
        "few updates, wide batches, short horizon": wide | {"horizon": UNROLL},
        "few updates, unrolled": few | {"horizon": UNROLL, "unroll": UNROLL},
    }
    return rows | {
        f"{form}, {inputs}, {label}": Variant({"form": form, "inputs": inputs} | fields)
        for label, fields in beside.items()
        for form, inputs in (("null_space", "state_aware"), ("free", "gradient_only"))
    }


def without_teacher(camera: str) -> dict[str, Variant]:
    """One row, to stand beside those of teachers of any strength: the loss on the true image alone, L_S.

    Parameters
    ----------
    camera : str
        How the row's name begins.

    Examples
    --------
    >>> from ddgp_lib.presets.variants import without_teacher
    >>> list(without_teacher("mri"))
    ['mri, no teacher']
    """
    return {f"{camera}, no teacher": Variant({"losses": {"supervised": 1.0}})}


def network_rows(names: Sequence[str], prefix: str = "") -> dict[str, Variant]:
    """Rows for networks by name; the rows' names begin with ``prefix``."""
    return {f"{prefix}{name}": Variant({"network": name}) for name in names}


BEST_NETWORKS = ("unet", "indi", "vit")
"""The three with the largest gain in the single-pixel task, which are tried on other tasks."""
