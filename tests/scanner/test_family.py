"""Scanners drawn at random: within their ranges, nested, and decided by the generator alone."""

import pytest
import torch

from ddgp_lib.operators import noise_of, norms
from ddgp_lib.scanner import MASKS, ScanFamily, calibration_region, draw_mask

SIDES = (32, 40)


def draws(count, **options):
    family, generator = ScanFamily(**options), torch.Generator().manual_seed(0)
    return [family.draw(SIDES, generator) for _ in range(count)]


@pytest.fixture(scope="module")
def many():
    return draws(60)


def test_scanners_lie_within_their_ranges_and_reach_all_over(many):
    coils = [drawn.student.coil_maps.shape[1] for drawn in many]
    assert (min(coils), max(coils)) == (4, 12)
    levels = torch.tensor([noise_of(drawn.student) for drawn in many])
    assert 0.003 <= levels.min() < 0.005
    assert 0.02 < levels.max() <= 0.0301
    assert (
        abs(levels.log().mean() - torch.tensor([0.003, 0.03]).log().mean()) < 0.25
    )  # uniform in the logarithm
    accelerations = [drawn.acceleration for drawn in many]
    assert 4 <= min(accelerations) < 4.5
    assert 7.5 < max(accelerations) <= 8
    assert {drawn.mask for drawn in many} == {"columns", "random"}


def test_as_many_places_are_measured_as_the_acceleration_says(many):
    for drawn in many:
        share = float(drawn.student.mask.mean())
        assert share == pytest.approx(1 / drawn.acceleration, abs=0.5 / 40 + 1e-6)
        assert len(drawn.student.axes) == (1 if drawn.mask == "columns" else 2)


def test_the_teacher_has_the_same_coils_and_measures_more(many):
    for student, teacher, acceleration, _ in many:
        assert torch.equal(student.coil_maps, teacher.coil_maps)
        assert (student.mask <= teacher.mask).all()
        assert float(teacher.mask.mean()) == pytest.approx(2 / acceleration, rel=0.1)
        assert noise_of(student) == noise_of(teacher)
        assert student.noise_model.rng.initial_seed() != teacher.noise_model.rng.initial_seed()


def test_the_generator_decides_everything():
    first, again = draws(3), draws(3)
    for one, other in zip(first, again, strict=True):
        assert torch.equal(one.student.mask, other.student.mask)
        assert torch.equal(one.student.coil_maps, other.student.coil_maps)
        x = torch.zeros(1, 2, *SIDES)
        assert torch.equal(one.student(x), other.student(x))
    assert not torch.equal(first[0].student.mask, first[1].student.mask)


def test_a_fixed_family_has_fixed_numbers_and_its_own_split():
    (drawn,) = draws(
        1, coils=(5, 5), accelerations=(6, 6), masks=("random",), noise=(0.02, 0.02), split=0.1, tol=1e-3
    )
    student = drawn.student
    assert student.coil_maps.shape[1] == 5
    assert drawn.acceleration == 6
    assert noise_of(student) == pytest.approx(0.02)
    assert (student.split, student.tol) == (0.1, 1e-3)
    assert float(norms(student.hidden(torch.ones(1, 2, *SIDES)))) > 0


@pytest.mark.parametrize("name", MASKS)
def test_every_mask_has_its_calibration_region_and_density(name):
    mask = draw_mask(name, SIDES, 5.0, 0.2, seed=3)
    whole = mask.expand(SIDES)
    assert float(whole.float().mean()) == pytest.approx(1 / 5, abs=0.002)
    if name == "columns":
        middle = slice(20 - 2, 20 + 2)  # 4 of 8 columns: half of what is measured at most
        assert mask[middle].all()
    else:
        assert min(calibration_region(mask).sides) >= 6
    assert torch.equal(mask, draw_mask(name, SIDES, 5.0, 0.2, seed=3))
    assert not torch.equal(mask, draw_mask(name, SIDES, 5.0, 0.2, seed=4))


@pytest.mark.parametrize("name", ["columns", "random"])
def test_masks_of_one_seed_are_nested(name):
    few, more = (draw_mask(name, SIDES, acceleration, 0.1, seed=1) for acceleration in (8.0, 4.0))
    assert (few <= more).all()


def test_a_higher_power_is_denser_in_the_middle():
    flat, steep = (
        torch.stack([draw_mask("random", SIDES, 5.0, 0.0, seed=n, power=p).float() for n in range(20)])
        for p in (0.0, 4.0)
    )
    middle = (..., slice(8, 24), slice(10, 30))
    assert steep[middle].mean() > 1.5 * flat[middle].mean()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"coils": (0, 4)}, "coils"),
        ({"coils": (8, 4)}, "coils"),
        ({"accelerations": (0.5, 4)}, "accelerations"),
        ({"accelerations": 4.0}, "accelerations"),
        ({"teacher": 0.0}, "teacher"),
        ({"masks": ()}, "masks"),
        ({"masks": ("spiral",)}, "masks"),
        ({"calibration": (0.0, 1.5)}, "calibration"),
        ({"power": (-1.0, 2.0)}, "power"),
        ({"noise": (0.0, 0.1)}, "noise"),
        ({"bend": ("a", 1.0)}, "bend"),
        ({"turn": (1.0,)}, "turn"),
        ({"split": 0.0}, "split"),
        ({"tol": 2.0}, "tol"),
    ],
)
def test_what_is_no_range_is_named(change, named):
    with pytest.raises(ValueError, match=rf"^{named}="):
        ScanFamily(**change)
