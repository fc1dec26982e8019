"""Iterated Tikhonov regularisation: its filter factors, its grid, and that nothing but the data counts."""

import pytest
import torch

from ddgp_lib.kinds import IteratedTikhonov, NoPrior, TikhonovSetting
from ddgp_lib.operators import norms
from tests.own_camera import smoothed


@pytest.fixture(scope="module")
def task():
    return smoothed()


def test_no_prior_changes_nothing(generator):
    x = torch.randn(2, 1, 8, 8, generator=generator)
    assert torch.equal(NoPrior()(x, 0.3), x)


def test_steps_leave_of_the_residual_what_the_formula_says(task):
    """In the blur's own modes the gradient after k steps is the first times (λ/(σ² + λ))^k."""
    images = task.test_images[:2]
    y, physics = task.measure(images), task.student
    solver = IteratedTikhonov().solver(task, TikhonovSetting(0.1))
    gradients = [physics.A_adjoint(physics.A(x) - y) for x, _ in solver.iterates(y, physics, 3)]
    seen = torch.fft.fft2(physics.A_adjoint(physics.A(torch.fft.ifft2(torch.ones(1, 1, 16, 16)).real))).real
    factor = 0.1 / (seen * task.stepsize + 0.1)
    for k in (1, 2, 3):
        expected = torch.fft.ifft2(factor**k * torch.fft.fft2(gradients[0])).real
        assert (norms(gradients[k] - expected) < 1e-3 * norms(gradients[0])).all()


def test_the_grid_has_every_damping_and_fade(task):
    kind = IteratedTikhonov(dampings=(0.1, 1.0), fades=(None, 5))
    assert kind.tried(task) == [TikhonovSetting(d, f) for d in (0.1, 1.0) for f in (None, 5)]
    assert kind.setting({"damping": 0.1, "update_decay": 5}) == TikhonovSetting(0.1, 5)


def test_a_fade_stops_the_steps(task):
    y = task.measure(task.test_images[:1])
    kind = IteratedTikhonov()
    going, fading = (
        list(kind.solver(task, TikhonovSetting(1.0, fade)).iterates(y, task.student, 40))
        for fade in (None, 1)
    )
    assert torch.equal(going[1][0], fading[1][0])
    assert norms(fading[40][0] - fading[39][0]) < 0.2 * norms(going[40][0] - going[39][0])


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: TikhonovSetting(0.0), "damping"),
        (lambda: TikhonovSetting(0.1, 0), "update_decay"),
        (lambda: IteratedTikhonov(dampings=()), "dampings"),
        (lambda: IteratedTikhonov(dampings=(0.0,)), "dampings"),
        (lambda: IteratedTikhonov(fades=(0,)), "fades"),
    ],
)
def test_bad_numbers_are_named(make, named):
    with pytest.raises(ValueError, match=rf"^{named}="):
        make()
