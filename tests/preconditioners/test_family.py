"""What every preconditioner promises, from one list: by hand, linear, quasi-Newton, and each network in each form."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from deepinv.physics import LinearPhysics

from ddgp_lib import LearnedPreconditioner, PreconditionedFISTA, State
from ddgp_lib.networks import NETWORKS, build_network
from ddgp_lib.operators import FourierDownsampling, HadamardCamera, MultiCoilCartesianMRI, gradient, norms
from ddgp_lib.preconditioners import (
    FORMS,
    INPUTS,
    SR1,
    Circulant,
    Identity,
    Jacobi,
    LinearPreconditioner,
    Newton,
    NullSpacePull,
    Polynomial,
    Preconditioner,
    Scalar,
)
from ddgp_lib.preconditioners.linear import LINEAR_FORMS, LINEAR_INPUTS
from ddgp_lib.preconditioners.structures import STRUCTURES, Structure

SIDE = 16
OPERATORS: dict[str, tuple[LinearPhysics, tuple[int, int, int]]] = {
    "camera": (HadamardCamera(0.2, (1, SIDE, SIDE)), (1, SIDE, SIDE)),
    "coils": (MultiCoilCartesianMRI(4, (2, SIDE, SIDE), coils=3), (2, SIDE, SIDE)),
    "downsampling": (FourierDownsampling(4, (1, SIDE, SIDE), std=2.0), (1, SIDE, SIDE)),
}


@dataclass(frozen=True)
class Member:
    """How to build a preconditioner for an operator and its images, and what it promises."""

    build: Callable[[LinearPhysics, tuple[int, int, int]], Preconditioner]
    linear: bool = False
    keeps_data: bool = False
    trained: bool = False


def randomised(module: Preconditioner) -> Preconditioner:
    """Fill all weights that are zero at first, so that nothing is tested on the identity alone."""
    generator = torch.Generator().manual_seed(0)
    for tensor in [*module.parameters(), *module.buffers()]:
        if tensor.is_floating_point() and tensor.numel() and not tensor.any():
            tensor.data.normal_(std=0.05, generator=generator)
    return module


def learned(network: str, form: str, inputs: str) -> Callable[..., Preconditioner]:
    def build(physics: LinearPhysics, shape: tuple[int, int, int]) -> Preconditioner:
        first = shape[0] * (2 if inputs == "state_aware" else 1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            inner = build_network(network, first, shape[0], parameters="small", img_size=shape)
        return randomised(LearnedPreconditioner(inner, form=form, inputs=inputs))

    return build


def linear(structure: str, form: str, inputs: str) -> Callable[..., Preconditioner]:
    def build(physics: LinearPhysics, shape: tuple[int, int, int]) -> Preconditioner:
        return randomised(LinearPreconditioner(Structure(structure, shape), 2, form=form, inputs=inputs))

    return build


def back_projected(y, physics: LinearPhysics) -> torch.Tensor:
    """Predict half of Aᵀy and its mirror image, which has a part that is not seen."""
    adjoint = physics.A_adjoint(y)
    return 0.5 * (adjoint + adjoint.flip(-1))


FAMILY: dict[str, Member] = {
    "identity": Member(lambda physics, shape: Identity(), linear=True, keeps_data=True),
    "scalar": Member(lambda physics, shape: Scalar(1.5), linear=True),
    "newton": Member(lambda physics, shape: Newton(0.1), linear=True),
    "jacobi": Member(lambda physics, shape: Jacobi.of(physics, shape), linear=True),
    "circulant": Member(lambda physics, shape: Circulant.of(physics, shape), linear=True),
    "sr1": Member(lambda physics, shape: SR1()),
    "null space pull": Member(lambda physics, shape: NullSpacePull(back_projected), keeps_data=True),
}
FAMILY |= {
    f"polynomial {kind}": Member(
        lambda physics, shape, kind=kind, lower=lower: Polynomial.of(kind, 3, lower=lower), linear=True
    )
    for kind, lower in (("l2", None), ("chebyshev", 0.05), ("ifista", None))
}
FAMILY |= {
    f"linear {structure} {form} {inputs}": Member(
        linear(structure, form, inputs), linear=inputs == "gradient_only", keeps_data=form == "null_space"
    )
    for structure in STRUCTURES
    for form in LINEAR_FORMS
    for inputs in LINEAR_INPUTS
}
FAMILY |= {
    f"{network} {form} {inputs}": Member(
        learned(network, form, inputs), keeps_data=form == "null_space", trained=True
    )
    for network in NETWORKS
    for form in (FORMS if network == "unet" else ("null_space", "free"))
    for inputs in INPUTS
}


def each(chosen: Callable[[Member], bool] = lambda member: True) -> pytest.MarkDecorator:
    """Run a test for the chosen members, on every operator."""
    pairs = [(name, operator) for name in FAMILY if chosen(FAMILY[name]) for operator in OPERATORS]
    return pytest.mark.parametrize("member", pairs, ids=lambda pair: f"{pair[0]}, {pair[1]}", indirect=True)


@pytest.fixture
def member(request):
    name, operator = request.param
    physics, shape = OPERATORS[operator]
    return FAMILY[name].build(physics, shape).eval(), physics, shape


def run_state(
    physics: LinearPhysics, shape: tuple[int, int, int], images: int = 3
) -> tuple[torch.Tensor, State]:
    """Return a gradient with parts that A sees, and the state it was taken at."""
    generator = torch.Generator().manual_seed(1)
    z, x = torch.rand(2, images, *shape, generator=generator)
    y = physics.A(x)
    return gradient(physics, z, physics.A_adjoint(y)), State(z, 0, physics, y)


@each()
def test_keeps_shape_type_and_its_arguments(member):
    P, physics, shape = member
    grad, state = run_state(physics, shape)
    kept = grad.clone(), state.z.clone()
    with torch.no_grad():
        direction = P(grad, state)
    assert (direction.shape, direction.dtype, direction.device) == (grad.shape, grad.dtype, grad.device)
    assert torch.isfinite(direction).all()
    assert torch.equal(grad, kept[0])
    assert torch.equal(state.z, kept[1])


@each()
def test_treats_each_image_alone_and_alike_when_asked_twice(member):
    P, physics, shape = member
    grad, state = run_state(physics, shape)
    alone = State(state.z[1:2], 0, physics, state.y[1:2])
    with torch.no_grad():
        direction = P(grad, state)
        torch.testing.assert_close(P(grad, state), direction, rtol=0, atol=0)
        close = {"rtol": 1e-4, "atol": 1e-4 * float(direction.abs().max())}
        torch.testing.assert_close(P(grad[1:2], alone), direction[1:2], **close)


@each(lambda member: member.linear)
def test_linear_ones_are_linear(member):
    P, physics, shape = member
    grad, state = run_state(physics, shape)
    other = grad.flip(0).roll(3, dims=-1)
    with torch.no_grad():
        expected = 2 * P(grad, state) - P(other, state)
        torch.testing.assert_close(
            P(2 * grad - other, state), expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max())
        )


def change_of_data(P: Preconditioner, physics: LinearPhysics, shape: tuple[int, int, int]) -> torch.Tensor:
    """Return ‖A (P(g) − g)‖ / ‖P(g)‖ for each image."""
    grad, state = run_state(physics, shape)
    with torch.no_grad():
        direction = P(grad, state)
        return norms(physics.A(direction) - physics.A(grad)) / norms(direction)


@each(lambda member: member.keeps_data)
def test_null_space_forms_keep_the_data_step(member):
    assert change_of_data(*member).max() < 1e-5


@each(lambda member: member.trained and not member.keeps_data)
def test_other_forms_with_a_network_change_what_is_measured(member):
    assert change_of_data(*member).min() > 2e-5


@each()
def test_gradients_flow_to_all_weights_and_to_the_input(member):
    P, physics, shape = member
    grad, state = run_state(physics, shape)
    grad.requires_grad_(True)
    P(grad, state).square().sum().backward()
    assert grad.grad is not None
    assert torch.isfinite(grad.grad).all()
    assert grad.grad.any()
    for name, weight in P.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name


@each()
def test_a_state_dict_is_all_there_is_to_know(member):
    P, physics, shape = member
    grad, state = run_state(physics, shape)
    again = copy.deepcopy(P)
    for tensor in [*again.parameters(), *again.buffers()]:
        if tensor.is_floating_point():
            tensor.data.zero_()
    again.load_state_dict(P.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(again(grad, state), P(grad, state), rtol=0, atol=0)


@each()
def test_runs_in_a_solver(member, blur_denoiser):
    P, physics, shape = member
    solver = PreconditionedFISTA(blur_denoiser, P, stepsize=0.1, sigma=0.05, max_iter=3, momentum="none")
    _, state = run_state(physics, shape, images=2)
    x = solver(state.y, physics)
    assert x.shape == (2, *shape)
    assert torch.isfinite(x).all()
    if isinstance(P, Identity):
        plain = PreconditionedFISTA(blur_denoiser, stepsize=0.1, sigma=0.05, max_iter=3, momentum="none")
        torch.testing.assert_close(x, plain(state.y, physics), rtol=0, atol=0)


@pytest.fixture(scope="module")
def blur_denoiser():
    class Average(torch.nn.Module):
        def forward(self, x, sigma=None):
            return torch.nn.functional.avg_pool2d(x, 3, stride=1, padding=1)

    return Average()
