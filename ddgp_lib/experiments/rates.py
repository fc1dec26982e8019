"""Learning rates: each training of a camera is tried short with several, and judged on validation images.

``python -m ddgp_lib.experiments.rates TASK`` tries what is missing in ``FOLDER/TASK-rates.json`` and prints the best.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from ..arguments import require, require_number
from ..distillation import distill
from ..files import locked, read_results, write_results
from ..fingerprint import fingerprint
from ..outputs import RESULTS, prepare, status_of
from ..presets import PRESETS
from ..recipes import DistillationRecipe
from ..scores import best
from ..tasks import Task
from ..training import DivergenceError
from .alternatives import reconstruct, run_alternative
from .budget import Trained, trainings
from .statistics import as_number
from .tuning import validation_psnr

FORMAT = "ddgp-rates-1"
RATES = (0.0005, 0.001, 0.002, 0.004, 0.008)
"""Largest learning rates that are tried."""

SHARE = 0.1
"""Share of a training's steps that a trial takes, with the whole schedule within it."""


def rate_score(task: Task, recipe: Trained) -> float | None:
    """Train by a recipe, and return the PSNR (dB) on the preset's validation images; None where it is not finite.

    Of a preconditioner it is that after 20 iterations, at the σ and with the momentum of its training.  A training
    whose loss stops being finite has no score.
    """
    try:
        if isinstance(recipe, DistillationRecipe):
            found = distill(task, recipe, progress=False).preconditioner
            return as_number(torch.tensor(validation_psnr(task, found, recipe)["20"]))
        model = run_alternative(task, recipe, progress=False).model
    except DivergenceError:
        return None
    images = task.val_images[: task.preset.counts.validation]
    with torch.no_grad():
        x = reconstruct(task, recipe.name, model, task.measure(images))
    return as_number(task.psnr(x, images).mean())


def sweep_rates(
    task: Task,
    name: str,
    recipe: Trained,
    path: str | Path,
    *,
    rates: Sequence[float] = RATES,
    share: float = SHARE,
) -> dict[str, float | None]:
    """Try learning rates that a file does not have yet, and write each score as soon as it is known.

    Parameters
    ----------
    task : Task
        The task to train for.
    name : str
        What the training is called in the file.
    recipe : DistillationRecipe or AlternativeRecipe
        The training; its own rate plays no role.
    path : str or Path
        The JSON file of the camera.
    rates : sequence of float
        Rates to try, each above zero.
    share : float
        Share of the recipe's steps, in (0, 1].

    Returns
    -------
    dict of str to float
        Validation PSNR (dB) by rate.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or the file is of another task.
    """
    require_number("share", share, above=0, highest=1)
    for rate in rates:
        require_number("rates", rate, above=0)
    short = replace(recipe, steps=max(1, round(share * recipe.steps)))
    conditions = _conditions(task, short)
    for rate in tqdm(rates, desc=f"rates of {name}"):
        known = _read(task, path).get(name, {})
        if known.get("conditions") == conditions and str(rate) in known["psnr"]:
            continue
        score = rate_score(task, replace(short, learning_rate=rate))
        with locked(path):
            rows = _read(task, path)
            row = rows.get(name, {})
            kept = row["psnr"] if row.get("conditions") == conditions else {}
            rows[name] = {"conditions": conditions, "psnr": kept | {str(rate): score}}
            write_results(path, {"format": FORMAT, "task": task.name, "rows": rows})
    found: dict[str, float | None] = _read(task, path)[name]["psnr"]
    return found


def _conditions(task: Task, recipe: Trained) -> dict[str, Any]:
    """Return what a score depends on beside the rate, as JSON gives it back."""
    fields = {key: value for key, value in asdict(recipe).items() if key != "learning_rate"}
    fields = {key: list(value) if isinstance(value, tuple) else value for key, value in fields.items()}
    return {"recipe": fields, "fingerprint": fingerprint(task)}


def _read(task: Task, path: str | Path) -> dict[str, Any]:
    if not Path(path).is_file():
        return {}
    command = f"python -m ddgp_lib.experiments.rates {task.name}"
    rows: dict[str, Any] = read_results(Path(path), command, format=FORMAT, task=task.name)["rows"]
    return rows


def best_rate(scores: Mapping[str, float | None]) -> float:
    """Return the rate with the highest score.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> from ddgp_lib.experiments.rates import best_rate
    >>> best_rate({"0.001": 22.1, "0.002": 22.4, "0.004": None})
    0.002
    """
    return float(best(scores, "rates"))


def main(argv: list[str] | None = None) -> None:
    """Try rates and print a line for each training."""
    arguments = _parser().parse_args(argv)
    torch.set_num_threads(1)
    preset = PRESETS[arguments.task]
    recipes = trainings(preset)
    for name in arguments.only or ():
        require(name in recipes, "--only", name, f"one of {tuple(recipes)}")
    path = prepare("--output", arguments.output, f"{preset.name}-rates.json") / f"{preset.name}-rates.json"
    task = preset.load()
    for name in arguments.only or recipes:
        scores = sweep_rates(task, name, recipes[name], path, rates=arguments.rates, share=arguments.share)
        shown = "  ".join(
            f"{rate}: {'-' if score is None else f'{score:.2f}'}" for rate, score in scores.items()
        )
        print(f"{name:26s}{shown}  best {best_rate(scores):g}, now {recipes[name].learning_rate:g}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ddgp_lib.experiments.rates", description=__doc__)
    parser.add_argument("task", choices=PRESETS, metavar="TASK", help=f"one of {', '.join(PRESETS)}")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="trainings; by default all")
    parser.add_argument("--rates", nargs="+", type=float, default=list(RATES), help="learning rates")
    parser.add_argument("--share", type=float, default=SHARE, help="share of the steps of a whole training")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the results")
    return parser


if __name__ == "__main__":
    raise SystemExit(status_of(main))
