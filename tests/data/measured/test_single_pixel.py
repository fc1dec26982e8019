"""Measured coefficients in the order and the signs of the operators: of small files, and of the measured ones."""

import os
from pathlib import Path
from types import MappingProxyType

import pytest
import torch

from ddgp_lib.data import load_measured
from ddgp_lib.data.measured import (
    Measured,
    NamedArray,
    diameters_of,
    haar_coefficients,
    hadamard_coefficients,
)
from ddgp_lib.data.measured.folder import VARIABLE, state
from ddgp_lib.data.measured.registry import CAR, DIFFUSERCAM, JASZCZAK
from ddgp_lib.operators import HaarCamera, HadamardCamera


def sylvester(side):
    """Return the Hadamard matrix of ±1 in its natural order."""
    matrix = torch.ones(1, 1)
    while len(matrix) < side:
        matrix = torch.kron(torch.tensor([[1.0, 1], [1, -1]]), matrix)
    return matrix


def of_patterns(images, names):
    """Measure images (N, 8, 8) with patterns of ±1, as the file of the toy car has it."""
    matrix = sylvester(8)
    values = (matrix @ images @ matrix).flatten(1)
    arrays = {"coefficients": NamedArray(values, ("acquisition", "pattern"))}
    meta = {"acquisition": tuple(names), "size": 8}
    return Measured(MappingProxyType(arrays), MappingProxyType(meta), CAR)


def of_wavelets(image, coarsest=2):
    """Measure an image with differences that are the second half minus the first, as the Jaszczak target's file."""
    flipped = HaarCamera(1.0, (1, 8, 8), coarsest).V_adjoint(image.flip(-2, -1)[None, None])[0, 0]
    values, side = flipped.clone(), coarsest
    values[:side, :side] = flipped[:side, :side].flip(0, 1)
    while side < 8:
        for rows, columns in (
            (slice(0, side), slice(side, 2 * side)),
            (slice(side, 2 * side), slice(0, side)),
            (slice(side, 2 * side), slice(side, 2 * side)),
        ):
            values[rows, columns] = flipped[rows, columns].flip(0, 1)
        side *= 2
    arrays = {"coefficients": NamedArray(values, ("row", "column"))}
    meta = {"coarsest": coarsest, "detail_sign": -1}
    return Measured(MappingProxyType(arrays), MappingProxyType(meta), JASZCZAK)


@pytest.fixture
def images(generator):
    return torch.rand(4, 8, 8, generator=generator)


def test_hadamard_coefficients_are_those_of_the_operator(images):
    measured = of_patterns(images, ("Car_a_roi_1", "Car_a_roi_17", "Car_b_roi_1", "Car_b_roi_9"))
    assert diameters_of(measured) == (1,)
    found = hadamard_coefficients(measured, 1)
    camera = HadamardCamera(1.0, (1, 8, 8))
    torch.testing.assert_close(camera.V(found), images[[0, 2], None])
    assert hadamard_coefficients(measured, 9).shape == (1, 1, 8, 8)
    with pytest.raises(ValueError, match=r"^diameter=5: .*\(1,\)"):
        hadamard_coefficients(measured, 5)


def test_haar_coefficients_are_those_of_the_operator(images):
    found = haar_coefficients(of_wavelets(images[0]))
    torch.testing.assert_close(HaarCamera(1.0, (1, 8, 8), 2).V(found)[0, 0], images[0])


@pytest.mark.parametrize(
    "read", [haar_coefficients, diameters_of, lambda found: hadamard_coefficients(found, 1)]
)
def test_other_sets_are_refused(read):
    other = Measured(MappingProxyType({}), MappingProxyType({}), DIFFUSERCAM)
    with pytest.raises(ValueError, match=r"^measured="):
        read(other)
    with pytest.raises(ValueError, match=r"^measured='car'"):
        read("car")


def real(card):
    folder = os.environ.get(VARIABLE, "")
    if not folder or any(state(file, Path(folder)) != "present" for file in card.files):
        pytest.skip(f"the measured set is not in {VARIABLE}")
    return load_measured(card.name)


def test_the_measured_wavelets_are_the_camera_s_picture_with_these_signs_and_with_no_others():
    measured = real(JASZCZAK)
    camera, found = HaarCamera(1.0, (1, 64, 64)), haar_coefficients(measured)
    picture = measured["camera_64"].flatten()

    def correlation(coefficients):
        pair = torch.stack([camera.V(coefficients.float()).flatten().double(), picture])
        return torch.corrcoef(pair)[0, 1].item()

    turned = found.clone()  # the quarters turned too, as if the sign were one of all details
    for side in (8, 16, 32):
        turned[..., side : 2 * side, side : 2 * side] *= -1
    assert correlation(found) == pytest.approx(0.956, abs=0.002)
    assert correlation(turned) == pytest.approx(0.88, abs=0.005)
    assert correlation(measured["coefficients"][None, None]) < 0.8


def test_the_measured_car_is_light_on_a_dark_ground_at_every_diameter():
    measured = real(CAR)
    assert len(diameters_of(measured)) == 33
    for diameter in (65, 257):
        image = HadamardCamera(1.0, (1, 32, 32)).V(hadamard_coefficients(measured, diameter))
        assert image.shape == (3, 1, 32, 32)
        assert float(image.min()) > -0.03 * float(image.max())
