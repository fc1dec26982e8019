"""Where commands write: never into the package unless asked, and tried before the work."""

import errno
import os
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ddgp_lib.checkpoints import load_checkpoint, save_checkpoint
from ddgp_lib.experiments import adversaries, budget, rates
from ddgp_lib.experiments.study import STUDIES_FOLDER
from ddgp_lib.outputs import prepare, prepare_weights, results_folder, status_of, weights_folder
from ddgp_lib.presets import PRESETS

BOOKS = PRESETS["single_pixel"]


def arguments(**given):
    return Namespace(**{"output": None, "shipped": False, "whole": {"output": None, "steps": None}} | given)


def test_a_trial_goes_to_a_folder_of_the_users(own):
    assert weights_folder(arguments(), BOOKS) == Path("weights")
    assert weights_folder(arguments(), replace(BOOKS, name="mine")) == Path("weights")  # and a variant of one
    assert weights_folder(arguments(), own) == own.weights
    assert weights_folder(arguments(output=Path("x")), own) == Path("x")
    assert results_folder(arguments(), BOOKS, STUDIES_FOLDER) == Path("results")
    assert results_folder(arguments(), None, STUDIES_FOLDER) == Path("results")
    assert results_folder(arguments(), own, STUDIES_FOLDER) == own.weights


def test_the_packages_files_are_replaced_where_that_is_asked_for_and_by_whole_runs_alone():
    assert weights_folder(arguments(shipped=True), BOOKS) == BOOKS.weights
    assert results_folder(arguments(shipped=True), None, STUDIES_FOLDER) == STUDIES_FOLDER
    for trial in ({"steps": 3}, {"output": Path("x")}):
        with pytest.raises(ValueError, match=f"--{next(iter(trial))}=.*expected nothing beside --shipped"):
            weights_folder(arguments(shipped=True, **trial), BOOKS)


def test_a_folder_is_made_and_left_as_it_was(tmp_path):
    (tmp_path / "there").write_text("old")
    prepare("--output", tmp_path / "new" / "folder", "a.json")
    prepare("--output", tmp_path, "there")
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["new", "there"]
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    assert (tmp_path / "there").read_text() == "old"


def test_places_that_cannot_be_written_to_are_named(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "gone" / "folder" / "..")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "a.json").symlink_to(tmp_path / "gone" / "a.json")
    (tmp_path / "b.json").mkdir()
    for place in ("file", "file/below", "dangling", "loop"):
        with pytest.raises(
            ValueError, match=f"--output='.*{place}': expected a folder that can be written to"
        ):
            prepare("--output", tmp_path / place)
    for name in ("a.json", "b.json"):
        with pytest.raises(
            ValueError, match=f"--output=.*expected a folder .*{name if name[0] == 'b' else 'gone'}"
        ):
            prepare("--output", tmp_path, name)


@pytest.mark.parametrize("name", ["../a", "/a", "a/b", "", ".", ".."])
def test_names_that_are_paths_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="expected the name of a file"):
        prepare("--output", tmp_path, name)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_full_disks_and_folders_that_forbid_renaming_are_found(tmp_path, monkeypatch, failing):
    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(ValueError, match=r"--checkpoints=.*No space left"):
        prepare("--checkpoints", tmp_path, "a.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_what_else_belongs_to_the_camera_is_copied(own, tmp_path):
    folder = prepare_weights(arguments(output=tmp_path), own, "distilled")
    found = {path.name.removeprefix("own_camera-") for path in folder.iterdir()}
    names = ("denoiser", "distilled_linear", "direct", "unfolded", "npn")
    assert found == {*(f"{name}.safetensors" for name in names), "tuning.json"}
    assert (folder / own.path("unfolded").name).read_bytes() == own.path("unfolded").read_bytes()
    assert {path.name for path in own.weights.iterdir()} > {path.name for path in folder.iterdir()}


def test_nothing_is_copied_beside_a_denoiser_or_over_what_is_there(own, tmp_path):
    assert list(prepare_weights(arguments(output=tmp_path / "d"), own, "denoiser").iterdir()) == []
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / own.path("unfolded").name).write_text("mine")
    folder = prepare_weights(arguments(output=tmp_path / "w"), own, "distilled", tuned=True)
    assert (folder / own.path("unfolded").name).read_text() == "mine"
    assert not (folder / "own_camera-tuning.json").exists()


def test_weights_do_not_go_beside_another_denoiser(own, tmp_path):
    tensors, description = load_checkpoint(own.path("denoiser"))
    changed = {name: torch.zeros_like(tensor) for name, tensor in tensors.items()}
    save_checkpoint(tmp_path / own.path("denoiser").name, changed, description)
    with pytest.raises(ValueError, match=r"--output=.*the denoiser that is used.*or --weights"):
        prepare_weights(arguments(output=tmp_path), own, "distilled")


def raised(error):
    """Return work that raises an error."""

    def work():
        raise error

    return work


def test_what_is_refused_is_a_line_and_the_status_2_and_other_errors_pass(capsys):
    assert status_of(lambda: "anything") == 0
    assert capsys.readouterr().err == ""
    for error in (ValueError("sigma=-1"), FileNotFoundError("no such file")):
        assert status_of(raised(error)) == 2
        assert capsys.readouterr().err == f"error: {error}\n"
    with pytest.raises(RuntimeError, match="another"):
        status_of(raised(RuntimeError("another")))


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        (adversaries, ["--images", "0"], "--images=0"),
        (adversaries, ["--iterations", "0"], "--iterations=0"),
        (budget, ["--seconds", "0"], "--seconds=0.0"),
        (budget, ["--only", "magic"], "name='magic'"),
        (rates, ["--only", "magic"], "--only='magic'"),
    ],
)
def test_what_a_side_command_refuses_is_one_line_and_the_status_2(command, options, message, capsys):
    assert status_of(lambda: command.main(["single_pixel", *options])) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert message in told
    assert told.count("\n") == 1
