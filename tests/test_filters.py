"""Filter factors are the methods that they stand for, and the rules choose as their definitions say."""

import pytest
import torch
from deepinv.physics import BlurFFT
from deepinv.physics.functional import gaussian_blur

from ddgp_lib import analysis, filters
from ddgp_lib.operators import HadamardCamera
from ddgp_lib.preconditioners import Identity
from ddgp_lib.solvers import descend

SIZE = (1, 8, 8)
BLUR = BlurFFT(SIZE, filter=gaussian_blur(sigma=(0.8, 0.8)))
MODES = analysis.modes(BLUR, SIZE)
SIGMA = 0.05


@pytest.fixture
def images(generator):
    return torch.rand(3, *SIZE, generator=generator)


@pytest.fixture
def truth(images):
    return MODES.analyse(images)


@pytest.fixture
def data(truth, generator):
    noise = torch.randn(truth.shape, generator=generator, dtype=truth.dtype)
    return MODES.values * truth + SIGMA * noise


FAMILIES = {
    "landweber": filters.landweber(MODES.values, 1.0, 60),
    "tikhonov": filters.tikhonov(MODES.values, torch.logspace(0, -4, 30)),
    "truncated": filters.truncated(MODES.values, torch.arange(0, 64, 4)),
}
every_family = pytest.mark.parametrize("factors", FAMILIES.values(), ids=FAMILIES.keys())


def test_landweber_is_gradient_descent_from_zero(images):
    start = torch.zeros_like(images)
    *_, x = descend(BLUR, BLUR.A(images), Identity(), 7, start=start)
    step = 1 / float(MODES.eigenvalues[0])
    factors = filters.landweber(MODES.values, step, 7)[7]
    torch.testing.assert_close(
        MODES.synthesise(factors * MODES.analyse(images)).float(), x, atol=1e-4, rtol=0
    )


def test_tikhonov_solves_the_damped_normal_equations(images):
    factors = filters.tikhonov(MODES.values, torch.tensor([0.1]))
    x = MODES.synthesise(factors * MODES.analyse(images)).float()
    left = BLUR.A_adjoint(BLUR.A(x)) + 0.1 * x
    torch.testing.assert_close(left, BLUR.A_adjoint(BLUR.A(images)), atol=1e-4, rtol=1e-3)


def test_truncation_keeps_the_strongest_modes_and_never_a_silent_one():
    values = analysis.singular_values(HadamardCamera(0.25, SIZE), SIZE)
    factors = filters.truncated(values, torch.tensor([0, 5, 16, 64]))
    assert factors.sum(dim=1).tolist() == [0, 5, 16, 16]
    with pytest.raises(ValueError, match=r"values=.*falling order"):
        filters.truncated(values.flip(0), torch.tensor([1]))


@every_family
def test_residuals_and_errors_are_those_of_the_estimates(factors, data, truth):
    estimates = factors[:, None] * data / MODES.values
    residuals = (MODES.values * estimates - data).square().sum(dim=2)
    torch.testing.assert_close(filters.squared_residuals(factors, data), residuals)
    errors = (estimates - truth).square().sum(dim=2)
    torch.testing.assert_close(filters.squared_errors(factors, MODES.values, data, truth), errors)


def test_a_silent_mode_contributes_its_whole_signal():
    values, one = torch.tensor([1.0, 0.0]), torch.ones(1, 2)
    assert float(filters.squared_errors(one, values, one, 3 * one)) == pytest.approx(4 + 9)


@every_family
def test_the_discrepancy_principle_takes_the_first_residual_below_that_of_the_noise(factors, data):
    residuals = filters.squared_residuals(factors, data)
    rows = filters.discrepancy_principle(residuals, SIGMA, 64)
    for i, row in enumerate(rows.tolist()):
        below = (residuals[:, i] <= SIGMA**2 * 64).nonzero().flatten().tolist()
        assert row == (below[0] if below else len(residuals) - 1)
    assert (filters.discrepancy_principle(residuals, SIGMA, 64, factor=1.5) <= rows).all()
    last = filters.discrepancy_principle(residuals + 1e9, SIGMA, 64)
    assert (last == len(residuals) - 1).all()


@every_family
def test_cross_validation_takes_the_smallest_score(factors, data):
    residuals = filters.squared_residuals(factors, data)
    scores = residuals / (64 - factors.sum(dim=1))[:, None] ** 2
    assert (filters.cross_validation(residuals, factors, 64) == scores.argmin(dim=0)).all()


def test_cross_validation_never_takes_the_member_that_fits_all_data():
    factors = torch.tensor([[0.5, 0.0], [1.0, 1.0]])
    residuals = filters.squared_residuals(factors, torch.ones(1, 2))
    assert float(residuals[1]) == 0
    assert filters.cross_validation(residuals, factors, 2).tolist() == [0]
    with pytest.raises(ValueError, match="count=2"):
        filters.cross_validation(residuals, torch.ones(2, 2), 2)


@pytest.mark.parametrize("rule", ["discrepancy", "cross-validation"])
def test_both_rules_are_near_the_best_choice_of_a_rank(rule, generator):
    values = torch.logspace(0, -3, 200, dtype=torch.float64)
    truth = torch.randn(50, 200, generator=generator, dtype=torch.float64)
    data = values * truth + 0.02 * torch.randn(truth.shape, generator=generator, dtype=torch.float64)
    factors = filters.truncated(values, torch.arange(200))
    residuals = filters.squared_residuals(factors, data)
    errors = filters.squared_errors(factors, values, data, truth)
    if rule == "discrepancy":
        rows = filters.discrepancy_principle(residuals, 0.02, 200)
    else:
        rows = filters.cross_validation(residuals, factors, 200)
    chosen = errors.gather(0, rows[None]).median()  # cross-validation fails for a few
    assert chosen < 1.4 * errors.min(dim=0).values.median()
    assert chosen < 0.1 * errors[-1].median()
