"""The centred orthonormal transform."""

import pytest
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.operators import CartesianMRI


@pytest.mark.parametrize("sides", [(6, 8), (5, 7), (1, 4)])
def test_it_is_unitary_and_its_inverse_undoes_it(sides, generator):
    x = torch.randn(2, *sides, dtype=torch.complex64, generator=generator)
    k = centred_fourier(x)
    torch.testing.assert_close(k.norm(), x.norm())
    torch.testing.assert_close(centred_fourier(k, inverse=True), x)


def test_the_origin_is_in_the_middle():
    k = centred_fourier(torch.ones(5, 8))
    assert k.abs().argmax() == 2 * 8 + 4
    point = torch.zeros(5, 8)
    point[2, 4] = 1
    torch.testing.assert_close(centred_fourier(point), torch.full((5, 8), 40**-0.5) + 0j)


def test_one_dimension_alone_may_be_transformed(generator):
    x = torch.randn(3, 4, 5, dtype=torch.complex64, generator=generator)
    both = centred_fourier(centred_fourier(x, dim=(-1,)), dim=(-2,))
    torch.testing.assert_close(both, centred_fourier(x))


def test_it_is_the_transform_of_the_operators(generator):
    x = torch.randn(1, 2, 6, 8, generator=generator)
    expected = CartesianMRI(1.0, (2, 6, 8)).A(x)
    found = centred_fourier(torch.view_as_complex(x.movedim(1, -1).contiguous()))
    torch.testing.assert_close(torch.view_as_real(found).movedim(-1, 1), expected)
