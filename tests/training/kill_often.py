"""What ``test_resumable.py`` runs: a tiny training that is killed again and again, in a process that forks."""

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from ddgp_lib import distill
from tests.own_camera import smoothed

RECIPE = {"network": "cnn", "parameters": "small", "steps": 20, "batch_size": 2, "pool_size": 4, "horizon": 3}
KILLS = 20


def train(path: Path | None) -> dict[str, torch.Tensor]:
    """Train to the end, from the checkpoint if there is one."""
    options = {"checkpoint": path, "checkpoint_every": 1, "progress": False}
    return distill(smoothed(), **RECIPE, **options).preconditioner.state_dict()


def main(path: Path) -> None:
    """Kill the training at random moments, then let it end, and compare it with one that nobody killed."""
    torch.set_num_threads(1)
    chance, whole = random.Random(0), train(None)
    for _ in range(KILLS):
        child = os.fork()
        if child == 0:
            train(path)
            signal.pause()  # so that every kill meets a living process
        time.sleep(0.15 * chance.random())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    resumed = train(path)
    same = all(torch.equal(resumed[name], value) for name, value in whole.items())
    print(f"{KILLS} kills, {'same' if same else 'other'} weights")


if __name__ == "__main__":
    main(Path(sys.argv[1]) / "state.safetensors")
