"""Peak signal-to-noise ratio and structural similarity, of which there is one each, over an image or a region."""

import math

import pytest
import torch
from deepinv.loss.metric import PSNR, SSIM

from ddgp_lib.denoisers import denoising_psnr
from ddgp_lib.metrics import psnr, ssim, ssim_map


def images(channels: int, generator: torch.Generator, noise: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Make four images (4, C, 16, 16) on [0, 1], and the same with noise."""
    truth = torch.rand(4, channels, 16, 16, generator=generator)
    return truth + noise * torch.randn(truth.shape, generator=generator), truth


@pytest.mark.parametrize("noise", [1e-4, 1e-2, 0.3])
def test_it_is_that_of_deepinv_for_each_image(generator, noise):
    x, truth = images(1, generator, noise)
    torch.testing.assert_close(psnr(x, truth), PSNR(max_pixel=1)(x, truth), rtol=0, atol=1e-4)


@pytest.mark.parametrize("noise", [1e-3, 0.1])
def test_complex_images_are_compared_by_their_magnitudes(generator, noise):
    x, truth = images(2, generator, noise)
    found = psnr(x, truth, complex_valued=True)
    torch.testing.assert_close(found, PSNR(max_pixel=1, complex_abs=True)(x, truth), rtol=0, atol=1e-4)
    turned = torch.stack([-x[:, 1], x[:, 0]], dim=1)  # times i
    torch.testing.assert_close(psnr(turned, truth, complex_valued=True), found, rtol=0, atol=1e-4)
    assert (psnr(turned, truth) < 10).all()


def test_an_error_of_a_tenth_everywhere_is_20_db():
    truth = torch.zeros(3, 1, 4, 4)
    torch.testing.assert_close(psnr(truth + 0.1, truth, floor=0), torch.full((3,), 20.0))


def test_equal_images_have_80_db_with_the_floor_and_infinitely_many_without():
    truth = torch.rand(2, 1, 4, 4)
    torch.testing.assert_close(psnr(truth, truth), torch.full((2,), 80.0))
    assert psnr(truth, truth, floor=0).tolist() == [math.inf, math.inf]


def test_the_floor_changes_40_db_by_less_than_half_a_thousandth():
    truth = torch.zeros(1, 1, 4, 4, dtype=torch.float64)
    change = psnr(truth + 0.01, truth, floor=0) - psnr(truth + 0.01, truth)
    assert 0 < change.item() < 5e-4


def test_it_takes_no_gradient(generator):
    x, truth = images(1, generator, 0.1)
    assert not psnr(x.requires_grad_(), truth).requires_grad


@pytest.mark.parametrize("name", ["single_pixel", "mri"])
def test_a_task_measures_as_deepinv_does(name, loaded, generator):
    task = loaded(name)
    truth = task.test_images[:3]
    x = truth + 0.05 * torch.randn(truth.shape, generator=generator)
    reference = PSNR(max_pixel=1, complex_abs=task.complex_valued)
    torch.testing.assert_close(task.psnr(x, truth), reference(x, truth), rtol=0, atol=1e-4)


def test_a_denoiser_that_does_nothing_leaves_the_noise():
    truth = torch.full((20, 1, 32, 32), 0.5)
    found = denoising_psnr(lambda x, sigma: x, truth, 0.01)
    assert found == pytest.approx(40, abs=0.05)


def half(images: torch.Tensor) -> torch.Tensor:
    """Keep the left half of images."""
    mask = torch.zeros(len(images), 1, *images.shape[2:], dtype=torch.bool)
    mask[..., : images.shape[3] // 2] = True
    return mask


@pytest.mark.parametrize("complex_valued", [False, True])
def test_the_structural_similarity_is_that_of_deepinv_to_the_bit(generator, complex_valued):
    x, truth = images(2, generator, 0.1)
    expected = SSIM(max_pixel=1, complex_abs=complex_valued)(x, truth)
    assert torch.equal(ssim(x, truth, complex_valued=complex_valued), expected)
    assert ssim_map(x, truth, complex_valued=complex_valued).shape[1] == (1 if complex_valued else 2)


@pytest.mark.parametrize("measure", [psnr, ssim])
@pytest.mark.parametrize("complex_valued", [False, True])
def test_within_all_pixels_a_measure_is_that_of_the_image(generator, measure, complex_valued):
    x, truth = images(2, generator, 0.1)
    everywhere = torch.ones(4, 1, 16, 16, dtype=torch.bool)
    found = measure(x, truth, complex_valued=complex_valued, mask=everywhere)
    torch.testing.assert_close(found, measure(x, truth, complex_valued=complex_valued))


def test_within_a_mask_the_psnr_is_that_of_the_part(generator):
    x, truth = images(2, generator, 0.1)
    found = psnr(x, truth, mask=half(x))
    torch.testing.assert_close(found, psnr(x[..., :8].contiguous(), truth[..., :8].contiguous()))


def test_black_that_is_right_adds_what_its_share_says(generator):
    """Where three quarters are right, the square error of the image is a quarter of that within the rest: 6.02 dB."""
    x, truth = images(1, generator, 0.1)
    mask = torch.zeros(4, 1, 16, 16, dtype=torch.bool)
    mask[..., :8, :8] = True
    x = torch.where(mask, x, truth)
    gap = psnr(x, truth, floor=0) - psnr(x, truth, floor=0, mask=mask)
    torch.testing.assert_close(gap, torch.full((4,), 10 * math.log10(4)))


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_what_is_beside_a_mask_does_not_count(generator, measure):
    x, truth = images(1, generator, 0.1)
    spoiled = x.clone()
    spoiled[..., 14:] = math.nan  # more than half a window from the mask
    found = measure(spoiled, truth, mask=half(x))
    torch.testing.assert_close(found, measure(x, truth, mask=half(x)))
    assert measure(spoiled, truth).isnan().all()


def test_within_a_mask_the_similarity_is_the_mean_of_the_map(generator):
    x, truth = images(1, generator, 0.1)
    mask = torch.rand(4, 1, 16, 16, generator=generator) < 0.3
    found, similar = ssim(x, truth, mask=mask), ssim_map(x, truth)
    for value, values, kept in zip(found, similar, mask, strict=True):
        torch.testing.assert_close(value, values[kept].mean())


def test_similarity_needs_half_a_window():
    with pytest.raises(ValueError, match=r"x\.shape=\(1, 1, 5, 8\): expected"):
        ssim_map(torch.zeros(1, 1, 5, 8), torch.zeros(1, 1, 5, 8))
    assert ssim_map(torch.zeros(1, 1, 6, 6), torch.zeros(1, 1, 6, 6)).mean() == 1


def test_a_region_is_of_a_task_that_has_one(loaded):
    digits, brains = loaded("single_pixel"), loaded("mri")
    assert digits.region(digits.test_images[:2]) is None
    truth = brains.test_images[:2]
    x = 0.9 * truth
    mask = brains.region(truth)
    assert (brains.psnr(x, truth, within=mask) < brains.psnr(x, truth) - 3).all()
    assert (brains.ssim(x, truth, within=mask) < brains.ssim(x, truth)).all()
