"""The damped Newton step, alone and under a learned null-space part, against dense matrices."""

import math

import pytest
import torch
from deepinv.physics import Blur, CompressedSensing, GaussianNoise, Inpainting, LinearPhysics, PoissonNoise

from ddgp_lib import LearnedPreconditioner, State
from ddgp_lib.networks import build_network
from ddgp_lib.operators import (
    CartesianMRI,
    FourierDownsampling,
    HadamardCamera,
    MultiCoilCartesianMRI,
    newton,
    normal,
    null_projection,
    squared_norm,
)
from ddgp_lib.preconditioners import Newton

OPERATORS = {
    "camera": (lambda: HadamardCamera(0.2, (1, 16, 16)), (1, 16, 16)),
    "mri": (lambda: CartesianMRI(4, (2, 16, 16), center_fraction=0.1), (2, 16, 16)),
    "coils": (lambda: MultiCoilCartesianMRI(2, (2, 16, 16), coils=3, center_fraction=0.1), (2, 16, 16)),
    "downsampling": (lambda: FourierDownsampling(4, (1, 16, 16), std=2.0), (1, 16, 16)),
    "random": (
        lambda: CompressedSensing(100, (1, 16, 16), rng=torch.Generator().manual_seed(0)),
        (1, 16, 16),
    ),
    "blur": (lambda: Blur(torch.ones(1, 1, 3, 3) / 9, padding="reflect"), (1, 16, 16)),
    "inpainting": (
        lambda: Inpainting((1, 16, 16), mask=0.5, rng=torch.Generator().manual_seed(0)),
        (1, 16, 16),
    ),
}
LAM = 1e-2


@pytest.fixture(params=OPERATORS)
def operator(request):
    make, shape = OPERATORS[request.param]
    return make(), shape


def dense_normal(physics, shape):
    size = torch.Size(shape).numel()
    matrix = normal(physics, torch.eye(size).view(size, *shape)).flatten(1).double()
    return (matrix + matrix.T) / 2  # without its rounding errors


@pytest.mark.parametrize("damping", [1e-1, 1e-2, 1e-3])
def test_newton_equals_the_dense_solve(operator, damping, generator):
    physics, shape = operator
    matrix = dense_normal(physics, shape)
    top = squared_norm(physics, shape)
    assert top == pytest.approx(float(torch.linalg.eigvalsh(matrix)[-1]), rel=1e-3)
    sizes = torch.tensor([1e-4, 1.0, 1e4]).reshape(3, 1, 1, 1)
    grad = normal(physics, sizes * torch.randn(3, *shape, generator=generator))
    damped = matrix / top + damping * torch.eye(len(matrix), dtype=torch.float64)
    dense = torch.linalg.solve(damped, grad.flatten(1).double().T).T
    error = newton(physics, grad, damping).flatten(1).double() - dense
    assert (error.norm(dim=1) < 1e-6 * (1 + 1 / damping) * dense.norm(dim=1)).all()


@pytest.fixture
def counted(generator):
    """Make an operator without a closed form that counts its measurements, with singular values down to 1e-3."""
    left, right = (torch.linalg.qr(torch.randn(64, 64, generator=generator))[0] for _ in range(2))
    matrix = left @ torch.diag(torch.logspace(-3, 0, 64)) @ right
    calls = []

    def forward(x):
        calls.append(len(x))
        return x.flatten(1) @ matrix.T

    physics = LinearPhysics(A=forward, A_adjoint=lambda y: (y @ matrix).reshape(-1, 1, 8, 8))
    physics.register_buffer("gain", torch.ones(1))
    return physics, calls


@pytest.mark.parametrize("damping", [1e-1, 1e-3])
def test_conjugate_gradients_take_what_the_bound_allows(counted, damping, generator):
    physics, calls = counted
    grad = normal(physics, torch.randn(2, 1, 8, 8, generator=generator))
    squared_norm(physics, (1, 8, 8))
    calls.clear()
    newton(physics, grad, damping)
    root = math.sqrt(1 + 1 / damping)
    assert 0 < len(calls) <= root * math.log(2e6 * root) / 2 + 2


def test_newton_of_zero_is_zero_and_leaves_the_others_alone(counted, generator):
    physics, _ = counted
    grad = normal(physics, torch.randn(2, 1, 8, 8, generator=generator))
    together = newton(physics, torch.cat([grad, torch.zeros(1, 1, 8, 8)]), LAM)
    assert not together[2].any()
    torch.testing.assert_close(together[:2], newton(physics, grad, LAM), rtol=1e-3, atol=1e-5)


def test_newton_by_conjugate_gradients_is_its_own_derivative(counted, generator):
    physics, _ = counted
    x, direction = torch.randn(2, 2, 1, 8, 8, generator=generator)
    x.requires_grad_(True)
    expected = newton(physics, direction, LAM)
    (backward,) = torch.autograd.grad(newton(physics, x, LAM), x, direction)
    forward = torch.func.jvp(lambda v: newton(physics, v, LAM), (x.detach(),), (direction,))[1]
    torch.testing.assert_close(backward, expected)
    torch.testing.assert_close(forward, expected)


def test_squared_norm_is_found_once_until_the_operator_changes(counted):
    physics, calls = counted
    before = torch.get_rng_state()
    first = squared_norm(physics, (1, 8, 8))
    assert first == pytest.approx(1, rel=1e-3)
    assert torch.equal(torch.get_rng_state(), before)
    calls.clear()
    assert squared_norm(physics, (1, 8, 8)) == first
    assert not calls
    for change in (lambda: physics.gain.mul_(2), lambda: setattr(physics, "gain", torch.ones(1))):
        change()
        squared_norm(physics, (1, 8, 8))
        assert calls
        calls.clear()


def test_squared_norm_of_a_weak_operator(counted):
    physics, _ = counted
    weak = LinearPhysics(A=lambda x: 1e-4 * physics.A(x), A_adjoint=lambda y: 1e-4 * physics.A_adjoint(y))
    assert squared_norm(weak, (1, 8, 8)) == pytest.approx(1e-8 * squared_norm(physics, (1, 8, 8)), rel=1e-5)


def test_newton_is_a_scalar_where_the_rows_are_orthonormal(generator):
    camera = HadamardCamera(0.2, (1, 16, 16))
    grad = normal(camera, torch.randn(2, 1, 16, 16, generator=generator))
    direction = Newton(LAM)(grad, State(grad, 0, camera, camera.A(grad)))
    torch.testing.assert_close(direction, grad / (1 + LAM), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["camera", "mri", "downsampling"])
def test_learned_part_leaves_the_newton_step_of_the_data_alone(name, generator):
    make, shape = OPERATORS[name]
    physics = make()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_network("unet", 2 * shape[0], shape[0])
        torch.nn.init.normal_(network.unet.Conv_1x1.weight)
    preconditioner = LearnedPreconditioner(network, form="newton_null_space", damping=LAM)
    z, other = torch.randn(2, 2, *shape, generator=generator)
    grad = normal(physics, other)
    state = State(z, 0, physics, physics.A(z))
    correction = preconditioner(grad, state) - newton(physics, grad, LAM)
    assert correction.norm() > 0.01 * grad.norm()
    torch.testing.assert_close(null_projection(physics, correction), correction, atol=1e-3, rtol=1e-3)
    assert physics.A(correction).norm() < 1e-3 * physics.A(grad).norm()


@pytest.mark.parametrize(
    ("sigma", "factor"), [(0.0, 1), (0.005, 1), (0.01, 1), (0.03, 9), (torch.tensor([0.01, 0.02]), 4)]
)
def test_damping_follows_the_noise(sigma, factor, generator):
    camera = FourierDownsampling(4, (1, 16, 16), std=2.0)
    camera.noise_model = GaussianNoise(sigma)
    grad = normal(camera, torch.randn(2, 1, 16, 16, generator=generator))
    state = State(grad, 0, camera, camera.A(grad))
    assert Newton(LAM, noise=0.01).damping_for(camera) == pytest.approx(factor * LAM)
    torch.testing.assert_close(Newton(LAM, noise=0.01)(grad, state), newton(camera, grad, factor * LAM))
    assert torch.equal(Newton(LAM)(grad, state), newton(camera, grad, LAM))


def test_damping_is_constant_without_gaussian_noise():
    camera = FourierDownsampling(4, (1, 16, 16))
    camera.noise_model = PoissonNoise(0.1)
    assert Newton(LAM, noise=0.01).damping_for(camera) == LAM


def test_each_image_has_its_own_damping(operator, generator):
    physics, shape = operator
    grad = normal(physics, torch.randn(3, *shape, generator=generator))
    noise = torch.tensor([0.005, 0.01, 0.03])
    state = State(grad, 0, physics, physics.A(grad), noise)
    P = Newton(LAM, noise=0.01)
    assert P.damping_of(noise).tolist() == pytest.approx([LAM, LAM, 9 * LAM])
    found = P(grad, state)
    for place, factor in enumerate((1, 1, 9)):
        one = newton(physics, grad[place : place + 1], factor * LAM)
        torch.testing.assert_close(found[place : place + 1], one, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(Newton(LAM)(grad, state), newton(physics, grad, LAM))


def test_dampings_must_be_as_many_as_images(generator):
    camera = FourierDownsampling(4, (1, 16, 16))
    grad = torch.randn(2, 1, 16, 16, generator=generator)
    with pytest.raises(ValueError, match=r"damping\.shape"):
        newton(camera, grad, torch.tensor([0.1]))
    with pytest.raises(ValueError, match=r"damping=-0\.1"):
        newton(camera, grad, torch.tensor([0.1, -0.1]).double())
    with pytest.raises(ValueError, match=r"noise\.shape"):
        State(grad, 0, camera, camera.A(grad), torch.tensor([0.1]))


@pytest.mark.parametrize("noise", [0, -1.0, float("nan")])
def test_bad_noise_is_named(noise):
    with pytest.raises(ValueError, match="noise"):
        Newton(LAM, noise=noise)


@pytest.mark.parametrize("damping", [0, -1.0, float("nan")])
def test_bad_damping_is_named(damping):
    with pytest.raises(ValueError, match="damping"):
        Newton(damping)
