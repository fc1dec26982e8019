"""What a preconditioner is compared with to learn what the teacher is good for: its recipe with other losses."""

from dataclasses import replace

from ..arguments import require_instance
from ..recipes import DistillationRecipe


def loss_ablations(recipe: DistillationRecipe) -> dict[str, DistillationRecipe]:
    """Return a recipe with other losses in its first phase, and all else the same: steps, states, second phase.

    ``"distilled_supervised"`` has L_S alone, and so never sees the teacher; ``"distilled_imitation"`` has L_G and
    L_I, so that its first phase sees the true image through the teacher's gradient alone.

    Parameters
    ----------
    recipe : DistillationRecipe
        That of the preconditioner which ships.

    Examples
    --------
    >>> from ddgp_lib.presets.ablations import loss_ablations
    >>> from ddgp_lib.recipes import DistillationRecipe
    >>> {name: recipe.losses for name, recipe in loss_ablations(DistillationRecipe(steps=100)).items()}
    {'distilled_supervised': {'supervised': 1.0}, 'distilled_imitation': {'gradient': 1.0, 'imitation': 1.0}}
    """
    require_instance("recipe", recipe, DistillationRecipe, "a DistillationRecipe")
    return {
        "distilled_supervised": replace(recipe, losses={"supervised": 1.0}),
        "distilled_imitation": replace(recipe, losses={"gradient": 1.0, "imitation": 1.0}),
    }
