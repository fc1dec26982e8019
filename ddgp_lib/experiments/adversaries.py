"""What passes the safeguard: preconditioners that do harm, watched by residuals alone and with measurements held out.

``python -m ddgp_lib.experiments.adversaries TASK --images 24 --iterations 40`` prints how many decibels each loses
against the solver without P, and how many images P is turned off for.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from ..arguments import require_integer
from ..networks import build_network
from ..operators import null_projection
from ..outputs import status_of
from ..preconditioners import LearnedPreconditioner, Preconditioner, State
from ..presets import PRESETS
from ..pretrained import load_preconditioner, load_tuning
from ..solvers import PreconditionedFISTA, Safeguard
from ..tasks import Task

GUARDS: dict[str, bool | Safeguard] = {
    "none": False,
    "residuals": True,
    "held out": Safeguard(held_out=0.2),
}


class Rule(Preconditioner):
    """A preconditioner from a function of the gradient and the state."""

    def __init__(self, function: Callable[[torch.Tensor, State], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return what the function makes of the gradient (N, C, H, W)."""
        return self.function(grad, state)


def adversaries(P: Preconditioner, others: torch.Tensor, seed: int = 0) -> dict[str, Preconditioner]:
    """Return a preconditioner as it is, and some that do harm in the null space of the operator that they are told.

    Parameters
    ----------
    P : Preconditioner
        One that does good.
    others : Tensor, shape (N, C, H, W)
        Images other than those that will be reconstructed.
    seed : int
        Seed of the random network.
    """
    channels, width = others.shape[1], others.shape[3]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network("unet", 2 * channels, channels, parameters="small").eval()
        for weights in network.parameters():
            if weights.ndim > 1:
                torch.nn.init.kaiming_normal_(weights.data)
    random = LearnedPreconditioner(network.requires_grad_(False))
    stripes = torch.arange(width, device=others.device) % 2 * 2.0 - 1
    return {
        "P itself": P,
        "its correction × −0.1": Rule(lambda g, s: g - 0.1 * (P(g, s) - g)),
        "its correction × 2": Rule(lambda g, s: g + 2 * (P(g, s) - g)),
        "a random U-Net × 0.1": Rule(lambda g, s: g + 0.1 * (random(g, s) - g)),
        "stripes": Rule(lambda g, s: g + 0.05 * null_projection(s.physics, stripes.expand_as(g))),
        "another image": Rule(lambda g, s: g + null_projection(s.physics, s.z - others[: len(g)])),
    }


@dataclass(frozen=True)
class Harm:
    """What a preconditioner costs under a safeguard.

    Attributes
    ----------
    loss : Tensor, shape (N,)
        PSNR of the solver without P less that with it, in dB; below zero where P does good.
    rejected : int
        Images that P is off for at the end.
    """

    loss: torch.Tensor
    rejected: int


def harm(
    task: Task,
    P: Preconditioner,
    images: torch.Tensor,
    iterations: int,
    safeguard: Any = True,
    **setting: Any,
) -> Harm:
    """Run a solver with P and without on images (N, C, H, W); ``setting`` is the solver's σ and what was tuned."""
    y = task.measure(images)
    runs = []
    for preconditioner, guard in ((None, False), (P, safeguard)):
        solver = PreconditionedFISTA(
            task.denoiser, preconditioner, stepsize=task.stepsize, safeguard=guard, **setting
        )
        *_, last = solver.states(y, task.student, iterations)
        runs.append(last)
    plain, other = (task.psnr(run["est"][0], images) for run in runs)
    return Harm(plain - other, int(runs[1]["rejected"].sum()) if "rejected" in runs[1] else 0)


def main(argv: list[str] | None = None) -> None:
    """Print the table of one task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=PRESETS)
    parser.add_argument("--images", type=int, default=24, help="held-out images")
    parser.add_argument("--iterations", type=int, default=40)
    chosen = parser.parse_args(argv)
    require_integer("--images", chosen.images, lowest=1)
    require_integer("--iterations", chosen.iterations, lowest=1)
    task, setting = PRESETS[chosen.task].load(), load_tuning(chosen.task)["distilled"]["setting"]
    images, others = task.test_images[: chosen.images], task.test_images[-chosen.images :]
    print(
        f"{len(images)} images, {chosen.iterations} iterations: mean and worst loss in dB, images without P"
    )
    for title, P in adversaries(load_preconditioner(chosen.task), others).items():
        found = [harm(task, P, images, chosen.iterations, guard, **setting) for guard in GUARDS.values()]
        cells = [f"{h.loss.mean():7.2f}{h.loss.max():7.2f}{h.rejected:4d}" for h in found]
        print(f"    {title:24s}" + "  |".join(cells))


if __name__ == "__main__":
    raise SystemExit(status_of(main))
