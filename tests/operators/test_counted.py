"""Counting products: each once, whoever asks for it, and the numbers are those of the operator."""

import pytest
import torch
from deepinv.physics import LinearPhysics

from ddgp_lib.operators import Counted, FourierDownsampling, gradient, normal
from ddgp_lib.preconditioners import Polynomial
from ddgp_lib.solvers import descend

SHAPE = (1, 16, 16)


@pytest.fixture
def physics():
    return FourierDownsampling(2, SHAPE, std=1.0)


def test_products_are_counted_once_each(physics, generator):
    counted, z = Counted(physics, SHAPE), torch.rand(1, *SHAPE, generator=generator)
    torch.testing.assert_close(normal(counted, z), normal(physics, z))
    gradient(counted, z, z)
    assert counted.count == 2


def test_closed_forms_are_passed_on_and_count_as_two_products(physics, generator):
    counted, z = Counted(physics, SHAPE), torch.rand(1, *SHAPE, generator=generator)
    torch.testing.assert_close(counted.newton(z, 0.1), physics.newton(z, 0.1))
    assert counted.count == 2
    torch.testing.assert_close(counted.range_projection(z), physics.range_projection(z))
    assert counted.count == 4
    plain = Counted(LinearPhysics(A=lambda x: 2 * x, A_adjoint=lambda y: 2 * y), SHAPE)
    assert not hasattr(plain, "newton")
    assert not hasattr(plain, "range_projection")


def test_a_polynomial_costs_its_degree_and_the_gradient(physics, generator):
    counted, z = Counted(physics, SHAPE), torch.rand(1, *SHAPE, generator=generator)
    list(descend(counted, counted.A(z), Polynomial.of("l2", 4), 3))
    assert counted.count == 3 * 5
