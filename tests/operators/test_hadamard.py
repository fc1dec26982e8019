"""The single-pixel camera: orthonormal rows, their number, nesting."""

import pytest
import torch

from ddgp_lib.operators import HadamardCamera, squared_norm

SHAPE = (1, 32, 32)


def test_rows_are_orthonormal(generator):
    camera = HadamardCamera(0.1, SHAPE)
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


def test_methods_of_its_own_change_no_bit(generator):
    camera = HadamardCamera(0.1, SHAPE)
    x = torch.rand(5, *SHAPE, generator=generator)
    assert torch.equal(camera.A_adjoint_A(x), camera.A_adjoint(camera.A(x)))
    assert torch.equal(camera.range_projection(x), camera.A_dagger(camera.A(x)))


def test_noise_is_of_seed_0_where_none_is_given():
    x = torch.zeros(1, 1, 8, 8)
    given, default = (HadamardCamera(0.5, (1, 8, 8), noise=0.1, **seed)(x) for seed in ({"seed": 0}, {}))
    assert given.abs().max() > 0
    assert torch.equal(given, default)
