"""Newton's step stopped early: its residual, its price, and the exact step as its limit."""

import pytest
import torch
from deepinv.physics import LinearPhysics

from ddgp_lib import State
from ddgp_lib.operators import (
    Counted,
    FourierDownsampling,
    MultiCoilCartesianMRI,
    normal,
    norms,
    squared_norm,
)
from ddgp_lib.preconditioners import InexactNewton, Newton

OPERATORS = {
    "coils": (MultiCoilCartesianMRI(4, (2, 16, 16), coils=3), (2, 16, 16)),
    "downsampling": (FourierDownsampling(2, (1, 16, 16), std=1.0), (1, 16, 16)),
}


@pytest.fixture(params=OPERATORS)
def problem(request, generator):
    physics, shape = OPERATORS[request.param]
    x = torch.randn(3, *shape, generator=generator) * torch.tensor([1e-3, 1.0, 1e3])[:, None, None, None]
    grad = normal(physics, x)
    return physics, shape, grad, State(grad, 0, physics, physics.A(x))


def left(physics, shape, direction, grad, damping):
    matrix = normal(physics, direction) / squared_norm(physics, shape) + damping * direction
    return norms(matrix - grad) / norms(grad)


@pytest.mark.parametrize("tolerance", [0.5, 0.1, 1e-3])
def test_the_equation_holds_up_to_the_tolerance_and_not_much_better(problem, tolerance):
    physics, shape, grad, state = problem
    found = left(physics, shape, InexactNewton(0.01, tolerance)(grad, state), grad, 0.01)
    assert (found <= 1.01 * tolerance).all()
    assert found.max() > 0.01 * tolerance


def test_a_small_tolerance_gives_newtons_step(problem):
    _, _, grad, state = problem
    exact, found = Newton(0.1)(grad, state), InexactNewton(0.1, 1e-6)(grad, state)
    assert (norms(found - exact) <= 1e-4 * norms(exact)).all()


def test_products_are_counted_and_a_closed_form_is_not_used(problem):
    physics, shape, grad, state = problem
    counts = []
    for tolerance in (0.5, 0.1, 1e-3):
        counted = Counted(physics, shape)
        InexactNewton(0.01, tolerance)(grad, State(state.z, 0, counted, state.y))
        counts.append(counted.count)
    assert 1 <= counts[0] < counts[1] < counts[2]


def test_a_strong_damping_takes_one_product(problem):
    physics, shape, grad, state = problem
    counted = Counted(physics, shape)
    found = InexactNewton(100.0, 0.1)(grad, State(state.z, 0, counted, state.y))
    assert counted.count == 1
    assert (norms(100 * found - grad) < 0.02 * norms(grad)).all()


def test_a_gradient_of_zero_stays_zero_and_others_are_not_disturbed(problem):
    _, _, grad, state = problem
    alone = InexactNewton(0.01)(grad, state)
    grad = grad.clone()
    grad[0] = 0
    found = InexactNewton(0.01)(grad, state)
    assert not found[0].any()
    torch.testing.assert_close(found[1:], alone[1:])


def test_an_image_that_is_done_stays_as_it_is_while_others_go_on(problem):
    physics, _, grad, _ = problem

    def steps(grads):
        return InexactNewton(0.01, 0.3)(grads, State(grads, 0, physics, physics.A(grads)))

    easy = normal(physics, normal(physics, grad[:1]))
    grads = torch.cat([easy, torch.randn_like(grad[1:])])
    wanted = torch.cat([steps(one[None]) for one in grads])
    assert (norms(steps(grads) - wanted) <= 1e-5 * norms(wanted)).all()


def test_an_operator_that_is_zero_is_refused():
    x = torch.ones(1, 1, 4, 4)
    zero = LinearPhysics(A=lambda x: 0 * x, A_adjoint=lambda y: 0 * y)
    with pytest.raises(ValueError, match=r"state\.physics='LinearPhysics': expected an operator that is not"):
        InexactNewton(0.1)(x, State(x, 0, zero, x))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"damping": 0.0}, "damping=0.0"),
        ({"tolerance": 1.0}, "tolerance=1.0"),
        ({"tolerance": 0}, "tolerance=0"),
    ],
)
def test_bad_arguments_are_named(changes, named):
    with pytest.raises(ValueError, match=named):
        InexactNewton(**({"damping": 0.1} | changes))
