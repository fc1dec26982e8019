"""Readings of a lens-less camera: the dark level, the binning, the norm, and the operator that is made of them."""

import os
from pathlib import Path
from types import MappingProxyType

import pytest
import torch

from ddgp_lib.data import load_measured
from ddgp_lib.data.measured import Measured, NamedArray, lensless_camera, prepare_lensless
from ddgp_lib.data.measured.folder import VARIABLE, state
from ddgp_lib.data.measured.registry import DIFFUSERCAM, JASZCZAK


def readings(seed=0):
    """Return light on 4 × 5 squares of 4 pixels, and a dark corner."""
    light = torch.rand(4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    light[0, 0] = 0
    return light, light.repeat_interleave(4, 0).repeat_interleave(4, 1)


def of_a_camera(psf, image, card=DIFFUSERCAM):
    arrays = {
        name: NamedArray(values, ("row", "column")) for name, values in (("psf", psf), ("image", image))
    }
    return Measured(MappingProxyType(arrays), MappingProxyType({}), card)


def test_the_dark_level_is_taken_off_and_squares_are_averaged():
    light, large = readings()
    dark = large[5:15, 5:15].mean()
    psf, image = prepare_lensless(large * 3 + 34, large * 7 + 34, factor=4)
    for found, gain in ((psf, 3), (image, 7)):
        expected = gain * light + 34 - (34 + 3 * dark)
        torch.testing.assert_close(found, (expected / expected.norm()).float())


def test_the_dark_level_is_that_of_the_point_spread_function_for_both():
    _, large = readings()
    one = prepare_lensless(large, large + 5, factor=4)[1]
    other = prepare_lensless(large + 5, large + 10, factor=4)[1]
    torch.testing.assert_close(one, other)


def test_gain_does_not_matter_and_norms_are_one():
    _, large = readings()
    psf, image = prepare_lensless(large, large + 1, factor=4)
    torch.testing.assert_close(prepare_lensless(9 * large, 9 * (large + 1), factor=4), (psf, image))
    assert float(psf.norm()) == pytest.approx(1, abs=1e-6)
    assert float(image.norm()) == pytest.approx(1, abs=1e-6)


def test_what_is_left_over_is_cut_off():
    _, large = readings()
    psf, _ = prepare_lensless(large, large + 1, factor=3)
    assert psf.shape == (5, 6)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"psf": None}, "^psf="),
        ({"psf": torch.ones(20)}, r"^psf.shape="),
        ({"psf": torch.ones(16, 20)}, "^psf=.*differ from the dark level"),
        ({"image": torch.ones(16, 16)}, r"^image.shape="),
        ({"psf": torch.ones(8, 8), "image": torch.ones(8, 8)}, r"^psf.shape=\(8, 8\): expected sides of 15"),
        ({"image": torch.full((16, 20), float("nan"))}, "^image="),
        ({"image": torch.ones(16, 20) + 0j}, r"^image.dtype="),
        ({"factor": 0}, "^factor="),
        ({"factor": 17}, "^factor="),
        ({"factor": 2.0}, "^factor="),
    ],
)
def test_what_cannot_be_prepared_is_refused(changed, message):
    _, large = readings()
    with pytest.raises(ValueError, match=message):
        prepare_lensless(**({"psf": large, "image": large + 1, "factor": 4} | changed))


def test_a_camera_is_made_of_a_measured_set():
    _, large = readings()
    camera, y = lensless_camera(of_a_camera(large, large + 1), factor=4)
    assert y.shape == (1, 1, 4, 5)
    assert camera.sides == {"x": (8, 10), "y": (4, 5)}
    psf, image = prepare_lensless(large, large + 1, factor=4)
    assert torch.equal(camera.psf[0], psf)
    assert torch.equal(y[0, 0], image)


def test_another_measured_set_is_refused():
    other = Measured(MappingProxyType({}), MappingProxyType({}), JASZCZAK)
    with pytest.raises(ValueError, match=r"^measured=.*the arrays psf and image"):
        lensless_camera(other)
    with pytest.raises(ValueError, match=r"^measured="):
        lensless_camera("diffusercam")


def test_the_published_set_becomes_a_camera():
    folder = os.environ.get(VARIABLE, "")
    if not folder or any(state(file, Path(folder)) != "present" for file in DIFFUSERCAM.files):
        pytest.skip(f"the measured set is not in {VARIABLE}")
    camera, y = lensless_camera(load_measured("diffusercam"))
    assert y.shape == (1, 1, 150, 200)
    assert camera.sides["x"] == (300, 400)
    assert 0.5 < camera.squared_norm / float(camera.spectrum.max()) < 0.75
