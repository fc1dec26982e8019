"""Scaling brings the brightest tissue to about 1, in whatever units k-space came."""

import pytest
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.scanner import brightness, column_mask, low_resolution, root_sum_of_squares, scale_to_unit
from tests.scanner.phantom import complex_noise, head, scan


@pytest.mark.parametrize("units", [1e-9, 1.0, 3e6])
def test_the_brightest_tissue_is_about_one_in_all_units(units):
    kspace = units * scan()[0]
    scaled, factor = scale_to_unit(kspace)
    torch.testing.assert_close(scaled, kspace * factor)
    bright = root_sum_of_squares(centred_fourier(scaled, inverse=True)).flatten().quantile(0.99)
    assert 0.7 < bright < 1.5
    assert brightness(scaled) == pytest.approx(1, abs=1e-4)


def test_the_factor_hardly_depends_on_the_acceleration(generator):
    kspace = scan()[0]
    mask = column_mask(80, 4.0, 16, generator)
    full, part = scale_to_unit(kspace, width=16)[1], scale_to_unit(kspace * mask, width=16)[1]
    assert part == pytest.approx(full, rel=0.1)


def test_noise_hardly_changes_the_factor():
    kspace = scan()[0]
    noisy = kspace + 0.05 * complex_noise(*kspace.shape)
    assert scale_to_unit(noisy)[1] == pytest.approx(scale_to_unit(kspace)[1], rel=0.03)


def test_a_uniform_image_keeps_its_brightness_at_low_resolution():
    flat = centred_fourier(torch.full((2, 31, 40), 3 + 4j)) + 1e-5
    torch.testing.assert_close(low_resolution(flat, 8).abs(), torch.full((2, 31, 40), 5.0), rtol=1e-3, atol=0)


def test_low_resolution_uses_the_middle_alone():
    kspace = centred_fourier(head()[None])
    changed = kspace.clone()
    changed[:, :20] += 100
    torch.testing.assert_close(low_resolution(changed, 16), low_resolution(kspace, 16))
    assert (centred_fourier(low_resolution(kspace, 16)).abs()[:, :40] < 1e-4).all()


def test_the_window_falls_as_a_hann_window_to_both_ends():
    window = centred_fourier(low_resolution(torch.ones(1, 16, 20) + 0j, 8))[0].real
    fall = torch.cos(torch.pi / 2 * torch.arange(-4, 4) / 5).square()
    torch.testing.assert_close(window[4:12, 6:14], fall.outer(fall), rtol=0, atol=1e-6)
    assert window.sum() == pytest.approx(float(fall.sum() ** 2), abs=1e-4)


def test_slices_share_one_factor():
    kspace = torch.stack([scan(3, 48, 40)[0], 2 * scan(3, 48, 40)[0]])
    scaled, factor = scale_to_unit(kspace)
    assert isinstance(factor, float)
    torch.testing.assert_close(scaled[1], 2 * scaled[0])


@pytest.mark.parametrize("percentile", [0, 101, None, float("nan")])
def test_percentiles_that_are_none_are_refused(percentile):
    with pytest.raises(ValueError, match="percentile="):
        brightness(scan()[0], percentile)


def test_k_space_without_its_middle_is_refused():
    kspace = complex_noise(2, 16, 16)
    kspace[:, 8, 8] = 0
    with pytest.raises(ValueError, match=r"kspace=.*the zero frequency measured in every slice"):
        brightness(kspace)
