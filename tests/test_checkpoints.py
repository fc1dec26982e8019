"""Weights files: round trip, clear refusals, nothing half-written."""

import pytest
import torch
from safetensors.torch import save_file

from ddgp_lib.checkpoints import CheckpointError, load_checkpoint, load_weights, save_checkpoint
from ddgp_lib.denoisers import DenoiserRecipe, NoiseAwareDnCNN, load_denoiser, save_denoiser
from ddgp_lib.pretrained import load_preconditioner


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_checkpoint(path, {"a": torch.arange(6).view(2, 3).float()}, {"kind": "test", "task": "single_pixel"})
    return path


def test_round_trip(saved):
    tensors, description = load_checkpoint(saved, kind="test", task="single_pixel")
    torch.testing.assert_close(tensors["a"], torch.arange(6).view(2, 3).float())
    assert description == {"kind": "test", "task": "single_pixel"}


def test_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.safetensors.*no such weights file"):
        load_checkpoint(tmp_path / "nothing.safetensors")
    with pytest.raises(FileNotFoundError, match="folder does not exist"):
        save_checkpoint(tmp_path / "no" / "folder", {}, {})


def test_other_task(saved):
    with pytest.raises(CheckpointError, match="task is 'single_pixel', expected 'mri'"):
        load_checkpoint(saved, task="mri")


@pytest.mark.parametrize(
    "damage", [lambda b: b[:20], lambda b: b"\xff" * len(b), lambda b: b[:-4], lambda b: b""]
)
def test_corrupt(saved, damage):
    saved.write_bytes(damage(saved.read_bytes()))
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        load_checkpoint(saved)


def test_foreign_safetensors(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="format is None, expected 'ddgp-2'"):
        load_checkpoint(tmp_path / "other.safetensors")


def test_wrong_shapes(saved):
    tensors, _ = load_checkpoint(saved)
    with pytest.raises(CheckpointError, match="do not fit Linear"):
        load_weights(torch.nn.Linear(2, 2), tensors, saved)


def test_denoiser_round_trip(tmp_path, generator):
    denoiser = NoiseAwareDnCNN(depth=3, width=8)
    path = tmp_path / "denoiser.safetensors"
    save_denoiser(path, denoiser, "single_pixel", DenoiserRecipe(), {})
    x = torch.rand(2, 1, 8, 8, generator=generator)
    torch.testing.assert_close(load_denoiser("single_pixel", path)(x, 0.1), denoiser(x, 0.1))
    with pytest.raises(CheckpointError, match="kind is 'denoiser', expected 'distilled'"):
        load_preconditioner("single_pixel", "distilled", path)


@pytest.mark.parametrize(
    ("task_name", "kind", "named"),
    [("ct", "distilled", "source='ct'"), ("single_pixel", "best", "kind='best'")],
)
def test_unknown_names(task_name, kind, named):
    with pytest.raises(ValueError, match=named):
        load_preconditioner(task_name, kind)
