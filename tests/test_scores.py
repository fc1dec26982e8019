"""Scores: what is not finite never wins, and nothing wins where nothing is finite."""

import math

import pytest
import torch

from ddgp_lib.scores import best, score, scored


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, torch.tensor(math.nan)])
def test_what_is_not_finite_scores_lowest(value):
    assert score(value) == -math.inf
    for scores in ({"wild": value, "good": -5.0}, {"good": -5.0, "wild": value}):
        assert best(scores, "kind") == "good"


def test_finite_values_are_their_own_scores():
    assert score(torch.tensor(2.5)) == score(2.5) == 2.5
    assert scored(torch.tensor([1.0, math.nan, math.inf])).tolist() == [1.0, -math.inf, -math.inf]


def test_the_first_of_the_highest_is_chosen():
    assert best({1: 2.0, 2: 3.0, 3: 3.0}, "ridge") == 2


@pytest.mark.parametrize("scores", [{}, {0.1: math.nan, 0.2: None}])
def test_nothing_is_chosen_where_every_run_diverged(scores):
    with pytest.raises(ValueError, match="kind='free': expected a finite score"):
        best(scores, "kind='free'")
