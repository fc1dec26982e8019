"""Counting products: each once, whoever asks for it, and the numbers are those of the operator."""

import pytest
import torch

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


def test_a_polynomial_costs_its_degree_and_the_gradient(physics, generator):
    counted, z = Counted(physics, SHAPE), torch.rand(1, *SHAPE, generator=generator)
    list(descend(counted, counted.A(z), Polynomial.of("l2", 4), 3))
    assert counted.count == 3 * 5
