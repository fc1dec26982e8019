"""Local Lipschitz constant and spectral radius: known in closed form where everything is linear."""

import math

import pytest
import torch
from deepinv.models import Denoiser, DnCNN
from deepinv.physics import MRI

from ddgp_lib import (
    LearnedPreconditioner,
    PreconditionedADMM,
    PreconditionedFISTA,
    PreconditionedHQS,
    Preconditioner,
    local_lipschitz,
    spectral_radius,
)
from ddgp_lib.networks import build_network
from ddgp_lib.operators import HadamardCamera, null_projection
from ddgp_lib.stability import iteration_map

SHAPE = (1, 8, 8)


class Matrix(Denoiser):
    """A linear denoiser: every pair of neighbours in a row is multiplied by a 2 × 2 matrix."""

    def __init__(self, matrix):
        super().__init__()
        self.matrix = torch.tensor(matrix)

    def forward(self, x, sigma, **kwargs):
        return (x.reshape(*x.shape[:-1], -1, 2) @ self.matrix.T).reshape(x.shape)


class NullGrowth(Preconditioner):
    def forward(self, grad, state):
        return grad - 0.5 * null_projection(state.physics, state.z)


@pytest.fixture
def images(generator):
    return torch.rand(3, *SHAPE, generator=generator)


def _solve(denoiser, images, preconditioner=None, physics=None, stepsize=0.3):
    physics = physics or HadamardCamera(0.25, SHAPE)
    solver = PreconditionedFISTA(denoiser, preconditioner, stepsize=stepsize, sigma=0.1)
    return solver, physics.A(images), physics


def test_scaled_identity(images):
    # J = 0.9 (I − αAᵀA): 0.9 on the null space, 0.63 on the range.
    problem = _solve(Matrix([[0.9, 0.0], [0.0, 0.9]]), images)
    for estimate in (local_lipschitz, spectral_radius):
        torch.testing.assert_close(estimate(*problem, images), torch.full((3,), 0.9), rtol=1e-3, atol=0)


def test_the_radius_of_a_jacobian_that_is_not_normal_may_be_overestimated(images):
    # A Jordan block grows like n ρⁿ for a while.
    estimate = spectral_radius(*_solve(Matrix([[0.9, 1.0], [0.0, 0.9]]), images, stepsize=1e-6), images)
    assert (estimate > 0.9 * 1.005).all()
    assert (estimate < 0.9 * 1.05).all()


def test_null_space_growth(images):
    # J is 1.15 · 0.9 on the null space.
    problem = _solve(Matrix([[0.9, 0.0], [0.0, 0.9]]), images, NullGrowth())
    torch.testing.assert_close(
        spectral_radius(*problem, images), torch.full((3,), 0.9 * 1.15), rtol=1e-3, atol=0
    )


def test_norm_and_radius_differ_where_the_jacobian_is_not_symmetric(images):
    # A step so short that J is the denoiser: its singular values are far from its eigenvalues.
    matrix = [[0.5, 2.0], [0.0, 0.3]]
    problem = _solve(Matrix(matrix), images, stepsize=1e-6)
    norm = torch.linalg.matrix_norm(torch.tensor(matrix), 2)
    torch.testing.assert_close(local_lipschitz(*problem, images), norm.expand(3), rtol=1e-3, atol=0)
    torch.testing.assert_close(spectral_radius(*problem, images), torch.full((3,), 0.5), rtol=2e-2, atol=0)


def test_complex_eigenvalues(images):
    angle = 0.7
    rotation = [
        [0.8 * math.cos(angle), -0.8 * math.sin(angle)],
        [0.8 * math.sin(angle), 0.8 * math.cos(angle)],
    ]
    problem = _solve(Matrix(rotation), images, stepsize=1e-6)
    torch.testing.assert_close(spectral_radius(*problem, images), torch.full((3,), 0.8), rtol=1e-2, atol=0)


def test_equals_the_dense_jacobian_of_a_network(images):
    torch.manual_seed(0)
    network = build_network("unet", 2, 1)
    torch.nn.init.normal_(network.unet.Conv_1x1.weight, std=0.1)
    images = torch.nn.functional.pad(images[:1], (4, 4, 4, 4))
    physics = HadamardCamera(0.25, (1, 16, 16))
    denoiser = DnCNN(1, 1, depth=3, nf=8, pretrained=None).eval()
    solver, y, physics = _solve(denoiser, images, LearnedPreconditioner(network), physics)
    T = iteration_map(solver, y, physics)
    jacobian = torch.func.jacrev(T)(images).reshape(256, 256)
    found = local_lipschitz(solver, y, physics, images, iterations=30)
    torch.testing.assert_close(found[0], torch.linalg.matrix_norm(jacobian, 2), rtol=1e-2, atol=0)
    radius = spectral_radius(solver, y, physics, images, iterations=80)
    torch.testing.assert_close(radius[0], torch.linalg.eigvals(jacobian).abs().max(), rtol=3e-2, atol=0)


def test_hqs_shrinks_the_range(images):
    # α = τ: J = (I − αAᵀA)/2 + I/2, times the denoiser; 1 on the null space.
    physics = HadamardCamera(1.0, SHAPE)
    solver = PreconditionedHQS(Matrix([[1.0, 0.0], [0.0, 1.0]]), stepsize=0.4, tau=0.4, sigma=0.1)
    found = local_lipschitz(solver, physics.A(images), physics, images, iterations=5)
    torch.testing.assert_close(found, torch.full((3,), 0.8), rtol=1e-3, atol=0)


def test_two_channels(generator):
    physics = MRI(mask=(torch.arange(8) % 2 == 0).float().expand(2, 8, 8).clone(), img_size=(2, 8, 8))
    x = torch.rand(2, 2, 8, 8, generator=generator)
    solver = PreconditionedFISTA(Matrix([[0.9, 0.0], [0.0, 0.9]]), stepsize=1.0, sigma=0.1)
    torch.testing.assert_close(
        local_lipschitz(solver, physics.A(x), physics, x), torch.full((2,), 0.9), rtol=1e-3, atol=0
    )


def test_a_generator_gives_the_same_bits(images):
    problem = _solve(Matrix([[0.5, 2.0], [0.0, 0.3]]), images)
    first, second, other = (
        local_lipschitz(
            *problem, images, iterations=3, generator=seed and torch.Generator().manual_seed(seed)
        )
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_the_map_is_the_iteration(images):
    solver, y, physics = _solve(DnCNN(1, 1, depth=3, nf=8, pretrained=None).eval(), images)
    (_, z), (x, _) = solver.iterates(y, physics, 1)
    torch.testing.assert_close(iteration_map(solver, y, physics)(z), x)


def test_bad_arguments_are_named(images):
    solver, y, physics = _solve(Matrix([[1.0, 0.0], [0.0, 1.0]]), images)
    with pytest.raises(ValueError, match="iterations=0"):
        local_lipschitz(solver, y, physics, images, iterations=0)
    with pytest.raises(ValueError, match="iterations=1"):
        spectral_radius(solver, y, physics, images, iterations=1)
    admm = PreconditionedADMM(solver.prior[0].denoiser, stepsize=1.0, tau=1.0, sigma=0.1)
    with pytest.raises(ValueError, match="solver='PreconditionedADMM'"):
        iteration_map(admm, y, physics)


def test_the_map_is_the_solvers_iteration_after_the_decay_too(images):
    physics = HadamardCamera(0.25, SHAPE)
    solver = PreconditionedFISTA(
        Matrix([[0.9, 0.1], [0.0, 0.8]]),
        NullGrowth(),
        stepsize=0.3,
        sigma=0.1,
        momentum="none",
        prior_decay=1,
    )
    y = physics.A(images)
    points = [x for x, _ in solver.iterates(y, physics, 4)]
    for k in range(4):
        torch.testing.assert_close(iteration_map(solver, y, physics, k)(points[k]), points[k + 1])
