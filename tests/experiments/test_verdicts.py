"""Verdicts: the reference is the best that learns nothing, and words follow from intervals."""

import math
import re

import pytest
import torch

from ddgp_lib.experiments.seeds import gain
from ddgp_lib.experiments.statistics import paired_difference
from ddgp_lib.experiments.verdicts import (
    TITLES,
    lead,
    over_rivals,
    reference_of,
    show_leads,
    strongest,
    title_of,
    told,
    verdict,
)
from ddgp_lib.presets import PRESETS


def method(at5, at20, *, once=False, region=None):
    """Write what a method would give at iterations 5 and 20, with one seed."""
    within = None if region is None else {"5": [region], "20": [region]}
    return {
        "seeds": [0],
        "once": once,
        "rival": once,
        "psnr": {"5": [at5], "20": [at20]},
        "region_psnr": within,
    }


METHODS = {
    "none": method([20.0, 21.0, 22.0], [21.0, 22.0, 23.5], region=[15.0, 15.0, 16.0]),
    "tv": method([23.0, 24.0, 25.0], [20.0, 21.0, 22.0], region=[16.0, 17.0, 18.0]),
    "distilled": method([22.0, 23.0, 24.0], [24.0, 25.0, 26.1], region=[19.0, 20.0, 21.5]),
    "direct": method([24.0, 25.0, 25.9], [24.0, 25.0, 25.9], once=True, region=[20.0, 20.0, 21.0]),
    "modl": method([25.0, 26.0, 27.0], [25.0, 26.0, 27.0], once=True, region=[20.0, 21.0, 22.0]),
}
RESULT = {"n_images": 3, "iterations": [5, 20], "baselines": ["none", "tv"], "methods": METHODS}


def test_the_reference_is_the_best_that_learns_nothing_where_it_is_compared():
    assert reference_of(RESULT) == "none"
    assert reference_of(RESULT, 5) == "tv"
    assert reference_of(RESULT, region=True) == "tv"
    assert reference_of(RESULT, None) == "tv"  # 24 at its best, against 22.2
    assert lead(RESULT) == gain(RESULT, "distilled", "none")
    assert lead(RESULT, k=None).mean == pytest.approx(75.1 / 3 - 24)
    assert lead(RESULT, region=True).mean == pytest.approx(60.5 / 3 - 17)


def test_the_strongest_of_some():
    assert strongest(RESULT, ["direct", "modl"]) == "modl"
    assert strongest(RESULT, ["none", "distilled"], None) == "distilled"


def test_rivals_are_those_that_are_asked_once():
    found = over_rivals(RESULT)
    assert list(found) == ["direct", "modl"]
    assert found["modl"].mean == pytest.approx(75.1 / 3 - 26)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ([1.0, 1.1, 0.9], "ahead of"),
        ([-1.0, -1.1, -0.9], "behind"),
        ([1.0, -1.0, 0.1], "even with"),
        ([1.0, math.nan, 0.1], "not comparable with"),
    ],
)
def test_a_word_follows_from_the_interval(values, word):
    assert verdict(paired_difference(torch.tensor(values), torch.zeros(3))) == word


def test_one_training_each_has_to_differ_by_more_than_trainings_do():
    images = torch.linspace(0, 0.01, 50)
    for more, word in {0.15: "even with", 0.25: "ahead of", -0.15: "even with", -0.25: "behind"}.items():
        assert verdict(paired_difference(images + more, images.flip(0))) == word
        both = torch.stack([images + more, images + more + 1e-3])
        known = verdict(paired_difference(both, torch.stack([images.flip(0)] * 2)))
        assert known == ("ahead of" if more > 0 else "behind")  # two trainings say how much they differ


def test_a_difference_in_words():
    assert told(paired_difference(torch.tensor([3.0, 3.1, 2.9]), torch.ones(3))) == "+2.00 ± 0.25 dB"


def test_every_method_of_the_cameras_has_a_title():
    for preset in PRESETS.values():
        assert {*preset.baselines, *preset.distilled, "teacher"} <= set(TITLES)
    assert title_of("end_of_line") == "end of line"


def test_a_table_has_a_column_for_a_camera_and_one_for_its_region():
    whole = {name: found | {"region_psnr": None} for name, found in METHODS.items()}
    text = show_leads(
        {"brain": RESULT, "digits": RESULT | {"methods": whole}}, ["distilled", "npn"], within="head"
    )
    caption, heads, *rows = text.splitlines()
    assert "at iteration 20" in caption
    assert re.split(r" {2,}", heads) == ["method", "brain (dB)", "brain, head (dB)", "digits (dB)"]
    reference, gained, empty = (re.split(r" {2,}", row) for row in rows)
    assert reference[:3] == ["best that learns nothing", "no P", "total variation"]
    assert gained[0] == "distilled"
    assert gained[1].startswith("+2.87 ±")
    assert empty == ["NPN"]
    assert "own best" in show_leads({"brain": RESULT}, ["distilled"], None).splitlines()[0]
