"""The command line: ``python -m ddgp_lib COMMAND``."""

import argparse
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import torch

from . import commands
from .arguments import require_integer, require_number
from .data.measured import MEASURED
from .experiments.benchmark import ON_REQUEST, PARTS
from .experiments.measured import EXPERIMENTS
from .experiments.measured.table import table_of
from .experiments.methods import show_methods
from .experiments.statistics import without_nan
from .experiments.study import SEEDS, STUDIES
from .outputs import MODELS, RESULTS, WEIGHTS
from .presets import PRESETS

Run = Callable[[argparse.Namespace], dict[str, Any] | None]
Show = Callable[[dict[str, Any]], str]

INTEGERS: dict[str, tuple[int | None, int | None]] = {
    "threads": (0, 1024),
    "steps": (1, 10**9),
    "iterations": (1, 10**9),
    "seed": (0, 2**63 - 1),
    "seeds": (0, 2**63 - 1),
    "images": (None, None),
    "long": (None, None),
}
"""Lowest and highest value of options; how many images there are is known once the task is loaded."""


class _Terminated(KeyboardInterrupt):
    """The process was asked to end."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status.

    It is 0, 1 where a comparison found a regression, 2 after one line that says what is wrong, or 128 + the signal.
    """
    _tolerate_streams()
    try:
        with _ended_by_sigterm():
            try:
                return _run(argv)
            finally:
                sys.stdout.flush()
    except BrokenPipeError:
        return 128 + 13  # SIGPIPE: who reads has gone, so nothing is said
    except KeyboardInterrupt as error:
        ended = isinstance(error, _Terminated)
        sys.stderr.write("terminated\n" if ended else "interrupted\n")
        return 128 + (signal.SIGTERM if ended else signal.SIGINT)
    except (ValueError, OSError, ImportError) as error:
        return _fail(str(error))
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate memory" not in str(error):
            raise
        return _fail(f"out of memory ({error})")
    finally:
        _drop_what_cannot_be_written()


def _run(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    _require_ranges(arguments)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    with redirect_stdout(sys.stderr):  # whatever a camera's file prints: the result stands alone
        result = arguments.run(arguments)
    if result is not None:
        shown = json.dumps(without_nan(result), allow_nan=False) if arguments.json else arguments.show(result)
        sys.stdout.write(shown + "\n")
        return int(arguments.status(result))
    return 0


def _fail(message: str) -> int:
    sys.stderr.write(f"error: {' '.join(message.split())}\n")
    return 2


def _tolerate_streams() -> None:
    """Write a character that a narrow encoding has not by its code; where a stream is closed, write nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop_what_cannot_be_written() -> None:
    """Give up what is left to write to a full disk or a closed pipe, of which Python would complain at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: what is being written is cleaned up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise _Terminated

    previous = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _require_ranges(arguments: argparse.Namespace) -> None:
    """Refuse numbers that no command accepts, by their option, before anything is loaded."""
    given = {name: value for name, value in vars(arguments).items() if value is not None}
    for name, (lowest, highest) in INTEGERS.items():
        for value in _listed(given.get(name, [])):
            require_integer(f"--{name}", value, lowest=lowest, highest=highest)
    for sigma in given.get("sigmas", []):
        require_number("--sigmas", sigma, above=0)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are raised, to be said in one line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see {self.prog} --help")


def _integer(text: str) -> int | str:
    """Read an integer; what is none is refused later, by the name of its option."""
    try:
        return int(text)
    except ValueError:
        return text


def _number(text: str) -> float | str:
    """Read a number; what is none is refused later, by the name of its option."""
    try:
        return float(text)
    except ValueError:
        return text


def _folder(text: str) -> Path:
    return _path(text, "folder")


def _file(text: str) -> Path:
    return _path(text, "file")


def _path(text: str, what: str) -> Path:
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError(f"{text!r}: expected the path of a {what}")
    return Path(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m ddgp_lib", description=__doc__)
    commanded = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Run, show: Show, text: str, threads: int = 0) -> argparse.ArgumentParser:
        added = commanded.add_parser(name, help=text, description=text)
        added.add_argument("--json", action="store_true", help="print one JSON object on the last line")
        added.add_argument(
            "--threads", type=_integer, default=threads, help="CPU threads; 0 is PyTorch's choice"
        )
        added.set_defaults(run=run, show=show, status=lambda result: 0)
        return added

    command("tasks", commands.list_tasks, commands.show_tasks, "List the book's tasks.")
    _add_measured(command)
    _add_trainings(command)
    _add_comparisons(command)
    _add_export(command)
    return parser


def _add_measured(command: Callable[..., argparse.ArgumentParser]) -> None:
    text = (
        "List the measured data sets: sizes, licences, and whether they are in the folder that DDGP_DATA names; "
        "or fetch some from where their authors published them."
    )
    measured = command("data", commands.measured, commands.show_measured, text)
    measured.add_argument(
        "action", nargs="?", choices=("list", "fetch"), default="list", help="by default list"
    )
    measured.add_argument("names", nargs="*", metavar="NAME", help=f"what to fetch, of {', '.join(MEASURED)}")
    text = "Run an experiment on measured data: methods, their errors on held-out measurements, and what they cost."
    experiment = command("measured", commands.measured_experiment, table_of, text, threads=1)
    experiment.add_argument("name", metavar="NAME", help=f"one of {', '.join(EXPERIMENTS)}")
    text = "at which iterations rows are written; by default those of the experiment"
    experiment.add_argument("--iterations", type=_integer, nargs="+", help=text)
    experiment.add_argument("--seed", type=_integer, default=0, help="seed of what is held out")


def _add_trainings(command: Callable[..., argparse.ArgumentParser]) -> None:
    # On one thread, sums are rounded alike whatever the number of cores: weights come out the same.
    denoiser = command(
        "train-denoiser", commands.denoiser, commands.show_lines, "Train a task's denoiser.", threads=1
    )
    denoiser.add_argument("--kind", help="train this further denoiser instead, such as denoiser_small of mri")
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
        training.add_argument(
            "--steps",
            type=_integer,
            help="other number of steps than the recipe's, and at most as many in a second phase",
        )
        text = "seed of another training than the recipe's; above 0 it ends the names of the files, and none is tuned"
        training.add_argument("--seed", type=_integer, default=0, help=text)
    for training in (denoiser, train, alternatives):
        training.add_argument(
            "--checkpoints", type=_folder, default=Path("checkpoints"), help="folder to resume from"
        )
    text = "Choose every method's σ, momentum and fading on validation images; go on where it stopped."
    tuning = command("tune", commands.tuning, commands.show_lines, text)
    tuning.add_argument("--iterations", type=_integer, default=200, help="of a full run, 20 or more")
    tuning.add_argument(
        "--sigmas", type=_number, nargs="+", help="values of σ to try, by default the preset's"
    )
    _add_kinds(tuning, "tune")
    text = (
        f"folder of weights to write to; by default that of --weights or of your own camera, else {WEIGHTS}; "
        "what else belongs to the task is copied there, for --weights"
    )
    for training in (denoiser, train, alternatives, tuning):
        _add_camera(training)
        _add_output(training, text, "steps", "iterations", "sigmas", "task", "weights")


def _add_comparisons(command: Callable[..., argparse.ArgumentParser]) -> None:
    text = "Compare a task's methods on test images."
    evaluation = command("evaluate", commands.evaluation, show_methods, text)
    evaluation.add_argument("--iterations", type=_integer, default=200)
    _add_kinds(evaluation, "compare")
    where = f"folder of the results; by default that of --weights or of your own camera, else {RESULTS}"
    text = "Measure what the results page shows of a task, and write it as JSON; go on where it stopped."
    measuring = command("benchmark", commands.benchmarking, commands.show_lines, text)
    measuring.add_argument(
        "--long", type=_integer, help="number of held-out images for 1,000 iterations, 200 at most by default"
    )
    measuring.add_argument(
        "--parts",
        nargs="+",
        choices=(*PARTS, *ON_REQUEST),
        default=PARTS,
        help=f"measure these alone; {', '.join(ON_REQUEST)} where it is asked for",
    )
    for comparing in (evaluation, measuring):
        _add_camera(comparing)
        comparing.add_argument(
            "--images", type=_integer, help="number of held-out images; by default the preset's"
        )
        comparing.add_argument("--seed", type=_integer, default=0, help="seed of the measurement noise")
    _add_output(measuring, where, "images", "long", "seed", "task", "weights")

    text = (
        "Compare two benchmarks of a task, and tell a regression from noise; exit with 1 where there is one."
    )
    judging = command(
        "compare-benchmarks", commands.benchmark_comparison, commands.show_benchmark_comparison, text
    )
    judging.add_argument("old", type=_file, metavar="OLD", help="a JSON file of `benchmark`")
    judging.add_argument("new", type=_file, metavar="NEW", help="another, of the same task")
    judging.set_defaults(status=commands.regressed)

    text = "Run the rows of a study that are missing: short trainings that differ in one thing."
    study = command("study", commands.study, commands.show_lines, text, threads=1)
    study.add_argument("name", metavar="STUDY", help=f"{', '.join(STUDIES)}, or another of your camera's")
    study.add_argument("--seeds", type=_integer, nargs="+", default=SEEDS, help="seeds of the trainings")
    study.add_argument("--only", default="", help="run only rows whose name begins with this")
    text = "Print tables of forms, pairings, losses, teachers and networks from the studies that were saved."
    comparing = command("compare", commands.comparison, commands.show_comparison, text)
    comparing.add_argument("name", nargs="?", metavar="TASK", help=f"one of {', '.join(PRESETS)}")
    for studying in (study, comparing):
        _add_own_camera(studying)
    _add_output(study, where, "seeds", "task", "weights")
    text = "folder of the studies; by default that of --weights or of your own camera, else the package's"
    comparing.add_argument("--output", type=_folder, help=text)


def _add_export(command: Callable[..., argparse.ArgumentParser]) -> None:
    text = (
        "Write a task's denoiser and the network of its preconditioner as ONNX models, to run without PyTorch; "
        "needs the extra `export`."
    )
    export = command("export", commands.export, commands.show_lines, text, threads=1)
    export.add_argument(
        "--kind", default="distilled", help="which learned preconditioner; by default distilled"
    )
    _add_camera(export)
    export.add_argument(
        "--output", type=_folder, default=MODELS, help=f"folder of the models; by default {MODELS}"
    )


def _add_output(parser: argparse.ArgumentParser, text: str, *trial: str) -> None:
    """Add where is written; ``trial`` names options that a run for the package's own files leaves alone."""
    parser.add_argument("--output", type=_folder, help=text)
    parser.add_argument(
        "--shipped", action="store_true", help="replace the package's own files; for a whole run alone"
    )
    parser.set_defaults(whole={name: parser.get_default(name) for name in ("output", *trial)})


def _add_kinds(parser: argparse.ArgumentParser, verb: str) -> None:
    text = f"{verb} this method alone, or with others that are named so; by default all"
    parser.add_argument("--kind", dest="kinds", action="append", metavar="KIND", help=text)


def _add_camera(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="TASK", help=f"one of {', '.join(PRESETS)}")
    _add_own_camera(parser)


def _add_own_camera(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--task",
        metavar="FILE.py:NAME",
        help="a camera of your own instead: a Preset, or a function that returns a Task",
    )
    parser.add_argument("--weights", type=_folder, help="folder of its weights; by default its preset's")


if __name__ == "__main__":
    raise SystemExit(main())
