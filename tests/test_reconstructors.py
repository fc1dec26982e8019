"""Networks instead of a preconditioner: their equations, and what they share."""

import pytest
import torch
from torch import nn

from ddgp_lib.operators import (
    FourierDownsampling,
    HadamardCamera,
    gradient,
    newton,
    range_projection,
    squared_norm,
)
from ddgp_lib.preconditioners import Newton
from ddgp_lib.reconstructors import EndToEnd, NullSpaceNetwork, Unrolled

SHAPE = (1, 16, 16)
CAMERAS = {
    "single_pixel": lambda: HadamardCamera(0.3, SHAPE, noise=0.02),
    "super_resolution": lambda: FourierDownsampling(2, SHAPE, std=1.0, noise=0.02),
}


@pytest.fixture(params=CAMERAS)
def problem(request, generator):
    physics = CAMERAS[request.param]()
    return physics, physics.A(torch.rand(2, *SHAPE, generator=generator))


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x):
        return self.factor * x


def tikhonov(y, physics, damping):
    return newton(physics, physics.A_adjoint(y), damping) / squared_norm(physics, SHAPE)


def test_the_start_solves_the_damped_normal_equations(problem):
    physics, y = problem
    x = EndToEnd(Times(0.0), Newton(0.05))(y, physics)
    left = physics.A_adjoint_A(x) + 0.05 * squared_norm(physics, SHAPE) * x
    torch.testing.assert_close(left, physics.A_adjoint(y), rtol=1e-4, atol=1e-5)


def test_the_damping_follows_the_noise(problem):
    physics, y = problem
    found = EndToEnd(Times(0.0), Newton(0.05, noise=0.01))(y, physics)
    torch.testing.assert_close(found, tikhonov(y, physics, 4 * 0.05))


def test_one_shot_and_null_space_networks_are_their_equations(problem):
    physics, y = problem
    x = tikhonov(y, physics, 0.05)
    torch.testing.assert_close(EndToEnd(Times(0.5), Newton(0.05))(y, physics), 1.5 * x)
    found = NullSpaceNetwork(nn.Conv2d(1, 1, 3, padding=1), Newton(0.05))(y, physics)
    torch.testing.assert_close(range_projection(physics, found - x), torch.zeros_like(x), rtol=0, atol=1e-5)
    assert (found - x).norm() > 0.01 * x.norm()


def test_unrolled_stages_are_their_equation(problem):
    physics, y = problem
    networks = [Times(0.1), Times(0.2)]
    model = Unrolled(networks, Newton(0.05))
    with torch.no_grad():
        model.steps.copy_(torch.tensor([0.5, 2.0]))
    x, adjoint = tikhonov(y, physics, 0.05), physics.A_adjoint(y)
    for step, factor in ((0.5, 1.1), (2.0, 1.2)):
        x = factor * (
            x - step * newton(physics, gradient(physics, x, adjoint), 0.05) / squared_norm(physics, SHAPE)
        )
    torch.testing.assert_close(model(y, physics), x)


def test_shared_stages_have_one_network_and_all_parameters_get_gradients(problem):
    physics, y = problem
    shared, untied = Times(0.1), [Times(0.1) for _ in range(3)]
    recurrent, free = Unrolled([shared] * 3, Newton(0.05)), Unrolled(untied, Newton(0.05))
    assert len(list(recurrent.parameters())) == 2
    assert len(list(free.parameters())) == 4
    torch.testing.assert_close(recurrent(y, physics), free(y, physics))
    recurrent(y, physics).square().sum().backward()
    free(y, physics).square().sum().backward()
    assert (free.steps.grad != 0).all()
    torch.testing.assert_close(shared.factor.grad, sum(network.factor.grad for network in untied))


@pytest.mark.parametrize("spoil", [lambda y: y * float("nan"), lambda y: y[..., :-1], lambda y: y[0]])
def test_what_is_no_measurement_is_refused(problem, spoil):
    physics, y = problem
    for model in (EndToEnd(Times(0.5), Newton(0.01)), Unrolled([Times(0.5)] * 2, Newton(0.01))):
        with pytest.raises(ValueError, match=r"^y.*: expected"):
            model(spoil(y), physics)
