"""The command line: JSON as documented, clear errors, weights that are made and resumed."""

import errno
import io
import json
import math
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ddgp_lib import commands
from ddgp_lib.__main__ import main
from ddgp_lib.checkpoints import load_checkpoint
from ddgp_lib.data.measured import MEASURED
from ddgp_lib.experiments import measured as experiments_on_measured
from ddgp_lib.experiments.measured import Experiment, Row
from ddgp_lib.experiments.tuning import tuning_conditions
from ddgp_lib.presets import PRESETS
from ddgp_lib.presets.chosen import load_chosen
from ddgp_lib.pretrained import load_preconditioner, load_tuning

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = (
    "",
    *("tasks", "data", "measured", "train-denoiser", "train", "train-alternatives", "tune"),
    *("evaluate", "benchmark", "compare-benchmarks", "study", "compare", "export"),
)


def run(capsys, *arguments):
    status = main(list(arguments))
    return status, capsys.readouterr()


def test_tasks(capsys):
    status, output = run(capsys, "tasks", "--json")
    assert status == 0
    assert "single_pixel" in json.loads(output.out.splitlines()[-1])


def test_measured_data_are_listed_with_sizes_licences_and_what_is_there(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("DDGP_DATA", str(tmp_path))
    (tmp_path / "psf_sample.tif").write_bytes(b"truncated")
    status, output = run(capsys, "data", "--json")
    result = json.loads(output.out.splitlines()[-1])
    assert status == 0
    assert result["folder"] == str(tmp_path)
    assert result["sets"].keys() == MEASURED.keys()
    camera = result["sets"]["diffusercam"]
    assert camera["files"] == {"psf_sample.tif": "changed", "rawdata_hand_sample.tif": "missing"}
    assert (camera["state"], camera["bytes"], camera["licence"]) == ("changed", 7690068, "BSD-3-Clause")
    status, output = run(capsys, "data")
    lines = output.out.splitlines()
    assert (status, lines[0]) == (0, f"folder: {tmp_path}")
    assert lines[-2].split()[:5] == ["diffusercam", "changed", "7.7", "MB", "BSD-3-Clause"]
    assert lines[-1] == "  changed: psf_sample.tif"


def test_measured_data_are_fetched_where_they_are_named(capsys, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setenv("DDGP_DATA", str(tmp_path))
    monkeypatch.setattr(commands, "fetch", lambda card, folder: asked.append((card.name, folder)))
    status, output = run(capsys, "data", "fetch", "jaszczak", "lowfield_gre", "--json")
    assert (status, asked) == (0, [("jaszczak", tmp_path), ("lowfield_gre", tmp_path)])
    assert json.loads(output.out)["sets"].keys() == {"jaszczak", "lowfield_gre"}


def test_an_experiment_on_measured_data_is_json_without_infinities_and_a_table(capsys, monkeypatch):
    row = Row("a", "FISTA", 3, 0.5, math.inf, math.nan, 0.1, 12)
    run_of = {"trial": Experiment("t", "car", (3,), lambda iterations, seed: ({"noise": seed}, [row]))}
    for module in (commands, experiments_on_measured):
        monkeypatch.setattr(module, "EXPERIMENTS", run_of)
    status, output = run(capsys, "measured", "trial", "--seed", "2", "--json")
    found = json.loads(output.out.splitlines()[-1])
    assert status == 0
    assert (found["experiment"], found["data"], found["seed"], found["noise"]) == ("trial", "car", 2, 2)
    assert (found["rows"][0]["iteration"], found["rows"][0]["error"]) == (3, None)
    status, output = run(capsys, "measured", "trial")
    assert (status, output.out.splitlines()[0]) == (0, "t (car)")


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
    assert tuple(result["methods"]) == PRESETS["single_pixel"].methods
    for method in result["methods"].values():
        assert {len(method[name]) for name in ("psnr", "ssim", "residual")} == {3}
        assert (method["region_psnr"], method["region_ssim"]) == (method["psnr"], method["ssim"])
        assert method["seconds"] > 0


def test_evaluate_table(capsys):
    _, output = run(capsys, "evaluate", "single_pixel", "--images", "2", "--iterations", "2")
    assert "mean PSNR (dB) over 2 held-out images" in output.out
    assert "distilled_gradient_only" in output.out
    assert output.out.splitlines()[1].endswith("seconds")


@pytest.fixture
def shipped():
    """Say what the package's own files are."""
    package = PRESETS["mri"].weights.parent
    return lambda: {
        path: path.stat().st_mtime_ns
        for name in ("weights", "experiments")
        for path in (package / name).rglob("*.[sj][as][fo]*")
    }


def test_a_trial_writes_loadable_weights_and_leaves_the_packages_alone(
    capsys, tmp_path, monkeypatch, shipped
):
    monkeypatch.chdir(tmp_path)
    before = shipped()
    status, output = run(capsys, "train", "single_pixel", "--kind", "distilled", "--steps", "2", "--json")
    assert status == 0
    assert "writing to weights\n" in output.err
    assert "else weights" in run_help(capsys, "train").split("--output")[-1].replace("\n", " ")
    assert len(before) > 20
    assert shipped() == before
    assert {path.name for path in tmp_path.iterdir()} == {"weights", "checkpoints"}
    file = "single_pixel-distilled.safetensors"
    _, description = load_checkpoint(tmp_path / "weights" / file, kind="distilled")
    assert description["recipe"]["steps"] == 2
    claimed = json.loads(output.out.splitlines()[-1])["distilled"]["validation_psnr"]
    assert description["metrics"]["validation_psnr"] == claimed
    assert (tmp_path / "checkpoints" / file).is_file()
    # What else the camera has is there too.
    task = load_chosen("single_pixel", weights=tmp_path / "weights").load()
    assert load_preconditioner(task, "distilled_linear").inputs == "affine"
    assert load_tuning(task).keys() >= {"none", "distilled", "teacher"}


def run_help(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--help"])
    assert ended.value.code == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("evaluate", "single_pixel", "--images", "0"), "--images=0: expected 1 to 1000"),
        (("benchmark", "single_pixel", "--long", "1001"), "--long=1001: expected 1 to 1000"),
        (("train", "single_pixel", "--kind", "best"), "--kind='best'"),
        (("train", "single_pixel", "--kind", "distiled"), "did you mean 'distilled'?"),
        (("train", "single_pixel", "--steps", "0"), "--steps=0: expected an integer from 1"),
        (("train", "single_pixel", "--steps", "2.5"), "--steps='2.5': expected an integer"),
        (("train", "single_pixel", "--device", "tpu0"), "--device='tpu0': expected a device"),
        (("train", "single_pixel", "--output", ""), "argument --output: '': expected the path"),
        (
            ("train", "single_pixel", "--shipped", "--steps", "1"),
            "--steps=1: expected nothing beside --shipped",
        ),
        (
            ("tune", "mri", "--shipped", "--sigmas", "0.1"),
            "--sigmas=[0.1]: expected nothing beside --shipped",
        ),
        (("tune", "single_pixel", "--iterations", "19"), "--iterations=19: expected an integer, 20"),
        (
            ("tune", "single_pixel", "--sigmas", "0.1", "nan"),
            "--sigmas=nan: expected a finite number above 0",
        ),
        (("tune", "single_pixel", "--sigmas", "0"), "--sigmas=0.0"),
        (("tune", "single_pixel", "--sigmas"), "--sigmas: expected at least one argument"),
        (("tune", "singel_pixel"), "did you mean 'single_pixel'?"),
        (("tune", "mri", "--task", "camera.py:PRESET"), "TASK='mri': expected nothing beside --task"),
        (("evaluate", "single_pixel", "--iterations", "0"), "--iterations=0"),
        (("evaluate", "single_pixel", "--seed", "-1"), "--seed=-1"),
        (("evaluate", "single_pixel", "--weights", "nowhere"), "nowhere/single_pixel-denoiser.safetensors"),
        (("tasks", "--threads", "-1"), "--threads=-1"),
        (("benchmark", "single_pixel", "--images", "1"), "--images=1: expected 2 to 1000"),
        (("benchmark", "single_pixel", "--long", "0"), "--long=0: expected 1 to 1000"),
        (("benchmark", "single_pixel", "--parts", ""), "argument --parts: invalid choice: ''"),
        (("study", "losses", "--seeds", "-1"), "--seeds=-1"),
        (("study", "losses", "--only", "zzz"), "--only='zzz': expected the beginning of one of"),
        (("study", "loses"), "STUDY='loses'"),
        (("study", "losses", "--weights", "w"), "--weights="),
        (("compare", "mri", "--output", "nowhere"), "--output='nowhere': expected a folder that is there"),
        (("data", "fetch"), "NAME=[]: expected one or more of ('head_7_coils'"),
        (("data", "fetch", "lowfield_gr"), "did you mean 'lowfield_gre'?"),
        (("data", "list", "car"), "NAME=['car']: expected nothing; `data fetch NAME` fetches"),
        (("data", "fetch", "car"), "car_hadamard_32.npz cannot be fetched; make it from https://"),
        (("measured", "lensles"), "NAME='lensles': expected one of ('lensless'"),
        (("measured", "lensless"), "psf_sample.tif': no such file, which 'diffusercam' needs"),
        (("measured", "lensless", "--iterations", "0"), "--iterations=0"),
        (("measured", "lensless", "--seed", "-1"), "--seed=-1"),
        (("data", "get"), "argument action: invalid choice: 'get'"),
        (("evaluat", "mri"), "argument COMMAND: invalid choice: 'evaluat'"),
    ],
)
def test_errors_are_one_line_and_exit_2(capsys, tmp_path, monkeypatch, arguments, named):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DDGP_DATA", str(tmp_path))
    status, output = run(capsys, *arguments)
    assert status == 2
    assert output.err.count("\n") == 1
    assert output.err.startswith("error: ")
    assert named in output.err
    assert output.out == ""
    assert list(tmp_path.iterdir()) == []  # nothing was begun


def test_unknown_task_exits_2(capsys):
    status, output = run(capsys, "evaluate", "ct")
    assert status == 2
    assert "error: TASK='ct': expected one of ('single_pixel'" in output.err


def no_work(*arguments, **options):
    raise AssertionError("the work has begun")


@pytest.mark.parametrize(
    ("arguments", "work"),
    [
        (("train-denoiser", "single_pixel"), "train_denoiser"),
        (("train", "single_pixel", "--kind", "distilled"), "distill"),
        (("train", "single_pixel", "--kind", "distilled_linear"), "distill_linear"),
        (("train-alternatives", "single_pixel", "--name", "unfolded"), "run_alternative"),
        (("tune", "single_pixel"), "tune"),
        (("benchmark", "single_pixel"), "benchmark"),
        (("study", "losses"), "run_study"),
    ],
)
def test_outputs_are_tried_before_the_work(capsys, tmp_path, monkeypatch, arguments, work):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.setattr(commands, work, no_work)
    options = [("--output", "file"), ("--output", "file/below")]
    if work in ("train_denoiser", "distill", "run_alternative"):
        options.append(("--checkpoints", "file"))
    for option in options:
        status, output = run(capsys, *arguments, *option)
        assert status == 2
        assert f"error: {option[0]}='{option[1]}': expected a folder" in output.err.splitlines()[-1]
    with pytest.raises(AssertionError, match="begun"):
        run(capsys, *arguments, "--output", "a/new/folder")


def test_tuning_goes_on_where_it_stopped_and_anew_where_something_has_changed(
    capsys, tmp_path, monkeypatch, own
):
    monkeypatch.chdir(tmp_path)
    tuned = []

    def until(count):
        def tune(task, kinds, **options):
            if len(tuned) == count:
                raise KeyboardInterrupt
            tuned.extend(kinds)
            conditions = tuning_conditions(task, *kinds, **options)
            setting = {"sigma": 0.01 * len(tuned), "momentum": "none", "prior_decay": None}
            return {kinds[0]: {"setting": setting, "sweep": [], "conditions": conditions}}

        monkeypatch.setattr(commands, "tune", tune)

    def settings():
        found = load_tuning(replace(own, weights=tmp_path / "w"))
        return {kind: found[kind]["setting"]["sigma"] for kind in found}

    camera = ("--task", f"{ROOT / 'tests' / 'own_camera.py'}:PRESET", "--weights", str(own.weights))
    quick = ("tune", *camera, "--output", "w", "--sigmas")
    until(2)
    assert run(capsys, *quick, "0.05")[0] == 130
    assert tuple(settings()) == own.kinds[:2]
    until(99)
    assert run(capsys, *quick, "0.05")[0] == 0
    assert tuned == list(own.kinds)
    assert settings() == {kind: pytest.approx(0.01 * k) for k, kind in enumerate(own.kinds, start=1)}
    assert run(capsys, *quick, "0.1")[0] == 0
    assert tuned == 2 * list(own.kinds)


RIVALS = """
from dataclasses import replace
from ddgp_lib.kinds import ExactADMM, VariationFista
from tests.own_camera import PRESET as OWN, smoothed
rivals = {"tv": VariationFista(sigmas=(0.02, 0.05), iterations=3), "admm": ExactADMM(lasts=(0.05,), taus=(1.0,))}

def camera():
    return replace(smoothed(), preset=replace(OWN, recipes={}, rivals=rivals))
"""


@pytest.fixture
def rivals(capsys, tmp_path, monkeypatch):
    """Run commands on a camera with rivals; return what they print as JSON."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rivals.py").write_text(RIVALS)

    def command(name, *arguments):
        camera = ("--task", "rivals.py:camera", "--weights", "new")
        status, output = run(capsys, name, *arguments, *camera, "--json")
        assert status == 0, output.err
        return json.loads(output.out.splitlines()[-1])

    return command


def test_kinds_that_are_named_are_tuned_and_compared_alone(rivals, capsys):
    asked = ("--kind", "admm", "--kind", "tv", "--kind", "tv")
    tuned = rivals("tune", *asked, "--iterations", "20")
    assert tuple(tuned) == ("admm", "tv")
    assert [row["sigma"] for row in tuned["tv"]["sweep"]] == [0.02, 0.05]
    assert tuned["admm"]["setting"]["sigma_last"] == 0.05
    methods = rivals("evaluate", *asked, "--iterations", "20")["methods"]
    assert tuple(methods) == ("admm", "tv")
    assert methods["tv"]["setting"] == tuned["tv"]["setting"]
    assert set(rivals("tune", "--iterations", "20", "--sigmas", "0.1")) == {
        "none",
        "newton",
        "tv",
        "admm",
        "teacher",
    }
    camera = ("--task", "rivals.py:camera", "--weights", "new")
    _, output = run(capsys, "evaluate", *camera, "--iterations", "2")
    first = tuned["admm"]["setting"]["sigma_first"]
    assert f"{first:g} to 0.05" in output.out
    status, output = run(capsys, "tune", *camera, "--kind", "tvv")
    assert status == 2
    assert "--kind='tvv': expected one of" in output.err
    assert "did you mean 'tv'?" in output.err


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_printed_in_narrow_encodings(monkeypatch, encoding, command):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    assert b"usage: python -m ddgp_lib" in stream.buffer.getvalue()


def test_a_closed_pipe_is_left_quietly(capsys, monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["tasks"]) == 141
        stream.write("what is left to write goes nowhere")
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk_behind_the_output_is_said_in_one_line(capsys, monkeypatch):
    with open("/dev/full", "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["tasks"]) == 2
    assert "No space left" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "w"),
            2,
            "error: [Errno 28] No space left on device: 'w'",
        ),
        (PermissionError(errno.EACCES, "Permission denied"), 2, "error: [Errno 13] Permission denied"),
        (MemoryError("4 GiB"), 2, "error: out of memory (4 GiB)"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 8 bytes"), 2, "error: out of memory"),
        (ValueError("of\ntwo lines"), 2, "error: of two lines"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_ends_a_command_is_said_in_one_line(capsys, monkeypatch, error, status, said):
    def fail(arguments):
        raise error

    monkeypatch.setattr(commands, "list_tasks", fail)
    found, output = run(capsys, "tasks")
    assert (found, output.out) == (status, "")
    assert output.err.startswith(said)
    assert output.err.count("\n") == 1


def test_sigterm_ends_a_command_and_is_as_it_was_afterwards(capsys, monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(commands, "list_tasks", lambda _: signal.raise_signal(signal.SIGTERM))
    status, output = run(capsys, "tasks")
    assert (status, output.err) == (143, "terminated\n")
    assert signal.getsignal(signal.SIGTERM) is before


def test_json_has_no_nan_and_stands_alone(capsys, monkeypatch):
    def noisy(arguments):
        print("from a camera's file")
        return {"psnr": [20.0, float("nan"), -float("inf")]}

    monkeypatch.setattr(commands, "list_tasks", noisy)
    status, output = run(capsys, "tasks", "--json")
    assert (status, output.out) == (0, '{"psnr": [20.0, null, null]}\n')
    assert "from a camera's file" in output.err
