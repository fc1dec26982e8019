"""The command line: JSON as documented, clear errors, weights that are made and resumed."""

import json

import pytest

from ddgp_lib.__main__ import main
from ddgp_lib.checkpoints import load_checkpoint
from ddgp_lib.presets import PRESETS


def run(capsys, *arguments):
    status = main(list(arguments))
    return status, capsys.readouterr()


def test_tasks(capsys):
    status, output = run(capsys, "tasks", "--json")
    assert status == 0
    assert "single_pixel" in json.loads(output.out.splitlines()[-1])


def test_evaluate_json(capsys):
    status, output = run(capsys, "evaluate", "single_pixel", "--json", "--images", "4", "--iterations", "3")
    result = json.loads(output.out.splitlines()[-1])
    assert status == 0
    assert {key: result[key] for key in ("task", "n_images", "seed", "iterations")} == {
        "task": "single_pixel",
        "n_images": 4,
        "seed": 0,
        "iterations": [1, 2, 3],
    }
    assert tuple(result["methods"]) == PRESETS["single_pixel"].kinds
    for method in result["methods"].values():
        assert {len(method[name]) for name in ("psnr", "ssim", "residual")} == {3}
        assert method["seconds"] > 0


def test_evaluate_table(capsys):
    _, output = run(capsys, "evaluate", "single_pixel", "--images", "2", "--iterations", "2")
    assert "mean PSNR (dB) over 2 held-out images" in output.out
    assert "distilled_gradient_only" in output.out


def test_train_writes_loadable_weights(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = (
        "train",
        "single_pixel",
        "--kind",
        "distilled",
        "--steps",
        "2",
        "--output",
        str(tmp_path),
        "--json",
    )
    status, output = run(capsys, *arguments)
    assert status == 0
    _, description = load_checkpoint(tmp_path / "single_pixel-distilled.safetensors", kind="distilled")
    assert description["recipe"]["steps"] == 2
    claimed = json.loads(output.out.splitlines()[-1])["distilled"]["validation_psnr"]
    assert description["metrics"]["validation_psnr"] == claimed
    assert (tmp_path / "checkpoints" / "single_pixel-distilled.safetensors").is_file()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("evaluate", "single_pixel", "--images", "0"), "--images=0: expected 1 to 1000"),
        (("benchmark", "single_pixel", "--long", "1001"), "--long=1001: expected 1 to 1000"),
        (("train", "single_pixel", "--kind", "best"), "--kind='best'"),
    ],
)
def test_errors_are_one_line_and_exit_2(capsys, tmp_path, monkeypatch, arguments, named):
    monkeypatch.chdir(tmp_path)
    status, output = run(capsys, *arguments)
    assert status == 2
    assert output.err.splitlines()[-1].startswith("error: ")
    assert named in output.err


def test_unknown_task_exits_2(capsys):
    status, output = run(capsys, "evaluate", "ct")
    assert status == 2
    assert "error: TASK='ct': expected one of ('single_pixel'" in output.err
