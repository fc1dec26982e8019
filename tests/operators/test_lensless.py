"""A lens-less camera: a linear convolution and a crop, exactly; its adjoint, its norm, and what it refuses."""

import pickle

import pytest
import torch
from scipy.signal import convolve2d

from ddgp_lib.operators import LenslessCamera, measure, newton, squared_norm


def psf_of(*shape, seed=0, dtype=torch.float64):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def dense(camera, channels=1):
    """Return A as a matrix, by its columns."""
    height, width = camera.sides["x"]
    count = channels * height * width
    basis = torch.eye(count, dtype=camera.psf.dtype).reshape(count, channels, height, width)
    return camera.A(basis).flatten(1).T


@pytest.mark.parametrize("sides", [(6, 8), (5, 7), (4, 9), (1, 5), (1, 1)])
def test_it_is_the_linear_convolution_cropped_to_the_sensor(sides):
    psf, (h, w) = psf_of(*sides), sides
    x = torch.randn(2 * h, 2 * w, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    whole = torch.from_numpy(convolve2d(x.numpy(), psf.numpy()))
    rows, columns = (slice(2 * (n // 2), 2 * (n // 2) + n) for n in sides)
    torch.testing.assert_close(LenslessCamera(psf).A(x[None, None])[0, 0], whole[rows, columns])


@pytest.mark.parametrize("sides", [(6, 8), (5, 7)])
def test_a_point_in_the_middle_is_seen_as_the_point_spread_function(sides):
    psf, (h, w) = psf_of(*sides), sides
    x = torch.zeros(1, 1, 2 * h, 2 * w, dtype=torch.float64)
    x[..., 2 * (h // 2), 2 * (w // 2)] = 1
    torch.testing.assert_close(LenslessCamera(psf).A(x)[0, 0], psf)


def test_a_point_outside_the_sensor_is_seen_at_one_side_only():
    x = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    x[..., 8, 1] = 1
    y = LenslessCamera(psf_of(8, 8) + 1).A(x)
    assert (y[..., :, :2] > 0.5).any()
    torch.testing.assert_close(y[..., :, 2:], torch.zeros_like(y[..., :, 2:]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("psf", [(5, 8), (1, 5, 8), (3, 5, 8)], ids=str)
def test_adjoint(psf, dtype, generator):
    camera = LenslessCamera(psf_of(*psf, dtype=dtype))
    x = torch.randn(2, 3, 10, 16, generator=generator, dtype=dtype)
    y = torch.randn(2, 3, 5, 8, generator=generator, dtype=dtype)
    left, right = (camera.A(x) * y).sum(), (x * camera.A_adjoint(y)).sum()
    torch.testing.assert_close(left, right, rtol=1e-4 if dtype == torch.float32 else 1e-10, atol=1e-4)
    torch.testing.assert_close(camera.A_adjoint_A(x), camera.A_adjoint(camera.A(x)))
    blurred = (camera.blur(x) * x.roll(1, -1)).sum(), (x * camera.blur_adjoint(x.roll(1, -1))).sum()
    torch.testing.assert_close(*blurred, rtol=1e-3, atol=1e-3)


def test_the_crop_undoes_the_padding_and_is_its_adjoint(generator):
    camera = LenslessCamera(psf_of(5, 8))
    x = torch.randn(2, 3, 10, 16, generator=generator, dtype=torch.float64)
    y = torch.randn(2, 3, 5, 8, generator=generator, dtype=torch.float64)
    padded = camera.pad(y)
    assert torch.equal(camera.crop(padded), y)
    assert int((padded != 0).sum()) == y.numel()
    torch.testing.assert_close((camera.crop(x) * y).sum(), (x * padded).sum())
    assert torch.equal(camera.A(x), camera.crop(camera.blur(x)))


def test_channels_with_point_spread_functions_of_their_own_are_cameras_of_their_own(generator):
    psf = psf_of(3, 5, 8)
    x = torch.randn(1, 3, 10, 16, generator=generator, dtype=torch.float64)
    alone = [LenslessCamera(one).A(x[:, c : c + 1]) for c, one in enumerate(psf)]
    torch.testing.assert_close(LenslessCamera(psf).A(x), torch.cat(alone, 1))


@pytest.mark.parametrize("shape", [(5, 6), (2, 5, 6)])
def test_squared_norm_is_the_largest_eigenvalue_and_below_that_of_the_blur(shape):
    camera = LenslessCamera(psf_of(*shape) - 0.3)
    top = float(torch.linalg.matrix_norm(dense(camera, camera.channels or 1), 2)) ** 2
    assert camera.squared_norm == pytest.approx(top, rel=1e-3)
    assert camera.squared_norm <= float(camera.spectrum.max())
    assert squared_norm(camera, (1, 10, 12)) == camera.squared_norm


def test_squared_norm_is_found_once(monkeypatch):
    camera, calls = LenslessCamera(psf_of(5, 6)), []
    product = LenslessCamera.A_adjoint_A
    monkeypatch.setattr(LenslessCamera, "A_adjoint_A", lambda self, x: calls.append(1) or product(self, x))
    first = camera.squared_norm
    count = len(calls)
    assert count > 0
    assert (camera.squared_norm, len(calls)) == (first, count)


def test_it_works_with_what_the_library_has_for_any_operator(generator):
    camera = LenslessCamera(psf_of(5, 6), noise=0.1)
    x = torch.rand(2, 1, 10, 12, generator=generator, dtype=torch.float64)
    y = measure(camera, x, seed=0)
    assert torch.equal(y, measure(camera, x, seed=0))
    assert float((y - camera.A(x)).std()) == pytest.approx(0.1, rel=0.3)
    step = newton(camera, x, 0.1)
    back = camera.A_adjoint_A(step) / camera.squared_norm + 0.1 * step
    torch.testing.assert_close(back, x, rtol=1e-4, atol=1e-4)


def test_it_can_be_pickled_and_is_double_when_asked(generator):
    camera = LenslessCamera(psf_of(5, 6, dtype=torch.float32))
    x = torch.rand(1, 1, 10, 12, generator=generator)
    assert torch.equal(pickle.loads(pickle.dumps(camera)).A(x), camera.A(x))
    twice = camera.double().A(x.double())
    assert twice.dtype == torch.float64
    torch.testing.assert_close(twice.float(), LenslessCamera(psf_of(5, 6, dtype=torch.float32)).A(x))


@pytest.mark.parametrize(
    ("psf", "message"),
    [
        (torch.ones(3), r"psf.shape=\(3,\): expected \(h, w\) or \(C, h, w\)"),
        (torch.ones(1, 1, 4, 4), r"psf.shape="),
        (torch.ones(0, 4, 4), r"psf.shape="),
        (torch.ones(1, 2**13 + 1), r"psf.shape="),
        (torch.zeros(4, 4), r"psf=.*a response in each channel"),
        (torch.stack([torch.ones(4, 4), torch.zeros(4, 4)]), r"psf=.*a response in each channel"),
        (torch.full((4, 4), float("nan")), r"psf=.*finite"),
        (torch.ones(4, 4, dtype=torch.complex64), r"psf.dtype="),
        (torch.ones(4, 4).half(), r"psf.dtype="),
        (torch.ones(4, 4, dtype=torch.int64), r"psf.dtype="),
        ("a file", r"psf='a file': expected a tensor"),
    ],
)
def test_what_is_no_point_spread_function_is_refused(psf, message):
    with pytest.raises(ValueError, match=message):
        LenslessCamera(psf)


def test_images_and_measurements_that_do_not_fit_are_refused():
    camera = LenslessCamera(torch.ones(2, 4, 4))
    with pytest.raises(ValueError, match=r"x.shape=\(1, 2, 4, 4\)"):
        camera.A(torch.ones(1, 2, 4, 4))
    with pytest.raises(ValueError, match=r"x.shape=\(1, 3, 8, 8\): expected 2 channels"):
        camera.A(torch.ones(1, 3, 8, 8))
    with pytest.raises(ValueError, match=r"y.shape=\(1, 2, 8, 8\)"):
        camera.A_adjoint(torch.ones(1, 2, 8, 8))
    with pytest.raises(ValueError, match=r"x.dtype="):
        camera.A(torch.ones(1, 2, 8, 8, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"psf='Tensor': expected None: it is fixed"):
        camera.A(torch.ones(1, 2, 8, 8), psf=torch.ones(4, 4))


def test_pixels_that_are_not_read_are_rows_that_are_left_out(generator):
    psf, used = psf_of(3, 5, 6), torch.rand(5, 6, generator=generator) < 0.6
    whole, part = LenslessCamera(psf), LenslessCamera(psf, used=used)
    x = torch.randn(2, 3, 10, 12, generator=generator, dtype=torch.float64)
    y = torch.randn(2, 3, 5, 6, generator=generator, dtype=torch.float64)
    assert torch.equal(part.A(x), used * whole.A(x))
    torch.testing.assert_close((part.A(x) * y).sum(), (x * part.A_adjoint(y)).sum())
    assert torch.equal(part.pad(torch.ones_like(y)) > 0, whole.pad(used.expand_as(y).double()) > 0)
    top = float(torch.linalg.matrix_norm(dense(part, 3), 2)) ** 2
    assert part.squared_norm == pytest.approx(top, rel=1e-3)
    assert part.squared_norm < whole.squared_norm


@pytest.mark.parametrize(
    "used",
    [
        torch.ones(4, 4),
        torch.ones(4, 5, dtype=torch.bool),
        torch.zeros(4, 4, dtype=torch.bool),
        "all",
    ],
)
def test_pixels_that_are_none_of_the_sensors_are_refused(used):
    with pytest.raises(ValueError, match=r"^used=.*bool, shape \(4, 4\)"):
        LenslessCamera(torch.ones(2, 4, 4), used=used)
    with pytest.raises(ValueError, match=r"^used="):
        LenslessCamera(torch.ones(4, 4)).A(torch.ones(1, 1, 8, 8), used=torch.ones(4, 4, dtype=torch.bool))
