"""Sensitivities drawn at random, how rough they are beside real ones, and rough phases."""

import os
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from ddgp_lib.data import energy_outside, random_maps, rough_phase, smooth_phase
from ddgp_lib.operators import birdcage_maps
from ddgp_lib.scanner import espirit_maps, load_array

BRAIN = Path(os.environ.get("DDGP_DATA", "nowhere")) / "brain_slice.npz"


def drawn(seed=0, coils=6, size=(48, 40), **options):
    return random_maps(coils, size, torch.Generator().manual_seed(seed), **options)


def test_maps_have_a_root_sum_of_squares_of_one_and_follow_the_generator():
    for seed in range(5):
        maps = drawn(seed)
        assert maps.dtype == torch.complex64
        torch.testing.assert_close(torch.linalg.vector_norm(maps, dim=0), torch.ones(48, 40))
    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


def test_maps_have_no_jump_and_each_coil_sees_a_place_of_its_own():
    """A vortex would be a step of up to 2 between neighbours."""
    places = set()
    for seed in range(20):
        maps = drawn(seed, bend=0.8, turn=2.0, size=64, coils=4 + seed % 6)
        assert max(float(maps.diff(dim=dim).abs().max()) for dim in (1, 2)) < 0.8
        places |= {int(one.abs().argmax()) for one in maps}
        assert (maps.abs().amax(dim=(1, 2)) > 0.3).float().mean() > 0.7
    assert len(places) > 50


def test_the_phase_is_that_of_a_mixture_of_coils_without_one():
    maps = drawn(coils=1)
    torch.testing.assert_close(maps, torch.ones_like(maps), rtol=0, atol=1e-5)
    for seed in range(5):
        several = drawn(seed, size=32).flatten(1).to(torch.complex128)
        first = torch.linalg.eigh(several @ several.mH).eigenvectors[:, -1]
        seen = (first.conj()[:, None] * several).sum(0)
        turned = seen * seen.sum().conj()
        assert float(turned.imag.abs().max() / turned.abs().max()) < 0.05
        assert float(seen.abs().min()) > 0.18


def test_bend_and_turn_make_maps_rougher():
    def roughness(**options):
        return sum(energy_outside(drawn(seed, **options), 3) for seed in range(16)) / 16

    smooth, bent, turned = roughness(bend=0.0, turn=0.0), roughness(bend=0.8, turn=0.0), roughness(turn=2.0)
    assert smooth < 0.03
    assert bent > 1.2 * smooth
    assert turned > 1.2 * smooth


def test_the_energy_outside_falls_with_the_degree_to_none():
    maps = drawn()
    shares = [energy_outside(maps, degree) for degree in range(10)]
    assert all(later <= sooner for sooner, later in pairwise(shares))
    assert shares[0] > 0.3
    assert shares[9] < 0.05 * shares[3]
    line = torch.linspace(-1, 1, 20, dtype=torch.float64)
    cubic = (line[:, None] ** 2 * line + 1j * line**3)[None]
    assert energy_outside(cubic, 3) < 1e-20
    assert energy_outside(cubic, 2) > 0.01
    assert energy_outside(1e6 * cubic, 2) == pytest.approx(energy_outside(cubic, 2))


def test_only_the_support_counts():
    maps = birdcage_maps(4, 32, 32)
    support = torch.zeros(32, 32, dtype=torch.bool)
    support[8:24, 8:24] = True
    cut = maps * support
    assert energy_outside(cut, 3) == pytest.approx(energy_outside(maps, 3, support))
    assert energy_outside(cut, 3, torch.ones_like(support)) > 10 * energy_outside(cut, 3)


@pytest.mark.skipif(not BRAIN.is_file(), reason="needs brain_slice.npz in DDGP_DATA")
def test_maps_of_a_real_scan_are_as_rough_as_those_of_the_family():
    """For degrees 2 to 4 its rest is between half the median of 12 draws and 1.2 times their ninth decile."""
    found = espirit_maps(load_array(BRAIN, ("height", "width", "coils"), domain="image").data)
    support = found.support > 0
    for degree, measured in ((2, 0.047), (3, 0.012), (4, 0.0055)):
        real = energy_outside(found.maps, degree)
        assert real == pytest.approx(measured, rel=0.02)
        drawn_maps = (drawn(seed, coils=7, size=(256, 216)) for seed in range(12))
        shares = torch.tensor([energy_outside(maps, degree, support) for maps in drawn_maps])
        assert 0.5 * shares.median() < real < 1.2 * shares.quantile(0.9)


def test_a_rough_phase_has_its_strength_no_mean_and_a_falling_spectrum(generator):
    phases = rough_phase(20, (64, 48), generator, strength=0.2, exponent=3.0)
    assert phases.shape == (20, 64, 48)
    assert rough_phase(0, 8, generator).shape == (0, 8, 8)
    torch.testing.assert_close(phases.mean(dim=(1, 2)), torch.zeros(20), rtol=0, atol=1e-6)
    torch.testing.assert_close(phases.square().mean(dim=(1, 2)).sqrt(), torch.full((20,), 0.2))
    spectrum = torch.fft.fft2(phases).abs().square().mean(dim=0)
    slope = torch.log(spectrum[0, 16] / spectrum[0, 2]) / torch.log(torch.tensor(8.0))
    assert float(slope) == pytest.approx(-3.0, abs=0.5)


def test_a_rough_phase_is_rougher_than_a_smooth_one(generator):
    """No polynomial of degree 6 takes more than a part of it."""
    rough, smooth = rough_phase(4, 48, generator, exponent=2.0), smooth_phase(4, 48, generator)
    assert energy_outside(rough + 0j, 6) > 0.2
    assert energy_outside(smooth + 0j, 6) < 1e-6


@pytest.mark.parametrize(
    ("function", "change", "named"),
    [
        (random_maps, {"coils": 0}, "coils"),
        (random_maps, {"size": 1}, "size"),
        (random_maps, {"generator": None}, "generator"),
        (random_maps, {"bend": -1.0}, "bend"),
        (random_maps, {"turn": float("nan")}, "turn"),
        (rough_phase, {"count": -1}, "count"),
        (rough_phase, {"count": 10**9}, "count"),
        (smooth_phase, {"count": 10**12}, "count"),
        (rough_phase, {"strength": 0.0}, "strength"),
        (rough_phase, {"exponent": -1.0}, "exponent"),
        (energy_outside, {"maps": torch.ones(2, 8, 8)}, "maps"),
        (energy_outside, {"maps": torch.zeros(2, 8, 8) + 0j}, "maps"),
        (energy_outside, {"degree": 21}, "degree"),
        (energy_outside, {"support": torch.zeros(8, 8, dtype=torch.bool)}, "support"),
        (energy_outside, {"support": torch.ones(8, 7, dtype=torch.bool)}, "support"),
    ],
)
def test_bad_arguments_are_named(function, change, named, generator):
    drawing = {"size": 8, "generator": generator}
    good = {
        random_maps: {"coils": 2, **drawing},
        rough_phase: {"count": 1, **drawing},
        smooth_phase: {"count": 1, **drawing},
        energy_outside: {"maps": birdcage_maps(2, 8, 8), "degree": 2},
    }[function]
    with pytest.raises(ValueError, match=rf"^{named}"):
        function(**(good | change))
