"""Polynomials in AᵀA: the published coefficients, dense matrices, and what they gain for each product."""

import numpy as np
import pytest
import torch
from numpy.polynomial import Polynomial as Powers
from numpy.polynomial import chebyshev

from ddgp_lib import State
from ddgp_lib.operators import (
    CartesianMRI,
    FourierDownsampling,
    HadamardCamera,
    MultiCoilCartesianMRI,
    normal,
)
from ddgp_lib.preconditioners.polynomial import (
    MAX_DEGREE,
    Polynomial,
    chebyshev_coefficients,
    ifista_coefficients,
    l2_coefficients,
)

DEGREES = range(MAX_DEGREE + 1)
T = np.linspace(0, 1, 1001)


def residual(coefficients):
    """Return the polynomial r(t) = 1 − t p(t)."""
    return Powers([1, *(-c for c in coefficients)])


def apply(preconditioner, physics, grad):
    return preconditioner(grad, State(torch.zeros_like(grad), 0, physics, physics.A(grad)))


def test_published_coefficients_of_the_least_squares_rule():
    assert l2_coefficients(0) == pytest.approx([1.5])
    assert l2_coefficients(1) == pytest.approx([4, -10 / 3])
    assert l2_coefficients(2) == pytest.approx([7.5, -15, 8.75])


@pytest.mark.parametrize("degree", DEGREES)
def test_least_squares_rule_solves_its_equations(degree):
    i = np.arange(degree + 1)
    left = 1 / (i[:, None] + i + 3) @ l2_coefficients(degree)
    np.testing.assert_allclose(left, 1 / (i + 2), rtol=0, atol=1e-9)


@pytest.mark.parametrize("degree", [1, 3, 5])
def test_least_squares_rule_is_the_minimum(degree):
    def integral(coefficients):
        square = (residual(coefficients) ** 2).integ()
        return square(1) - square(0)

    best = l2_coefficients(degree)
    for j in range(degree + 1):
        for change in (-1e-2, 1e-2):
            changed = [c + change * (i == j) for i, c in enumerate(best)]
            assert integral(changed) > integral(best)


@pytest.mark.parametrize("degree", DEGREES)
def test_chebyshev_rule_levels_the_residual(degree):
    lower, n = 0.05, degree + 1
    r = residual(chebyshev_coefficients(degree, lower))
    size = 1 / chebyshev.Chebyshev.basis(n)((1 + lower) / (1 - lower))
    extrema = (1 + lower) / 2 - (1 - lower) / 2 * np.cos(np.pi * np.arange(n + 1) / n)
    np.testing.assert_allclose(r(extrema), size * (-1.0) ** np.arange(n + 1), rtol=0, atol=1e-8)
    assert np.abs(r(np.linspace(lower, 1, 1001))).max() <= size * (1 + 1e-6) + 1e-8


@pytest.mark.parametrize("degree", DEGREES)
def test_ifista_is_that_many_gradient_steps(degree):
    np.testing.assert_allclose(residual(ifista_coefficients(degree))(T), (1 - T) ** (degree + 1), atol=1e-12)


@pytest.mark.parametrize("degree", DEGREES)
def test_every_rule_is_positive_definite_and_contracts(degree):
    for coefficients in (
        l2_coefficients(degree),
        ifista_coefficients(degree),
        chebyshev_coefficients(degree, 0.05),
    ):
        assert np.abs(residual(coefficients)(T[1:-1])).max() < 1
        assert (Powers(coefficients)(T[1:]) > 0).all()


@pytest.mark.parametrize("rule", [("l2", 0), ("l2", 3), ("chebyshev", 4), ("ifista", MAX_DEGREE)])
@pytest.mark.parametrize(
    ("physics", "shape"),
    [
        (FourierDownsampling(2, (1, 8, 8), std=1.0), (1, 8, 8)),
        (MultiCoilCartesianMRI(2, (2, 8, 8), coils=3, center_fraction=0.1), (2, 8, 8)),
    ],
)
def test_equals_its_dense_matrix(rule, physics, shape, generator):
    kind, degree = rule
    preconditioner = Polynomial.of(kind, degree, lower=0.05 if kind == "chebyshev" else None)
    size = torch.Size(shape).numel()
    matrix = normal(physics, torch.eye(size).reshape(size, *shape)).flatten(1).double()
    eigenvalues, basis = torch.linalg.eigh((matrix + matrix.T) / 2)
    gains = Powers(preconditioner.coefficients)((eigenvalues / eigenvalues[-1]).numpy())
    dense = basis @ torch.diag(torch.as_tensor(gains)) @ basis.T
    grad = torch.randn(3, *shape, generator=generator)
    direction = apply(preconditioner, physics, grad)
    assert direction.shape == grad.shape
    assert direction.dtype == grad.dtype
    torch.testing.assert_close(
        direction.flatten(1).double(), grad.flatten(1).double() @ dense, rtol=1e-4, atol=1e-3
    )
    assert preconditioner.products == degree


@pytest.mark.parametrize("degree", DEGREES)
def test_single_precision_suffices_up_to_the_highest_degree(degree, generator):
    physics = FourierDownsampling(2, (1, 16, 16), std=1.0)
    grad = normal(physics, torch.randn(2, 1, 16, 16, generator=generator))
    for kind, lower in (("l2", None), ("ifista", None), ("chebyshev", 0.03)):
        preconditioner = Polynomial.of(kind, degree, lower=lower)
        single = apply(preconditioner, physics, grad)
        double = apply(preconditioner, FourierDownsampling(2, (1, 16, 16), std=1.0).double(), grad.double())
        assert (single - double).norm() < 1e-2 * double.norm()


def test_costs_the_products_that_it_says(generator):
    physics = FourierDownsampling(2, (1, 8, 8))
    calls, product = [], physics.A_adjoint_A
    physics.A_adjoint_A = lambda x: calls.append(1) or product(x)
    for degree in (0, 2, 5):
        calls.clear()
        preconditioner = Polynomial.of("l2", degree)
        apply(preconditioner, physics, torch.randn(1, 1, 8, 8, generator=generator))
        assert len(calls) == preconditioner.products == degree


@pytest.mark.parametrize(
    ("physics", "shape"),
    [(HadamardCamera(0.2, (1, 16, 16)), (1, 16, 16)), (CartesianMRI(4, (2, 16, 16)), (2, 16, 16))],
)
def test_is_a_scalar_where_the_rows_are_orthonormal(physics, shape, generator):
    grad = normal(physics, torch.randn(2, *shape, generator=generator))
    preconditioner = Polynomial.of("l2", 2)
    torch.testing.assert_close(
        apply(preconditioner, physics, grad), 1.25 * grad, rtol=1e-4, atol=1e-5
    )  # 7.5 − 15 + 8.75


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: Polynomial([]), "coefficients"),
        (lambda: Polynomial([1.0, float("nan")]), "coefficients"),
        (lambda: Polynomial.of("l3", 2), "kind='l3'.*chebyshev"),
        (lambda: Polynomial.of("l2", -1), "degree=-1"),
        (lambda: Polynomial.of("l2", 1.5), r"degree=1\.5"),
        (lambda: Polynomial.of("ifista", MAX_DEGREE + 1), "degree"),
        (lambda: Polynomial.of("l2", 2, lower=0.1), "lower"),
        (lambda: Polynomial.of("chebyshev", 2), "lower=None"),
        (lambda: Polynomial.of("chebyshev", 2, lower=1.0), r"lower=1\.0"),
        (lambda: Polynomial.of("chebyshev", 2, lower=float("nan")), "lower=nan"),
    ],
)
def test_bad_arguments_are_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
