"""Seeds side by side: what is found, that the numbers are those of each method, and what gains follow from them."""

import copy
import json
import shutil
from dataclasses import replace

import pytest
import torch

from ddgp_lib import evaluate, load_solver
from ddgp_lib.checkpoints import load_checkpoint
from ddgp_lib.experiments import tune
from ddgp_lib.experiments.alternatives import load_alternative, reconstruct, save_alternative
from ddgp_lib.experiments.seeds import (
    best_of,
    compared,
    gain,
    over_seeds,
    rivals_of,
    runs_of,
    show_seeds,
    values_of,
)
from ddgp_lib.experiments.statistics import paired_difference
from ddgp_lib.kinds import PulledFista
from ddgp_lib.pretrained import load_preconditioner, save_tuning


@pytest.fixture(scope="module")
def seeded(own, tmp_path_factory):
    """Give the tiny camera a second seed of P and one of a network, whose weights differ."""
    folder = tmp_path_factory.mktemp("weights")
    shutil.copytree(own.weights, folder, dirs_exist_ok=True)
    preset = replace(own, weights=folder)
    shutil.copy(preset.path("distilled"), preset.path("distilled", 1))
    task = preset.load()
    network = load_alternative(task, "unfolded")
    metrics = {"cpu_seconds": 7.5}
    save_alternative(preset.path("unfolded", 2), network, task, preset.alternatives["unfolded"], metrics)
    return preset


@pytest.fixture(scope="module")
def result(seeded):
    task = seeded.load()
    return over_seeds(task, task.test_images[:4], 3, iterations=(2, 20))


def test_what_has_been_trained_is_found_with_its_seeds(seeded, own):
    found = compared(seeded)
    assert found["distilled"] == (0, 1)
    assert found["unfolded"] == (0, 2)
    assert found["none"] == found["teacher"] == (0,)
    assert "npn" not in compared(without(own, "npn"))


def without(preset, name):
    """Return a preset that takes a name for another one's: its weights are missing."""
    alternatives = {key: recipe for key, recipe in preset.alternatives.items() if key != name}
    return replace(preset, alternatives=alternatives)


def test_what_is_run_where_it_is_asked_for_is_compared_once_it_is_tuned_and_its_weights_are_there(
    own, tmp_path
):
    shutil.copytree(own.weights, tmp_path / "weights")
    kind = PulledFista(sigmas=(0.05,), weights=(0.5,), decays=(1.0,), momenta=("none",))
    preset = replace(own, requested={"npn_fista": kind}, weights=tmp_path / "weights")
    assert "npn_fista" not in compared(preset)
    task = preset.load()
    save_tuning(task, tune(task, ("npn_fista",), max_iter=20))
    assert compared(preset)["npn_fista"] == (0,)
    images = task.test_images[:2]
    found = over_seeds(task, images, methods={"npn_fista": (0,)}, iterations=(20,))
    assert found["methods"]["npn_fista"]["rival"] is False
    preset.path("npn").unlink()
    assert "npn_fista" not in compared(preset)


def upper_half(truth):
    """Keep the upper half of images."""
    mask = torch.zeros_like(truth, dtype=torch.bool)
    mask[..., : truth.shape[-2] // 2, :] = True
    return mask


def test_similarity_is_measured_at_twenty_of_the_image_and_of_the_region(seeded):
    task = seeded.load()
    task = replace(task, preset=replace(seeded, region=upper_half))
    images = task.test_images[:2]
    found = over_seeds(task, images, methods={"distilled": (0,), "npn": (0,)}, iterations=(5, 20))
    trace = evaluate(task, load_solver(task), images=images, max_iter=20)
    with torch.no_grad():
        once = reconstruct(task, "npn", load_alternative(task, "npn"), task.measure(images))
    expected = {
        ("distilled", False): trace.ssim[19],
        ("distilled", True): trace.region_ssim[19],
        ("npn", False): task.ssim(once, images),
        ("npn", True): task.ssim(once, images, within=upper_half(images)),
    }
    for (name, region), values in expected.items():
        measured = values_of(found, name, region=region, measure="ssim")
        torch.testing.assert_close(measured, values[None], rtol=0, atol=1e-4)
    assert set(found["methods"]["npn"]["ssim"]) == {"20"}
    with pytest.raises(ValueError, match=r"k=5: expected one of \(20,\)"):
        values_of(found, "npn", 5, measure="ssim")


def test_numbers_are_those_of_the_methods_by_themselves(result, seeded):
    task = seeded.load()
    images = task.test_images[:4]
    trace = evaluate(task, load_solver(task), images=images, max_iter=20, seed=3)
    for k in (2, 20):
        values = values_of(result, "distilled", k)
        assert values.shape == (2, 4)
        torch.testing.assert_close(values, trace.psnr[k - 1].expand(2, 4), rtol=0, atol=2e-3)
    with torch.no_grad():
        once = load_alternative(task, "unfolded", seed=2)(task.measure(images, 3), task.student)
    for k in (2, 20):
        torch.testing.assert_close(
            values_of(result, "unfolded", k)[1], task.psnr(once, images), rtol=0, atol=2e-3
        )
    assert rivals_of(result) == ["direct", "unfolded", "npn"]
    assert result["baselines"] == ["none", "newton"]
    assert json.loads(json.dumps(result)) == result


def test_what_was_judged_before_is_not_run_again(result, seeded):
    known = runs_of(copy.deepcopy(result))
    assert set(known) == {(n, s) for n, found in result["methods"].items() for s in found["seeds"]}
    known["none", 0]["psnr"]["20"][0] = 99.0
    del known["distilled", 1], known["unfolded", 2]
    task = seeded.load()
    again = over_seeds(task, task.test_images[:4], 3, iterations=(2, 20), known=known)
    expected = copy.deepcopy(result)
    expected["methods"]["none"]["psnr"]["20"][0][0] = 99.0
    assert again == expected


def test_what_is_trained_says_how_and_how_long(result, seeded):
    found = result["methods"]["distilled"]
    description = load_checkpoint(seeded.path("distilled"))[1]
    assert found["recipe"] == description["recipe"]
    assert found["cpu_seconds"] == [None, None]
    assert result["methods"]["unfolded"]["cpu_seconds"] == [None, 7.5]
    assert result["methods"]["unfolded"]["recipe"]["name"] == "unfolded"
    assert "recipe" not in result["methods"]["none"]


def told(**psnr):
    """Write what three methods would give, at iterations 5 and 20."""
    methods = {
        name: {
            "seeds": list(range(len(at20))),
            "rival": False,
            "psnr": {"5": at5, "20": at20},
            "region_psnr": None,
        }
        for name, (at5, at20) in psnr.items()
    }
    return {"n_images": 3, "iterations": [5, 20], "baselines": ["none", "tv"], "methods": methods}


TOLD = told(
    none=([[20.0, 21.0, 22.0]], [[21.0, 22.0, 23.0]]),
    tv=([[23.0, 24.0, 25.0]], [[20.0, 21.0, None]]),
    distilled=([[22.0, 23.0, 24.0], [22.0, 23.0, 25.0]], [[24.0, 25.0, 25.0], [24.0, 26.0, 27.0]]),
)


def test_gains_are_paired_over_images_and_seeds():
    assert best_of(TOLD, TOLD["baselines"], 5) == "tv"
    assert best_of(TOLD, TOLD["baselines"]) == "none"
    found = gain(TOLD, "distilled", "none")
    expected = paired_difference(values_of(TOLD, "distilled"), values_of(TOLD, "none"))
    assert found == expected
    assert not found.trained_once
    assert found.mean == pytest.approx((3 + 3 + 2 + 3 + 4 + 4) / 6)
    assert found.worst == pytest.approx(3.0)
    assert gain(TOLD, "distilled", "tv", None).mean == pytest.approx(25 + 1 / 6 - 24)


def test_methods_with_other_numbers_of_seeds_are_paired_by_those_that_both_have():
    three = told(
        a=([[1.0, 1.0]] * 3, [[1.0, 2.0], [2.0, 3.0], [9.0, 9.0]]),
        none=([[1.0, 1.0]] * 2, [[0.0, 1.0], [1.0, 2.0]]),
    )
    assert gain(three, "a", "none").mean == pytest.approx(1.0)


def test_a_method_that_was_trained_once_is_known_for_it_beside_several_trainings_of_another():
    three = told(
        a=([[1.0, 1.0]] * 3, [[1.0, 2.0], [1.1, 2.0], [1.2, 2.0]]),
        once=([[1.0, 1.0]], [[0.9, 1.9]]),
        none=([[1.0, 1.0]], [[0.9, 1.9]]),
    )
    for name in ("a", "once"):
        three["methods"][name]["recipe"] = {}
    assert gain(three, "a", "once").trained_once
    assert gain(three, "once", "none").trained_once
    assert not gain(three, "a", "none").trained_once
    assert gain(three, "a", "once").over_seeds == gain(three, "a", "none").over_seeds > 0


def test_a_table_leads_to_the_gain_over_the_best_that_learns_nothing():
    title, heads, *rows = show_seeds(TOLD).splitlines()
    assert "gain at 20 over none" in title
    assert heads.split() == ["seeds", "5", "20", "gain", "worst"]
    difference = gain(TOLD, "distilled", "none")
    assert rows[0].split() == ["none", "1", "21.00", "22.00"]
    expected = [
        "distilled",
        "2",
        "23.17",
        "25.17",
        f"{difference.mean:+.2f}",
        "±",
        f"{difference.interval:.2f}",
    ]
    assert rows[2].split() == [*expected, "+3.00"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "modl"}, "name='modl': expected one of"),
        ({"name": "none", "k": 7}, "k=7: expected one of"),
        ({"name": "none", "measure": "mse"}, "measure='mse': expected one of"),
        ({"name": "none", "region": True}, "region=True: expected False for a camera without a region"),
    ],
)
def test_what_was_not_measured_is_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        values_of(TOLD, **options)


def test_a_seed_runs_with_what_was_tuned_for_the_first(seeded):
    task = seeded.load()
    first, second = (load_preconditioner(task, seed=seed) for seed in (0, 1))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
