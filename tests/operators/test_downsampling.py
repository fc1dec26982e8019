"""Downsampling: the spectrum by aliasing, documented filters, deepinv's proximal step, tolerance."""

import pytest
import torch

from ddgp_lib.operators import FILTERS, FourierDownsampling


@pytest.mark.parametrize("factor", [1, 2, 4])
@pytest.mark.parametrize("filter", FILTERS)
def test_spectrum_is_that_of_the_circulant_matrix(factor, filter):
    physics = FourierDownsampling(factor, (1, 16, 24), filter)
    h, w = 16 // factor, 24 // factor
    impulse = torch.zeros(1, 1, h, w)
    impulse[..., 0, 0] = 1
    column = physics.A(physics.A_adjoint(impulse))[0, 0].double()  # the first column of A Aᵀ
    spectrum = torch.fft.fft2(column)
    torch.testing.assert_close(physics.spectrum, spectrum.real, atol=1e-6, rtol=0)
    assert spectrum.imag.abs().max() < 1e-6


@pytest.mark.parametrize(("factor", "taps"), [(1, 9), (2, 15), (4, 29)])
def test_standard_deviation_of_the_gaussian_is_the_factor(factor, taps):
    default = FourierDownsampling(factor, (1, 64, 64))
    assert default.filter.shape[-2:] == (taps, taps)
    assert default.filter.sum().item() == pytest.approx(1.0, abs=1e-6)
    offsets = torch.arange(taps) - taps // 2
    variance = (default.filter[0, 0].sum(0) * offsets**2).sum().item()
    assert variance**0.5 == pytest.approx(factor, rel=0.01)
    given = FourierDownsampling(factor, (1, 64, 64), std=float(factor))
    torch.testing.assert_close(given.filter, default.filter)


def test_constant_images_keep_their_value():
    for filter in FILTERS:
        y = FourierDownsampling(4, (3, 32, 32), filter).A(torch.full((2, 3, 32, 32), 0.5))
        torch.testing.assert_close(y, torch.full((2, 3, 8, 8), 0.5))


def test_channels_are_treated_alike(generator):
    x = torch.randn(2, 3, 16, 16, generator=generator)
    colour, grey = FourierDownsampling(2, (3, 16, 16)), FourierDownsampling(2, (1, 16, 16))
    for channel in range(3):
        one = slice(channel, channel + 1)
        torch.testing.assert_close(colour.A_adjoint_A(x)[:, one], grey.A_adjoint_A(x[:, one]))


@pytest.mark.parametrize("factor", [1, 4])
def test_proximal_step_solves_its_equation(factor, generator):
    physics = FourierDownsampling(factor, (1, 16, 16))  # 29 taps for factor 4: the filter wraps around
    z = torch.randn(2, 1, 16, 16, generator=generator)
    y = physics.A(torch.randn(2, 1, 16, 16, generator=generator))
    x = physics.prox_l2(z, y, gamma=2.0)
    torch.testing.assert_close(
        physics.A_adjoint_A(x) + x / 2, physics.A_adjoint(y) + z / 2, atol=1e-5, rtol=1e-5
    )


def test_coarser_tolerance_sees_less():
    x = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    blurs = [FourierDownsampling(1, (1, 32, 32), rtol=rtol) for rtol in (1e-5, 1e-3, 1e-1)]
    torch.testing.assert_close(blurs[0].range_projection(x), x, atol=1e-5, rtol=1e-5)  # nothing is lost
    energies = [blur.range_projection(x).norm().item() for blur in blurs]
    assert energies[0] > energies[1] > energies[2]


def test_pseudo_inverse_recovers_the_range(generator):
    physics = FourierDownsampling(4, (1, 32, 32), "bicubic")
    x = torch.randn(2, 1, 32, 32, generator=generator)
    y = physics.A(x)
    torch.testing.assert_close(physics.A(physics.A_dagger(y)), y, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(physics.A_dagger(y), physics.range_projection(x), atol=1e-5, rtol=1e-5)
