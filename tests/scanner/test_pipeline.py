"""From a scanner's file to an image: all steps, one after the other, as a laboratory calls them."""

import pytest
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.scanner import (
    calibration_region,
    combine_coils,
    compress_coils,
    espirit_maps,
    load_ismrmrd,
    noise_covariance,
    prewhiten,
    root_sum_of_squares,
    scale_to_unit,
    without_oversampling,
)
from tests.scanner.files import readout, write_ismrmrd
from tests.scanner.phantom import coil_maps, complex_noise, head

UNITS = 3e-6
LEVEL = 0.02


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """Write a scan of 80 × 128 with twice the field of view along the readout, correlated noise and a noise scan."""
    pytest.importorskip("ismrmrd")
    mixture = UNITS * LEVEL * (torch.eye(6) + 0.5 * complex_noise(6, 6, seed=5))
    images = torch.zeros(6, 80, 128, dtype=torch.complex64)
    images[:, :, 32:96] = UNITS * coil_maps(6, 80, 64) * head(80, 64)
    noise = (mixture @ complex_noise(6, 80 * 128, seed=1)).unflatten(1, (80, 128))
    kspace = centred_fourier(images) + noise
    silent = mixture @ complex_noise(6, 2**12, seed=2)
    return write_ismrmrd(
        tmp_path_factory.mktemp("scan") / "scan.h5",
        kspace[None].numpy(),
        more=[readout(silent.numpy(), 0, flags=("ACQ_IS_NOISE_MEASUREMENT",))],
    )


def test_all_steps_give_the_head_and_leave_noise_of_known_strength(scanned):
    raw = load_ismrmrd(scanned)
    covariance = noise_covariance(raw.noise)
    scan = without_oversampling(raw)
    white, energy = compress_coils(prewhiten(scan.data, covariance), 5)
    kspace, factor = scale_to_unit(white)
    found = espirit_maps(kspace, calibration_region(scan.mask, 24), threshold=0.05)
    images = centred_fourier(kspace, inverse=True)
    image = combine_coils(images, found.maps)

    assert scan.data.shape == (6, 80, 64)
    assert energy > 0.95
    background = images[:, :12, :12].flatten(1)  # of the image, beside the head
    left = noise_covariance(background) / factor**2  # σ = 1 before the scaling
    torch.testing.assert_close(left, torch.eye(5, dtype=torch.complex128), rtol=0, atol=0.35)
    assert left.diagonal().real.mean() == pytest.approx(1, abs=0.1)
    inside = (head(80, 64).abs() > 0) & (found.support > 0)
    assert inside.sum() > 0.97 * (head(80, 64).abs() > 0).sum()
    residual = (images - found.maps * image)[:, inside].abs().square().sum(0).mean() / (5 - 1)
    assert float(residual.sqrt()) == pytest.approx(factor, rel=0.1)
    assert 0.5 < image.abs()[inside].quantile(0.95) < 2
    expected = centred_fourier(head(80, 64) * coil_maps(6, 80, 64) * UNITS)
    expected = root_sum_of_squares(
        centred_fourier(compress_coils(prewhiten(expected, covariance), 6)[0], inverse=True)
    )
    error = (image.abs() / factor - expected)[inside]
    assert (
        float(error.square().mean().sqrt()) < 1.1
    )  # in units of the noise's σ, of which half is in the magnitude
