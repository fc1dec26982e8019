"""Weights files: round trip, clear refusals of damage and nonsense, one read, nothing half-written."""

import hashlib
import random
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file

from ddgp_lib.checkpoints import (
    FORMAT,
    CheckpointError,
    hash_of,
    load_checkpoint,
    load_weights,
    require_name,
    save_checkpoint,
    weights_path,
)
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


TENSORS = {
    "half": torch.arange(4).half(),
    "complex": torch.full((2, 1), 1j),
    "flag": torch.tensor(True),
    "empty": torch.zeros(0, 3),
    "count": torch.tensor([1, 2]),
}


def test_every_type_of_tensor_comes_back(tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", TENSORS, {})
    tensors, _ = load_checkpoint(tmp_path / "a.safetensors")
    assert hash_of(tensors) == hash_of(TENSORS)
    assert all(torch.equal(tensors[name], value) for name, value in TENSORS.items())


def test_a_hash_is_of_names_types_shapes_and_bytes():
    known = {hash_of(TENSORS)}
    for name, value in (
        ("half", TENSORS["half"].float()),
        ("half", TENSORS["half"].view(2, 2)),
        ("other", torch.zeros(1)),
    ):
        known.add(hash_of(TENSORS | {name: value}))
    assert len(known) == 4
    assert hash_of(dict(reversed(TENSORS.items()))) == hash_of(TENSORS)


def test_no_flipped_bit_goes_unnoticed(saved):
    content, chance = saved.read_bytes(), random.Random(0)
    start = 8 + struct.unpack("<Q", content[:8])[0]
    for place in [*range(start, len(content)), *(chance.randrange(len(content)) for _ in range(300))]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << chance.randrange(8)
        saved.write_bytes(damaged)
        try:
            tensors, description = load_checkpoint(saved)
        except CheckpointError as error:
            assert str(saved) in str(error)  # noqa: PT017
        else:  # a bit that carries nothing, such as a space in the header
            assert torch.equal(tensors["a"], torch.arange(6).view(2, 3).float())
            assert description == {"kind": "test", "task": "single_pixel"}
            assert place < start


def test_damage_is_called_so(saved):
    good = saved.read_bytes()
    saved.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(CheckpointError, match="damaged: its tensors are not those that were written"):
        load_checkpoint(saved)
    saved.write_bytes(good.replace(b"single_pixel", b"single_voxel"))
    with pytest.raises(CheckpointError, match="damaged: its description is not what was written"):
        load_checkpoint(saved)


@pytest.mark.parametrize("length", [0, 1, 200, 2**40, 2**64 - 1])
def test_a_header_of_a_wrong_length_is_refused_before_it_is_parsed(saved, length):
    saved.write_bytes(struct.pack("<Q", length) + b"{}" + bytes(20))
    with pytest.raises(CheckpointError, match=f"a header of {length} bytes in a file of 30"):
        load_checkpoint(saved)


@pytest.mark.parametrize("description", ["[]", "3", "null", "{", '{"a": ' + "9" * 5000 + "}", "[" * 100_000])
def test_descriptions_that_are_none_are_refused(tmp_path, description):
    path, tensors = tmp_path / "a.safetensors", {"a": torch.zeros(1)}
    known = hashlib.sha256(description.encode()).hexdigest()
    metadata = {"sha256": hash_of(tensors), "description_sha256": known, "description": description}
    path.write_bytes(save(tensors, metadata | {"format": FORMAT}))
    with pytest.raises(CheckpointError, match=r"a\.safetensors.*description"):
        load_checkpoint(path)


def test_a_file_is_read_once(saved, monkeypatch):
    read, count = Path.read_bytes, []
    monkeypatch.setattr(Path, "read_bytes", lambda path: count.append(path) or read(path))
    monkeypatch.setattr("builtins.open", lambda *_, **__: pytest.fail("opened again"))
    load_checkpoint(saved)
    assert len(count) == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t: t * float("nan"), "weight has NaN or infinite entries"),
        (lambda t: t / 0, "weight has NaN or infinite entries"),
        (lambda t: t.to(torch.int8), r"weight is of torch\.int8, expected torch\.float32"),
        (lambda t: t > 0, r"weight is of torch\.bool"),
        (lambda t: t.to(torch.complex64), r"weight is of torch\.complex64"),
    ],
)
def test_weights_that_are_no_numbers_of_their_kind_are_refused(change, named):
    module = torch.nn.Linear(2, 2, bias=False)
    with pytest.raises(CheckpointError, match=rf"path='a': {named}"):
        load_weights(module, {"weight": change(module.weight.detach())}, "a")
    load_weights(module, {"weight": module.weight.detach().half()}, "a")


DESCRIBED = {
    "denoiser": [{"depth": 10**9}, {"width": 10**9}, {"channels": 10**6}, {"depth": "6"}, {"colour": 3}],
    "distilled": [{"embedding": 10**9}, {"network": "resnet"}, {"steps": None}, {"colour": 3}],
}


@pytest.mark.parametrize(
    ("kind", "changed"), [(kind, change) for kind, changes in DESCRIBED.items() for change in changes]
)
def test_what_cannot_be_built_as_described_is_refused_by_file(own, tmp_path, kind, changed):
    tensors, description = load_checkpoint(own.path(kind))
    part = "architecture" if kind == "denoiser" else "recipe"
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, tensors, description | {part: description[part] | changed})
    with pytest.raises(CheckpointError, match=r"path='.*a\.safetensors'"):
        (load_denoiser if kind == "denoiser" else load_preconditioner)(path)
    save_checkpoint(path, tensors, description | {part: [1]})
    with pytest.raises(CheckpointError, match=r"path='.*a\.safetensors'"):
        (load_denoiser if kind == "denoiser" else load_preconditioner)(path)


@pytest.mark.parametrize("channels", [10**9, 2, -1, "1", None, 2.5])
def test_a_number_of_channels_that_the_tensors_have_not_is_refused(own, tmp_path, channels):
    tensors, description = load_checkpoint(own.path("distilled"))
    save_checkpoint(tmp_path / "a.safetensors", tensors, description | {"channels": channels})
    with pytest.raises(CheckpointError, match=r"path='.*a\.safetensors'"):
        load_preconditioner(tmp_path / "a.safetensors")


@pytest.mark.parametrize("name", ["../x", "/x", "a/b", "a\\b", "", ".hidden", "a\n", None, 3])
def test_names_that_lead_elsewhere_are_refused(name):
    with pytest.raises(ValueError, match=r"name=.*: expected a name, without a folder"):
        weights_path(name, "distilled")
    with pytest.raises(ValueError, match="kind="):
        weights_path("mri", name)
    require_name("kind", "L_G + L_S, own trajectories")
