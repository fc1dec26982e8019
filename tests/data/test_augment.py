"""Perturbations turn to both sides, as far as they say, and stretch each side on its own."""

import math

import pytest
import torch

from ddgp_lib.data import perturb

PIXEL = torch.arange(33) - 16.0


def spots(count, row, column):
    """Draw a round spot at a place relative to the middle."""
    spot = torch.exp(-((PIXEL[:, None] - row) ** 2 + (PIXEL - column) ** 2) / 4)
    return spot.expand(count, 1, 33, 33)


def middles(images):
    """Return the centres of mass (rows, columns), relative to the middle."""
    mass = images.sum(dim=(1, 2, 3))
    return (images * PIXEL[:, None]).sum(dim=(1, 2, 3)) / mass, (images * PIXEL).sum(dim=(1, 2, 3)) / mass


def test_images_are_turned_to_both_sides_by_the_largest_angle_at_most(generator):
    rows, columns = middles(perturb(spots(300, 0, 9), generator, degrees=20, scale=0))
    angles = torch.atan2(rows, columns) * 180 / math.pi
    assert angles.abs().max() <= 20.2
    assert angles.max() > 18
    assert angles.min() < -18
    assert angles.mean().abs() < 2
    torch.testing.assert_close(torch.hypot(rows, columns), torch.full((300,), 9.0), atol=0.05, rtol=0)


@pytest.mark.parametrize("across", [True, False])
def test_width_and_height_are_stretched_each_on_its_own(generator, across):
    place = (0.0, 9.0) if across else (9.0, 0.0)
    rows, columns = middles(perturb(spots(300, *place), generator, degrees=0, scale=0.2))
    moved, still = (columns, rows) if across else (rows, columns)
    assert moved.max() > 10.5
    assert moved.min() < 8
    assert moved.max() <= 9 / 0.8 + 0.2
    assert still.abs().max() < 0.05


def test_the_factors_of_width_and_height_are_not_the_same(generator):
    rows, columns = middles(perturb(spots(300, 6, 6), generator, degrees=0, scale=0.2))
    assert torch.corrcoef(torch.stack([rows, columns]))[0, 1].abs() < 0.2
