"""The U-Net denoiser: homogeneous in image and level, any sides, one level for each image, saved and read back."""

import pytest
import torch

from ddgp_lib.denoisers import (
    DenoiserRecipe,
    NoiseAwareUNet,
    denoising_psnr,
    load_denoiser,
    save_denoiser,
    train_denoiser,
)
from tests.own_camera import discs

RECIPE = DenoiserRecipe(
    steps=150,
    finetune_steps=0,
    batch_size=8,
    network="unet",
    widths=(8, 16),
    learning_rate=5e-3,
    warmup=0.1,
    clip=1.0,
    perturbed=0.3,
)


@pytest.fixture(scope="module")
def trained():
    return train_denoiser(discs(), RECIPE, progress=False)


def test_a_short_training_removes_noise(trained):
    images = discs().val
    for sigma in (0.05, 0.2):
        assert denoising_psnr(trained, images, sigma) > denoising_psnr(lambda x, s: x, images, sigma) + 1


def test_a_brighter_image_with_as_much_more_noise_is_denoised_alike(trained, generator):
    x = torch.rand(2, 1, 16, 16, generator=generator)
    torch.testing.assert_close(trained(3 * x, 0.3), 3 * trained(x, 0.1), rtol=1e-4, atol=1e-5)


def test_each_image_has_its_own_level_and_any_sides(trained, generator):
    x = torch.rand(2, 1, 18, 22, generator=generator)
    both = trained(x, torch.tensor([0.05, 0.2]))
    assert both.shape == x.shape
    for image, sigma in enumerate((0.05, 0.2)):
        torch.testing.assert_close(
            both[image : image + 1], trained(x[image : image + 1], sigma), atol=1e-5, rtol=1e-4
        )


def test_it_is_read_back_as_it_was_written(trained, tmp_path, generator):
    path = tmp_path / "discs-denoiser.safetensors"
    save_denoiser(path, trained, "discs", RECIPE, {})
    again, x = load_denoiser(path), torch.rand(1, 1, 16, 16, generator=generator)
    assert isinstance(again, NoiseAwareUNet)
    assert torch.equal(again(x, 0.1), trained(x, 0.1))


def test_in_half_precision_the_file_is_half_as_large_and_the_images_hardly_change(
    trained, tmp_path, generator
):
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    save_denoiser(whole, trained, "discs", RECIPE, {})
    save_denoiser(half, trained, "discs", RECIPE, {}, half=True)
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    x = torch.rand(1, 1, 16, 16, generator=generator)
    torch.testing.assert_close(load_denoiser(half)(x, 0.1), trained(x, 0.1), atol=2e-3, rtol=0)
    with pytest.raises(ValueError, match="half='yes'"):
        save_denoiser(half, trained, "discs", RECIPE, {}, half="yes")


def test_what_is_no_image_or_level_is_refused(trained):
    with pytest.raises(ValueError, match=r"x\.shape=\(1, 2, 16, 16\): expected 1 channel"):
        trained(torch.zeros(1, 2, 16, 16), 0.1)
    with pytest.raises(ValueError, match=r"sigma=-1: expected"):
        trained(torch.zeros(1, 1, 16, 16), -1)


def test_another_denoiser_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match=r"denoiser=.*: expected one of \('dncnn', 'unet'\)"):
        save_denoiser(tmp_path / "x.safetensors", torch.nn.Identity(), "discs", RECIPE, {})
