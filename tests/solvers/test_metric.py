"""Metrics: their inverse and eigenvalues, and that a gradient step in them is stable."""

import pytest
import torch

from ddgp_lib.operators import LenslessCamera
from ddgp_lib.preconditioners.probing import circulant_spectrum
from ddgp_lib.solvers import CirculantMetric, ScalarMetric
from tests.solvers.lensless import camera_of, matrix_of


@pytest.mark.parametrize("metric", [ScalarMetric(3.0), CirculantMetric.of(camera_of(4, 5), 0.1)])
def test_the_inverse_undoes_the_metric(metric, generator):
    x = torch.randn(2, 3, 8, 10, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(metric.invert(metric.apply(x)), x)


@pytest.mark.parametrize("metric", [ScalarMetric(3.0), CirculantMetric.of(camera_of(4, 5), 0.1)])
def test_it_is_symmetric_and_its_eigenvalues_are_known(metric):
    M = matrix_of(metric.apply, (8, 10))
    torch.testing.assert_close(M, M.T)
    values = torch.linalg.eigvalsh(M)
    assert float(values[0]) == pytest.approx(metric.lowest)
    assert float(values[-1]) == pytest.approx(metric.highest)


@pytest.mark.parametrize("damping", [1e-6, 0.01, 1.0])
def test_the_curvature_of_the_data_never_exceeds_the_metric_of_a_camera(damping):
    camera = camera_of(4, 5)
    difference = matrix_of(CirculantMetric.of(camera, damping).apply, (8, 10)) - matrix_of(
        camera.A_adjoint_A, (8, 10)
    )
    top = float(camera.spectrum.max())
    assert float(torch.linalg.eigvalsh(difference)[0]) > 0.999 * damping * top - 1e-12 * top
    assert CirculantMetric.of(camera, damping).highest == pytest.approx((1 + damping) * top)


def test_it_is_the_nearest_circulant_matrix_but_for_the_share_that_the_sensor_covers():
    camera = LenslessCamera(torch.rand(4, 5, generator=torch.Generator().manual_seed(0)))
    nearest = circulant_spectrum(camera, (1, 8, 10))[..., :6]
    torch.testing.assert_close(nearest, camera.spectrum / 4, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), None, "x", True])
def test_a_scalar_that_is_no_metric_is_refused(value):
    with pytest.raises(ValueError, match=r"^value="):
        ScalarMetric(value)


@pytest.mark.parametrize(
    ("spectrum", "sides", "message"),
    [
        (torch.ones(1, 8, 6), (8, 8), r"^sides="),
        (torch.ones(1, 8, 6), 8, r"^sides="),
        (torch.ones(1, 8, 6), (8.0, 10), r"^sides="),
        (torch.zeros(1, 8, 6), (8, 10), r"^spectrum=.*above zero"),
        (-torch.ones(1, 8, 6), (8, 10), r"^spectrum=.*above zero"),
        (torch.ones(8, 6), (8, 10), r"^spectrum.shape="),
        (torch.full((1, 8, 6), float("inf")), (8, 10), r"^spectrum="),
        (torch.ones(1, 8, 6) + 0j, (8, 10), r"^spectrum="),
        (None, (8, 10), r"^spectrum="),
    ],
)
def test_a_spectrum_that_is_no_metric_is_refused(spectrum, sides, message):
    with pytest.raises(ValueError, match=message):
        CirculantMetric(spectrum, sides)


def test_images_that_do_not_fit_are_refused():
    metric = CirculantMetric(torch.ones(2, 8, 6), (8, 10))
    for shape in ((1, 2, 8, 8), (1, 3, 8, 10), (2, 8, 10)):
        with pytest.raises(ValueError, match=r"^x.shape="):
            metric.apply(torch.ones(shape))
