"""Any of deepinv's operators makes a task: distilled, saved, read back and run like the book's own."""

import pytest
import torch

from ddgp_lib import distill, evaluate, load_preconditioner, make_task, save_preconditioner
from ddgp_lib.data import Split
from tests.operators_of_deepinv import OPERATORS


def blend(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """Blend an image with its local mean: a denoiser for images of any shape and colour."""
    mean = torch.nn.functional.avg_pool2d(x, 3, stride=1, padding=1)
    return x + min(1.0, 4 * sigma) * (mean - x)


@pytest.mark.parametrize("name", OPERATORS)
def test_a_preconditioner_for_it_is_distilled_saved_and_read_back(name, tmp_path, generator):
    physics, shape = OPERATORS[name]()
    parts = (0.2 + 0.6 * torch.rand(count, *shape, generator=generator) for count in (4, 2, 2))
    task = make_task(physics, physics, Split(*parts), blend, sigma=0.05, name="any")
    trained = distill(task, steps=3, batch_size=2, pool_size=4, parameters="small", progress=False)
    assert all(torch.isfinite(torch.tensor(trained.history["total"])))
    path = tmp_path / "any.safetensors"
    save_preconditioner(path, trained, task)
    again = load_preconditioner(path)
    runs = [evaluate(task, P, max_iter=3) for P in (trained.preconditioner, again)]
    assert runs[0].psnr.isfinite().all()
    assert torch.equal(runs[0].estimate, runs[1].estimate)
