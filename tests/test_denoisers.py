"""The denoiser: it denoises, knows its noise level, and does not expand."""

import pytest
import torch
from torch import nn

from ddgp_lib.checkpoints import WEIGHTS_FOLDER, load_checkpoint
from ddgp_lib.data import load_digits
from ddgp_lib.denoisers import (
    DenoiserRecipe,
    NoiseAwareDnCNN,
    denoising_psnr,
    jacobian_norms,
    pretrained_denoiser,
    train_denoiser,
)


class Scale(nn.Module):
    """A map whose Jacobian has a known norm: diag(c, 1, …, 1)."""

    def forward(self, x, sigma):
        scale = torch.ones(x[0].numel())
        scale[0] = 3.0
        return (x.flatten(1) * scale).view_as(x)


def test_jacobian_norm_of_a_known_map(generator):
    norms = jacobian_norms(Scale(), torch.rand(4, 1, 4, 4, generator=generator), 0.1, iterations=50)
    torch.testing.assert_close(norms, torch.full((4,), 3.0), rtol=1e-3, atol=0)


def test_jacobian_norm_equals_dense_svd(generator):
    denoiser = NoiseAwareDnCNN(depth=3, width=8)
    x = torch.rand(1, 1, 8, 8, generator=generator)
    jacobian = torch.autograd.functional.jacobian(lambda v: denoiser(v, 0.1).flatten(), x).view(64, 64)
    dense = torch.linalg.matrix_norm(jacobian, 2)
    torch.testing.assert_close(jacobian_norms(denoiser, x, 0.1, 200)[0], dense, rtol=1e-3, atol=0)


@pytest.mark.parametrize(("sigma", "gain"), [(0.05, 3.0), (0.1, 5.0), (0.2, 7.0)])
def test_shipped_denoiser_removes_noise(task, sigma, gain):
    noisy_psnr = -20 * torch.log10(torch.tensor(sigma)).item()
    assert denoising_psnr(task.denoiser, task.test_images[:100], sigma) > noisy_psnr + gain


def test_shipped_denoiser_uses_its_noise_level(task, generator):
    x = task.test_images[:2] + 0.1 * torch.randn(2, 1, 32, 32, generator=generator)
    low, high = task.denoiser(x, 0.02), task.denoiser(x, 0.2)
    assert (low - x).norm() < (high - x).norm()
    torch.testing.assert_close(task.denoiser(x, torch.tensor([0.02, 0.2]))[1], high[1], atol=1e-5, rtol=1e-5)


def test_shipped_metrics_are_true(task):
    _, description = load_checkpoint(WEIGHTS_FOLDER / "single_pixel-denoiser.safetensors")
    claimed = description["metrics"]
    measured = denoising_psnr(task.denoiser, load_digits().val, 0.1)
    assert claimed["validation_psnr"]["0.1"] == pytest.approx(measured, abs=0.02)
    assert max(claimed["largest_jacobian_norm"].values()) < 1.4
    assert DenoiserRecipe(**description["recipe"]) == DenoiserRecipe()


def test_training_lowers_the_error_and_is_reproducible():
    images = load_digits()
    recipe = DenoiserRecipe(steps=30, finetune_steps=2, batch_size=8)
    first, second = (train_denoiser(images, recipe, progress=False) for _ in range(2))
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    torch.manual_seed(0)
    untrained = NoiseAwareDnCNN()
    assert denoising_psnr(first, images.val[:50], 0.1) > denoising_psnr(untrained, images.val[:50], 0.1) + 1


def test_wrong_channels():
    with pytest.raises(ValueError, match=r"x\.shape=\(1, 3, 8, 8\): expected 1 channel"):
        NoiseAwareDnCNN()(torch.rand(1, 3, 8, 8), 0.1)


def test_unknown_pretrained():
    with pytest.raises(ValueError, match="name='bm3d'"):
        pretrained_denoiser("bm3d")
