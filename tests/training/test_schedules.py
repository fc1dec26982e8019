"""The schedules have the shapes that they are named after."""

import pytest
import torch

from ddgp_lib.training.schedules import SCHEDULES, build_schedule, one_cycle, warm_cosine


def test_warm_cosine_rises_then_falls():
    factors = [warm_cosine(step / 1000) for step in range(1000)]
    assert factors[0] < 0.2
    assert max(factors) == pytest.approx(1.0, abs=1e-6)
    assert factors[-1] < 1e-4
    assert build_schedule("warm_cosine", 1000).factor(300) == factors[300]


def test_one_cycle_is_pytorchs():
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.AdamW([weight], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1.0, total_steps=1001, cycle_momentum=False)
    for step in range(0, 1000):
        assert one_cycle(step / 1000) == pytest.approx(optimiser.param_groups[0]["lr"], abs=5e-3)
        optimiser.step()
        theirs.step()
    assert one_cycle(0) == pytest.approx(1 / 25)
    assert one_cycle(0.3) == pytest.approx(1.0)
    assert one_cycle(1) == pytest.approx(4e-6)


def test_constant_stays():
    assert {build_schedule("constant", 10).factor(step) for step in range(10)} == {1.0}


def test_plateau_halves_when_the_loss_stops_falling():
    schedule = build_schedule("plateau", 1000)  # windows of 10 losses
    for step in range(200):
        schedule.observe(1000.0 - step)
    assert schedule.factor(200) == 1.0
    for _ in range(59):
        schedule.observe(900.0)
    assert schedule.factor(259) == 1.0
    schedule.observe(900.0)
    assert schedule.factor(260) == 0.5
    for _ in range(60):
        schedule.observe(float("nan"))
    assert schedule.factor(320) == 0.25


def test_plateau_is_a_function_of_the_losses():
    losses = torch.rand(300, generator=torch.Generator().manual_seed(0)).tolist()
    first, second = build_schedule("plateau", 100), build_schedule("plateau", 100)
    for loss in losses:
        first.observe(loss)
    before = first.factor(300)
    for loss in losses:
        second.observe(loss)
    assert before == second.factor(300) < 1


def test_unknown_schedule():
    with pytest.raises(ValueError, match=r"name='step'.*one_cycle"):
        build_schedule("step", 10)
    assert set(SCHEDULES) == {"warm_cosine", "one_cycle", "plateau", "constant"}
