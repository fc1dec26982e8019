"""Recipes of what any camera's preconditioner is compared with: they differ in their steps and rates alone."""

from collections.abc import Mapping
from typing import Any

from ..arguments import require
from ..names import Alternative
from ..recipes import AlternativeRecipe

RIVALS: tuple[Alternative, ...] = ("direct", "null_space_network", "unfolded", "modl", "npn")
"""What the book's cameras are compared with.

Weights of the two strongest rivals of a camera ship: ``"unfolded"``, and the better of the first two.  The others,
which are as large, are trained by a command; the benchmark has the rows of all.
"""


def rival_recipes(
    steps: Mapping[Alternative, int],
    *,
    learning_rate: float | Mapping[Alternative, float] = 1e-3,
    **shared: Any,
) -> dict[str, AlternativeRecipe]:
    """Return a recipe for each rival.

    Parameters
    ----------
    steps : mapping of str to int
        Optimisation steps by name, chosen so that all take the same time: see :mod:`ddgp_lib.experiments.budget`.
    learning_rate : float or mapping of str to float
        One rate for all, or that of each by name.
    **shared
        Fields of :class:`~ddgp_lib.recipes.alternatives.AlternativeRecipe` that are the same for all.

    Raises
    ------
    ValueError
        If a field is outside what is accepted, or a rival has no rate.

    Examples
    --------
    >>> from ddgp_lib.presets.learned_rivals import rival_recipes
    >>> rival_recipes({"direct": 500, "modl": 100}, batch_size=8)["modl"].steps
    100
    """
    rates = learning_rate if isinstance(learning_rate, Mapping) else dict.fromkeys(steps, learning_rate)
    for name in steps:
        require(name in rates, "learning_rate", rates, f"a rate for {name!r}")
    return {
        name: AlternativeRecipe(name, steps=count, learning_rate=rates[name], **shared)
        for name, count in steps.items()
    }
