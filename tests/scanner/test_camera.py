"""From a record of k-space to a camera: the object comes back, in this library's convention and units."""

from dataclasses import replace

import pytest
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.metrics import psnr
from ddgp_lib.operators import noise_of
from ddgp_lib.scanner import KSpace, column_mask, combine_coils, espirit_maps, prepare_scan
from tests.scanner.phantom import complex_noise, scan


@pytest.fixture(scope="module")
def phantom():
    """Return a record in a scanner's units, and its images and maps."""
    kspace, image, maps = scan()
    data = 4e-4 * kspace
    return KSpace(data, torch.ones(96, 80, dtype=torch.bool), "simulated"), image, maps


def as_complex(x):
    return torch.complex(x[:, 0], x[:, 1])


def test_measurements_are_those_of_the_operator(phantom):
    """What the operator measures of the combined image is the record, times the factor, but for the maps' error."""
    measured, _, _ = phantom
    physics, y, factor = prepare_scan(measured)
    sensitivities = espirit_maps(measured.data)
    image = factor * combine_coils(measured.images(), sensitivities.maps)
    x = torch.view_as_real(image).movedim(-1, 0)[None]
    assert y.shape == (1, 2, 6, 96, 80)
    torch.testing.assert_close(as_complex(y)[0], factor * measured.data)
    assert float((physics.A(x) - y).norm() / y.norm()) < 0.05
    assert physics.axes == ()


def test_the_object_is_reproduced(phantom):
    measured, truth, maps = phantom
    weight = torch.linalg.vector_norm(maps, dim=0)  # what maps of unit root sum of squares leave in the image
    physics, y, factor = prepare_scan(measured, maps=maps)
    expected = factor * 4e-4 * (truth * weight)
    found = as_complex(physics.cg_sense(y, 1e-4))[0]
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)
    assert 0.8 < float(found.abs().quantile(0.98)) < 1.3  # the brightest tissue is about 1


def test_half_of_the_columns_is_enough_for_most_of_the_object(phantom):
    measured, truth, maps = phantom
    mask = column_mask(80, 2.0, 16, torch.Generator().manual_seed(0))
    physics, y, factor = prepare_scan(measured, mask)
    assert physics.axes == (-1,)
    assert float(y.abs().sum(dim=(0, 1, 2, 3))[~mask].max()) == 0
    expected = (factor * 4e-4 * truth * torch.linalg.vector_norm(maps, dim=0)).abs()[None, None]
    zero_filled, sense = (
        as_complex(x).abs()[None] for x in (physics.A_adjoint(y), physics.cg_sense(y, 1e-3))
    )
    assert psnr(sense, expected) > psnr(zero_filled, expected) + 3.5
    assert psnr(sense, expected) > 27


def test_the_calibration_and_the_scale_are_of_the_used_places_alone(phantom):
    measured, _, _ = phantom
    mask = column_mask(80, 4.0, 16, torch.Generator().manual_seed(0))
    used = prepare_scan(measured, mask)
    spoiled = replace(measured, data=torch.where(mask, measured.data, 7.0 + 0j))
    again = prepare_scan(spoiled, mask)
    assert used.factor == again.factor
    assert torch.equal(used.physics.coil_maps, again.physics.coil_maps)
    assert torch.equal(used.y, again.y)


def test_a_record_that_was_measured_in_part_is_used_in_part(phantom):
    measured, _, _ = phantom
    mask = column_mask(80, 3.0, 16, torch.Generator().manual_seed(0))
    part = KSpace(measured.data * mask, mask.expand(96, 80), "simulated")
    assert torch.equal(prepare_scan(part).y, prepare_scan(measured, mask).y)
    assert torch.equal(prepare_scan(part).physics.mask[0, 0], mask.expand(96, 80).float())


def test_units_do_not_matter_and_noise_is_scaled_as_the_signal(phantom):
    measured, _, _ = phantom
    usual = prepare_scan(measured, noise=1e-5)
    large = prepare_scan(replace(measured, data=1e6 * measured.data), noise=10.0)
    torch.testing.assert_close(usual.y, large.y, rtol=1e-4, atol=1e-4)
    assert large.factor == pytest.approx(usual.factor / 1e6, rel=1e-4)
    assert noise_of(usual.physics) == pytest.approx(1e-5 * usual.factor, rel=1e-5)
    assert noise_of(large.physics) == pytest.approx(noise_of(usual.physics), rel=1e-4)


def test_the_brightness_of_the_new_units_is_asked_for(phantom):
    measured = phantom[0]
    usual, darker = prepare_scan(measured, noise=1e-5), prepare_scan(measured, noise=1e-5, bright=0.5)
    assert darker.factor == pytest.approx(0.5 * usual.factor, rel=1e-6)
    torch.testing.assert_close(darker.y, 0.5 * usual.y)
    assert noise_of(darker.physics) == pytest.approx(0.5 * noise_of(usual.physics), rel=1e-6)


def test_noise_stays_white(phantom):
    """The transform of the record is orthonormal: its noise has one strength in all entries of y."""
    measured, _, _ = phantom
    noisy = replace(measured, data=measured.data + 1e-5 * complex_noise(6, 96, 80))
    physics, y, factor = prepare_scan(noisy, maps=espirit_maps(measured.data), noise=1e-5 / 2**0.5)
    clean = torch.view_as_real(factor * measured.data).movedim(-1, 0)[None]
    assert float((y - clean).std()) == pytest.approx(noise_of(physics), rel=0.02)


def test_maps_of_espirit_keep_their_support(phantom):
    measured, _, _ = phantom
    soft = espirit_maps(measured.data, crop=0.9, soft=0.08)
    physics = prepare_scan(measured, maps=soft, split=0.05, tol=1e-3).physics
    torch.testing.assert_close(torch.linalg.vector_norm(physics.coil_maps[0], dim=0), soft.support)
    assert (physics.split, physics.tol) == (0.05, 1e-3)
    again = prepare_scan(measured, maps=3 * soft.maps).physics
    weights = torch.linalg.vector_norm(again.coil_maps[0], dim=0)
    assert bool(((weights == 0) | ((weights - 1).abs() < 1e-5)).all())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"measured": None}, "measured"),
        ({"mask": torch.ones(80)}, "mask"),
        ({"mask": torch.ones(96, dtype=torch.bool)}, "mask"),
        ({"mask": torch.zeros(80, dtype=torch.bool)}, "mask"),
        ({"maps": "espirit"}, "maps"),
        ({"maps": torch.ones(6, 8, 8) + 0j}, r"maps\.shape"),
        ({"noise": -1.0}, "noise"),
        ({"percentile": 0.0}, "percentile"),
        ({"bright": 0.0}, "bright"),
        ({"split": 0.0}, "split"),
        ({"tol": 1.0}, "tol"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_arguments_are_named(change, named, phantom):
    with pytest.raises(ValueError, match=rf"^{named}="):
        prepare_scan(**({"measured": phantom[0], "maps": phantom[2]} | change))


def test_several_slices_are_refused():
    data = centred_fourier(torch.ones(2, 3, 8, 8) + 0j)
    with pytest.raises(ValueError, match=r"^measured\.data\.shape="):
        prepare_scan(KSpace(data, torch.ones(2, 8, 8, dtype=torch.bool), "simulated"))
