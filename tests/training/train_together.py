"""What ``torchrun`` runs in ``test_processes.py``: one process of a training, which writes what it ends with."""

import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from ddgp_lib import distill, load_task
from ddgp_lib.distillation import DistillationRecipe
from ddgp_lib.distillation.phase import Phase
from ddgp_lib.training.processes import Processes, launch

SIZE = 16
RECIPE = {
    "steps": 4,
    "batch_size": 2,
    "pool_size": 4,
    "horizon": 3,
    "unroll": 2,
    "parameters": "small",
    "schedule": "plateau",
    "validate_every": 3,
    "validation_images": 2,
}


TUNED = RECIPE | {"validate_every": 0, "tuned_steps": 3, "tuned_unroll": 2, "average": 0.5}


def unplugged(task, calls):
    """Return the task with a denoiser that fails after some calls."""
    left = iter(range(calls))

    def denoiser(x, sigma):
        next(left)
        return task.denoiser(x, sigma)

    return replace(task, denoiser=denoiser)


def first_step(task, processes):
    """Take one step; return the gradient that it followed, and the generator's state."""
    training = Phase(task, DistillationRecipe(**RECIPE), "cpu", processes)
    training.advance()
    gradient = torch.cat([p.grad.flatten() for p in training.preconditioner.parameters()])
    return gradient, training.generator.get_state()


def main(folder: Path) -> None:
    """Train, once through and once interrupted and resumed."""
    torch.set_num_threads(1)
    fabric = launch()
    processes = Processes(fabric)
    task = load_task("single_pixel", size=SIZE)
    gradient, generator = first_step(task, processes)
    whole = distill(task, fabric=fabric, progress=False, **RECIPE)
    path = folder / "training.safetensors"
    try:
        distill(
            unplugged(task, 9), fabric=fabric, checkpoint=path, checkpoint_every=1, progress=False, **RECIPE
        )
    except StopIteration:
        interrupted = True
    resumed = distill(task, fabric=fabric, checkpoint=path, progress=True, **RECIPE)
    tuned, path = distill(task, fabric=fabric, progress=False, **TUNED), folder / "both.safetensors"
    for calls in (19, None):  # four steps of four calls, and then steps of two
        camera = task if calls is None else unplugged(task, calls)
        with suppress(StopIteration):
            again = distill(
                camera, fabric=fabric, checkpoint=path, checkpoint_every=1, progress=False, **TUNED
            )
            assert calls is None
    result = {
        "gradient": gradient,
        "generator": generator,
        "whole": whole.preconditioner.state_dict(),
        "resumed": resumed.preconditioner.state_dict(),
        "histories": [whole.history, resumed.history],
        "processes": [whole.processes, resumed.processes, processes.rank, processes.first],
        "interrupted": interrupted,
        "tuned": [tuned.preconditioner.state_dict(), again.preconditioner.state_dict()],
        "tuned histories": [tuned.history, again.history],
    }
    torch.save(result, folder / f"rank{processes.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
