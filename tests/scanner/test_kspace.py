"""A record of what a scanner measured."""

import pytest
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.scanner import KSpace
from tests.scanner.phantom import complex_noise


def made(**changed):
    mask = torch.ones(2, 6, 8, dtype=torch.bool)
    mask[:, :, ::2] = False
    given = {"data": complex_noise(2, 3, 6, 8) * mask[:, None], "mask": mask, "source": "scan.h5"} | changed
    return KSpace(**given)


def test_axes_are_named_and_what_is_not_known_is_said():
    record = made(readout="width")
    assert record.axes == ("slices", "coils", "height", "width")
    assert (record.coils, record.acceleration) == (3, 2)
    assert record.unknown == ("field_of_view", "size", "noise")
    assert repr(record) == (
        "KSpace(2 slices × 3 coils × 6 height × 8 width, R = 2.00, 'scan.h5', "
        "unknown: field_of_view, size, noise)"
    )


def test_all_that_is_known_is_not_unknown():
    known = {
        "readout": "height",
        "field_of_view": (200, 160.5),
        "size": (3, 8),
        "noise": complex_noise(3, 50),
    }
    assert made(**known).unknown == ()
    assert "unknown" not in repr(made(**known))


def test_a_slice_is_a_record_without_the_axis_of_slices():
    record = made()
    one = record.slice(1)
    assert one.axes == ("coils", "height", "width")
    assert torch.equal(one.data, record.data[1])
    assert torch.equal(one.mask, record.mask[1])
    assert one.slice(0) is one
    with pytest.raises(ValueError, match="index=2: expected an integer from 0 to 1"):
        record.slice(2)


def test_images_are_the_inverse_transform():
    record = made()
    torch.testing.assert_close(centred_fourier(record.images()), record.data)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data": torch.ones(2, 3, 6, 8)}, "data.dtype=torch.float32: expected a complex tensor"),
        ({"data": complex_noise(2, 3, 6, 8).to(torch.complex128)}, "data.dtype=torch.complex128"),
        ({"data": complex_noise(6, 8)}, r"data.shape=\(6, 8\): expected a complex tensor \(C, H, W\) or \(S"),
        ({"data": complex_noise(2, 0, 6, 8)}, r"data.shape=\(2, 0, 6, 8\)"),
        ({"data": complex_noise(2, 3, 6, 8) * torch.nan}, "data='tensor with NaN"),
        ({"data": complex_noise(2, 3, 6, 8)}, "data=.*expected zero where nothing was measured"),
        ({"data": None}, "data=None: expected a complex tensor"),
        (
            {"mask": torch.ones(6, 8, dtype=torch.bool)},
            r"mask=.*expected a tensor of bool, shape \(2, 6, 8\)",
        ),
        ({"mask": torch.ones(2, 6, 8)}, "mask=.*expected a tensor of bool"),
        (
            {"mask": torch.zeros(2, 6, 8) > 0, "data": complex_noise(2, 3, 6, 8) * 0},
            "mask=.*that was measured",
        ),
        ({"readout": "depth"}, "readout='depth': expected None, or one of"),
        ({"field_of_view": (1.0,)}, "field_of_view=.*height and width in millimetres"),
        ({"field_of_view": (0.0, 1.0)}, "field_of_view="),
        ({"field_of_view": (1.0, float("nan"))}, "field_of_view="),
        ({"size": (1.5, 2)}, "size=.*integers above 0"),
        (
            {"noise": complex_noise(2, 50)},
            r"noise.shape=\(2, 50\): expected a finite complex tensor \(3, samples\)",
        ),
        ({"noise": torch.ones(3, 50)}, "noise.dtype=torch.float32"),
        ({"noise": complex_noise(3, 50) * torch.inf}, "noise=.*expected a finite complex tensor"),
    ],
)
def test_what_does_not_fit_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        made(**changed)
