"""A preconditioner for those who count milliseconds: a small network, tuned for a run of so many iterations."""

from dataclasses import replace

from ..arguments import require_counts, require_instance
from ..recipes import DistillationRecipe


def few_steps(
    recipe: DistillationRecipe, *, steps: int, tuned_steps: int, iterations: int = 2
) -> DistillationRecipe:
    """Return a recipe for a run of few iterations, with the data and the form of another.

    Its network is the small one.  It is distilled, then tuned for how close the last of its iterations comes to the
    true image, from the start alone.  The solver that is loaded with it stops there.

    Parameters
    ----------
    recipe : DistillationRecipe
        That of the preconditioner which ships for long runs.
    steps, tuned_steps : int
        Optimisation steps of the two phases, 1 or above.
    iterations : int
        Iterations of the run, 1 or above.

    Returns
    -------
    DistillationRecipe

    Raises
    ------
    ValueError
        If a number is below 1.

    Examples
    --------
    >>> from ddgp_lib.presets.few import few_steps
    >>> from ddgp_lib.recipes import DistillationRecipe
    >>> few_steps(DistillationRecipe(), steps=600, tuned_steps=1800).stop_after
    2
    """
    require_instance("recipe", recipe, DistillationRecipe, "a DistillationRecipe")
    require_counts(steps=steps, tuned_steps=tuned_steps, iterations=iterations)
    return replace(
        recipe,
        parameters="small",
        momentum="none",
        steps=steps,
        tuned_steps=tuned_steps,
        tuned_unroll=iterations,
        tuned_end=True,
        tuned_fresh=1.0,
        tuned_momentum="none",
    )
