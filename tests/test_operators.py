"""The single-pixel operator: adjoint, orthonormal rows, projections, nesting, noise."""

import pytest
import torch
from deepinv.physics import BlurFFT, SinglePixelCamera

from ddgp_lib.operators import HadamardCamera, measure, null_projection, range_projection, squared_norm

SHAPE = (1, 32, 32)


@pytest.fixture
def camera():
    return HadamardCamera(0.1, SHAPE)


@pytest.fixture
def images(generator):
    return torch.rand(5, *SHAPE, generator=generator)


@pytest.mark.parametrize("ordering", ["cake_cutting", "sequency", "zig_zag", "xy"])
def test_equals_deepinv(ordering, images):
    ours = HadamardCamera(0.25, SHAPE, ordering)
    theirs = SinglePixelCamera(m=256, img_size=SHAPE, ordering=ordering)
    torch.testing.assert_close(ours.A(images), theirs.A(images), atol=1e-5, rtol=1e-5)
    y = theirs.A(images)
    torch.testing.assert_close(ours.A_adjoint(y), theirs.A_adjoint(y), atol=1e-5, rtol=1e-5)


def test_adjoint(camera, images, generator):
    y = torch.rand(5, *SHAPE, generator=generator)
    left = (camera.A(images) * y).sum()
    right = (images * camera.A_adjoint(y)).sum()
    torch.testing.assert_close(left, right, rtol=1e-5, atol=1e-4)


def test_rows_are_orthonormal(camera, generator):
    y = camera.mask * torch.rand(5, *SHAPE, generator=generator)
    torch.testing.assert_close(camera.A(camera.A_adjoint(y)), y, atol=1e-5, rtol=1e-5)
    assert squared_norm(camera, SHAPE) == 1.0


@pytest.mark.parametrize(("ratio", "rows"), [(0.1, 102), (0.4, 410), (1.0, 1024), (1e-6, 1)])
def test_number_of_rows(ratio, rows):
    assert int(HadamardCamera(ratio, SHAPE).mask.sum()) == rows


@pytest.mark.parametrize("ordering", ["cake_cutting", "sequency", "zig_zag", "xy"])
def test_smaller_ratio_is_nested(ordering):
    small = HadamardCamera(0.1, SHAPE, ordering).mask
    large = HadamardCamera(0.4, SHAPE, ordering).mask
    assert bool((small <= large).all())


def test_projections_split_an_image(camera, images):
    seen, unseen = range_projection(camera, images), null_projection(camera, images)
    torch.testing.assert_close(seen + unseen, images)
    assert camera.A(unseen).abs().max() < 1e-5
    assert (seen * unseen).sum().abs() < 1e-3


def test_noise_has_its_level_on_measured_entries_and_none_elsewhere(images):
    camera = HadamardCamera(0.5, SHAPE, noise=0.1)
    noise = measure(camera, images, seed=0) - camera.A(images)
    measured = camera.mask.bool().expand_as(noise)
    assert noise[measured].std().item() == pytest.approx(0.1, rel=0.05)
    assert noise[~measured].abs().max() == 0


def test_measure_is_reproducible(images):
    camera = HadamardCamera(0.1, SHAPE, noise=0.1)
    first = measure(camera, images, seed=3)
    torch.testing.assert_close(measure(camera, images, seed=3), first, rtol=0, atol=0)
    assert not torch.equal(measure(camera, images, seed=4), first)


def test_squared_norm_by_power_iteration():
    kernel = torch.ones(1, 1, 3, 3) / 9
    blur = BlurFFT(img_size=(1, 16, 16), filter=kernel)
    assert squared_norm(blur, (1, 16, 16)) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"ratio": 0.0}, "ratio=0.0"),
        ({"ratio": 1.5}, r"ratio=1\.5"),
        ({"ratio": float("nan")}, "ratio=nan"),
        ({"img_size": (1, 30, 30)}, r"img_size=\(1, 30, 30\)"),
        ({"img_size": (1, 32, 16)}, "img_size"),
        ({"ordering": "random"}, "ordering='random'.*cake_cutting"),
        ({"noise": -1.0}, "noise=-1.0"),
        ({"noise": float("inf")}, "noise=inf"),
    ],
)
def test_bad_arguments_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        HadamardCamera(**({"ratio": 0.1, "img_size": SHAPE} | arguments))
