"""Kill trainings, tunings, studies and benchmarks at random moments, start them again, and compare what comes out.

Each job runs to its end undisturbed once. Then it is killed by SIGKILL at moments drawn from the time that it took,
started again each time, and at last left alone: the files must be those of the undisturbed run, whatever was killed,
measured seconds apart. A job runs in a fork of this process, which has imported everything: a kill takes no longer
than the job itself.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from book._tools.proof import record
from book._tools.repository import ROOT

KILLS = 50
CAMERA = f"{ROOT / 'tests' / 'own_camera.py'}:PRESET"

Job = Callable[[Path, Path], None]
"""Works in a folder of its own, beside the folder of weights that are there already."""


def _main(*words: str) -> None:
    from ddgp_lib.__main__ import main

    if main(words) != 0:
        raise RuntimeError(" ".join(words))


def prepare(weights: Path) -> None:
    """Train what the jobs build on."""
    camera = ("--task", CAMERA, "--weights", str(weights))
    _main("train-denoiser", *camera, "--checkpoints", str(weights / "checkpoints"))
    for kind in ("distilled", "distilled_linear"):
        _main("train", *camera, "--kind", kind, "--checkpoints", str(weights / "checkpoints"))
    _main("train-alternatives", *camera, "--checkpoints", str(weights / "checkpoints"))
    _main("tune", *camera, "--iterations", "20", "--sigmas", "0.05", "0.1")


def train(weights: Path, output: Path) -> None:
    """Distil a preconditioner with a checkpoint after each step."""
    from ddgp_lib import distill, save_preconditioner
    from ddgp_lib.presets.chosen import load_chosen

    task = load_chosen(None, CAMERA, weights).load()
    recipe: Any = task.preset.short
    found = distill(
        task,
        checkpoint=output / "training.safetensors",
        checkpoint_every=1,
        progress=False,
        **{**recipe, "steps": 20},
    )
    save_preconditioner(output / "trained.safetensors", found, task)


def warm() -> None:
    """Import and compile what every job needs, without gradients: a process that took one cannot be forked."""
    import torch

    from ddgp_lib import evaluate
    from tests.own_camera import smoothed

    torch.set_num_threads(1)
    task = smoothed()
    evaluate(task, images=task.test_images[:1], max_iter=1)


def command(*words: str) -> Job:
    """Make a job of a command."""

    def job(weights: Path, output: Path) -> None:
        _main(*words, "--task", CAMERA, "--weights", str(weights), "--output", str(output))

    return job


JOBS: dict[str, Job] = {
    "train": train,
    "tune": command("tune", "--iterations", "20", "--sigmas", "0.05", "0.1"),
    "study": command("study", "forms", "--seeds", "0"),
    "benchmark": command("benchmark", "--images", "2", "--parts", "seeds", "generalisation"),
}


def start(job: Job, weights: Path, output: Path) -> int:
    """Run a job in a fork of this process, whose output is thrown away; return the process."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        if "DDGP_LOUD" not in os.environ:
            os.dup2(nowhere, 2)
        job(weights, output)
        status = 0
    finally:
        os._exit(status)


def finish(job: Job, weights: Path, output: Path) -> float:
    """Run a job to its end; return the seconds that it took.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    started = time.monotonic()
    _, status = os.waitpid(start(job, weights, output), 0)
    if status != 0:
        raise RuntimeError(f"the job ended with status {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - started


def kill(job: Job, weights: Path, output: Path, seconds: float) -> bool:
    """Start a job and kill it after a time; say whether it was still running."""
    process = start(job, weights, output)
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    return os.WIFSIGNALED(status)


def content(folder: Path) -> dict[str, Any]:
    """Read what a job left: tensors and results, without what was measured by the clock, and no locks."""
    from safetensors.torch import load

    found: dict[str, Any] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".json":
            found[path.name] = _timeless(json.loads(path.read_text()))
        elif path.suffix == ".safetensors":
            found[path.name] = {name: tensor.tolist() for name, tensor in load(path.read_bytes()).items()}
        elif path.suffix != ".lock":
            found[path.name] = path.read_bytes()
    return found


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(part) for key, part in value.items() if "seconds" not in key}
    return [_timeless(part) for part in value] if isinstance(value, list) else value


def disturb(name: str, kills: int, weights: Path, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Kill a job so many times, each time at a moment of its whole length, and compare what comes out at last.

    Returns
    -------
    dict
        ``"kills"``, and ``"same"``: whether the files are those of an undisturbed run.
    """
    whole, disturbed = (folder / f"{name}-{part}" for part in ("whole", "disturbed"))
    whole.mkdir()
    seconds = finish(JOBS[name], weights, whole)
    moments, done, wanted = random.Random(f"{name} {seed}"), 0, content(whole)
    while done < kills:
        shutil.rmtree(disturbed, ignore_errors=True)
        disturbed.mkdir()
        for _ in range(min(3, kills - done)):
            done += kill(JOBS[name], weights, disturbed, seconds * moments.random())
        finish(JOBS[name], weights, disturbed)
        if content(disturbed) != wanted:
            return {"kills": done, "same": False}
    return {"kills": done, "same": True}


def kill_all(kills: int, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Share kills among all jobs, and return what became of each."""
    warm()
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "weights").mkdir()
        finish(lambda weights, output: prepare(weights), folder / "weights", folder)
        for index, job in enumerate(JOBS):
            share = kills // len(JOBS) + (index < kills % len(JOBS))
            found[job] = disturb(job, share, folder / "weights", folder, seed)
    return found


def main() -> int:
    """Kill, print and record; fail where a result differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    found = kill_all(arguments.kills, arguments.seed)
    for name, result in found.items():
        sys.stdout.write(
            f"{name:12s}{result['kills']:4d} kills, the same result: {'yes' if result['same'] else 'NO'}\n"
        )
    record("kills", seed=arguments.seed, jobs=found)
    return int(not all(result["same"] for result in found.values()))


if __name__ == "__main__":
    raise SystemExit(main())
