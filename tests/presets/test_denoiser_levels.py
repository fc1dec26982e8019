"""Each camera's denoiser removes noise as well as total variation at every level that methods are tuned on."""

import pytest
import torch

from ddgp_lib.presets import PRESETS
from ddgp_lib.variation import TotalVariation

WEIGHTS = (0.4, 0.6, 0.8, 1.0, 1.2)
"""TV's weight over σ: the best on the very images that are compared is taken, which favours TV a little."""

IMAGES = {"single_pixel": 24, "mri": 3, "super_resolution": 12, "deblurring": 12}


def levels(preset):
    """Return the constant levels that are tried, and those at which a falling level ends."""
    ends = (getattr(rival, "lasts", ()) for rival in preset.rivals.values())
    return sorted({*preset.sigmas, *(level for last in ends for level in last)})


@pytest.mark.parametrize("name", PRESETS)
def test_a_denoiser_is_as_good_as_total_variation_at_every_level_of_its_grid(name, loaded):
    task = loaded(name)
    images = task.val_images[: IMAGES[name]]
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    variation = TotalVariation(iterations=40)
    for sigma in levels(task.preset):
        noisy = images + sigma * noise
        with torch.no_grad():
            ours = task.psnr(task.denoiser(noisy, sigma), images).mean()
            theirs = max(task.psnr(variation(noisy, weight * sigma), images).mean() for weight in WEIGHTS)
        assert ours >= theirs, f"σ = {sigma}: {ours:.2f} dB, TV {theirs:.2f} dB"
