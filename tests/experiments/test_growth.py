"""Growth: the fit on numbers that are given, what is timed, and deepinv's operators beside the library's."""

import json
import math
from dataclasses import replace

import pytest
import torch
from deepinv.optim import FISTA, L2, PnP
from deepinv.physics import Downsampling, LinearPhysics, MultiCoilMRI, SinglePixelCamera

from ddgp_lib import load_task
from ddgp_lib.experiments.growth import _repeats, deepinv_physics, fit_power, growth
from ddgp_lib.solvers import PreconditionedFISTA
from tests.own_camera import SIZE

PARTS = ("operator", "operator_deepinv", "denoiser", "fista", "fista_deepinv")
LEARNED = ("preconditioner", "preconditioned_fista")
N = torch.tensor([32.0, 64.0, 128.0, 256.0])


def test_a_power_is_found_exactly():
    law = fit_power(N, 0.02 * N**1.7)
    assert law.exponent == pytest.approx(1.7)
    assert law.constant == pytest.approx(0.02, rel=1e-4)
    assert law.error == pytest.approx(0, abs=1e-6)


def test_the_error_of_an_exponent_is_that_of_a_slope():
    """By hand: of (0, 0), (1, 1), (2, 0) in logarithms the slope is 0, and its error √(2/3 / 1 / 2)."""
    law = fit_power(torch.tensor([0.0, 1, 2]).exp(), torch.tensor([0.0, 1, 0]).exp())
    assert law.exponent == pytest.approx(0, abs=1e-6)
    assert law.error == pytest.approx(math.sqrt(1 / 3), rel=1e-5)


def test_errors_are_as_large_as_exponents_scatter(generator):
    laws = [fit_power(N, N**2 * (0.1 * torch.randn(4, generator=generator)).exp()) for _ in range(400)]
    exponents = torch.tensor([law.exponent for law in laws])
    assert exponents.mean().item() == pytest.approx(2, abs=0.02)
    typical = torch.tensor([law.error for law in laws]).square().mean().sqrt()
    assert typical.item() == pytest.approx(exponents.std().item(), rel=0.2)


def test_two_points_have_no_error():
    assert fit_power(N[:2], N[:2]).error is None


@pytest.mark.parametrize(
    ("n", "times", "message"),
    [
        (N[:1], N[:1], r"n\.shape=\(1,\)"),
        (N, N[:3], r"times\.shape=\(3,\)"),
        (N, N - 32, r"times=\[0\.0, .*\]: expected numbers above zero"),
        (torch.ones(3), N[:3], "n=.*two different sizes"),
        (N.long(), N, r"n\.dtype"),
    ],
)
def test_what_has_no_fit_is_refused(n, times, message):
    with pytest.raises(ValueError, match=message):
        fit_power(n, times)


def test_a_growth_has_a_row_for_each_size_and_an_exponent_for_each_part():
    task = load_task("single_pixel", size=8)
    found = growth(task, sides=(8, 16), batches=(1, 2, 3), rounds=1, iterations=1, progress=False)
    assert [(row["swept"], row["side"], row["batch"]) for row in found["rows"]] == [
        *(("side", 8, 1), ("side", 16, 1)),
        *(("batch", 8, 1), ("batch", 8, 2), ("batch", 8, 3)),
    ]
    for row in found["rows"]:
        times = row["milliseconds"]
        assert set(times) == {*PARTS, *LEARNED}
        assert min(times.values()) > 0
        assert row["over_deepinv"] == pytest.approx(times["fista"] / times["fista_deepinv"], rel=0.01)
    for swept, count in (("side", 2), ("batch", 3)):
        exponents = found["exponents"][swept]
        assert set(exponents) == {*PARTS, *LEARNED}
        assert all((error is None) == (count == 2) for _, error in exponents.values())
    json.dumps(found, allow_nan=False)


def test_a_camera_of_one_size_grows_in_the_batch_alone_and_repeats_its_images(own):
    task = own.load()
    few = replace(task, test_images=task.test_images[:1])
    found = growth(few, batches=(1, 3), rounds=1, iterations=1, progress=False)
    assert [(row["side"], row["batch"]) for row in found["rows"]] == [(SIZE, 1), (SIZE, 3)]
    assert found["exponents"]["side"] == {}
    assert set(found["exponents"]["batch"]) == {*PARTS, *LEARNED}


def test_short_runs_are_repeated_until_they_can_be_timed():
    assert [_repeats(seconds) for seconds in (0.0, 1e-5, 1e-3, 0.015, 0.02, 3.0)] == [50, 50, 20, 2, 1, 1]


CAMERAS = {
    "single pixel": ("single_pixel", {"size": 16}, SinglePixelCamera),
    "another order": ("single_pixel", {"size": 16, "ordering": "zig_zag"}, SinglePixelCamera),
    "super-resolution": ("super_resolution", {"size": 16}, Downsampling),
    "coils": ("mri", {"size": 16, "coils": 2}, MultiCoilMRI),
    "mri": ("mri", {"size": 16}, LinearPhysics),
    "deblurring": ("deblurring", {"size": 32}, LinearPhysics),
}


@pytest.mark.parametrize("name", CAMERAS)
def test_deepinvs_operator_is_the_same_map(name, generator):
    camera, options, kind = CAMERAS[name]
    task = load_task(camera, **options)
    theirs = deepinv_physics(task.student)
    assert isinstance(theirs, kind)
    assert type(theirs).__module__.startswith("deepinv.") or camera == "deblurring"
    x = torch.rand(2, *task.img_size, generator=generator)
    torch.testing.assert_close(
        theirs.A_adjoint(theirs.A(x)), task.student.A_adjoint_A(x), atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("name", ["single pixel", "super-resolution", "mri"])
def test_deepinvs_fista_makes_the_same_iterates(name):
    """So that what is timed side by side does the same work."""
    camera, options, _ = CAMERAS[name]
    task = load_task(camera, **options)
    x, theirs = task.test_images[:2], deepinv_physics(task.student)
    shared = {"stepsize": task.stepsize, "max_iter": 4}
    ours = PreconditionedFISTA(task.denoiser, sigma=0.05, momentum="deepinv", **shared)
    fista = FISTA(data_fidelity=L2(), prior=PnP(task.denoiser), sigma_denoiser=0.05, **shared)
    with torch.no_grad():
        found, expected = ours(task.student.A(x), task.student), fista(theirs.A(x), theirs)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sides": (32,)}, r"sides=\(32,\): expected two or more"),
        ({"sides": 32}, "sides=32"),
        ({"batches": (1, 1)}, r"batches=\(1, 1\)"),
        ({"batches": (0, 1)}, "batches=0"),
        ({"rounds": 0}, "rounds=0"),
        ({"iterations": 0}, "iterations=0"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_no_use_is_refused_by_name(own, options, message):
    with pytest.raises(ValueError, match=message):
        growth(own.load(), **options)
    with pytest.raises(ValueError, match="task=None: expected a Task"):
        growth(None)
