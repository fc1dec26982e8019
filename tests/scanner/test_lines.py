"""Lines are put where they belong."""

import numpy as np
import pytest
import torch

from ddgp_lib.scanner.lines import Line, assemble, matched
from tests.scanner.files import slices


def lines(kspace: np.ndarray) -> list[Line]:
    height, width = kspace.shape[-2:]
    return [
        Line(kspace[k, :, row], row - height // 2, width // 2, k)
        for row in range(height)
        for k in range(len(kspace))
    ]


@pytest.mark.parametrize("sides", [(10, 16), (9, 15)])
def test_lines_in_any_order_give_the_k_space(sides):
    kspace = slices(2, 3, *sides)
    found = assemble(lines(kspace)[::-1], sides, "scan", about={"vendor": "Maker"})
    assert torch.equal(found.data, torch.from_numpy(kspace))
    assert found.readout == "width"
    assert found.about == {"vendor": "Maker", "averages": (1, 1)}


def test_a_larger_k_space_keeps_the_zero_frequency_in_the_middle():
    kspace = slices(1, 3, 10, 16)
    found = assemble(lines(kspace), (14, 20), "scan")
    assert torch.equal(found.data[:, 2:12, 2:18], torch.from_numpy(kspace[0]))
    assert found.mask.sum() == 160


def test_means_are_of_each_place():
    kspace = slices(1, 3, 10, 16)
    part = Line(5 * kspace[0, :, 5, :8], 0, 8, 0)
    found = assemble([*lines(kspace), part], (10, 16), "scan").data
    torch.testing.assert_close(found[:, 5, :8], torch.from_numpy(3 * kspace[0, :, 5, :8]))
    torch.testing.assert_close(found[:, 5, 8:], torch.from_numpy(kspace[0, :, 5, 8:]))


def test_zeros_that_were_measured_are_in_the_mask():
    kspace = slices(1, 3, 10, 16)
    kspace[0, :, 3] = 0
    assert assemble(lines(kspace), (10, 16), "scan").mask.all()


def test_noise_of_other_coils_or_of_too_few_samples_is_left_out():
    kspace = slices(1, 3, 10, 16)
    noise = slices(1, 3, 1, 40)[0, :, 0]
    assert torch.equal(
        assemble(lines(kspace), (10, 16), "scan", noise=[noise, noise[:2], noise]).noise,
        torch.from_numpy(np.concatenate([noise, noise], axis=1)),
    )
    for few in ([], [noise[:2]], [noise[:, :3]]):
        assert assemble(lines(kspace), (10, 16), "scan", noise=few).unknown[-1] == "noise"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (Line(np.ones((3, 16)), 5, 8, 0), "line='row 10, columns 0 to 16 of 3 coils, in scan'"),
        (Line(np.ones((3, 16)), -6, 8, 0), "line='row -1"),
        (Line(np.ones((3, 16)), 0, 7, 0), "line='row 5, columns 1 to 17"),
        (Line(np.ones((3, 0)), 0, 7, 0), "line='row 5, columns 1 to 1 "),
        (Line(np.ones((2, 16)), 0, 8, 0), "line=.*of 2 coils.*expected a place in .* of 3 coils"),
        (Line(np.ones((3, 16)), 0, 8, 3), r"path='scan without lines of slices \[1, 2\]'"),
        (Line(np.ones((3, 16)), 0, 8, 2**20), "kspace=.*in scan.*expected at most"),
    ],
)
def test_lines_that_do_not_fit_are_refused(line, message):
    with pytest.raises(ValueError, match=message):
        assemble([*lines(slices(1, 3, 10, 16)), line], (10, 16), "scan")


def test_no_lines_are_refused():
    with pytest.raises(ValueError, match="path='scan': expected a file with lines of an image"):
        assemble([], (10, 16), "scan")


def test_noise_of_longer_samples_is_scaled_to_shorter_ones():
    noise = slices(1, 3, 1, 40)[0, :, 0]
    np.testing.assert_allclose(matched(noise, 8.0, 2.0), 2 * noise, rtol=1e-6)
    assert matched(noise, 8.0, 2.0).dtype == np.complex64
    for unknown in ((None, 2.0), (8.0, None), (0.0, 2.0), (8.0, -1.0)):
        assert matched(noise, *unknown) is noise
