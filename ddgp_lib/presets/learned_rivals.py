"""Recipes of what any camera's preconditioner is compared with: they differ in their steps, and share the rest."""

from collections.abc import Mapping
from typing import Any

from ..names import Alternative
from ..recipes import AlternativeRecipe

RIVALS: tuple[Alternative, ...] = ("direct", "null_space_network", "unfolded", "modl", "npn")
"""Alternatives that start from the Tikhonov solution."""


def rival_recipes(
    steps: Mapping[Alternative, int], rates: Mapping[Alternative, float], **shared: Any
) -> dict[str, AlternativeRecipe]:
    """Return a recipe for each rival.

    Parameters
    ----------
    steps : mapping of str to int
        Optimisation steps by name, chosen so that all take the same time: see :mod:`ddgp_lib.experiments.budget`.
    rates : mapping of str to float
        Learning rates by the same names, chosen on validation images: see :mod:`ddgp_lib.experiments.rates`.
    **shared
        Fields of :class:`~ddgp_lib.recipes.alternatives.AlternativeRecipe` that are the same for all.

    Raises
    ------
    ValueError
        If a field is outside what is accepted.

    Examples
    --------
    >>> from ddgp_lib.presets.learned_rivals import rival_recipes
    >>> rival_recipes({"direct": 500, "modl": 100}, {"direct": 2e-3, "modl": 4e-3}, batch_size=8)["modl"].steps
    100
    """
    return {
        name: AlternativeRecipe(name, steps=count, learning_rate=rates[name], **shared)
        for name, count in steps.items()
    }
