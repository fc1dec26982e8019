"""Masks have as many places as they should, the calibration among them, and are denser in the middle."""

import pytest
import torch

from ddgp_lib.scanner import column_mask, poisson_disc_mask, random_mask

SIDES = (96, 80)
PLANES = [random_mask, poisson_disc_mask]


@pytest.mark.parametrize("acceleration", [1.0, 2.0, 4.0, 5.5, 8.0])
def test_the_number_of_columns_is_exact_and_the_calibration_is_there(acceleration, generator):
    mask = column_mask(101, acceleration, 8, generator)
    assert mask.shape == (101,)
    assert mask.sum() == round(101 / acceleration)
    assert mask[50 - 4 : 50 + 4].all()


@pytest.mark.parametrize("draw", PLANES)
@pytest.mark.parametrize("acceleration", [1.0, 4.0, 6.0, 12.0])
def test_the_number_of_places_is_exact_and_the_calibration_is_there(draw, acceleration, generator):
    mask = draw(SIDES, acceleration, 16, generator)
    assert mask.shape == SIDES
    assert mask.sum() == round(96 * 80 / acceleration)
    assert mask[48 - 8 : 48 + 8, 40 - 8 : 40 + 8].all()


@pytest.mark.parametrize("draw", PLANES)
def test_the_middle_is_denser(draw, generator):
    mask = draw(SIDES, 6.0, 0, generator).float()
    middle = mask[24:72, 20:60].mean()
    assert middle > 1.5 * (mask.sum() - mask[24:72, 20:60].sum()) / (96 * 80 * 3 / 4)


def test_columns_are_denser_in_the_middle():
    generator = torch.Generator().manual_seed(0)
    share = torch.stack([column_mask(64, 4.0, 0, generator).float() for _ in range(300)]).mean(0)
    assert share[28:36].mean() > 3 * share[:8].mean()


def test_power_and_slope_of_zero_are_uniform():
    generator = torch.Generator().manual_seed(0)
    columns = torch.stack([column_mask(64, 4.0, 0, generator, power=0).float() for _ in range(300)]).mean(0)
    assert columns.reshape(4, 16).mean(1).sub(0.25).abs().max() < 0.03
    disc = poisson_disc_mask(SIDES, 6.0, 0, generator, slope=0).float()
    quarters = disc.reshape(2, 48, 2, 40).mean((1, 3))
    assert quarters.sub(1 / 6).abs().max() < 0.02


def nearest(mask: torch.Tensor) -> torch.Tensor:
    """Return the distance of each place of a mask from its nearest neighbour."""
    places = mask.nonzero().double()
    distances = torch.cdist(places, places)
    return distances.fill_diagonal_(float("inf")).min(1).values


def test_places_of_a_poisson_disc_keep_their_distance(generator):
    disc = nearest(poisson_disc_mask(SIDES, 9.0, 0, generator, slope=0))
    scattered = nearest(random_mask(SIDES, 9.0, 0, generator, power=0))
    assert disc.min() > 2
    assert scattered.min() == 1


def test_distances_of_a_poisson_disc_grow_outwards(generator):
    mask = poisson_disc_mask(SIDES, 9.0, 0, generator, slope=3)
    places = (mask.nonzero() - torch.tensor([48, 40])) / torch.tensor([48, 40])
    far = places.norm(dim=1)
    distances = nearest(mask)
    assert distances[far > 0.9].mean() > 1.5 * distances[far < 0.3].mean()


@pytest.mark.parametrize("draw", [*PLANES, column_mask])
def test_masks_depend_on_the_generator_alone(draw):
    sides = 80 if draw is column_mask else SIDES
    draws = [draw(sides, 4.0, 8, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize("draw", PLANES)
def test_accelerations_beyond_the_calibration_are_refused(draw, generator):
    with pytest.raises(ValueError, match=r"acceleration=40.0: expected at most 30: places over calibration"):
        draw(SIDES, 40.0, 16, generator)
    with pytest.raises(ValueError, match=r"acceleration=11.0: expected at most 10: places over calibration"):
        column_mask(80, 11.0, 8, generator)
