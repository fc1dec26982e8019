"""A camera of one's own in one file goes through every command: ``--task own_camera.py:PRESET``, or a function."""

import json
from pathlib import Path

import pytest
import torch

from ddgp_lib import load_preconditioner
from ddgp_lib.__main__ import main
from ddgp_lib.experiments import load_benchmark, load_study
from ddgp_lib.presets.chosen import load_chosen
from tests import own_camera

FILE = Path(own_camera.__file__)
QUICK = {"tune": ["--iterations", "20", "--sigmas", "0.05", "0.1"]}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command for a name in the file, with weights in a folder that is new; return what it prints as JSON."""
    monkeypatch.chdir(tmp_path)

    def command(name, *arguments, place="PRESET"):
        camera = ["--task", f"{FILE}:{place}", "--weights", "new"]
        status = main([name, *arguments, *QUICK.get(name, []), *camera, "--json"])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        return json.loads(printed.out.splitlines()[-1])

    return command


def test_it_takes_one_short_file():
    assert len(FILE.read_text().splitlines()) < 120


def test_a_preset_goes_through_every_command(run, tmp_path):
    weights = tmp_path / "new"
    assert set(run("train-denoiser")["validation_psnr"]) == {"0.01", "0.02", "0.05", "0.1", "0.2"}
    for kind in own_camera.PRESET.recipes:
        assert set(run("train", "--kind", kind)[kind]["validation_psnr"]) == {"1", "2", "5", "10", "20"}
    assert set(run("train-alternatives")) == set(own_camera.PRESET.alternatives)
    assert set(run("train-alternatives", "--name", "direct")) == {"direct"}
    assert set(run("tune")) == set(own_camera.PRESET.kinds)
    found = run("evaluate", "--iterations", "20")
    assert (found["task"], found["n_images"]) == ("own_camera", own_camera.PRESET.counts.evaluation)
    assert set(found["methods"]) == set(own_camera.PRESET.kinds)
    assert all(len(method["psnr"]) == 20 for method in found["methods"].values())

    # Results of one's own camera go beside its weights, and not among the book's.
    run("benchmark", "--images", "2", "--parts", "seeds", "timing", "generalisation")
    assert load_benchmark("own_camera", weights)["seeds"]["n_images"] == 2
    assert run("study", "forms", "--only", "free", "--seeds", "0")["runs"] == 1
    assert load_study("forms", weights)["runs"][0]["configuration"]["task"] == "own_camera"
    assert [line["row"] for line in run("compare")["studies"]["forms"]] == ["free"]

    task = load_chosen(None, f"{FILE}:PRESET", weights).load()
    again = load_preconditioner(task)
    by_file = load_preconditioner(weights / "own_camera-distilled.safetensors")
    for a, b in zip(again.parameters(), by_file.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_a_function_goes_through_every_command(run, tmp_path):
    for kind in ("distilled", "distilled_linear"):
        run("train", "--kind", kind, place="smoothed")
    run("train-alternatives", place="smoothed")
    assert set(run("tune", place="smoothed")) == set(own_camera.PRESET.kinds)
    assert set(run("evaluate", "--iterations", "2", place="smoothed")["methods"]) == set(
        own_camera.PRESET.kinds
    )
    run("benchmark", "--images", "2", "--parts", "generalisation", place="smoothed")
    assert run("study", "forms", "--only", "null", "--seeds", "0", place="smoothed")["runs"] == 1
    task = load_chosen(None, f"{FILE}:smoothed", tmp_path / "new").load()
    assert load_preconditioner(task, "distilled_linear").inputs == "affine"


def test_a_whole_training_ends_with_tuned_settings(run, tmp_path):
    file = tmp_path / "one_kind.py"
    file.write_text(
        "from dataclasses import replace\n"
        "from tests.own_camera import PRESET as OWN, smoothed\n"
        "def camera():\n"
        "    recipes = {'distilled_linear': OWN.recipes['distilled_linear']}\n"
        "    return replace(smoothed(), preset=replace(OWN, recipes=recipes, classical=('none',)))\n"
    )
    assert main(["train", "--task", f"{file}:camera", "--weights", "new"]) == 0
    assert set(json.loads((tmp_path / "new" / "own_camera-tuning.json").read_text())["methods"]) == {
        "none",
        "distilled_linear",
        "teacher",
    }
