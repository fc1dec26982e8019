"""The average of the weights is its formula, and leaves what is trained alone."""

import pytest
import torch

from ddgp_lib.training import WeightAverage


def model():
    return torch.nn.Linear(2, 1, bias=False)


def follow(average, values):
    for step, value in enumerate(values):
        torch.nn.init.constant_(average.model.weight, value)
        average.update(step)


def value_of(module):
    return module.weight.flatten()[0].item()


def test_it_is_the_plain_mean_first_and_exponential_then():
    average = WeightAverage(model(), 0.75)
    follow(average, [4.0, 2.0, 3.0, 3.0])
    assert average.weights["weight"].flatten()[0].item() == pytest.approx(3.0)  # (4 + 2 + 3 + 3) / 4
    torch.nn.init.constant_(average.model.weight, 7.0)
    average.update(4)
    assert average.weights["weight"].flatten()[0].item() == pytest.approx(0.75 * 3 + 0.25 * 7)


def test_the_model_has_it_for_a_while_only_and_keeps_it_when_it_is_applied():
    average = WeightAverage(model(), 0.5)
    follow(average, [1.0, 3.0])
    with average.swapped():
        assert value_of(average.model) == 2.0
    assert value_of(average.model) == 3.0
    average.apply()
    assert value_of(average.model) == 2.0


def test_without_a_decay_nothing_is_kept():
    average = WeightAverage(model(), 0.0)
    follow(average, [1.0, 3.0])
    with average.swapped():
        assert value_of(average.model) == 3.0
    average.apply()
    assert (average.weights, value_of(average.model)) == ({}, 3.0)


def test_counters_are_taken_as_they_are():
    average = WeightAverage(torch.nn.BatchNorm1d(2), 0.5)
    for step in range(3):
        average.model(torch.ones(4, 2))
        average.update(step)
    assert average.weights["num_batches_tracked"].item() == 3


def test_what_is_taken_over_goes_on_as_if_it_had_not_been():
    whole, first, second = (WeightAverage(model(), 0.9) for _ in range(3))
    follow(whole, [1.0, 2.0, 4.0])
    follow(first, [1.0, 2.0])
    second.take(first.weights)
    torch.nn.init.constant_(second.model.weight, 4.0)
    second.update(2)
    torch.testing.assert_close(second.weights["weight"], whole.weights["weight"], rtol=0, atol=0)


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan"), "half"])
def test_what_is_no_decay_is_refused(decay):
    with pytest.raises(ValueError, match=r"^decay="):
        WeightAverage(model(), decay)
