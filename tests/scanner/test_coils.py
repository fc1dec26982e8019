"""Mixtures of coils, and images of all coils made into one."""

import pytest
import torch

from ddgp_lib.scanner import combine_coils, mix_coils, root_sum_of_squares
from tests.scanner.phantom import coil_maps, complex_noise, head


def test_a_mixture_is_the_matrix_at_every_place():
    matrix, kspace = complex_noise(2, 3), complex_noise(4, 3, 5, 6, seed=1)
    expected = torch.einsum("dc,schw->sdhw", matrix, kspace)
    torch.testing.assert_close(mix_coils(matrix, kspace), expected)
    torch.testing.assert_close(mix_coils(matrix, kspace[0]), expected[0])


def test_the_root_sum_of_squares_is_over_coils():
    images = complex_noise(2, 3, 4, 5)
    torch.testing.assert_close(root_sum_of_squares(images), images.abs().square().sum(1).sqrt())


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_combining_undoes_the_maps(factor):
    image, maps = head(), factor * coil_maps()
    torch.testing.assert_close(combine_coils(maps * image, maps), image, rtol=0, atol=1e-5)


def test_combining_is_the_least_squares_image():
    images, maps = complex_noise(3, 4, 4), complex_noise(3, 4, 4, seed=1)
    residual = images - maps * combine_coils(images, maps)
    torch.testing.assert_close((maps.conj() * residual).sum(0).abs(), torch.zeros(4, 4), rtol=0, atol=1e-5)


def test_where_all_maps_are_zero_there_is_no_image():
    maps = coil_maps()
    maps[:, :10] = 0
    combined = combine_coils(complex_noise(*maps.shape), maps)
    assert (combined[:10] == 0).all()
    assert torch.isfinite(combined.abs()).all()


@pytest.mark.parametrize("shape", [(2, 96, 80), (6, 80, 96), (2, 6, 96, 80)])
def test_maps_of_another_shape_are_refused(shape):
    with pytest.raises(
        ValueError, match=r"maps.shape=.*expected coils and sides of the images, \(6, 96, 80\)"
    ):
        combine_coils(coil_maps(), torch.ones(shape, dtype=torch.complex64))


def test_a_matrix_of_other_coils_is_refused():
    with pytest.raises(ValueError, match=r"matrix=.*expected a finite complex tensor \(D, 6\)"):
        mix_coils(complex_noise(2, 5), coil_maps())


@pytest.mark.parametrize("units", [1e-30, 1e30])
def test_squares_neither_overflow_nor_vanish(units):
    image, maps = head(), coil_maps()
    torch.testing.assert_close(root_sum_of_squares(maps * units) / units, root_sum_of_squares(maps))
    torch.testing.assert_close(combine_coils(maps * units * image, maps * units), image, rtol=0, atol=1e-5)
