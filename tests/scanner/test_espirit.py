"""ESPIRiT finds the maps that made the data, says where there is nothing, and agrees with a library."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.scanner import Region, combine_coils, espirit_maps, load_array, mix_coils, root_sum_of_squares
from tests.scanner.phantom import complex_noise, scan

BRAIN = Path(os.environ.get("DDGP_DATA", "nowhere")) / "brain_slice.npz"


def angles(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the angles in degrees between the lines that two sets of maps span, (H, W)."""
    a, b = (maps.to(torch.complex128) for maps in (found, truth))
    a, b = (maps / torch.linalg.vector_norm(maps, dim=0).clamp(min=1e-300) for maps in (a, b))
    product = (a.conj() * b).sum(0)
    return torch.rad2deg(torch.asin(torch.linalg.vector_norm(b - product * a, dim=0).clamp(max=1)))


@pytest.fixture(scope="module")
def simulated():
    return scan()


@pytest.fixture(scope="module")
def found(simulated):
    return espirit_maps(simulated[0])


def test_maps_agree_with_those_that_made_the_data_up_to_a_phase(simulated, found):
    _, image, truth = simulated
    inside = (image.abs() > 0) & (found.support > 0)
    apart = angles(found.maps, truth)[inside]
    assert inside.sum() / (image.abs() > 0).sum() > 0.99
    assert apart.median() < 0.2
    assert apart.quantile(0.99) < 1.5  # degrees: 2.6 % of the norm


def test_maps_are_normalised_to_the_support(found):
    torch.testing.assert_close(root_sum_of_squares(found.maps), found.support, rtol=0, atol=1e-5)
    assert set(found.support.unique().tolist()) == {0.0, 1.0}


def test_the_first_virtual_coil_has_no_phase(simulated, found):
    kspace = simulated[0]
    centre = kspace[:, 96 // 2 - 12 : 96 // 2 + 12, 80 // 2 - 12 : 80 // 2 + 12].flatten(1)
    first = torch.linalg.svd(centre, full_matrices=False)[0][:, 0]
    first = first * (first[first.abs().argmax()].conj() / first.abs().max())
    seen = (first.conj()[:, None, None] * found.maps).sum(0)[found.support > 0]
    assert seen.imag.abs().max() < 1e-5
    assert seen.real.min() > -1e-6


def test_what_lies_outside_has_small_eigenvalues(simulated, found):
    image = simulated[1]
    outside = torch.nn.functional.max_pool2d(image.abs()[None], 13, 1, 6)[0] == 0
    assert outside.float().mean() > 0.2
    assert found.eigenvalues[image.abs() > 0].median() > 0.99
    assert found.support[outside].mean() < 0.05
    assert 0 <= found.eigenvalues.min() <= found.eigenvalues.max() <= 1


def test_combining_with_the_maps_gives_the_object(simulated, found):
    kspace, image, truth = simulated
    inside = (image.abs() > 0) & (found.support > 0)
    combined = combine_coils(centred_fourier(kspace, inverse=True), found.maps)
    expected = image.abs() * root_sum_of_squares(truth)
    error = (combined.abs() - expected)[inside].norm() / expected[inside].norm()
    assert error < 1e-3
    residual = centred_fourier(kspace, inverse=True) - found.maps * combined
    assert residual[:, inside].norm() / expected[inside].norm() < 5e-3


def test_maps_from_undersampled_data_with_noise_agree_too(simulated):
    kspace, image, truth = simulated
    noisy = kspace + 0.01 * complex_noise(*kspace.shape)
    mask = torch.zeros(80, dtype=torch.bool)
    mask[::4] = True
    mask[28:52] = True
    found = espirit_maps(noisy * mask)
    inside = (image.abs() > 0) & (found.support > 0)
    assert inside.sum() / (image.abs() > 0).sum() > 0.98
    assert angles(found.maps, truth)[inside].quantile(0.95) < 3


def test_maps_follow_a_mixture_of_coils(simulated, found):
    unitary = torch.linalg.qr(complex_noise(6, 6)).Q
    mixed = espirit_maps(mix_coils(unitary, simulated[0]))
    inside = (found.support > 0) & (mixed.support > 0)
    assert angles(mixed.maps, mix_coils(unitary, found.maps))[inside].max() < 0.1
    assert (found.support != mixed.support).float().mean() < 1e-3


def test_maps_do_not_depend_on_the_units(simulated, found):
    tiny = espirit_maps(simulated[0] * 1e-9)
    torch.testing.assert_close(tiny.maps, found.maps, rtol=0, atol=1e-3)


def test_a_soft_support_rises_between_two_eigenvalues(simulated, found):
    soft = espirit_maps(simulated[0], crop=0.8, soft=0.15)
    torch.testing.assert_close(root_sum_of_squares(soft.maps), soft.support, rtol=0, atol=1e-5)
    assert (soft.support[soft.eigenvalues <= 0.8] == 0).all()
    assert (soft.support[soft.eigenvalues >= 0.951] == 1).all()
    between = (soft.eigenvalues - 0.875).abs() < 0.01
    assert between.any()
    assert ((soft.support[between] - 0.5).abs() < 0.15).all()
    full = (soft.support == 1) & (found.support == 1)
    torch.testing.assert_close(soft.maps[:, full], found.maps[:, full])


def test_sides_may_be_odd():
    kspace, image, truth = scan(4, 65, 51)
    found = espirit_maps(kspace, kernel=5)
    inside = (image.abs() > 0) & (found.support > 0)
    assert angles(found.maps, truth)[inside].median() < 0.5


def test_the_region_may_be_told(simulated):
    whole = espirit_maps(simulated[0], Region(slice(36, 60), slice(28, 52)))
    torch.testing.assert_close(whole.maps, espirit_maps(simulated[0]).maps)


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (Region(slice(0, 4), slice(0, 20)), r"region=\(4, 20\): expected at least 6 rows"),
        (Region(slice(80, 100), slice(0, 20)), "expected rows and columns within"),
        (((0, 20), (0, 20)), "expected a Region"),
    ],
)
def test_regions_that_are_no_use_are_refused(simulated, region, message):
    with pytest.raises(ValueError, match=message):
        espirit_maps(simulated[0], region)


def test_a_region_with_gaps_is_refused(simulated):
    with pytest.raises(ValueError, match=r"region=.*expected places that were all measured"):
        espirit_maps(simulated[0] * (torch.arange(80) % 2 == 0), Region(slice(36, 60), slice(28, 52)))


def test_a_kernel_that_is_too_large_for_the_image_is_refused():
    with pytest.raises(ValueError, match=r"kernel=6: expected 2 k − 1 at most 8"):
        espirit_maps(complex_noise(2, 8, 8))


@pytest.mark.skipif(not BRAIN.is_file(), reason="needs brain_slice.npz in DDGP_DATA")
def test_real_coils_are_explained_by_their_maps():
    images = load_array(BRAIN, ("height", "width", "coils"), domain="image").images()
    found = espirit_maps(centred_fourier(images))
    bright = root_sum_of_squares(images)
    inside = (bright > 0.1 * bright.quantile(0.99)) & (found.support > 0)
    residual = images - found.maps * combine_coils(images, found.maps)
    assert residual[:, inside].norm() / images[:, inside].norm() < 0.1  # noise included


def peer(kspace: torch.Tensor) -> torch.Tensor:
    """Return the maps of sigpy with the settings that are ours too."""
    apps = pytest.importorskip("sigpy.mri.app")
    app = apps.EspiritCalib(
        kspace.numpy(), calib_width=24, thresh=0.02, kernel_width=6, crop=0.95, max_iter=100, show_pbar=False
    )
    return torch.from_numpy(np.asarray(app.run()))


def test_maps_agree_with_those_of_sigpy(simulated, found):
    theirs = peer(simulated[0])
    both = (root_sum_of_squares(theirs) > 0) & (found.support > 0)
    assert ((root_sum_of_squares(theirs) > 0) == (found.support > 0)).float().mean() > 0.995
    assert angles(found.maps, theirs)[both].quantile(0.99) < 0.1


@pytest.mark.skipif(not BRAIN.is_file(), reason="needs brain_slice.npz in DDGP_DATA")
def test_maps_of_real_coils_agree_with_those_of_sigpy():
    kspace = load_array(BRAIN, ("height", "width", "coils"), domain="image").data
    theirs, found = peer(kspace), espirit_maps(kspace)
    both = (root_sum_of_squares(theirs) > 0) & (found.support > 0)
    assert ((root_sum_of_squares(theirs) > 0) == (found.support > 0)).float().mean() > 0.995
    assert angles(found.maps, theirs)[both].quantile(0.99) < 0.1
