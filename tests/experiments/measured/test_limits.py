"""What limits one P for many scans: columns of one scanner, and two trainings for it, on a small simulated record."""

from dataclasses import replace

import pytest
import torch

from ddgp_lib.experiments.measured import EXPERIMENTS, limits
from ddgp_lib.experiments.measured.head import columns
from ddgp_lib.experiments.measured.multicoil import scan_of
from ddgp_lib.operators import SenseMRI, birdcage_maps, noise_of
from ddgp_lib.presets.multicoil_mri import PRESET
from tests.experiments.measured.test_multicoil import NOISE, SIDES, record  # noqa: F401

MAPS = birdcage_maps(4, *SIDES)


@pytest.fixture
def brief(monkeypatch):
    few = {"steps": 2, "batch_size": 1, "pool_size": 2, "operators": 1, "tuned_steps": 1, "tuned_batch": 1}
    monkeypatch.setattr(limits, "BUDGET", few)


@pytest.fixture
def scan(record):  # noqa: F811
    return scan_of(record, columns(SIDES, 4).judging, NOISE)


def test_columns_are_drawn_anew_and_the_scanner_stays(scan):
    task = PRESET.load(size=SIDES)
    draw, generator = limits.Columns(MAPS, 0.02), torch.Generator().manual_seed(0)
    drawn = [draw(task, generator) for _ in range(8)]
    places = [int(one.student.mask[0, 0, 0].sum()) for one in drawn]
    assert len(set(places)) > 3
    assert all(SIDES[1] / 8 - 1 <= count <= SIDES[1] / 4 + 1 for count in places)
    for one in drawn:
        assert isinstance(one.student, SenseMRI)
        assert torch.equal(one.student.coil_maps[0], MAPS)
        assert noise_of(one.student) == noise_of(one.teacher) == pytest.approx(0.02)
        assert bool((one.student.mask <= one.teacher.mask).all())
        assert one.teacher.mask.sum() > one.student.mask.sum()


def test_the_heads_image_is_that_of_the_whole_record(scan):
    image = limits.head_alone(scan)
    assert image.shape == (1, 2, *SIDES)
    used = scan.physics.A(image) - scan.y
    assert float(used.norm() / scan.y.norm()) < 0.2


def test_true_maps_leave_nothing_but_the_noise_over(scan):
    assert limits.beyond_maps(scan) > 0.2  # so few columns do not tell the maps
    full = replace(scan, whole=SenseMRI(MAPS, torch.ones(SIDES[1], dtype=torch.bool)))
    assert limits.beyond_maps(full) < 0.05


def test_an_image_can_hold_one_part_of_the_noise_for_each_coil(scan):
    found = scan.judge.error(scan.judge.measured)
    share = found.noise_energy / found.signal
    assert limits.learned_noise(scan) == pytest.approx(2 * share / 4)


def test_both_are_trained_behind_the_scanner_of_the_scan(scan, brief):
    image = limits.head_alone(scan)
    found = [limits.trained(scan, given, 0, progress=False) for given in (image, 3 * image, None)]
    weights = [torch.cat([w.flatten() for w in P.parameters()]) for P in found]
    assert not torch.allclose(weights[0], weights[1])  # an image is seen at its own brightness
    assert not torch.allclose(weights[0], weights[2])


def test_it_is_an_experiment_of_the_measured_head():
    assert EXPERIMENTS["limits"].data == "head_7_coils"
