"""Digests: they follow the tensors of a file and nothing else."""

import torch

from ddgp_lib.checkpoints import save_checkpoint
from ddgp_lib.digests import digests, tensors_digest

WEIGHTS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2)}


def digest(folder, tensors, **description):
    save_checkpoint(folder / "w.safetensors", tensors, description)
    return tensors_digest(folder / "w.safetensors")


def test_notes_do_not_count_and_every_property_of_a_tensor_does(tmp_path):
    first = digest(tmp_path, WEIGHTS, kind="distilled")
    assert digest(tmp_path, dict(reversed(WEIGHTS.items())), kind="other", metrics={"psnr": 20}) == first
    changed = [
        WEIGHTS | {"a": WEIGHTS["a"] + 1e-6},
        WEIGHTS | {"a": WEIGHTS["a"].reshape(3, 2)},
        WEIGHTS | {"a": WEIGHTS["a"].view(torch.int32)},
        {"a": WEIGHTS["a"], "c": WEIGHTS["b"]},
    ]
    assert len({first, *(digest(tmp_path, tensors) for tensors in changed)}) == 5


def test_a_presets_files_are_those_of_its_kinds_and_of_its_denoiser(own):
    assert set(digests(own, ["none", "distilled"])) == {
        "own_camera-denoiser.safetensors",
        "own_camera-distilled.safetensors",
    }
