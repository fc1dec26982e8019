"""The cost of an iterate: transforms are counted, and what is done between iterates is not."""

import pytest
import torch

from ddgp_lib.experiments.measured import meter, metered


def solver(count):
    for _ in range(count):
        spectrum = torch.fft.rfft2(torch.ones(4, 4))
        yield torch.fft.irfft2(spectrum)


def test_transforms_are_counted_within_an_iteration_and_not_between():
    found = []
    for step in metered(solver(3)):
        torch.fft.fft2(step.image)
        found.append((step.number, step.transforms))
    assert found == [(1, 2), (2, 4), (3, 6)]


def test_time_between_iterations_is_not_counted(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(meter.time, "process_time", lambda: next(clock))
    assert [step.seconds for step in metered(solver(3)) if next(clock)] == [1, 2, 3]


@pytest.mark.parametrize("name", ["fft", "ifft2", "rfftn", "irfft", "hfft2"])
def test_every_kind_of_transform_counts(name):
    (step,) = metered(getattr(torch.fft, name)(torch.ones(4, 4)) for _ in range(1))
    assert step.transforms == 1


def test_no_iterates_are_no_steps():
    assert list(metered([])) == []


def test_what_yields_nothing_is_refused():
    with pytest.raises(ValueError, match=r"^iterates=3"):
        metered(3)
