"""Means, standard errors and paired differences: known values, coverage, and None where JSON has no number."""

import math

import pytest
import torch

from ddgp_lib.experiments.statistics import (
    as_number,
    as_numbers,
    best_beside_at,
    mean_and_error,
    mean_or_none,
    paired_difference,
    t_quantile,
    without_nan,
)


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


def test_lists_of_numbers_have_none_where_one_is_not_finite():
    assert as_numbers(torch.tensor([1.5, float("nan")])) == [1.5, None]


def test_quantiles_of_students_t_are_those_of_the_tables():
    for n, expected in ((2, 12.706), (3, 4.303), (4, 3.182), (31, 2.042), (100_000, 1.960)):
        assert t_quantile(n) == pytest.approx(expected, abs=5e-4)
    assert t_quantile(4, 0.99) == pytest.approx(5.841, abs=5e-4)


def test_the_difference_of_one_seed_is_a_paired_t_test():
    values, reference = torch.tensor([3.0, 5.0, 4.0, 8.0]), torch.tensor([2.0, 2.0, 4.0, 6.0])
    found = paired_difference(values, reference)  # 1, 3, 0, 2
    assert (found.mean, found.over_seeds, found.freedom) == (1.5, None, 3)
    assert found.trained_once
    assert found.error == found.over_images == pytest.approx(math.sqrt(5 / 3) / 2)
    assert found.interval == pytest.approx(3.1824 * found.error, rel=1e-4)
    assert (found.worst, found.worst_image) == (0, 2)


def test_errors_of_a_table_by_hand():
    """Mean squares of [[1, 3, 2], [3, 4, 5]] are 6 of the seeds, 1.5 of the images and 0.5 of the rest."""
    table = torch.tensor([[1.0, 3.0, 2.0], [3.0, 4.0, 5.0]])
    found = paired_difference(table, torch.zeros(1, 3))
    assert found.mean == 3
    assert found.over_seeds == pytest.approx(1)  # means 2 and 4
    assert not found.trained_once
    assert found.over_images == pytest.approx(math.sqrt(0.75 / 3))  # means 2, 3.5 and 3.5
    assert found.error == pytest.approx(math.sqrt((6 + 1.5 - 0.5) / 6))
    assert found.freedom == pytest.approx(49 / (36 / 1 + 2.25 / 2 + 0.25 / 2))
    assert (found.worst, found.worst_image) == (2, 0)


def test_what_is_common_to_two_methods_adds_no_error(generator):
    reference = 30 + 5 * torch.randn(3, 40, generator=generator)
    found = paired_difference(reference + 1.5, reference)
    assert found.mean == pytest.approx(1.5, abs=1e-5)
    assert found.error < 1e-5


def test_no_effect_is_estimated_below_zero():
    """With means of seeds that are equal, the error is that over images and never less."""
    table = torch.tensor([[1.0, 2.0, 3.0, 6.0], [2.0, 1.0, 6.0, 3.0]])
    found = paired_difference(table, torch.zeros(4))
    assert found.over_seeds == 0
    assert (found.error, found.freedom) == (pytest.approx(found.over_images), 3)


@pytest.mark.parametrize(
    ("seeds", "images", "seed", "image", "rest"),
    [(3, 48, 0.1, 0.5, 0.2), (3, 48, 0.0, 0.5, 0.2), (1, 48, 0.0, 0.5, 0.1), (5, 20, 0.2, 0.2, 0.2)],
)
def test_intervals_hold_the_true_mean_in_95_of_100_experiments(generator, seeds, images, seed, image, rest):
    held, experiments = 0, 600
    for _ in range(experiments):
        effects = (
            torch.randn(shape, generator=generator) for shape in ((seeds, 1), (images,), (seeds, images))
        )
        table = 1 + sum(size * effect for size, effect in zip((seed, image, rest), effects, strict=True))
        found = paired_difference(table, torch.zeros(images))
        held += abs(found.mean - 1) <= found.interval
    assert 0.92 < held / experiments < 0.98


def test_an_interval_over_images_alone_misses_what_seeds_add(generator):
    """Which is why there is a model of both: with seeds as wide as here it holds in 60 of 100."""
    held = 0
    for _ in range(300):
        table = 0.3 * torch.randn(3, 1, generator=generator) + 0.5 * torch.randn(48, generator=generator)
        found = paired_difference(table, torch.zeros(48))
        held += abs(found.mean) <= t_quantile(48) * found.over_images
    assert held / 300 < 0.7


def test_a_method_that_diverges_has_no_error():
    found = paired_difference(torch.tensor([1.0, math.nan]), torch.zeros(2))
    assert math.isnan(found.mean)
    assert math.isnan(found.error)
    assert math.isnan(found.interval)


@pytest.mark.parametrize(
    ("values", "reference", "message"),
    [
        (
            torch.ones(3, 4),
            torch.ones(2, 4),
            r"reference\.shape=\(2, 4\): expected seeds and images of \(3, 4\)",
        ),
        (torch.ones(4), torch.ones(1), r"reference\.shape=\(1,\)"),
        (torch.ones(1, 1, 4), torch.ones(4), r"values\.shape=\(1, 1, 4\)"),
        (torch.ones(4, dtype=torch.int64), torch.ones(4), r"values\.dtype"),
    ],
)
def test_tables_that_do_not_fit_are_named(values, reference, message):
    with pytest.raises(ValueError, match=message):
        paired_difference(values, reference)


def test_best_against_best_forgives_a_method_that_falls():
    """One rises to 3 at k = 1 and falls by one each; the other rises by one each, from 0."""
    k, images = torch.arange(4.0)[:, None], torch.tensor([0.0, 2.0])
    falls, rises = 3 - k + images, k + images
    found = best_beside_at(falls, rises, k=3)
    assert (found["at"].mean, found["best"].mean, found["iterations"]) == (-1, 0, (1, 4))
    assert found["chosen_on"] == "the same images"


def test_best_iterations_are_chosen_on_validation_images():
    k = torch.arange(4.0)[:, None].expand(4, 2)
    found = best_beside_at(k, -k, k=1, chosen_on=(-k, k))
    assert found["iterations"] == (1, 4)
    assert found["best"].mean == 3
    assert found["chosen_on"] == "validation images"


def test_bests_are_of_the_mean_over_seeds_and_never_where_it_is_not_finite():
    curves = torch.zeros(3, 2, 4)
    curves[1, 0], curves[2, 1] = 1.0, math.nan
    found = best_beside_at(curves, torch.zeros(3, 4), k=1)
    assert found["iterations"] == (2, 1)
    assert found["best"].mean == 0.5
    assert found["best"].over_seeds == 0.5


def test_iterations_that_were_not_run_are_refused():
    with pytest.raises(ValueError, match="k=20: expected an integer from 1 to 3"):
        best_beside_at(torch.zeros(3, 2), torch.zeros(30, 2))
    rising = torch.arange(5.0)[:, None].expand(5, 2)
    with pytest.raises(ValueError, match=r"curves\.shape=\(3, 2\): expected 5 iterations"):
        best_beside_at(torch.zeros(3, 2), torch.zeros(3, 2), k=1, chosen_on=(rising, rising))
