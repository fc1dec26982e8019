"""Images at another size keep what is larger than a pixel, stay in [0, 1], and are let alone at their own size."""

import pytest
import torch

from ddgp_lib.data import resample


def test_images_of_the_size_are_returned_as_they_are(generator):
    images = torch.rand(2, 1, 8, 12, generator=generator)
    assert resample(images, (8, 12)) is images


@pytest.mark.parametrize("size", [4, 16, (4, 6), (16, 24)])
def test_a_constant_stays_and_the_shape_is_the_one_asked_for(size):
    height, width = (size, size) if isinstance(size, int) else size
    found = resample(torch.full((2, 3, 8, 12), 0.3), size)
    torch.testing.assert_close(found, torch.full((2, 3, height, width), 0.3))


def test_finer_stripes_than_the_new_pixels_become_grey():
    stripes = (torch.arange(64) % 2).float().expand(1, 1, 64, 64)
    inside = resample(stripes, 16)[..., 1:-1]
    torch.testing.assert_close(inside, torch.full_like(inside, 0.5), atol=0.05, rtol=0)


def test_noise_is_averaged_over_what_a_new_pixel_covers(generator):
    noise = torch.rand(1, 1, 64, 64, generator=generator)
    assert resample(noise, 16).std() < 0.3 * noise.std()


def test_white_stays_white_to_the_last_bit():
    assert resample(torch.ones(1, 1, 64, 64), (23, 37)).max() == 1


@pytest.mark.parametrize(
    ("images", "size", "named"),
    [
        (255 * torch.ones(1, 1, 8, 8), 4, "images=.*expected pixels between 0 and 1"),
        (torch.ones(8, 8), 4, "images.shape"),
        (torch.ones(1, 1, 8, 8), 0, "size=0: expected an integer from 1"),
        (torch.ones(1, 1, 8, 8), (4, 4, 4), r"size=\(4, 4, 4\)"),
        (torch.ones(1, 1, 8, 8), 4.0, "size=4.0"),
        (torch.ones(1, 1, 8, 8), True, "size=True"),
        (torch.ones(1, 1, 8, 8), 10**9, "size=1000000000"),
    ],
)
def test_arguments_are_named(images, size, named):
    with pytest.raises(ValueError, match=named):
        resample(images, size)
