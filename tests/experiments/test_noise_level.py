"""Noise levels: right for real and complex numbers within the errors that are given, and what makes them wrong."""

import math

import pytest
import torch

from ddgp_lib.experiments.noise_level import (
    noise_by_line,
    noise_from_corners,
    noise_from_repeats,
    noise_from_scan,
)

SIGMA, DRAWS = 0.7, 300


def noise(shape, generator, complex_valued):
    if not complex_valued:
        return SIGMA * torch.randn(shape, generator=generator)
    return torch.view_as_complex(SIGMA * torch.randn(*shape, 2, generator=generator))


def bright_middle(values):
    """Put an object into the middle: the corners stay what they are."""
    values[..., 12:20, 12:20] += 100
    return values


ESTIMATES = {
    "scan": lambda n: noise_from_scan(n),
    "repeats": lambda n: noise_from_repeats(n + torch.linspace(0, 9, n.shape[-1])),
    "corners": lambda n: noise_from_corners(bright_middle(n), 8),
    "robust corners": lambda n: noise_from_corners(bright_middle(n), 8, robust=True),
}


@pytest.mark.parametrize("complex_valued", [True, False])
@pytest.mark.parametrize("name", ESTIMATES)
def test_the_level_and_its_error_are_right(generator, name, complex_valued):
    found = [ESTIMATES[name](noise((4, 32, 32), generator, complex_valued)) for _ in range(DRAWS)]
    sigmas = torch.tensor([each.sigma for each in found], dtype=torch.float64)
    assert sigmas.mean().item() == pytest.approx(SIGMA, abs=4 * sigmas.std().item() / math.sqrt(DRAWS))
    assert found[0].error == pytest.approx(sigmas.std().item(), rel=0.15)
    assert found[0].rtol == found[0].error / found[0].sigma


def test_a_transform_that_is_orthonormal_keeps_the_level(generator):
    kspace = noise((64, 64), generator, True)
    image = torch.fft.ifft2(kspace, norm="ortho")
    found = [noise_from_corners(values, 16) for values in (kspace, image)]
    for each in found:
        assert abs(each.sigma - SIGMA) < 4 * each.error


def test_a_spike_moves_the_median_less(generator):
    kspace = noise((64, 64), generator, True)
    kspace[0, 0] = 1000
    plain, robust = (noise_from_corners(kspace, 16, robust=r) for r in (False, True))
    assert plain.sigma > 10 * SIGMA
    assert abs(robust.sigma - SIGMA) < 4 * robust.error


def test_corners_are_four_squares(generator):
    kspace = torch.zeros(20, 30)
    for rows in (slice(0, 3), slice(-3, None)):
        for columns in (slice(0, 3), slice(-3, None)):
            kspace[rows, columns] = 2
    found = noise_from_corners(kspace, 3)
    assert (found.sigma, found.numbers) == (pytest.approx(2), 36)
    assert noise_from_corners(kspace, 4).sigma == pytest.approx(2 * 3 / 4)


@pytest.mark.parametrize("complex_valued", [True, False])
@pytest.mark.parametrize("robust", [True, False])
@pytest.mark.parametrize("dim", [-2, -1])
def test_each_line_has_its_own_level(generator, complex_valued, robust, dim):
    window = torch.linspace(0.1, 2, 40)[:, None]
    kspace = window * noise((25, 40, 60), generator, complex_valued)
    kspace[:, :, 20:40] += 100  # the object
    found = noise_by_line(kspace if dim == -2 else kspace.mT, 20, dim=dim, robust=robust)
    assert found.shape == ((40, 1) if dim == -2 else (1, 40))
    relative = found.flatten() / (SIGMA * window.flatten()) - 1
    parts, numbers = (2 if complex_valued else 1), 25 * 40
    error = (1.65 if robust and not complex_valued else 1.44 if robust else 1) / math.sqrt(
        2 * parts * numbers
    )
    assert relative.std().item() == pytest.approx(error, rel=0.4)
    assert relative.abs().max() < 5 * error


def test_corners_behind_a_window_tell_another_level_than_the_whole(generator):
    window = torch.hann_window(64, periodic=False)[:, None] + 0.1
    kspace = window * noise((64, 64), generator, True)
    whole = SIGMA * window.square().mean().sqrt().item()
    assert noise_from_corners(kspace, 8).sigma < whole / 2
    lines = noise_by_line(kspace, 32).square().mean().sqrt().item()
    assert lines == pytest.approx(whole, rel=0.05)
    image = torch.fft.ifft2(kspace, norm="ortho")
    assert noise_from_corners(image, 32).sigma == pytest.approx(whole, rel=0.05)


def test_the_scene_does_not_count_in_repeats_and_a_drift_does(generator):
    scene = 1000 * torch.rand(512, generator=generator, dtype=torch.float64)
    repeats = scene + SIGMA * torch.randn(6, 512, generator=generator, dtype=torch.float64)
    found = noise_from_repeats(repeats)
    assert abs(found.sigma - SIGMA) < 4 * found.error
    drift = repeats + torch.arange(6)[:, None]
    assert noise_from_repeats(drift).sigma > 2 * SIGMA


def test_silence_has_no_relative_error():
    assert noise_from_scan(torch.zeros(4)).rtol == math.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: noise_from_scan(torch.zeros(0)), r"scan\.shape=\(0,\): expected one number at least"),
        (lambda: noise_from_repeats(torch.zeros(1, 4)), r"repeats\.shape=\(1, 4\)"),
        (lambda: noise_from_repeats(torch.zeros(4)), r"repeats\.shape=\(4,\)"),
        (lambda: noise_from_corners(torch.zeros(8, 4), 3), "side=3: expected 1 to 2, half of H and of W"),
        (lambda: noise_from_corners(torch.zeros(8), 3), r"values\.shape=\(8,\)"),
        (lambda: noise_from_corners(torch.zeros(8, 8), 2, robust=1), "robust=1: expected True or False"),
        (
            lambda: noise_by_line(torch.zeros(8, 4), 3),
            "side=3: expected 1 to 2, half of the length of a line",
        ),
        (lambda: noise_by_line(torch.ones(8, 4), 3, dim=-1, robust=0), "robust=0"),
        (lambda: noise_by_line(torch.ones(8, 4), 1, dim=1), "dim=1: expected -2 for rows or -1 for columns"),
        (lambda: noise_by_line(torch.eye(4), 1), r"values=.*not 0 at the ends of lines \[1, 2\]"),
        (lambda: noise_from_scan(torch.tensor([math.nan])), "scan='tensor with NaN"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
