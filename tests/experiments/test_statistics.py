"""Means and standard errors: known values, and None where JSON has no number."""

import pytest
import torch

from ddgp_lib.experiments.statistics import as_number, mean_and_error, mean_or_none, without_nan


def test_mean_and_standard_error():
    assert mean_and_error(torch.tensor([1.0, 2.0, 3.0, 6.0])) == [3.0, pytest.approx(1.0801, abs=1e-4)]
    assert mean_and_error(torch.tensor([1.0, float("nan")])) == [None, None]


def test_a_mean_is_missing_where_one_of_its_values_is():
    assert mean_or_none([1.0, 2.0, 6.0]) == 3.0
    assert mean_or_none([1.0, None]) is None


def test_numbers_keep_six_digits():
    assert as_number(torch.tensor(1.23456789, dtype=torch.float64)) == 1.23457
    assert as_number(torch.tensor(float("inf"))) is None


def test_numbers_that_json_has_not_are_none_at_any_depth():
    nan, inf = float("nan"), float("inf")
    found = without_nan({"a": [1.5, nan, {"b": (inf, 2)}], "c": "nan", "d": True, "e": None})
    assert found == {"a": [1.5, None, {"b": [None, 2]}], "c": "nan", "d": True, "e": None}
