"""After prewhitening the noise of coils has the covariance σ² I."""

import pytest
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.scanner import (
    corner_noise,
    mix_coils,
    noise_covariance,
    prewhiten,
    prewhitening_matrix,
)
from tests.scanner.phantom import complex_noise, scan

COILS = 5
MIXTURE = complex_noise(COILS, COILS, seed=3) * torch.tensor([0.1, 1.0, 2.0, 5.0, 0.5])[:, None]
COVARIANCE = (MIXTURE @ MIXTURE.mH).to(torch.complex128)


def coloured(*sides: int, seed: int = 0) -> torch.Tensor:
    """Draw noise whose covariance is :data:`COVARIANCE`."""
    return mix_coils(MIXTURE, complex_noise(COILS, *sides, seed=seed))


def test_the_estimated_covariance_is_that_of_the_noise():
    found = noise_covariance(coloured(200, 200).flatten(1))
    scale = COVARIANCE.diagonal().real.sqrt()
    torch.testing.assert_close(found / scale.outer(scale), COVARIANCE / scale.outer(scale), rtol=0, atol=0.02)
    torch.testing.assert_close(found, found.mH)


def test_the_covariance_of_unequal_parts_is_conjugated_the_right_way():
    n = complex_noise(1, 1000)
    found = noise_covariance(torch.cat([n, 1j * n]))
    torch.testing.assert_close(found[0, 1] / found[0, 0], torch.tensor(-1j, dtype=torch.complex128))


@pytest.mark.parametrize("sigma", [1.0, 0.03])
def test_whitened_noise_has_the_covariance_sigma_squared(sigma):
    calibration, other = coloured(200, 200), coloured(200, 200, seed=1)
    white = prewhiten(other, noise_covariance(calibration.flatten(1)), sigma)
    found = noise_covariance(white.flatten(1)) / sigma**2
    torch.testing.assert_close(found, torch.eye(COILS, dtype=torch.complex128), rtol=0, atol=0.03)


def test_the_same_noise_is_white_exactly():
    noise = coloured(40, 40)
    white = prewhiten(noise, noise_covariance(noise.flatten(1)))
    eye = torch.eye(COILS, dtype=torch.complex128)
    torch.testing.assert_close(noise_covariance(white.flatten(1)), eye, rtol=0, atol=1e-4)


def test_the_matrix_is_lower_triangular_and_undoes_the_covariance():
    matrix = prewhitening_matrix(COVARIANCE, 2.0)
    assert (matrix.triu(1) == 0).all()
    product = matrix.to(torch.complex128) @ COVARIANCE @ matrix.mH.to(torch.complex128)
    torch.testing.assert_close(product, 4 * torch.eye(COILS, dtype=torch.complex128), rtol=0, atol=1e-3)


def test_slices_are_whitened_alike():
    kspace = torch.stack([coloured(8, 8, seed=k) for k in range(3)])
    torch.testing.assert_close(prewhiten(kspace, COVARIANCE)[1], prewhiten(kspace[1], COVARIANCE))


def test_corners_give_the_covariance_of_noise_under_an_object():
    kspace = scan(COILS, 192, 160)[0]
    noisy = kspace + coloured(192, 160)
    found = noise_covariance(corner_noise(noisy, 0.15))
    scale = COVARIANCE.diagonal().real.sqrt()
    off = (found - COVARIANCE).abs() / scale.outer(scale)
    middle = noise_covariance(noisy[:, 80:112, 60:100].flatten(1))
    assert off.max() < 0.15  # 2,784 places: two hundredths of noise, and what signal there is
    assert middle.diagonal().real[0] > 10 * COVARIANCE[0, 0].real


def test_corners_of_images_beside_the_object_give_the_covariance_too():
    kspace = 100 * scan(COILS, 192, 160)[0] + coloured(192, 160)
    found = noise_covariance(corner_noise(centred_fourier(kspace, inverse=True), 0.1))
    scale = COVARIANCE.diagonal().real.sqrt()
    assert ((found - COVARIANCE).abs() / scale.outer(scale)).max() < 0.15


def test_corners_are_the_corners_and_leave_out_what_was_not_measured():
    rows, columns = torch.arange(20)[:, None], torch.arange(30)
    kspace = (rows + 1 + 1j * columns).expand(2, 20, 30).to(torch.complex64).clone()
    kspace[:, 0] = 0
    found = corner_noise(kspace, 0.1)
    assert found.shape == (2, 3 * 6)
    assert sorted(set((found[0].real - 1).tolist())) == [1, 18, 19]
    assert sorted(set(found[0].imag.tolist())) == [0, 1, 2, 27, 28, 29]


def test_corners_that_were_not_measured_are_refused():
    kspace = torch.zeros(2, 20, 20, dtype=torch.complex64)
    kspace[:, 8:12, 8:12] = 1
    with pytest.raises(ValueError, match="kspace='0 measured places in the corners': expected more than 2"):
        corner_noise(kspace)


def test_a_coil_that_received_nothing_is_named():
    noise = complex_noise(3, 50)
    noise[1] = 0
    with pytest.raises(ValueError, match=r"noise='nothing in coils \[1\]'"):
        noise_covariance(noise)


def test_too_few_samples_are_refused():
    with pytest.raises(ValueError, match=r"noise.shape=\(3, 3\): expected .*more samples than coils"):
        noise_covariance(complex_noise(3, 3))


def test_two_coils_with_the_same_noise_are_refused():
    n = complex_noise(1, 100)
    with pytest.raises(ValueError, match=r"covariance=.*some coils have the same noise"):
        prewhitening_matrix(noise_covariance(torch.cat([n, n])) - 1e-6 * torch.eye(2))


@pytest.mark.parametrize(
    "matrix", [torch.ones(2, 3) + 0j, torch.eye(2), complex_noise(2, 2), torch.full((2, 2), torch.nan) + 0j]
)
def test_what_is_no_covariance_is_refused(matrix):
    with pytest.raises(ValueError, match=r"covariance=.*expected a Hermitian positive definite"):
        prewhitening_matrix(matrix)


def test_a_covariance_of_other_coils_is_refused():
    with pytest.raises(ValueError, match=r"covariance.shape=\(5, 5\): expected \(2, 2\)"):
        prewhiten(complex_noise(2, 8, 8), COVARIANCE)


@pytest.mark.parametrize("units", [1e-25, 1e25])
def test_noise_in_all_units_is_whitened(units):
    noise = units * coloured(40, 40)
    white = prewhiten(noise, noise_covariance(noise.flatten(1)))
    eye = torch.eye(COILS, dtype=torch.complex128)
    torch.testing.assert_close(noise_covariance(white.flatten(1)), eye, rtol=0, atol=1e-4)
