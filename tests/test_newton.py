"""The damped Newton step, alone and under a learned null-space part, against dense matrices."""

import pytest
import torch

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
}
LAM = 1e-2


@pytest.fixture(params=OPERATORS)
def operator(request):
    make, shape = OPERATORS[request.param]
    return make(), shape


def test_newton_equals_the_dense_solve(operator, generator):
    physics, shape = operator
    size = torch.Size(shape).numel()
    matrix = normal(physics, torch.eye(size).view(size, *shape)).flatten(1).double()
    top = squared_norm(physics, shape)
    grad = normal(physics, torch.randn(3, *shape, generator=generator))
    damped = matrix + LAM * top * torch.eye(size, dtype=torch.float64)
    dense = top * torch.linalg.solve(damped, grad.flatten(1).double().T).T
    tolerance = (
        1e-2 if isinstance(physics, MultiCoilCartesianMRI) else 1e-4
    )  # conjugate gradients; closed forms
    error = newton(physics, grad, LAM).flatten(1).double() - dense
    assert error.abs().max() < tolerance * dense.abs().max()


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


@pytest.mark.parametrize("damping", [0, -1.0, float("nan")])
def test_bad_damping_is_named(damping):
    with pytest.raises(ValueError, match="damping"):
        Newton(damping)
