"""Removal of the oversampling gives the k-space of the image's own field of view."""

import pytest
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.scanner import KSpace, noise_covariance, remove_oversampling, without_oversampling
from tests.scanner.phantom import complex_noise


def widened(images: torch.Tensor, width: int, axis: int) -> torch.Tensor:
    """Put images into the middle of a wider field of view."""
    shape = list(images.shape)
    shape[axis] = width
    wide = images.new_zeros(shape)
    wide.narrow(axis, width // 2 - images.shape[axis] // 2, images.shape[axis]).copy_(images)
    return wide


@pytest.mark.parametrize(("axis", "place"), [("height", -2), ("width", -1)])
@pytest.mark.parametrize("width", [24, 25, 12])
@pytest.mark.parametrize("side", [12, 11])
def test_removal_from_a_wider_view_gives_the_image(axis, place, width, side):
    images = complex_noise(2, 3, side, side)
    kspace = centred_fourier(widened(images, width, place))
    found = remove_oversampling(kspace, side, axis)
    torch.testing.assert_close(found, centred_fourier(images), rtol=0, atol=1e-5)


def test_lines_that_were_not_measured_stay_zero():
    kspace = complex_noise(2, 10, 16)
    kspace[:, ::2] = 0
    found = remove_oversampling(kspace, 8)
    assert ((found != 0).any(0).any(1) == (kspace != 0).any(0).any(1)).all()


def test_white_noise_keeps_its_strength():
    found = noise_covariance(remove_oversampling(complex_noise(2, 100, 200), 100).flatten(1))
    torch.testing.assert_close(found, torch.eye(2, dtype=torch.complex128), rtol=0, atol=0.04)


@pytest.mark.parametrize("size", [0, 17, 2.0, None])
def test_sizes_that_do_not_fit_are_refused(size):
    with pytest.raises(ValueError, match=r"size=.*expected an integer from 1 to 16"):
        remove_oversampling(complex_noise(2, 10, 16), size)


def measured(**changed):
    data, mask = complex_noise(2, 10, 16), torch.ones(10, 16, dtype=torch.bool)
    mask[::3] = False
    given = {"readout": "width", "size": (10, 8), "field_of_view": (200.0, 320.0), "mask": mask} | changed
    return KSpace(data * given["mask"], source="file", **given)


def test_a_record_knows_its_readout():
    found = without_oversampling(measured())
    torch.testing.assert_close(found.data, remove_oversampling(measured().data, 8))
    assert found.mask.shape == (10, 8)
    assert (found.mask[:, 0] == measured().mask[:, 0]).all()
    assert found.field_of_view == (200.0, 160.0)


def test_a_record_may_be_read_along_the_height():
    mask = torch.ones(10, 16, dtype=torch.bool)
    found = without_oversampling(measured(readout="height", size=(6, 16), mask=mask))
    assert found.data.shape == (2, 6, 16)
    assert found.field_of_view == (120.0, 320.0)


@pytest.mark.parametrize("unknown", ["readout", "size"])
def test_a_record_that_does_not_know_is_refused(unknown):
    with pytest.raises(ValueError, match=r"measured=.*expected a record whose readout and size are known"):
        without_oversampling(measured(**{unknown: None}))


def test_lines_in_part_are_refused():
    mask = torch.ones(10, 16, dtype=torch.bool)
    mask[:, :3] = False
    with pytest.raises(ValueError, match="expected lines that were measured as a whole"):
        without_oversampling(measured(mask=mask))


def test_a_size_above_what_is_encoded_is_refused():
    with pytest.raises(ValueError, match="expected a size of at most 16 along the readout"):
        without_oversampling(measured(size=(10, 32)))
