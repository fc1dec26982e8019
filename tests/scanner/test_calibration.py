"""The calibration region is the largest rectangle around the zero frequency that was measured in full."""

import pytest
import torch

from ddgp_lib.scanner import Region, calibration_region, column_mask, poisson_disc_mask


def largest_by_trial(mask: torch.Tensor) -> int:
    """Return the area of the largest full rectangle around the middle, by trying them all."""
    height, width = mask.shape
    row, column = height // 2, width // 2
    best = 0
    for top in range(row + 1):
        for bottom in range(row + 1, height + 1):
            for left in range(column + 1):
                for right in range(column + 1, width + 1):
                    if mask[top:bottom, left:right].all():
                        best = max(best, (bottom - top) * (right - left))
    return best


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("sides", [(7, 8), (6, 5), (1, 4)])
def test_no_rectangle_around_the_middle_is_larger(seed, sides):
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(sides, generator=generator) < 0.75
    mask[sides[0] // 2, sides[1] // 2] = True
    region = calibration_region(mask)
    assert mask[region].all()
    assert region.rows.start <= sides[0] // 2 < region.rows.stop
    assert region.columns.start <= sides[1] // 2 < region.columns.stop
    assert region.sides[0] * region.sides[1] == largest_by_trial(mask)


def test_whole_columns_are_found(generator):
    mask = column_mask(64, 4.0, 10, generator).expand(48, 64)
    region = calibration_region(mask)
    assert region.sides[0] == 48
    assert region.sides[1] >= 10
    assert mask[region].all()


def test_a_square_is_found_and_cut(generator):
    mask = poisson_disc_mask((48, 64), 6.0, 12, generator)
    assert calibration_region(mask, 8) == Region(slice(20, 28), slice(28, 36))
    region = calibration_region(mask)
    assert min(region.sides) >= 8
    assert region.sides[0] * region.sides[1] >= 144


def test_all_is_the_region_where_all_was_measured():
    assert calibration_region(torch.ones(5, 8, dtype=torch.bool)).sides == (5, 8)
    assert calibration_region(torch.ones(50, 80, dtype=torch.bool), 24) == Region(
        slice(13, 37), slice(28, 52)
    )


@pytest.mark.parametrize(
    "mask", [torch.zeros(4, 4, dtype=torch.bool), torch.ones(4, 4), torch.ones(4) > 0, None]
)
def test_masks_without_the_zero_frequency_are_refused(mask):
    with pytest.raises(ValueError, match=r"mask=.*with the zero frequency measured"):
        calibration_region(mask)
