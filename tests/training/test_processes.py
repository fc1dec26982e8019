"""Several processes train as one with a larger batch; two of them are started by ``torchrun`` here."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from ddgp_lib import distill, load_task
from ddgp_lib.checkpoints import CheckpointError, load_checkpoint
from ddgp_lib.distillation import DistillationRecipe
from ddgp_lib.distillation.phase import Phase
from ddgp_lib.training import processes
from ddgp_lib.training.processes import SEED_STRIDE, Processes, launch
from tests.training.train_together import RECIPE, SIZE, first_step

pytest.importorskip("lightning_fabric")
ROOT = Path(__file__).parents[2]
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def run_two(*arguments, **options):
    """Run a command in two processes on one thread each."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [*TORCHRUN, *map(str, arguments)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=1800, check=False, **options
    )


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Train in two processes; return the checkpoint, what each ended with, and what was printed."""
    folder = tmp_path_factory.mktemp("together")
    run = run_two(ROOT / "tests" / "training" / "train_together.py", folder)
    assert run.returncode == 0, run.stderr[-3000:]
    results = [torch.load(folder / f"rank{rank}.pt") for rank in range(2)]
    return folder / "training.safetensors", results, run.stderr


class Apart(Processes):
    """Process ``rank`` of two, each on its own: its generator is that of its rank, and nothing is averaged."""

    def __init__(self, rank):
        super().__init__()
        self.rank = rank


class Thread(Processes):
    """Process ``rank`` of two that are threads of one."""

    def __init__(self, rank, barrier, vectors):
        super().__init__()
        self.count, self.rank = 2, rank
        self.barrier, self.vectors = barrier, vectors

    def mean(self, vector):
        self.vectors[self.rank] = vector
        self.barrier.wait()
        mean = (self.vectors[0] + self.vectors[1]) / 2
        self.barrier.wait()
        return mean

    def share_weights(self, model):
        pass


def small():
    return load_task("single_pixel", size=SIZE)


def gradient_alone(rank):
    """Gradient of the loss of the first batch of a rank, before it is clipped."""
    training = Phase(small(), DistillationRecipe(**RECIPE), "cpu", Apart(rank))
    _, states = training.states.draw(training.recipe.batch_size)
    _, _, losses = training._iterate(states)
    total = sum(training.recipe.weights[name] * loss for name, loss in losses.items())
    parts = torch.autograd.grad(total, list(training.preconditioner.parameters()))
    return torch.cat([part.flatten() for part in parts])


def assert_equal(first, second, **tolerance):
    assert first.keys() == second.keys()
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, **(tolerance or {"rtol": 0, "atol": 0}))


def test_both_processes_end_with_the_same_weights(together):
    _, results, _ = together
    assert_equal(results[0]["whole"], results[1]["whole"])
    assert results[0]["histories"] == results[1]["histories"]
    assert [result["processes"] for result in results] == [[2, 2, 0, True], [2, 2, 1, False]]


def test_the_first_gradient_is_the_mean_of_two_computed_alone(together):
    _, results, _ = together
    alone = [gradient_alone(rank) for rank in range(2)]
    mean = (alone[0] + alone[1]) / 2
    clipped = mean * min(1.0, 1 / float(mean.norm()))
    assert (alone[0] - alone[1]).norm() > 0.1 * mean.norm()
    for result in results:
        torch.testing.assert_close(result["gradient"], clipped, rtol=1e-3, atol=1e-5)


def test_the_training_is_that_of_two_threads(together):
    _, results, _ = together
    barrier, vectors = threading.Barrier(2, timeout=900), [None, None]
    recipe = DistillationRecipe(**RECIPE)
    trainings = [Phase(small(), recipe, "cpu", Thread(rank, barrier, vectors)) for rank in range(2)]

    def run(training):
        for _ in range(recipe.steps):
            training.advance()

    threads = [threading.Thread(target=run, args=(training,)) for training in trainings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = results[0]["histories"][0]
    for name, values in trainings[0].history.items():
        assert values == pytest.approx(history[name], rel=1e-4), name
    assert_equal(trainings[0].result().preconditioner.state_dict(), results[0]["whole"], rtol=1e-3, atol=1e-5)


def test_each_process_has_its_own_states(together):
    path, results, _ = together
    assert not torch.equal(results[0]["generator"], results[1]["generator"])
    tensors, description = load_checkpoint(path, kind="training")
    assert description["processes"] == 2
    assert tensors["states.truth"].shape == (2, RECIPE["pool_size"], 1, SIZE, SIZE)
    assert not torch.equal(*tensors["states.truth"])


def test_two_processes_resume_to_the_same_bits(together):
    _, results, _ = together
    for result in results:
        assert result["interrupted"]
        assert_equal(result["whole"], result["resumed"])
        assert result["histories"][0] == result["histories"][1]


def test_two_processes_resume_in_a_second_phase_too(together):
    _, results, _ = together
    for result in results:
        assert_equal(*result["tuned"])
        assert_equal(result["tuned"][0], results[0]["tuned"][0])
        assert result["tuned histories"][0] == result["tuned histories"][1]


def test_another_number_of_processes_does_not_resume(together):
    path, _, _ = together
    with pytest.raises(CheckpointError, match=r"written by 2 process\(es\), expected 1"):
        distill(small(), checkpoint=path, progress=False, **RECIPE)


def test_only_the_first_process_shows_progress(together):
    _, _, printed = together
    assert printed.count("2/4 [00:00<?") == 1  # how a bar begins that goes on after two steps


def test_a_single_process_is_left_alone():
    alone = Processes()
    assert (alone.count, alone.rank, alone.first, alone.seed(7)) == (1, 0, True, 7)
    tensors = {"a": torch.ones(2)}
    assert alone.collect(tensors) is tensors
    assert alone.own(tensors) is tensors
    assert alone.mean(tensors["a"]) is tensors["a"]
    assert alone.of_first("b") == "b"


def test_generators_of_all_ranks_differ():
    """PyTorch's generator reads 32 bits of a seed, so a stride may not be a multiple of 2³²."""
    draws = {
        float(torch.rand((), generator=torch.Generator().manual_seed(Apart(r).seed(0)))) for r in range(64)
    }
    assert len(draws) == 64
    assert first_step(small(), Apart(0))[1].equal(first_step(small(), Processes())[1])
    assert SEED_STRIDE > 10**6


def test_command_line_trains_in_two_processes(tmp_path):
    command = ("-m", "ddgp_lib", "train", "single_pixel", "--kind", "distilled", "--steps", "1")
    run = run_two(*command, "--output", tmp_path / "new", "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr[-3000:]
    (line,) = [text for text in run.stdout.splitlines() if text.startswith("{")]
    _, description = load_checkpoint(
        tmp_path / "new" / "single_pixel-distilled.safetensors", kind="distilled"
    )
    assert description["processes"] == 2
    assert json.loads(line)["distilled"]["validation_psnr"] == description["metrics"]["validation_psnr"]
    _, written = load_checkpoint(tmp_path / "checkpoints" / "single_pixel-distilled.safetensors")
    assert (written["processes"], written["step"]) == (2, 1)


def test_errors(monkeypatch):
    with pytest.raises(ValueError, match=r"expected a process that `torchrun` has started"):
        launch()
    monkeypatch.setattr(processes, "is_torchrun", lambda: True)
    with pytest.raises(ValueError, match=r"device='cuda:1': expected 'cpu' or 'cuda'"):
        launch("cuda:1")
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with pytest.raises(ImportError, match=r"pip install lightning-fabric"):
        launch()
    with pytest.raises(ValueError, match=r"device='cpu': expected None beside a fabric"):
        distill(small(), fabric=object(), device="cpu", **RECIPE)
