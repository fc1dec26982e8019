"""Virtual coils: orthonormal mixtures that keep the most energy."""

import pytest
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.scanner import (
    compress_coils,
    compress_coils_geometrically,
    compression_matrix,
    noise_covariance,
    root_sum_of_squares,
)
from tests.scanner.phantom import complex_noise, scan


@pytest.fixture(scope="module")
def kspace():
    return scan(8, 48, 40)[0]


def test_all_virtual_coils_are_a_unitary_mixture(kspace):
    matrix, energy = compression_matrix(kspace, 8)
    torch.testing.assert_close(matrix @ matrix.mH, torch.eye(8, dtype=torch.complex64), rtol=0, atol=1e-5)
    assert energy == pytest.approx(1)
    compressed = compress_coils(kspace, 8)[0]
    torch.testing.assert_close(
        root_sum_of_squares(compressed), root_sum_of_squares(kspace), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("coils", [1, 3, 5])
def test_the_energy_is_the_fraction_that_is_kept_and_no_mixture_keeps_more(kspace, coils):
    compressed, energy = compress_coils(kspace, coils)
    assert compressed.shape == (coils, 48, 40)
    total = kspace.abs().square().sum()
    assert energy == pytest.approx(float(compressed.abs().square().sum() / total), abs=1e-5)
    strengths = torch.linalg.svdvals(kspace.flatten(1).to(torch.complex128)).square()
    assert energy == pytest.approx(float(strengths[:coils].sum() / strengths.sum()), abs=1e-6)


def test_virtual_coils_are_in_the_order_of_their_energy_and_have_a_fixed_phase(kspace):
    matrix, _ = compression_matrix(kspace, 8)
    energies = compress_coils(kspace, 8)[0].abs().square().sum((1, 2))
    assert (energies.diff() <= 0).all()
    largest = matrix.gather(1, matrix.abs().argmax(1, keepdim=True))
    assert largest.imag.abs().max() < 1e-6
    assert largest.real.min() > 0


def test_white_noise_stays_white():
    compressed = compress_coils(complex_noise(6, 60, 60), 3)[0]
    found = noise_covariance(compressed.flatten(1))
    torch.testing.assert_close(found, torch.eye(3, dtype=torch.complex128), rtol=0, atol=0.08)


def test_slices_share_their_virtual_coils():
    slices = complex_noise(3, 4, 10, 10)
    together, matrix = compress_coils(slices, 2)[0], compression_matrix(slices, 2)[0]
    torch.testing.assert_close(together[1], torch.einsum("dc,chw->dhw", matrix, slices[1]))


@pytest.mark.parametrize("axis", ["height", "width"])
def test_geometric_compression_keeps_more(kspace, axis):
    compressed, energy = compress_coils_geometrically(kspace, 3, axis)
    assert compressed.shape == (3, 48, 40)
    kept = float(compressed.abs().square().sum() / kspace.abs().square().sum())
    assert energy == pytest.approx(kept, abs=1e-5)
    assert energy >= compress_coils(kspace, 3)[1]


def test_geometric_compression_to_all_coils_keeps_the_image(kspace):
    compressed, energy = compress_coils_geometrically(kspace, 8)
    images = [root_sum_of_squares(centred_fourier(k, inverse=True)) for k in (kspace, compressed)]
    assert energy == pytest.approx(1)
    torch.testing.assert_close(images[1], images[0], rtol=0, atol=1e-4)


def test_geometric_virtual_coils_are_smooth_along_the_readout():
    kspace = scan(8, 48, 40)[0] + 1e-3 * complex_noise(8, 48, 40)
    smooth = centred_fourier(compress_coils_geometrically(kspace, 8)[0], inverse=True)
    original = centred_fourier(kspace, inverse=True)
    jumps = [images.diff(dim=-1).abs().square().sum().sqrt() for images in (original, smooth)]
    assert jumps[1] < 1.2 * jumps[0]


@pytest.mark.parametrize("coils", [0, 9, 1.5, None])
def test_numbers_of_coils_that_there_are_not_are_refused(kspace, coils):
    for compress in (compress_coils, compression_matrix, compress_coils_geometrically):
        with pytest.raises(ValueError, match=r"coils=.*expected an integer from 1 to 8"):
            compress(kspace, coils)
