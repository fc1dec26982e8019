"""A camera whose trainings take several times as many steps: whether the lead of P depends on the training's minutes.

The file is one for ``--task``, so it imports as files outside the package do.  Its weights do not ship.  These
commands make them, and the result that ships in ``experiments/benchmarks/longer``.  P runs with the setting that was
tuned for the shipped one, which a warning says::

    python -m ddgp_lib train --task ddgp_lib/presets/longer.py:MRI --kind distilled --output longer
    python -m ddgp_lib train-alternatives --task ddgp_lib/presets/longer.py:MRI --output longer
    python -m ddgp_lib benchmark --task ddgp_lib/presets/longer.py:MRI --parts seeds --weights longer
"""

from dataclasses import replace

from ddgp_lib.arguments import require, require_instance, require_integer
from ddgp_lib.names import Alternative
from ddgp_lib.presets import mri
from ddgp_lib.recipes import DistillationRecipe
from ddgp_lib.tasks import Preset

TIMES = 4
"""How many times the steps of the book's trainings."""


def longer(preset: Preset, times: int = TIMES, rivals: tuple[Alternative, ...] = ("unfolded",)) -> Preset:
    """Return a camera with one preconditioner and some rivals, all trained for so many times the steps.

    Both phases of the preconditioner grow alike.  All else is the same: rates, batches, networks, and the methods
    that learn nothing.

    Parameters
    ----------
    preset : Preset
        A camera with a recipe for the kind ``"distilled"``.
    times : int
        Factor of the steps, 1 or above.
    rivals : tuple of str
        Which of the camera's ``alternatives`` are trained longer; the others are left out.

    Raises
    ------
    ValueError
        If the factor is below 1, the camera distils nothing by steps, or has no such rival.

    Examples
    --------
    >>> from ddgp_lib.presets import PRESETS
    >>> from ddgp_lib.presets.longer import longer
    >>> camera = longer(PRESETS["mri"], 3)
    >>> camera.recipes["distilled"].steps / PRESETS["mri"].recipes["distilled"].steps
    3.0
    """
    require_instance("preset", preset, Preset, "a Preset")
    require_integer("times", times, lowest=1)
    recipe = preset.recipes.get("distilled")
    if not isinstance(recipe, DistillationRecipe):
        raise ValueError(f"preset={preset}: expected a DistillationRecipe for 'distilled', not {recipe!r}")
    for name in rivals:
        require(name in preset.alternatives, "rivals", name, f"some of {tuple(preset.alternatives)}")
    longest = replace(recipe, steps=times * recipe.steps, tuned_steps=times * recipe.tuned_steps)
    chosen = {name: preset.alternatives[name] for name in rivals}
    return replace(
        preset,
        recipes={"distilled": longest},
        alternatives={name: replace(found, steps=times * found.steps) for name, found in chosen.items()},
        ablations={},
        requested={},
    )


MRI = longer(mri.PRESET)
