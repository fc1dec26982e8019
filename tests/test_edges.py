"""No shipped setting lies at an edge of its grid: beyond it, something better may have been left untried."""

import pytest

from ddgp_lib import load_tuning
from ddgp_lib.kinds import ExactADMM, Fista, PolynomialFista
from ddgp_lib.presets import PRESETS
from tests.edges import FLAT, at_edge


@pytest.mark.parametrize("name", PRESETS)
def test_no_shipped_setting_is_at_an_edge_of_its_grid(name):
    preset = PRESETS[name]
    for kind, tuned in load_tuning(name).items():
        found = at_edge(preset.given.get(kind, Fista()), tuned["setting"], tuned["sweep"])
        assert found == set(), kind


def rows(**tried):
    return [{name: value} for name, values in tried.items() for value in values]


@pytest.mark.parametrize(("sigma", "found"), [(0.1, {"sigma"}), (0.2, set()), (0.3, {"sigma"})])
def test_an_edge_is_the_lowest_or_the_highest_that_was_tried(sigma, found):
    assert at_edge(Fista(), {"sigma": sigma}, rows(sigma=(0.2, 0.1, 0.3))) == found


def test_one_value_alone_is_an_edge():
    assert at_edge(ExactADMM(), {"tau": 1.0}, rows(tau=(1.0,))) == {"tau"}


def test_a_choice_is_no_edge():
    assert at_edge(Fista(), {"momentum": "none"}, rows(momentum=("none", "deepinv"))) == set()
    assert at_edge(Fista(), {"prior_decay": 10}, rows(prior_decay=(None, 10))) == set()


def test_a_limit_by_nature_is_no_edge():
    degrees = rows(degree=(1, 2, 8))
    assert at_edge(PolynomialFista(), {"degree": 8}, degrees) == set()
    assert at_edge(PolynomialFista(), {"degree": 1}, degrees) == {"degree"}


def scored(*scores, last=None):
    return [
        {"sigma": sigma, "psnr_20": score, "psnr_last": score if last is None else last[place]}
        for place, (sigma, score) in enumerate(zip((0.1, 0.2, 0.3), scores, strict=True))
    ]


def test_an_edge_where_the_score_is_flat_is_none():
    setting = {"sigma": 0.3}
    assert at_edge(Fista(), setting, scored(20.0, 21.0 - FLAT / 2, 21.0)) == set()
    assert at_edge(Fista(), setting, scored(20.0, 21.0 - 2 * FLAT, 21.0)) == {"sigma"}
    assert at_edge(Fista(), setting, scored(21.0, 20.0, 21.0)) == {"sigma"}  # the other end is no inside


def test_what_was_not_run_to_the_end_shows_no_flatness():
    setting = {"sigma": 0.3}
    assert at_edge(Fista(), setting, scored(20.0, 21.0, 21.0, last=(None, None, 20.9))) == {"sigma"}
    assert at_edge(Fista(), setting, scored(20.0, 21.0, 21.0, last=(None, 20.9, 20.9))) == set()
    assert at_edge(Fista(), setting, scored(20.0, 21.0, 21.0, last=(None, None, 21.0))) == set()
