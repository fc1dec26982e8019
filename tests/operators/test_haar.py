"""The single-pixel camera with wavelets: an orthonormal basis, its layout, its order."""

import copy
import pickle

import pytest
import torch

from ddgp_lib import checks
from ddgp_lib.operators import HaarCamera, newton, null_projection, squared_norm
from ddgp_lib.operators.haar import blocks

SHAPE = (1, 32, 32)


@pytest.fixture
def images(generator):
    return torch.rand(4, *SHAPE, generator=generator)


@pytest.mark.parametrize("coarsest", [1, 4, 32])
def test_the_basis_is_orthonormal_and_v_is_its_inverse(coarsest, images):
    camera = HaarCamera(1.0, SHAPE, coarsest)
    coefficients = camera.V_adjoint(images)
    torch.testing.assert_close(camera.V(coefficients), images)
    torch.testing.assert_close(coefficients.square().sum(), images.square().sum())
    torch.testing.assert_close(camera.A(images), coefficients)
    assert checks.check_adjoint(camera, (4, *SHAPE)) < 1e-5


def test_patterns_are_sums_and_halves_and_quarters():
    camera = HaarCamera(1.0, (1, 4, 4), coarsest=1)
    patterns = camera.V(torch.eye(16).reshape(16, 1, 4, 4))[:, 0]
    assert torch.equal(patterns[0], torch.full((4, 4), 0.25))
    left, top = torch.ones(4, 4), torch.ones(4, 4)
    left[:, 2:], top[2:] = -1, -1
    assert torch.equal(patterns[1], left / 4)
    assert torch.equal(patterns[4], top / 4)
    assert torch.equal(patterns[5], left * top / 4)
    finest = patterns[2]  # the finest level, from left to right at the first place
    assert finest[0].tolist() == [0.5, -0.5, 0, 0]
    assert int((finest != 0).sum()) == 4


@pytest.mark.parametrize(("ratio", "rows"), [(0.1, 102), (0.25, 256), (1.0, 1024), (1e-6, 1)])
def test_number_of_rows(ratio, rows, images):
    camera = HaarCamera(ratio, SHAPE)
    assert camera.rank == int(camera.mask.sum()) == rows
    assert squared_norm(camera, SHAPE) == 1.0
    y = camera.A(images)
    torch.testing.assert_close(camera.A(camera.A_adjoint(y)), y)
    torch.testing.assert_close(camera.A_dagger(y), camera.A_adjoint(y))
    hidden = null_projection(camera, images)
    torch.testing.assert_close(camera.A(hidden), torch.zeros_like(hidden), atol=1e-5, rtol=0)
    torch.testing.assert_close(hidden + camera.range_projection(images), images)
    scale = (1 + 1e-2) ** -1
    torch.testing.assert_close(camera.A(newton(camera, images, 1e-2)), scale * y, atol=1e-5, rtol=1e-5)


def test_coarse_patterns_come_first_and_smaller_ratios_are_nested():
    quarter = HaarCamera(0.25, (1, 64, 64)).mask[0, 0]
    assert bool(quarter[:32, :32].all())
    assert int(quarter.sum()) == 32 * 32
    few, more = (HaarCamera(ratio, (1, 64, 64)).mask[0, 0] for ratio in (0.1, 0.15))
    assert bool((few <= more).all())
    assert bool(few[:16, :16].all())
    level = [few[rows, columns] for rows, columns in blocks(16)]
    assert int(few.sum()) == 256 + sum(int(kind.sum()) for kind in level) == 410
    assert int((level[0] != level[1]).sum()) <= 1  # places come with their three patterns
    other = HaarCamera(0.1, (1, 64, 64), order=1).mask[0, 0]
    assert not torch.equal(few, other)
    assert torch.equal(few[:16, :16], other[:16, :16])


def test_noise_falls_on_what_is_measured_alone(images):
    camera = HaarCamera(0.25, SHAPE, noise=0.1)
    noise = camera(0 * images)
    assert torch.equal(noise != 0, camera.mask.expand_as(noise) != 0)
    assert float(noise[noise != 0].std()) == pytest.approx(0.1, rel=0.1)


def test_it_is_an_operator_as_others_are(images):
    camera = HaarCamera(0.25, SHAPE)
    assert checks.check_adjoint(camera, (2, *SHAPE)) < 1e-5
    for twin in (pickle.loads(pickle.dumps(camera)), copy.deepcopy(camera)):
        assert torch.equal(twin.A(images), camera.A(images))
    assert torch.equal(camera.A_adjoint_A(images), camera.A_adjoint(camera.A(images)))
    with pytest.raises(ValueError, match=r"x\.shape=\(4, 1, 32, 16\)"):
        camera.A(images[..., :16])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ratio": 0.0}, "^ratio=0.0"),
        ({"img_size": (1, 30, 30)}, r"^img_size=\(1, 30, 30\)"),
        ({"img_size": (1, 32, 16)}, "^img_size"),
        ({"coarsest": 3}, "^coarsest=3"),
        ({"coarsest": 64}, "^coarsest=64"),
        ({"order": -1}, "^order=-1"),
        ({"noise": -1.0}, r"noise=-1\.0"),
    ],
)
def test_what_is_no_such_camera_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        HaarCamera(**({"ratio": 0.1, "img_size": SHAPE} | changed))
