"""The peak signal-to-noise ratio, of which there is one."""

import math

import pytest
import torch
from deepinv.loss.metric import PSNR

from ddgp_lib.denoisers import denoising_psnr
from ddgp_lib.metrics import psnr


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
