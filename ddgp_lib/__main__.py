"""The command line: ``python -m ddgp_lib COMMAND``."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from . import commands
from .experiments.benchmark import PARTS
from .experiments.study import SEEDS, STUDIES
from .presets import PRESETS

Run = Callable[[argparse.Namespace], dict[str, Any] | None]
Show = Callable[[dict[str, Any]], str]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    arguments = _parser().parse_args(argv)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    try:
        result = arguments.run(arguments)
    except (ValueError, FileNotFoundError, ImportError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    if result is not None:
        sys.stdout.write((json.dumps(result) if arguments.json else arguments.show(result)) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ddgp_lib", description=__doc__)
    commanded = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Run, show: Show, text: str, threads: int = 0) -> argparse.ArgumentParser:
        added = commanded.add_parser(name, help=text, description=text)
        added.add_argument("--json", action="store_true", help="print one JSON object on the last line")
        added.add_argument("--threads", type=int, default=threads, help="CPU threads; 0 is PyTorch's choice")
        added.set_defaults(run=run, show=show)
        return added

    command("tasks", commands.list_tasks, commands.show_tasks, "List the book's tasks.")
    _add_trainings(command)
    _add_comparisons(command)
    return parser


def _add_trainings(command: Callable[..., argparse.ArgumentParser]) -> None:
    # On one thread, sums are rounded alike whatever the number of cores: weights come out the same.
    denoiser = command(
        "train-denoiser", commands.denoiser, commands.show_lines, "Train a task's denoiser.", threads=1
    )
    text = (
        "Distil a task's preconditioners, then tune every method's σ, momentum and decay. "
        "Under torchrun, its processes train the networks together."
    )
    train = command("train", commands.train, commands.show_lines, text, threads=1)
    train.add_argument("--kind", help="train this kind alone, and tune nothing")
    train.add_argument("--device", default="cpu", help="cpu or cuda; under torchrun, for each process")
    text = "Train the networks that a user would pick instead of a preconditioner."
    alternatives = command("train-alternatives", commands.alternatives, commands.show_lines, text, threads=1)
    alternatives.add_argument("--name", dest="kind", help="train this one alone")
    for training in (train, alternatives):
        training.add_argument("--steps", type=int, help="other number of steps than the recipe's")
        training.add_argument(
            "--checkpoints", type=Path, default=Path("checkpoints"), help="folder to resume from"
        )
    text = "Choose every method's σ, momentum and fading on validation images."
    tuning = command("tune", commands.tuning, commands.show_lines, text)
    tuning.add_argument("--iterations", type=int, default=200, help="of a full run, 20 or more")
    tuning.add_argument("--sigmas", type=float, nargs="+", help="values of σ to try, by default the preset's")
    for training in (denoiser, train, alternatives, tuning):
        _add_camera(training)
        training.add_argument("--output", type=Path, help="folder to write to; by default that of --weights")


def _add_comparisons(command: Callable[..., argparse.ArgumentParser]) -> None:
    text = "Compare a task's methods on test images."
    evaluation = command("evaluate", commands.evaluation, commands.show_evaluation, text)
    evaluation.add_argument("--iterations", type=int, default=200)
    where = "folder of the results; by default that of the book's, and of --weights for a camera of your own"
    text = "Measure what the results page shows of a task, and write it as JSON."
    measuring = command("benchmark", commands.benchmarking, commands.show_lines, text)
    measuring.add_argument(
        "--long", type=int, help="number of held-out images for 1,000 iterations, 200 at most by default"
    )
    measuring.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="measure these alone")
    measuring.add_argument("--output", type=Path, help=where)
    for comparing in (evaluation, measuring):
        _add_camera(comparing)
        comparing.add_argument(
            "--images", type=int, help="number of held-out images; by default the preset's"
        )
        comparing.add_argument("--seed", type=int, default=0, help="seed of the measurement noise")

    text = "Run the rows of a study that are missing: short trainings that differ in one thing."
    study = command("study", commands.study, commands.show_lines, text, threads=1)
    study.add_argument("name", metavar="STUDY", help=f"{', '.join(STUDIES)}, or another of your camera's")
    study.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="seeds of the trainings")
    study.add_argument("--only", default="", help="run only rows whose name begins with this")
    text = "Print tables of forms, pairings, losses, teachers and networks from the studies that were saved."
    comparing = command("compare", commands.comparison, commands.show_comparison, text)
    comparing.add_argument("name", nargs="?", metavar="TASK", help=f"one of {', '.join(PRESETS)}")
    for studying in (study, comparing):
        _add_own_camera(studying)
        studying.add_argument("--output", type=Path, help=where)


def _add_camera(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="TASK", help=f"one of {', '.join(PRESETS)}")
    _add_own_camera(parser)


def _add_own_camera(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--task",
        metavar="FILE.py:NAME",
        help="a camera of your own instead: a Preset, or a function that returns a Task",
    )
    parser.add_argument("--weights", type=Path, help="folder of its weights; by default its preset's")


if __name__ == "__main__":
    raise SystemExit(main())
