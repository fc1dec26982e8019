"""Seeds side by side: what is found, that the numbers are those of each method, and what gains follow from them."""

import json
import shutil
from dataclasses import replace

import pytest
import torch

from ddgp_lib import evaluate, load_solver
from ddgp_lib.checkpoints import load_checkpoint
from ddgp_lib.experiments.alternatives import load_alternative, save_alternative
from ddgp_lib.experiments.seeds import best_of, compared, gain, over_seeds, rivals_of, show_seeds, values_of
from ddgp_lib.experiments.statistics import paired_difference
from ddgp_lib.pretrained import load_preconditioner


@pytest.fixture(scope="module")
def seeded(own, tmp_path_factory):
    """Give the tiny camera a second seed of P and one of a network, whose weights differ."""
    folder = tmp_path_factory.mktemp("weights")
    shutil.copytree(own.weights, folder, dirs_exist_ok=True)
    preset = replace(own, weights=folder)
    shutil.copy(preset.path("distilled"), preset.path("distilled", 1))
    task = preset.load()
    network = load_alternative(task, "unrolled")
    metrics = {"cpu_seconds": 7.5}
    save_alternative(preset.path("unrolled", 2), network, task, preset.alternatives["unrolled"], metrics)
    return preset


@pytest.fixture(scope="module")
def result(seeded):
    task = seeded.load()
    return over_seeds(task, task.test_images[:4], 3, iterations=(2, 20))


def test_what_has_been_trained_is_found_with_its_seeds(seeded, own):
    found = compared(seeded)
    assert found["distilled"] == (0, 1)
    assert found["unrolled"] == (0, 2)
    assert found["none"] == found["teacher"] == (0,)
    assert "npn" not in compared(own)


def test_numbers_are_those_of_the_methods_by_themselves(result, seeded):
    task = seeded.load()
    images = task.test_images[:4]
    trace = evaluate(task, load_solver(task), images=images, max_iter=20, seed=3)
    for k in (2, 20):
        values = values_of(result, "distilled", k)
        assert values.shape == (2, 4)
        torch.testing.assert_close(values, trace.psnr[k - 1].expand(2, 4), rtol=0, atol=2e-3)
    with torch.no_grad():
        once = load_alternative(task, "unrolled", seed=2)(task.measure(images, 3), task.student)
    for k in (2, 20):
        torch.testing.assert_close(
            values_of(result, "unrolled", k)[1], task.psnr(once, images), rtol=0, atol=2e-3
        )
    assert rivals_of(result) == ["end_to_end", "unrolled"]
    assert result["baselines"] == ["none", "newton"]
    assert json.loads(json.dumps(result)) == result


def test_what_is_trained_says_how_and_how_long(result, seeded):
    found = result["methods"]["distilled"]
    description = load_checkpoint(seeded.path("distilled"))[1]
    assert found["recipe"] == description["recipe"]
    assert found["cpu_seconds"] == [None, None]
    assert result["methods"]["unrolled"]["cpu_seconds"] == [None, 7.5]
    assert result["methods"]["unrolled"]["recipe"]["name"] == "unrolled"
    assert "recipe" not in result["methods"]["none"]


def told(**psnr):
    """Write what three methods would give, at iterations 5 and 20."""
    methods = {
        name: {
            "seeds": list(range(len(at20))),
            "once": False,
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
    assert found.mean == pytest.approx((3 + 3 + 2 + 3 + 4 + 4) / 6)
    assert found.worst == pytest.approx(3.0)
    assert gain(TOLD, "distilled", "tv", None).mean == pytest.approx(25 + 1 / 6 - 24)


def test_methods_with_other_numbers_of_seeds_are_paired_by_those_that_both_have():
    three = told(
        a=([[1.0, 1.0]] * 3, [[1.0, 2.0], [2.0, 3.0], [9.0, 9.0]]),
        none=([[1.0, 1.0]] * 2, [[0.0, 1.0], [1.0, 2.0]]),
    )
    assert gain(three, "a", "none").mean == pytest.approx(1.0)


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
