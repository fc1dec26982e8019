"""The experiment at low field: on simulated slices in the place of the record."""

import pytest
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.experiments.measured import low_field
from ddgp_lib.experiments.measured.candidates import Candidate
from ddgp_lib.presets import mri

SIDES = (48, 40)
NOISE = 0.02


@pytest.fixture(scope="module")
def scans():
    """Two slices of the test volume, with white noise that is known."""
    task = mri.PRESET.load(size=SIDES, acceleration=low_field.ACCELERATION, noise=NOISE)
    images = torch.view_as_complex(task.test_images[:2].movedim(1, -1).contiguous())
    generator = torch.Generator().manual_seed(1)
    noise = torch.view_as_complex(torch.randn(*images.shape, 2, generator=generator))
    kspace = centred_fourier(images) + NOISE * noise
    return low_field.Scans("two slices", kspace, torch.full((2, SIDES[0], 1), NOISE), 0.0, task)


def true(scans):
    """Return a method that knows the answer but for a weight, and is best at iteration 3."""
    images = low_field.in_channels(centred_fourier(scans.kspace, inverse=True))

    def make(weight):
        def solve(scanner, y, iterations):
            truth = images if len(y) == len(images) else scans.task.val_images[: len(y)]
            return (truth / (1 + abs(k - 3) / 9 + abs(weight - 2)) for k in range(1, iterations + 1))

        return solve

    return make


def test_what_a_method_gets_and_what_judges_are_apart(scans):
    used, held_out = scans.judge.split
    assert not (used & held_out).any()
    assert bool((scans.y[..., held_out] == 0).all())
    assert torch.equal(scans.y[..., used], low_field.in_channels(scans.kspace)[..., used])
    assert int(used.sum()) == SIDES[1] // low_field.ACCELERATION


def test_an_image_predicts_its_own_measurements(scans):
    prediction = low_field.predicted(scans.reference)
    assert torch.allclose(prediction, scans.kspace, atol=1e-5)
    assert torch.allclose(
        low_field.in_channels(prediction) * scans.task.student.mask,
        scans.task.student.A(scans.reference),
        atol=1e-5,
    )


def test_the_best_in_simulation_comes_first_and_each_method_runs_on(scans):
    methods = [
        Candidate("zero-filled", {}, lambda: lambda scanner, y, n: [scanner.A_adjoint(y)]),
        Candidate("true", {"w": (1.0, 2.0, 3.0)}, true(scans)),
    ]
    rows, edges, best = low_field.compare(scans, methods, (1, 3, 5), images=1, long=9)
    assert [(row.condition, row.method, row.iteration) for row in rows] == [
        ("two slices", "true, w 2", 3),
        ("two slices, 9", "true, w 2", 9),
        ("two slices", "zero-filled", 1),
    ]
    assert (edges, best) == ([], {})
    assert rows[0].psnr > max(rows[1].psnr, rows[2].psnr)
    assert rows[0].simulated > rows[2].simulated
    assert rows[1].simulated is None


def test_every_method_runs_and_what_is_learned_is_not_classical(scans):
    methods = low_field.methods(scans.task)
    learned = [method.name for method in methods if not method.classical]
    assert {low_field.ONE_CAMERA, "unfolded", "null space network"} <= set(learned)
    for method in methods:
        point = tuple(axis[0] for axis in method.axes.values())
        *_, image = method.make(*point)(scans.task.student, scans.y, 1)
        assert image.shape == scans.y.shape
        assert bool(image.isfinite().all())


def test_air_tells_the_level_of_white_noise():
    generator = torch.Generator().manual_seed(0)
    noise = 0.3 * torch.view_as_complex(torch.randn(10, 64, 80, 2, generator=generator))
    assert low_field.air_noise(noise) == pytest.approx(0.3, rel=0.02)


def test_brightness_is_of_each_slice():
    images = torch.ones(2, 10, 10, dtype=torch.complex64)
    images[1] *= 3j
    assert low_field.bright(images).flatten().tolist() == pytest.approx([1, 3])
