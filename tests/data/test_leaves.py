"""Dead leaves are what the model says: flat pieces, radii of a power law, a natural spectrum, a covered plane."""

import math

import numpy as np
import pytest
import torch

from ddgp_lib.data import dead_leaves
from ddgp_lib.data.leaves import LAYERS, _number, _paint, _radii


@pytest.fixture(scope="module")
def images():
    return dead_leaves(8, 128, torch.Generator().manual_seed(0))


def test_shapes_and_draws_are_as_asked(images):
    again = dead_leaves(2, (24, 40), torch.Generator().manual_seed(1))
    assert again.shape == (2, 1, 24, 40)
    assert torch.equal(again, dead_leaves(2, (24, 40), torch.Generator().manual_seed(1)))
    assert not torch.equal(again[0], again[1])
    assert dead_leaves(0, 8, torch.Generator()).shape == (0, 1, 8, 8)
    assert images.dtype == torch.float32
    assert 0 <= images.min() < 0.05 < 0.95 < images.max() <= 1


def test_most_neighbours_are_of_one_leaf_and_differences_have_heavy_tails(images):
    steps = images.diff(dim=-1)
    assert 0.6 < float((steps.abs() < 1e-3).float().mean()) < 0.8
    assert float(steps.pow(4).mean() / steps.square().mean() ** 2) > 8  # 3 of a Gaussian


def test_the_spectrum_falls_as_that_of_photographs(images):
    """Between 4 and 32 cycles the power falls by about the square of the frequency, and no slower."""
    power = torch.fft.fft2(images[:, 0] - images.mean()).abs().square().mean(dim=0)
    cycles = torch.fft.fftfreq(128, 1 / 128)
    radius = torch.hypot(cycles[:, None], cycles)
    low, high = (float(power[(radius >= k) & (radius < 1.5 * k)].mean()) for k in (4, 32))
    assert 2 < math.log2(low / high) / 3 < 3.2


def test_radii_have_the_density_of_the_model():
    """P(r > t) falls as t⁻², less what lies beyond the largest."""
    radii = _radii((np.arange(100_000) + 0.5) / 100_000, 2.0, 32.0)
    assert 2 <= radii.min() < radii.max() <= 32
    for least in (4.0, 8.0, 16.0):
        wanted = (least**-2 - 32.0**-2) / (2.0**-2 - 32.0**-2)
        assert (radii > least).mean() == pytest.approx(wanted, rel=1e-3)


def test_discs_cover_the_plane_some_times():
    radii = _radii((np.arange(10_000) + 0.5) / 10_000, 2.0, 32.0)
    number = _number([200.0, 300.0], 2.0, 32.0)
    assert number * math.pi * (radii**2).mean() == pytest.approx(LAYERS * 200 * 300, rel=0.02)
    assert _number([10.0, 10.0], 2.0, 2.0) == math.ceil(LAYERS * 100 / (4 * math.pi))


def test_a_disc_is_a_disc_and_hides_what_is_below():
    image = np.zeros((40, 40), dtype=np.float32)
    _paint(image, 20.0, 20.0, 10.0, 1.0)
    assert image.sum() == pytest.approx(100 * math.pi, rel=0.02)
    _paint(image, 20.0, 20.0, 5.0, 0.5)
    assert (image == 0.5).sum() == pytest.approx(25 * math.pi, rel=0.05)
    _paint(image, -3.0, 45.0, 2.0, 0.25)  # outside
    _paint(image, 20.0, -5.0, 6.0, 0.75)  # across the border
    assert 0 < (image == 0.75).sum() < 20
    assert not (image == 0.25).any()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"count": -1}, "count"),
        ({"count": 10**9}, "count"),
        ({"size": 1}, "size"),
        ({"generator": 0}, "generator"),
        ({"smallest": 0.5}, "smallest"),
        ({"largest": 0.0}, "largest"),
        ({"largest": 3.0}, "largest"),
    ],
)
def test_arguments_outside_what_is_accepted_are_named(options, named):
    with pytest.raises(ValueError, match=rf"^{named}="):
        dead_leaves(**({"count": 1, "size": 8, "generator": torch.Generator()} | options))
