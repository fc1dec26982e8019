"""Benchmarks against each other: what is noise, what is a regression, and what cannot be compared."""

import copy
import json
import math

import pytest
import torch

from ddgp_lib.__main__ import main
from ddgp_lib.experiments.benchmark import BENCHMARKS_FOLDER, FORMAT
from ddgp_lib.experiments.regressions import ERRORS, SLOWER, SMALLEST, compare_benchmarks
from ddgp_lib.experiments.statistics import paired_difference
from ddgp_lib.presets import PRESETS

MACHINE = {"machine": "x86_64", "processor": "Fast", "cores": 2, "threads": 1}
RESULT = {
    "format": FORMAT,
    "task": "mri",
    "side_by_side": {
        "conditions": {"seed": 0, "images": 3},
        "methods": {
            "none": {"psnr": {"5": [25.0, 0.1], "20": [30.0, 0.5]}, "setting": {}},
            "distilled": {
                "psnr": {"20": [34.0, 0.5]},
                "region_psnr": {"20": [29.0, 0.5]},
                "images_20": {"psnr": [33.0, 34.0, 35.0]},
            },
        },
    },
    "seeds": {
        "conditions": {"seed": 0, "images": 3},
        "methods": {
            "direct": {
                "seeds": [0, 1],
                "psnr": {"20": [[33.0, 34.0, 35.0], [33.0, 34.0, 38.0]]},
                "region_psnr": None,
            }
        },
    },
    "generalisation": {"rows": [{"condition": "noise", "psnr": {"none": [24.0, 0.1]}}]},
    "long_runs": {"methods": {"none": {"psnr": {"1000": 30.0}, "psnr_error": {"1000": 0.1}}}},
    "timing": {"milliseconds": {"none": 2.0}, "whole": {"none": 40.0}} | MACHINE,
}


@pytest.fixture
def files(tmp_path):
    """Write a benchmark and a copy with a change, made by a function; return the paths."""

    def write(change=lambda result: None, before=lambda result: None):
        paths = []
        for name, edit in (("old", before), ("new", change)):
            result = copy.deepcopy(RESULT)
            edit(result)
            paths.append(tmp_path / f"{name}.json")
            paths[-1].write_text(json.dumps(result))
        return paths

    return write


def changes(found, verdict):
    return [
        (change["part"], change["row"], change["measure"])
        for change in found["changes"]
        if change["verdict"] == verdict
    ]


def test_a_benchmark_is_as_good_as_itself(files):
    found = compare_benchmarks(*files())
    assert (found["task"], found["regressions"], found["improvements"]) == ("mri", 0, 0)
    assert found["missing"] == []
    assert len(found["changes"]) == len(changes(found, "same")) == 9
    assert found["thresholds"] == {"errors": ERRORS, "decibels": SMALLEST, "ratio of times": SLOWER}


@pytest.mark.parametrize(
    ("change", "verdict"), [(-0.37, "worse"), (-0.35, "same"), (0.35, "same"), (0.37, "better")]
)
def test_a_difference_counts_beyond_its_error(files, change, verdict):
    """Two errors of 0.1 dB are one of 0.141 dB, which is exceeded 2.58 times at 0.365 dB."""

    def edit(result):
        result["generalisation"]["rows"][0]["psnr"]["none"][0] += change

    found = compare_benchmarks(*files(edit))
    assert (("generalisation", "none, noise", "psnr") in changes(found, verdict)) is True
    assert found["regressions"] + found["improvements"] == (verdict != "same")


@pytest.mark.parametrize(("lower", "verdict"), [(0.04, "same"), (0.06, "worse")])
def test_a_difference_without_noise_counts_from_a_twentieth_of_a_decibel(files, lower, verdict):
    """Every image lost as much: paired, the error is zero, where the errors of the means are 0.5 dB."""

    def edit(result):
        method = result["side_by_side"]["methods"]["distilled"]
        method["psnr"]["20"][0] -= lower
        method["images_20"]["psnr"] = [value - lower for value in method["images_20"]["psnr"]]

    found = compare_benchmarks(*files(edit))
    key = ("side_by_side", "distilled, iteration 20", "psnr")
    assert key in changes(found, verdict)
    [change] = [entry for entry in found["changes"] if (entry["part"], entry["row"], entry["measure"]) == key]
    assert change["paired"] is True
    assert change["difference"] == pytest.approx(-lower)
    assert change["error"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("lower", "verdict"), [(0.04, "same"), (0.06, "worse")])
def test_trainings_of_several_seeds_are_paired_by_seed_and_image(files, lower, verdict):
    def edit(result):
        stored = result["seeds"]["methods"]["direct"]["psnr"]
        stored["20"] = [[value - lower for value in row] for row in stored["20"]]

    found = compare_benchmarks(*files(edit))
    [change] = [entry for entry in found["changes"] if entry["part"] == "seeds"]
    assert (change["row"], change["paired"], change["verdict"]) == ("direct, iteration 20", True, verdict)
    assert change["old"] == pytest.approx(34.5)
    assert change["error"] == pytest.approx(0, abs=1e-9)


def test_other_trainings_are_not_paired_and_their_error_counts_images_and_seeds(files):
    def edit(result):
        result["seeds"]["methods"]["direct"]["seeds"] = [0, 2]

    [change] = [entry for entry in compare_benchmarks(*files(edit))["changes"] if entry["part"] == "seeds"]
    values = torch.tensor(RESULT["seeds"]["methods"]["direct"]["psnr"]["20"], dtype=torch.float64)
    error = paired_difference(values, torch.zeros_like(values)).error
    assert (change["paired"], change["difference"]) == (False, 0)
    assert change["error"] == pytest.approx(math.sqrt(2) * error)


def test_a_training_that_stops_being_finite_is_worse(files):
    def edit(result):
        result["seeds"]["methods"]["direct"]["psnr"]["20"][1][0] = None

    assert changes(compare_benchmarks(*files(edit)), "worse") == [("seeds", "direct, iteration 20", "psnr")]


@pytest.mark.parametrize("name", ["seed", "images"])
def test_other_noise_or_other_images_are_not_paired(files, name):
    def edit(result):
        for part in ("side_by_side", "seeds"):
            result[part]["conditions"][name] += 1

    found = compare_benchmarks(*files(edit))
    assert not any(change["paired"] for change in found["changes"])


def test_what_stops_being_finite_is_worse_and_the_reverse_better(files):
    def edit(result):
        result["long_runs"]["methods"]["none"]["psnr"]["1000"] = None

    assert changes(compare_benchmarks(*files(edit)), "worse") == [
        ("long_runs", "none, iteration 1000", "psnr")
    ]
    assert compare_benchmarks(*files(before=edit))["improvements"] == 1
    assert compare_benchmarks(*files(edit, edit))["regressions"] == 0


def test_a_difference_without_an_error_cannot_be_judged(files):
    def edit(result):
        result["long_runs"]["methods"]["none"] = {"psnr": {"1000": 3.0}}

    found = compare_benchmarks(*files(edit))
    assert changes(found, "not comparable") == [("long_runs", "none, iteration 1000", "psnr")]
    assert found["regressions"] == 0


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.2, "same"), (1.3, "worse"), (0.85, "same"), (0.7, "better")]
)
def test_times_count_by_their_ratio(files, factor, verdict):
    def edit(result):
        for measure in ("milliseconds", "whole"):
            result["timing"][measure]["none"] *= factor

    found = changes(compare_benchmarks(*files(edit)), verdict)
    assert {("timing", "none", "milliseconds"), ("timing", "none", "milliseconds of the whole")} <= set(found)


@pytest.mark.parametrize("name", MACHINE)
def test_times_of_another_machine_are_never_judged(files, name):
    def edit(result):
        result["timing"]["milliseconds"]["none"] *= 10
        result["timing"][name] = "another"

    def forget(result):
        del result["timing"][name]

    for arguments in ((edit,), (forget, forget)):
        found = compare_benchmarks(*files(*arguments))
        assert changes(found, "not comparable") == [
            ("timing", "none", "milliseconds"),
            ("timing", "none", "milliseconds of the whole"),
        ]


def test_what_is_gone_is_told(files):
    def edit(result):
        del result["timing"]
        del result["side_by_side"]["methods"]["none"]["psnr"]["5"]

    found = compare_benchmarks(*files(edit))
    assert found["missing"] == ["side_by_side: none, iteration 5: psnr", "timing"]
    assert found["regressions"] == 0


def test_the_command_exits_with_1_at_a_regression_alone(files, capsys):
    def edit(result):
        result["generalisation"]["rows"][0]["psnr"]["none"][0] -= 2
        result["timing"]["milliseconds"]["none"] /= 2

    old, new = map(str, files(edit))
    assert main(["compare-benchmarks", old, new]) == 1
    printed = capsys.readouterr().out
    assert "worse  generalisation: none, noise, psnr" in printed
    assert "24 → 22, -2.000 ± 0.141" in printed
    assert "2 → 1, × 0.50" in printed
    assert printed.splitlines()[-1] == "mri: 1 worse, 1 better, 7 same, 0 not comparable; 0 missing"
    assert main(["compare-benchmarks", new, old, "--json"]) == 1  # the time is twice as long
    assert json.loads(capsys.readouterr().out)["regressions"] == 1
    assert main(["compare-benchmarks", old, old]) == 0


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda result: result.update(task="ct"),
            r"task of .*new\.json='ct': expected 'mri', as of .*old\.json",
        ),
        (lambda result: result.update(format="ddgp-benchmark-1"), "format is 'ddgp-benchmark-1'"),
        (lambda result: result.update(timing=[]), r"new\.json'.*timing=\[\]: expected a JSON object"),
        (lambda result: result["seeds"].update(methods=3), r"new\.json'.*not readable"),
        (lambda result: result["timing"]["milliseconds"].update(none=0), r"new\.json.*milliseconds=0"),
        (lambda result: result["timing"]["milliseconds"].update(none="2"), r"new\.json.*number='2'"),
    ],
)
def test_files_that_cannot_be_compared_are_named(files, edit, message, capsys):
    old, new = files(edit)
    with pytest.raises(ValueError, match=message):
        compare_benchmarks(old, new)
    assert main(["compare-benchmarks", str(old), str(new)]) == 2
    assert capsys.readouterr().err.startswith("error: ")


CAMERA = {
    "student": {"operator": "Blur", "sketch": [1.0, 2.0]},
    "noise": {"student": [["GaussianNoise", {"sigma": [0.1]}]], "teacher": []},
    "images": {"train": {"shape": [3], "sketch": [1.0]}, "val": {"shape": [3], "sketch": [1.0]}},
    "denoiser": {"shape": [3], "sketch": [1.0]},
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"student": {"operator": "Blur", "sketch": [1.0, 3.0]}}, "another student operator"),
        ({"noise": {"student": [["GaussianNoise", {"sigma": [0.2]}]], "teacher": []}}, "other noise"),
        ({"images": {"train": {"shape": [3], "sketch": [2.0]}, "val": None}}, "other images"),
        ({"denoiser": {"shape": [3], "sketch": [2.0]}}, None),
        ({"noise": CAMERA["noise"] | {"teacher": [["PoissonNoise", {}]]}}, None),
    ],
)
def test_another_camera_of_the_same_name_is_refused_and_another_training_is_not(files, changed, message):
    old, new = files(
        lambda result: result["seeds"].update(fingerprint=CAMERA | changed),
        lambda result: result["seeds"].update(fingerprint=CAMERA),
    )
    if message is None:
        assert compare_benchmarks(old, new)["regressions"] == 0
        return
    with pytest.raises(ValueError, match=rf"new=.*seeds of .*new\.json.*old\.json.*{message}"):
        compare_benchmarks(old, new)
    assert main(["compare-benchmarks", str(old), str(new)]) == 2


def test_what_is_no_path_is_refused(files):
    old, new = files()
    with pytest.raises(ValueError, match="old=3: expected the path of a file"):
        compare_benchmarks(3, new)
    with pytest.raises(ValueError, match="new=None: expected the path of a file"):
        compare_benchmarks(old, None)


def test_a_missing_file_is_named(files, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.json: no such file"):
        compare_benchmarks(files()[0], tmp_path / "gone.json")


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if preset.alternatives])
def test_shipped_benchmarks_can_be_compared(name):
    path = BENCHMARKS_FOLDER / f"{name}.json"
    found = compare_benchmarks(path, path)
    assert found["regressions"] == found["improvements"] == 0
    assert {change["part"] for change in found["changes"]} == {
        *("side_by_side", "seeds", "generalisation", "long_runs", "timing")
    }
