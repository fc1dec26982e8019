"""Eigenvalues of one iteration, and their growth with momentum: the region is where recursions shrink."""

import math

import pytest
import torch
from deepinv.models import Denoiser

from ddgp_lib import PreconditionedFISTA, analysis, eigenvalues
from ddgp_lib.operators import HadamardCamera

SIZE = (1, 4, 4)


class Turn(Denoiser):
    """A linear denoiser that turns every pair of neighbours by an angle and scales it."""

    def __init__(self, scale, angle):
        super().__init__()
        c, s = scale * math.cos(angle), scale * math.sin(angle)
        self.matrix = torch.tensor([[c, -s], [s, c]])

    def forward(self, x, sigma, **kwargs):
        return (x.reshape(*x.shape[:-1], -1, 2) @ self.matrix.T).reshape(x.shape)


def solver(scale, angle, stepsize=0.3):
    return PreconditionedFISTA(Turn(scale, angle), stepsize=stepsize, sigma=0.1)


@pytest.fixture
def image(generator):
    return torch.rand(1, *SIZE, generator=generator)


def test_the_jacobian_is_that_of_denoiser_and_gradient_step(image):
    camera = HadamardCamera(0.5, SIZE)
    J = eigenvalues.jacobian(solver(0.9, 0.4), camera.A(image), camera, image)
    matrix = analysis.dense_matrix(camera, SIZE)
    turn = torch.block_diag(*[Turn(0.9, 0.4).matrix.double()] * 8)
    expected = turn @ (torch.eye(16, dtype=torch.float64) - 0.3 * matrix.T @ matrix)
    torch.testing.assert_close(J, expected, atol=1e-5, rtol=0)


def test_the_jacobian_is_of_one_small_image(image):
    camera = HadamardCamera(0.5, SIZE)
    y = camera.A(image)
    with pytest.raises(ValueError, match=r"x\.shape=.*one image"):
        eigenvalues.jacobian(solver(0.9, 0.4), y, camera, image.expand(2, *SIZE))
    with pytest.raises(ValueError, match=r"x\.shape=.*as the image of y"):
        eigenvalues.jacobian(solver(0.9, 0.4), y, camera, image[..., :2])


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 1.0])
def test_growth_is_that_of_the_recursion(momentum):
    zeta = torch.tensor([0.97 + 0.05j, -0.5 + 0j, 0.3 + 0.2j, 1.02 + 0j], dtype=torch.complex128)
    error, before = torch.ones_like(zeta), torch.zeros_like(zeta)
    sizes = []
    for _ in range(4000):
        error, before = zeta * ((1 + momentum) * error - momentum * before), error
        size = (error.abs() ** 2 + before.abs() ** 2).sqrt()
        sizes.append(size.log())
        error, before = error / size, before / size
    measured = torch.stack(sizes[2000:]).mean(dim=0).exp()
    torch.testing.assert_close(measured, eigenvalues.momentum_growth(zeta, momentum), rtol=1e-3, atol=0)


def test_growth_of_real_eigenvalues_is_the_radius_of_the_modes():
    zeta = torch.linspace(-1.1, 1.1, 45, dtype=torch.float64)
    expected = analysis.momentum_radius(1 - zeta, 1.0, 0.7)
    torch.testing.assert_close(eigenvalues.momentum_growth(zeta, 0.7), expected)


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.8])
def test_errors_shrink_inside_the_boundary_and_grow_outside(momentum):
    curve = eigenvalues.stable_boundary(momentum, 360)
    growth = lambda zeta: eigenvalues.momentum_growth(zeta, momentum)  # noqa: E731
    torch.testing.assert_close(growth(curve), torch.ones(361, dtype=torch.float64), atol=1e-6, rtol=0)
    assert (growth(0.98 * curve) < 1).all()
    assert (growth(1.02 * curve)[1:-1] > 1).all()
    torch.testing.assert_close(curve[[0, -1]], torch.ones(2, dtype=torch.complex128))
    assert float(curve[180].real) == pytest.approx(-1 / (1 + 2 * momentum))


def test_without_momentum_the_boundary_is_the_unit_circle():
    moduli = eigenvalues.stable_boundary(0.0).abs()
    torch.testing.assert_close(moduli, torch.ones_like(moduli))


def test_with_full_momentum_it_has_a_cusp_at_one():
    near = eigenvalues.stable_boundary(1.0, 7200)[1:60]
    ratio = near.imag.abs() / (1 - near.real) ** 1.5
    torch.testing.assert_close(ratio, torch.ones_like(ratio), atol=0.02, rtol=0)


def test_an_eigenvalue_inside_the_unit_circle_can_grow_with_momentum(image):
    # On the null space J is the denoiser, a turn by 0.05 that shrinks by 0.98.
    zeta = torch.tensor([0.98 * complex(math.cos(0.05), math.sin(0.05))])
    assert float(eigenvalues.momentum_growth(zeta, 0.0)) < 1 < float(eigenvalues.momentum_growth(zeta, 0.97))
    method = solver(0.98, 0.05, stepsize=1e-6)
    camera = HadamardCamera(0.5, SIZE)
    sizes = {}
    for rule in ("none", "chambolle_dossal"):
        method = PreconditionedFISTA(Turn(0.98, 0.05), stepsize=1e-6, sigma=0.1, momentum=rule)
        path = list(method.iterates(camera.A(image), camera, 600))
        sizes[rule] = float(path[-1][0].norm() / path[0][0].norm())
    assert sizes["none"] < 1e-3
    assert sizes["chambolle_dossal"] > 1
