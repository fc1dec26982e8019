"""Gradient descent on the data term: its equation, its momentum, and its start."""

import pytest
import torch
from deepinv.physics import LinearPhysics

from ddgp_lib.operators import FourierDownsampling, gradient, squared_norm
from ddgp_lib.preconditioners import Identity, Scalar
from ddgp_lib.solvers import MOMENTUM, descend

SHAPE = (1, 16, 16)


@pytest.fixture
def problem(generator):
    physics = FourierDownsampling(2, SHAPE, std=1.0)
    return physics, physics.A(torch.rand(2, *SHAPE, generator=generator))


@pytest.mark.parametrize("momentum", ["none", "chambolle_dossal"])
def test_three_steps_are_their_equation(problem, momentum):
    physics, y = problem
    adjoint = physics.A_adjoint(y)
    x = z = adjoint
    found = list(descend(physics, y, Scalar(0.5), 3, momentum))
    for k in range(3):
        x_new = z - 0.5 * gradient(physics, z, adjoint) / squared_norm(physics, SHAPE)
        x, z = x_new, x_new + MOMENTUM[momentum](k + 1) * (x_new - x)
        torch.testing.assert_close(found[k], z)


def test_a_run_starts_where_it_is_told_and_tells_p_its_state(problem):
    physics, y = problem
    start, told = torch.full((2, *SHAPE), 0.25), []

    class Listening(Identity):
        def forward(self, grad, state):
            told.append(state)
            return super().forward(grad, state)

    found = list(descend(physics, y, Listening(), 2, start=start))
    first = start - gradient(physics, start, physics.A_adjoint(y)) / squared_norm(physics, SHAPE)
    torch.testing.assert_close(found[0], first)
    assert [state.k for state in told] == [0, 1]
    for state, z in zip(told, (start, found[0]), strict=True):
        assert state.physics is physics
        torch.testing.assert_close(state.z, z)
        torch.testing.assert_close(state.y, y)


def test_the_misfit_falls_at_every_step_from_any_start(problem):
    physics, y = problem
    start = torch.zeros(2, *SHAPE)
    misfits = [float((physics.A(z) - y).norm()) for z in descend(physics, y, Identity(), 20, start=start)]
    assert misfits[0] < float(y.norm())
    assert misfits == sorted(misfits, reverse=True)


def test_p_is_shown_copies_and_its_direction_is_checked(problem):
    physics, y = problem
    before = y.clone()
    for spoil in (lambda g, s: g.mul_(0.5) + s.z.zero_(), lambda g, s: (s.y.zero_(), 0.5 * g)[1]):
        found, expected = (list(descend(physics, y, P, 2)) for P in (spoil, Scalar(0.5)))
        torch.testing.assert_close(found, expected)
        assert torch.equal(y, before)
    with pytest.raises(ValueError, match=r"P\(grad, state\)"):
        next(descend(physics, y, lambda g, s: g[:1], 1))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"steps": -1}, "steps=-1"),
        ({"momentum": "nesterov"}, "momentum='nesterov'"),
        ({"start": torch.zeros(1, 1, 4, 4)}, r"start\.shape"),
        ({"y": torch.zeros(2, 1, 3, 3)}, r"y\.shape"),
    ],
)
def test_bad_arguments_are_named(problem, changes, named):
    physics, y = problem
    arguments = {"y": y, "P": Identity(), "steps": 2} | changes
    with pytest.raises(ValueError, match=named):
        list(descend(physics, **arguments))


def test_no_step_is_a_number_of_steps(problem):
    physics, y = problem
    assert list(descend(physics, y, Identity(), 0)) == []


def test_the_step_suits_an_operator_whose_norm_is_not_known():
    physics = LinearPhysics(A=lambda x: 3 * x, A_adjoint=lambda y: 3 * y)
    (z,) = descend(physics, torch.full((1, *SHAPE), 3.0), Identity(), 1)
    torch.testing.assert_close(z, torch.ones(1, *SHAPE), atol=1e-3, rtol=0)
