"""Files of the format before fingerprints become ones of the present, with the same tensors and settings."""

import json

import pytest
import torch
from safetensors.torch import save_file

from ddgp_lib import load_preconditioner, load_tuning
from ddgp_lib.checkpoints import OLD_FORMAT, CheckpointError, load_checkpoint
from ddgp_lib.fingerprint import fingerprint, fitted_for
from ddgp_lib.stamp import main, stamp
from tests.own_camera import PRESET


def aged(path, folder):
    """Write a file as it was written before."""
    tensors, description = load_checkpoint(path)
    description.pop("fingerprint", None)
    metadata = {"format": OLD_FORMAT, "description": json.dumps(description)}
    save_file(tensors, folder / path.name, metadata)
    return folder / path.name


@pytest.mark.parametrize("kind", ["distilled", "distilled_linear", "direct", "denoiser"])
def test_weights_are_refused_with_what_to_do_and_then_as_they_were(own, tmp_path, kind):
    old = aged(own.path(kind), tmp_path)
    with pytest.raises(
        CheckpointError, match=r"format is 'ddgp-1', expected 'ddgp-2'; `python -m ddgp_lib.stamp TASK FILE`"
    ):
        load_checkpoint(old)
    stamp(old, own)
    (tensors, description), (wanted, known) = load_checkpoint(old), load_checkpoint(own.path(kind))
    assert all(torch.equal(tensors[name], wanted[name]) for name in wanted)
    made_for = description.pop("fingerprint")
    known.pop("fingerprint", None)
    assert description == known
    assert kind == "denoiser" or fitted_for({"fingerprint": made_for}, own.load()) == []
    assert kind != "denoiser" or tuple(made_for) == ("images",)


def test_settings_get_a_fingerprint(own, tmp_path):
    old, tuning = tmp_path / "own_camera-tuning.json", load_tuning(own)
    old.write_text(json.dumps(tuning))
    stamp(old, own)
    content = json.loads(old.read_text())
    assert content["methods"] == tuning
    assert content["fingerprint"] == fingerprint(own.load())
    stamp(old, own)
    assert json.loads(old.read_text()) == content


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("a.json", b"{", "a.json.*not readable"),
        ("a.json", b'{"none": 3}', "a.json.*not readable"),
        ("a.json", b'{"format": "ddgp-study-1", "task": "mri", "methods": {}}', "task is 'mri'"),
        ("a.safetensors", b"abc", "a.safetensors.*not a readable"),
    ],
)
def test_other_files_are_refused_by_name(own, tmp_path, name, content, named):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=named):
        stamp(tmp_path / name, own)
    assert (tmp_path / name).read_bytes() == content


def test_the_command(own, tmp_path, capsys):
    old = aged(own.path("denoiser"), tmp_path)
    assert main([f"{__file__.replace('test_stamp', 'own_camera')}:PRESET", str(old)]) == 0
    assert load_checkpoint(old)[1]["task"] == PRESET.name
    assert main(["single_pixel", str(old)]) == 2
    assert "task is 'own_camera', expected 'single_pixel'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([])
    assert "usage" in capsys.readouterr().err
    assert load_preconditioner(own.path("distilled")).made_for is not None
