"""No shipped setting lies at an edge of its grid: beyond it, something better may have been left untried."""

import pytest

from ddgp_lib import load_tuning
from ddgp_lib.kinds import ExactADMM, Fista, PolynomialFista
from ddgp_lib.presets import PRESETS
from tests.edges import at_edge

TO_BE_TUNED_AGAIN = {
    ("mri", "teacher"): {"sigma"},
    ("super_resolution", "teacher"): {"sigma"},
}
"""Settings at an edge, σ = 0.01, that are to be tuned again with the new denoisers."""


@pytest.mark.parametrize("name", PRESETS)
def test_no_shipped_setting_is_at_an_edge_of_its_grid(name):
    preset = PRESETS[name]
    for kind, tuned in load_tuning(name).items():
        found = at_edge(preset.given.get(kind, Fista()), tuned["setting"], tuned["sweep"])
        assert found == TO_BE_TUNED_AGAIN.get((name, kind), set()), kind


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
