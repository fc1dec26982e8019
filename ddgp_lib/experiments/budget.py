"""Equal training times: how many steps of each training take the same processor seconds.

``python -m ddgp_lib.experiments.budget TASK`` times all trainings of a camera side by side on one thread.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from statistics import median

import torch
from tqdm.auto import tqdm

from ..arguments import require, require_integer, require_number
from ..checkpoints import load_checkpoint
from ..distillation import distill
from ..outputs import status_of
from ..presets import PRESETS
from ..recipes import AlternativeRecipe, DistillationRecipe, first_phase
from ..tasks import Preset, Task
from .alternatives import run_alternative

Trained = DistillationRecipe | AlternativeRecipe

TOLERANCE = 0.1
"""Budgets that count as equal: the longest is longer than the shortest by this fraction at most."""


def trainings(preset: Preset) -> dict[str, Trained]:
    """Return all that a camera trains by steps, by name: the distilled first, then what a user would pick instead."""
    distilled = {
        kind: recipe for kind, recipe in preset.distilled.items() if isinstance(recipe, DistillationRecipe)
    }
    return {**distilled, **preset.alternatives}


def step_seconds(
    task: Task, recipes: Mapping[str, Trained], *, rounds: int = 5, steps: int = 5, progress: bool = True
) -> dict[str, float]:
    """Time trainings side by side: the processor seconds of a step, medians over rounds in which all take turns.

    A first round, in which memory is filled, is not counted.  What a step of a distillation costs hardly depends on
    how far it is.  Of a distillation in two phases it is a step of the first.

    Parameters
    ----------
    task : Task
        The task to train for.
    recipes : mapping of str to DistillationRecipe or AlternativeRecipe
        Trainings by name; their own numbers of steps play no role.
    rounds : int
        Rounds that count, 1 or above.
    steps : int
        Steps of each training in a round, 1 or above.
    progress : bool
        Show a progress bar.

    Returns
    -------
    dict of str to float
        Seconds of the processor for a step, by name.

    Raises
    ------
    ValueError
        If a number is below 1.
    """
    require_integer("rounds", rounds, lowest=1)
    require_integer("steps", steps, lowest=1)
    found: dict[str, list[float]] = {name: [] for name in recipes}
    for _ in tqdm(range(1 + rounds), desc=f"budget {task.name}", disable=not progress):
        for name, recipe in recipes.items():
            found[name].append(_cpu_seconds(task, replace(_one_phase(recipe), steps=steps)) / steps)
    return {name: median(times[1:]) for name, times in found.items()}


def _one_phase(recipe: Trained) -> Trained:
    return first_phase(recipe) if isinstance(recipe, DistillationRecipe) else recipe


def _cpu_seconds(task: Task, recipe: Trained) -> float:
    if isinstance(recipe, DistillationRecipe):
        return distill(task, recipe, progress=False).cpu_seconds
    return run_alternative(task, recipe, progress=False).cpu_seconds


def equal_steps(seconds_per_step: Mapping[str, float], budget: float) -> dict[str, int]:
    """Return the steps of each training that take a number of processor seconds, 1 at least.

    Parameters
    ----------
    seconds_per_step : mapping of str to float
        What :func:`step_seconds` returns.
    budget : float
        Processor seconds, above zero.

    Examples
    --------
    >>> from ddgp_lib.experiments.budget import equal_steps
    >>> equal_steps({"direct": 0.08, "modl": 0.4}, budget=400)
    {'direct': 5000, 'modl': 1000}
    """
    require_number("budget", budget, above=0)
    return {name: max(1, round(budget / seconds)) for name, seconds in seconds_per_step.items()}


def measure_steps(
    task: Task, recipes: Mapping[str, Trained], budget: float, *, rounds: int = 5, steps: int = 5
) -> dict[str, int]:
    """Time trainings side by side, and return the steps of each that take ``budget`` processor seconds.

    Parameters
    ----------
    task, recipes, rounds, steps
        See :func:`step_seconds`.
    budget : float
        Processor seconds, above zero.
    """
    return equal_steps(step_seconds(task, recipes, rounds=rounds, steps=steps), budget)


def trained_seconds(preset: Preset, names: tuple[str, ...], seed: int = 0) -> dict[str, float]:
    """Return the processor seconds that files of weights say their training took; one that says nothing is left out.

    Parameters
    ----------
    preset : Preset
        The camera.
    names : tuple of str
        Kinds and alternatives; one whose file is not there is left out too.
    seed : int
        Which of their trainings.
    """
    files = {name: preset.path(name, seed) for name in names}
    metrics = {
        name: load_checkpoint(path, kind=name)[1]["metrics"] for name, path in files.items() if path.is_file()
    }
    return {name: told["cpu_seconds"] for name, told in metrics.items() if "cpu_seconds" in told}


def are_equal(seconds: Mapping[str, float], tolerance: float = TOLERANCE) -> bool:
    """Say whether the longest of some training times is longer than the shortest by a fraction at most.

    Examples
    --------
    >>> from ddgp_lib.experiments.budget import are_equal
    >>> are_equal({"distilled": 100.0, "direct": 108.0}), are_equal({"distilled": 100.0, "direct": 112.0})
    (True, False)
    """
    times = seconds.values()
    return not seconds or max(times) <= (1 + tolerance) * min(times)


def main(argv: list[str] | None = None) -> None:
    """Print a line for each training: seconds of a step, and the steps within the budget; or all as JSON."""
    arguments = _parser().parse_args(argv)
    torch.set_num_threads(1)
    preset = PRESETS[arguments.task]
    recipes = trainings(preset)
    for name in (arguments.like, *(arguments.only or ())):
        require(name in recipes, "name", name, f"one of {tuple(recipes)}")
    if arguments.only:
        recipes = {name: recipes[name] for name in dict.fromkeys((arguments.like, *arguments.only))}
    require_number("--seconds", arguments.seconds, above=0, none=True)
    times = step_seconds(preset.load(), recipes, rounds=arguments.rounds, steps=arguments.steps)
    whole = times[arguments.like] * recipes[arguments.like].steps
    budget = whole if arguments.seconds is None else arguments.seconds
    found = equal_steps(times, budget)
    if arguments.json:
        print(json.dumps({"seconds": budget, "step_seconds": times, "steps": found}))
        return
    print(f"{preset.name}: steps that take {budget:,.0f} processor seconds")
    for name, steps in found.items():
        print(f"{name:26s}{1000 * times[name]:9.2f} ms a step{steps:9,d} steps, now {recipes[name].steps:,d}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ddgp_lib.experiments.budget", description=__doc__)
    parser.add_argument("task", choices=PRESETS, metavar="TASK", help=f"one of {', '.join(PRESETS)}")
    parser.add_argument("--like", default="distilled", help="the training whose time all others get")
    parser.add_argument("--seconds", type=float, help="processor seconds instead")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="time these alone, beside that one")
    parser.add_argument("--rounds", type=int, default=5, help="rounds in which all take turns")
    parser.add_argument("--steps", type=int, default=5, help="steps of each in a round")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    raise SystemExit(status_of(main))
