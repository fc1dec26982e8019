"""All methods on the same images: what is measured, whose gain is counted from whom, and how the table reads."""

from dataclasses import replace

import pytest
import torch

from ddgp_lib.experiments.alternatives import load_alternative, trained_networks
from ddgp_lib.experiments.methods import gains, run_methods, show_methods
from ddgp_lib.experiments.tuning import EARLY
from ddgp_lib.presets import PRESETS
from ddgp_lib.pretrained import load_solver


@pytest.fixture(scope="module")
def task(own):
    return own.load()


@pytest.fixture(scope="module")
def result(task):
    return run_methods(task, task.test_images[:4], ("none", "distilled"), ("unfolded",), max_iter=20, seed=3)


def test_numbers_are_those_of_the_methods_by_themselves(result, task):
    truth = task.test_images[:4]
    y = task.measure(truth, 3)
    with torch.no_grad():
        once = load_alternative(task, "unfolded")(y, task.student)
    psnr = {
        kind: task.psnr(load_solver(task, kind)(y, task.student), truth) for kind in ("none", "distilled")
    }
    for kind, each in psnr.items():
        assert result["methods"][kind]["psnr"][EARLY - 1] == pytest.approx(float(each.mean()), abs=1e-3)
    assert result["networks"]["unfolded"]["psnr"] == pytest.approx(
        float(task.psnr(once, truth).mean()), abs=1e-3
    )
    mean, error = result["gains"]["distilled"]
    paired = psnr["distilled"] - psnr["none"]
    assert result["baseline"] == "none"
    assert mean == pytest.approx(float(paired.mean()), abs=1e-3)
    assert error == pytest.approx(float(paired.std()) / 2, abs=1e-3)


def test_gains_are_counted_from_the_best_that_learns_no_preconditioner():
    preset = PRESETS["single_pixel"]
    flat = torch.ones(3)
    psnr = {
        "none": 20 * flat,
        "admm": 22 * flat,
        "tv": 19 * flat,
        "distilled": 25 * flat,
        "teacher": 30 * flat,
    }
    found = gains(preset, psnr | {"unfolded": 24 * flat})
    assert found["baseline"] == "admm"
    assert {name: gain[0] for name, gain in found["gains"].items()} == {
        "none": -2,
        "tv": -3,
        "distilled": 3,
        "unfolded": 2,
    }
    assert gains(preset, {"distilled": flat}) == {"baseline": None, "gains": {}}


def test_only_networks_that_are_there_are_named(tmp_path, own):
    assert trained_networks(replace(own, weights=tmp_path)) == ()
    assert trained_networks(own) == ("direct", "unfolded", "npn")


def test_a_table_begins_with_the_gain_and_ends_with_the_region():
    method = {
        "psnr": [20.0 + k for k in range(30)],
        "region_psnr": [10.0 + k for k in range(30)],
        "setting": {"sigma": 0.05},
        "seconds": 2.0,
    }
    network = {"psnr": 31.0, "region_psnr": 30.5, "seconds": 0.5}
    told = {"task": "mri", "n_images": 4, "iterations": list(range(1, 31)), "networks": {"unfolded": network}}
    told |= {"methods": {"none": method, "distilled": method}, "baseline": "none"}
    told |= {"gains": {"distilled": [1.5, 0.25], "unfolded": [-8.0, None]}}
    title, heads, first, second, last = show_methods(told | {"region": "head"}).splitlines()
    assert title.endswith(
        "gain at 20 over none, the best without a learned P; at the right over the head alone"
    )
    assert heads.split() == ["gain", "1", "2", "5", "10", "20", "sigma", "seconds", "head", "20"]
    values = ["20.00", "21.00", "24.00", "29.00", "39.00", "0.05", "2.0", "29.00"]
    assert first.split() == ["none", *values]
    assert second.split() == ["distilled", "+1.50", "±", "0.25", *values]
    assert last.split() == ["unfolded", "-8.00", "31.00", "asked", "once", "0.5", "30.50"]
    assert len({len(row) for row in (heads, first, second, last)}) == 1
    other = show_methods(told | {"region": None, "gains": {}}).splitlines()
    assert other[1].endswith("seconds")
    assert "alone" not in other[0]
    assert "gain at" not in other[0]
