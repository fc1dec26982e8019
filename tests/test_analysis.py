"""The closed forms of ddgp_lib.analysis agree with the iterations that they describe."""

import re

import deepinv as dinv
import pytest
import torch

from ddgp_lib import analysis
from ddgp_lib.operators import HadamardCamera
from ddgp_lib.solvers import chambolle_dossal

SIZE = (1, 8, 8)


TAPS = torch.tensor([1.0, 4.0, 1.0]) / 6
KERNEL = (TAPS[:, None] * TAPS)[None, None]


def blur() -> dinv.physics.LinearPhysics:
    return dinv.physics.BlurFFT(SIZE, filter=KERNEL)


def decimated() -> dinv.physics.LinearPhysics:
    return dinv.physics.Downsampling(img_size=SIZE, filter=KERNEL, factor=2)


def camera() -> dinv.physics.LinearPhysics:
    return HadamardCamera(0.25, SIZE)


OPERATORS = [pytest.param(make, id=make.__name__) for make in (camera, blur, decimated)]


def images(count: int = 3) -> torch.Tensor:
    return torch.rand(count, *SIZE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("make", OPERATORS)
def test_the_dense_matrix_is_the_operator(make):
    physics, x = make(), images()
    matrix = analysis.dense_matrix(physics, SIZE).float()
    y = (x.flatten(1) @ matrix.T).reshape(physics.A(x).shape)
    torch.testing.assert_close(y, physics.A(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("make", OPERATORS)
def test_modes_are_an_orthonormal_basis_in_which_the_operator_is_diagonal(make):
    physics = make()
    modes = analysis.modes(physics, SIZE)
    n = modes.values.numel()
    torch.testing.assert_close(modes.right.T @ modes.right, torch.eye(n, dtype=torch.float64))
    gram = analysis.dense_matrix(physics, SIZE)
    diagonal = modes.right.T @ gram.T @ gram @ modes.right
    torch.testing.assert_close(diagonal, torch.diag(modes.eigenvalues), atol=1e-5, rtol=0)
    assert (modes.values.diff() <= 0).all()
    x = images()
    torch.testing.assert_close(modes.synthesise(modes.analyse(x)).float(), x)


def test_spectra_known_in_closed_form():
    values = analysis.singular_values(camera(), SIZE)
    assert int((values > 0).sum()) == 16
    torch.testing.assert_close(values[:16], torch.ones(16, dtype=torch.float64), atol=1e-6, rtol=0)
    response = (2 + torch.cos(2 * torch.pi * torch.arange(8) / 8)) / 3
    expected = (response[:, None] * response).flatten().sort(descending=True).values
    torch.testing.assert_close(analysis.singular_values(blur(), SIZE), expected.double(), atol=1e-6, rtol=0)
    assert analysis.condition_number(values) == pytest.approx(1, abs=1e-6)
    assert analysis.condition_number(analysis.singular_values(blur(), SIZE)) == pytest.approx(9, rel=1e-4)


def test_the_condition_number_of_the_gram_matrix_is_the_square():
    values = analysis.singular_values(decimated(), SIZE)
    kappa = analysis.condition_number(values)
    assert analysis.condition_number(values**2) == pytest.approx(kappa**2, rel=1e-9)


@pytest.mark.parametrize("make", OPERATORS)
def test_the_split_is_orthogonal_complete_and_invisible_in_the_null_part(make):
    physics, x = make(), images()
    seen, unseen = analysis.split(physics, x)
    torch.testing.assert_close(seen + unseen, x)
    assert (seen * unseen).flatten(1).sum(1).abs().max() < 1e-3
    assert physics.A(unseen).abs().max() < 1e-3
    modes = analysis.modes(physics, SIZE)
    inside = modes.analyse(unseen)[:, modes.values > 0]
    assert inside.abs().max() < 1e-2 * x.norm()


def run(physics, y, step, iterations, momentum=0.0, rule="nesterov"):
    """Iterate with the operator itself, from zero."""
    x = previous = torch.zeros(len(y), *SIZE)
    for k in range(iterations):
        beta = momentum(k) if callable(momentum) else momentum
        z = x + beta * (x - previous)
        at = z if rule == "nesterov" else x
        x, previous = z - step * physics.A_adjoint(physics.A(at) - y), x
    return x


@pytest.mark.parametrize("make", OPERATORS)
@pytest.mark.parametrize(
    ("momentum", "rule"),
    [(0.0, "nesterov"), (0.6, "nesterov"), (0.4, "heavy_ball"), (chambolle_dossal, "nesterov")],
)
def test_the_scalar_recursion_is_the_iteration(make, momentum, rule):
    physics, truth = make(), images()
    modes = analysis.modes(physics, SIZE)
    step = 0.9 / float(modes.eigenvalues.max())
    iterate = run(physics, physics.A(truth), step, 12, momentum, rule)
    factors = analysis.error_factors(modes.eigenvalues, step, 12, momentum, rule)
    predicted = modes.synthesise(factors[-1] * modes.analyse(-truth))
    torch.testing.assert_close((iterate - truth).double(), predicted, atol=1e-5, rtol=0)


def test_gradient_descent_is_a_power():
    eigenvalues = torch.linspace(0, 1, 9, dtype=torch.float64)
    factors = analysis.error_factors(eigenvalues, 1.5, 7)
    torch.testing.assert_close(factors[7], (1 - 1.5 * eigenvalues) ** 7)


def test_no_step_beats_the_best_one():
    eigenvalues = torch.tensor([0.0, 0.1, 0.5, 2.0], dtype=torch.float64)
    step, rate = analysis.best_gradient_step(eigenvalues)
    assert rate == pytest.approx(analysis.gradient_rate(eigenvalues, step))
    assert all(
        analysis.gradient_rate(eigenvalues, s) >= rate - 1e-12
        for s in torch.linspace(0.01, 1.5, 300).tolist()
    )
    assert analysis.gradient_rate(eigenvalues, 1.001) > 1 > analysis.gradient_rate(eigenvalues, 0.999)


@pytest.mark.parametrize("rule", ["nesterov", "heavy_ball"])
def test_the_radius_is_that_of_the_companion_matrix_and_the_measured_rate(rule):
    eigenvalues = torch.tensor([0.01, 0.2, 0.7, 1.0], dtype=torch.float64)
    step, beta = 0.8, 0.7
    radius = analysis.momentum_radius(eigenvalues, step, beta, rule)
    for value, expected in zip(eigenvalues.tolist(), radius.tolist(), strict=True):
        plain = 1 - step * value
        trace, last = ((1 + beta) * plain, beta * plain) if rule == "nesterov" else (beta + plain, beta)
        companion = torch.tensor([[trace, -last], [1.0, 0.0]], dtype=torch.float64)
        assert torch.linalg.eigvals(companion).abs().max().item() == pytest.approx(expected)
    factors = analysis.error_factors(eigenvalues, step, 400, beta, rule).abs()
    envelope = factors[200:].amax(0), factors[380:].amax(0)
    measured = (envelope[1] / factors[180:201].amax(0)) ** (1 / 200)
    torch.testing.assert_close(measured, radius, atol=0.01, rtol=0)


@pytest.mark.parametrize("rule", ["nesterov", "heavy_ball"])
def test_the_best_momentum_has_its_rate_and_no_other_beats_it(rule):
    eigenvalues = torch.linspace(0.04, 1.0, 50, dtype=torch.float64)
    step, beta, rate = analysis.best_momentum(eigenvalues, rule)
    # At a double root rounding in the discriminant moves the radius by its square root.
    assert analysis.momentum_radius(eigenvalues, step, beta, rule).max().item() == pytest.approx(
        rate, abs=1e-6
    )
    for other in torch.linspace(0, 0.99, 100).tolist():
        assert analysis.momentum_radius(eigenvalues, step, other, rule).max().item() >= rate - 1e-6
    gradient = analysis.best_gradient_step(eigenvalues)[1]
    assert rate < gradient
    expected = 1 - 1 / 5 if rule == "nesterov" else 4 / 6
    assert rate == pytest.approx(expected)


@pytest.mark.parametrize("make", OPERATORS)
def test_the_expected_error_is_the_mean_over_noise(make):
    physics, truth = make(), images(1)
    modes = analysis.modes(physics, SIZE)
    step, sigma, count = 1 / float(modes.eigenvalues.max()), 0.2, 4000
    factors = analysis.error_factors(modes.eigenvalues, step, 8)
    curve = analysis.expected_error(modes.values, modes.analyse(truth), sigma, factors)
    y = physics.A(truth)
    noise = sigma * torch.randn(count, *y.shape[1:], generator=torch.Generator().manual_seed(1))
    if isinstance(physics, HadamardCamera):
        noise = noise * physics.mask
    error = (run(physics, y + noise, step, 8) - truth).square().flatten(1).sum(1).mean()
    assert error.item() == pytest.approx(curve.total[8].item(), rel=0.02)
    assert curve.null[0] == curve.null[8]


def test_semiconvergence_has_a_minimum_inside():
    values = torch.logspace(0, -2, 40, dtype=torch.float64)
    factors = analysis.error_factors(values**2, 1.0, 3000)
    curve = analysis.expected_error(values, torch.ones(40), 0.1, factors).total
    best = int(curve.argmin())
    assert 0 < best < 3000
    assert curve[3000] > 1.2 * curve[best]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: analysis.gradient_factors(torch.ones(2), 0.0), "step=0.0"),
        (lambda: analysis.condition_number(torch.zeros(3)), "values"),
        (lambda: analysis.condition_number(torch.tensor([-1.0, 1.0])), "values"),
        (lambda: analysis.momentum_radius(torch.ones(2), 1.0, 0.5, "adam"), "rule='adam'"),
        (lambda: analysis.momentum_radius(torch.ones(2), 1.0, -0.5), "momentum=-0.5"),
        (lambda: analysis.error_factors(torch.ones(2), 1.0, -1), "iterations=-1"),
        (lambda: analysis.dense_matrix(camera(), (1, 128, 128)), "img_size"),
        (lambda: analysis.expected_error(torch.ones(2), torch.ones(2), -1.0, torch.ones(3, 2)), "noise=-1.0"),
        (lambda: analysis.expected_error(torch.ones(2), torch.ones(2), 1.0, torch.ones(3, 4)), "factors"),
        (lambda: analysis.modes(camera(), SIZE).synthesise(torch.ones(1, 3)), "coefficients"),
        (lambda: analysis.split(camera(), torch.full((1, *SIZE), float("nan"))), "x="),
    ],
)
def test_bad_arguments_are_named(call, name):
    with pytest.raises(ValueError, match=re.escape(name)):
        call()
