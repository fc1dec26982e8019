"""Choose what every method is run with, on validation images; and measure what saved weights claim."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..arguments import require, require_integer, require_number
from ..digests import digests
from ..evaluation import psnr_curves
from ..fingerprint import fingerprint
from ..kinds import Kind, Setting, Settings
from ..preconditioners import Preconditioner
from ..pretrained import Method, load_kind, tuning_for, tuning_path
from ..recipes import DistillationRecipe, LinearRecipe
from ..scores import best, score
from ..solvers import PreconditionedFISTA
from ..tasks import Task

EARLY = 20
"""The first of the two iterations whose PSNR decides."""


def tune(
    task: Task,
    kinds: tuple[str, ...] | None = None,
    *,
    n_images: int | None = None,
    max_iter: int = 200,
    sigmas: Sequence[float] | None = None,
) -> dict[str, Any]:
    """Choose the setting of each kind from its grid by the PSNR on validation images.

    The score of a setting is the lower of its PSNR after 20 and after ``max_iter`` iterations, so that one which is
    good early and decays later is not chosen.  As the score is at most the first of the two, settings
    are run past 20 iterations from the best down, until no other can win.  Those of the baseline without decay are
    all run to the end: what becomes of it is worth knowing everywhere.

    Parameters
    ----------
    task : Task
        The task.
    kinds : tuple of str, optional
        Methods to tune; by default all of the preset's, its rivals too.
    n_images : int, optional
        Validation images to use; by default as many as the preset says.
    max_iter : int
        Iterations of a full run, 20 or more.
    sigmas : sequence of float, optional
        Values that are tried of σ, for kinds that have one; by default those of the kind's grid.

    Returns
    -------
    dict
        For each kind the chosen ``"setting"``, with the arguments of the kind as keys, such
        as ``"sigma"``, and the ``"sweep"`` that it was chosen from: for every setting also ``"psnr_20"`` and
        ``"psnr_last"``, in dB, None where it is not finite; the latter is None too where a run ended early.  The
        ``"conditions"`` say what it depends on, see :func:`tuning_conditions`.

    Raises
    ------
    ValueError
        If a kind is unknown, an argument is outside what is accepted, or no setting of a kind has a finite PSNR.
    """
    require(isinstance(task, Task), "task", task, "a Task")
    require_integer("max_iter", max_iter, lowest=EARLY)
    require_integer("n_images", n_images, lowest=1, none=True)
    images = task.val_images[: task.preset.counts.tuning if n_images is None else n_images]
    if sigmas is not None:
        require(len(sigmas) > 0, "sigmas", sigmas, "one noise level at least")
        for sigma in sigmas:
            require_number("sigmas", sigma, above=0)
    tuning: dict[str, Any] = {}
    for kind in kinds or task.preset.methods:
        method = Method(task, kind)
        settings = method.definition.tried(task, **_replaced(method.definition, task, sigmas))

        def run(setting: Settings, last: int, method: Method = method) -> float | None:
            curves = psnr_curves(task, method.solver(setting), images, method.physics, last)
            mean = round(curves[-1].mean().item(), 4)
            return mean if math.isfinite(mean) else None

        sweep: list[dict[str, Any]] = [
            asdict(setting) | {"psnr_20": run(setting, EARLY), "psnr_last": None} for setting in settings
        ]
        highest = -math.inf
        for setting, row in sorted(
            zip(settings, sweep, strict=True), key=lambda pair: -score(pair[1]["psnr_20"])
        ):
            if score(row["psnr_20"]) > highest or (kind == "none" and _is_constant(setting)):
                row["psnr_last"] = run(setting, max_iter)
                highest = max(highest, tuning_score(row))
        scores = {setting: tuning_score(row) for setting, row in zip(settings, sweep, strict=True)}
        winner = best(scores, f"kind={kind!r}")
        conditions = tuning_conditions(task, kind, n_images=n_images, max_iter=max_iter, sigmas=sigmas)
        tuning[kind] = {"setting": asdict(winner), "sweep": sweep, "conditions": conditions}
    return tuning


def _replaced(kind: Kind, task: Task, sigmas: Sequence[float] | None) -> dict[str, Sequence[float]]:
    """Return what takes the place of a kind's grid: other values of σ, where it has one."""
    return {} if sigmas is None or "sigma" not in kind.grid(task) else {"sigma": sigmas}


def _is_constant(setting: Settings) -> bool:
    return isinstance(setting, Setting) and setting.prior_decay is None and setting.update_decay is None


def tuning_score(row: dict[str, Any]) -> float:
    """Return the lower of a setting's two PSNR values, which :func:`tune` maximises; −∞ where one is not finite."""
    return min(score(row["psnr_20"]), score(row["psnr_last"]))


def tuning_conditions(
    task: Task,
    kind: str,
    *,
    n_images: int | None = None,
    max_iter: int = 200,
    sigmas: Sequence[float] | None = None,
) -> dict[str, Any]:
    """Return what the tuning of a kind depends on; the arguments are those of :func:`tune`.

    Returns
    -------
    dict
        The numbers of ``"images"`` and of ``"iterations"``, the ``"grid"``, which has the values by argument, and the
        digests of the ``"weights"``, see :func:`~ddgp_lib.digests.digests`.
    """
    images = task.val_images[: task.preset.counts.tuning if n_images is None else n_images]
    definition = load_kind(task, kind)
    grid = {**definition.grid(task), **_replaced(definition, task, sigmas)}
    listed = {name: list(values) for name, values in grid.items()}
    found = {"images": len(images), "iterations": max_iter, "grid": listed}
    return found | {"weights": digests(task.preset, [kind])}


def saved_tuning(task: Task, folder: str | Path) -> dict[str, Any]:
    """Return the settings that a folder has for a task by kind; none where it has none, or has another task's.

    A task of the same name is another one where its operators, images, noise or denoiser differ.
    """
    found = tuning_for(tuning_path(task.name, folder), task.preset, fingerprint(task))
    return {} if found is None else dict(found["methods"])


def validation_psnr(
    task: Task, preconditioner: Preconditioner, recipe: DistillationRecipe | LinearRecipe
) -> dict[str, float]:
    """Mean PSNR (dB) on the preset's validation images after 1 to 20 iterations, with the training's σ and momentum.

    A shipped preconditioner carries these numbers, so that a file can be checked against its claims.
    """
    solver = PreconditionedFISTA(
        task.denoiser,
        preconditioner,
        stepsize=task.stepsize,
        sigma=task.sigma if recipe.sigma is None else recipe.sigma,
        sigma_noise=getattr(recipe, "sigma_noise", None),
        momentum=recipe.last_momentum if isinstance(recipe, DistillationRecipe) else recipe.momentum,
        stop_after=getattr(recipe, "stop_after", None),
    )
    images = task.val_images[: task.preset.counts.validation]
    curve = psnr_curves(task, solver, images, task.student, 20).mean(dim=1)
    return {str(k): curve[k - 1].item() for k in (1, 2, 5, 10, 20)}
