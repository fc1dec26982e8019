"""The judge of a reconstruction: estimates of a simulation, where the truth is known."""

import math

import pytest
import torch

from ddgp_lib.experiments.heldout import hold_out
from ddgp_lib.experiments.measured.judging import Judge, chosen, judged, over_best, relative
from ddgp_lib.experiments.measured.meter import Step

SIGMA = 0.05


@pytest.fixture(scope="module")
def case():
    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(120, 150, generator=generator) + 0.5
    y = truth + SIGMA * torch.randn(truth.shape, generator=generator)
    split = hold_out(torch.ones_like(y, dtype=torch.bool), 6000, generator=generator)
    return truth, Judge(y, split, SIGMA)


def step_of(image, number=7):
    return Step(number, image, 0.5, 12)


def test_a_row_holds_the_true_error_relative_to_the_signal(case):
    truth, judge = case
    row = judged(judge, "a", "b", step_of(truth), truth + 0.03, truth + 0.06)
    expected = 0.03 / float(truth[judge.split.held_out].square().mean().sqrt())
    assert (row.condition, row.method, row.iteration) == ("a", "b", 7)
    assert (row.seconds, row.transforms) == (0.5, 12)
    assert abs(row.error - expected) < 3 * row.standard_error < 0.3 * expected
    assert abs(row.gain - 20 * math.log10(2)) < 3 * row.gain_error < 1
    misfit = (truth + 0.03 - judge.measured)[judge.split.used].norm()
    assert row.residual == pytest.approx(float(misfit / judge.measured[judge.split.used].norm()), rel=1e-4)


def test_hindsight_finds_the_best_of_others_and_what_is_gained_over_it(case):
    truth, judge = case
    found = over_best(judge, {"far": truth + 0.2, "near": truth + 0.06}, truth + 0.03)
    assert found["best"] == "near"
    assert abs(found["gain"] - 20 * math.log10(2)) < 3 * found["gain_error"] < 1
    behind = over_best(judge, {"near": truth + 0.03}, truth + 0.06)
    assert behind["gain"] == pytest.approx(-found["gain"], rel=1e-6)


def test_the_first_of_a_condition_has_no_gain(case):
    truth, judge = case
    row = judged(judge, "a", "b", step_of(truth), truth + 0.03, None)
    assert (row.gain, row.gain_error) == (None, None)


def test_a_run_that_left_all_bounds_is_infinitely_far_off(case):
    truth, judge = case
    row = judged(judge, "a", "b", step_of(truth), truth / 0, None)
    assert (row.residual, row.error, row.gain) == (math.inf, math.inf, None)
    assert math.isnan(row.standard_error)


def test_where_the_estimate_is_below_zero_there_is_no_root(case):
    truth, judge = case
    loud = Judge(judge.measured, judge.split, 2 * SIGMA)
    assert all(map(math.isnan, relative(loud.error(truth))))


def test_some_iterations_are_chosen_and_all_are_paid_for():
    steps = list(chosen((torch.fft.fft2(torch.ones(2, 2)) for _ in range(5)), (4, 2)))
    assert [(step.number, step.transforms) for step in steps] == [(2, 2), (4, 4)]
