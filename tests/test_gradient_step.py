"""A gradient-step denoiser is a gradient: symmetric, and with a small enough step a proximal map."""

import pytest
import torch

from ddgp_lib import PreconditionedFISTA, eigenvalues
from ddgp_lib.gradient_step import GradientStepDenoiser
from ddgp_lib.operators import HadamardCamera

SIZE = (1, 8, 8)


def trained(strength=0.5):
    """Return a denoiser that fits noisy constant images for a few steps."""
    torch.manual_seed(0)
    denoiser = GradientStepDenoiser(width=4, strength=1.0)
    optimiser = torch.optim.Adam(denoiser.parameters(), lr=1e-2)
    for _ in range(60):
        clean = torch.rand(8, 1, 1, 1).expand(8, *SIZE)
        loss = (denoiser(clean + 0.1 * torch.randn(clean.shape)) - clean).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    denoiser.strength = strength
    return denoiser.requires_grad_(False)


@pytest.fixture(scope="module")
def denoiser():
    return trained()


@pytest.fixture
def images(generator):
    return torch.rand(2, *SIZE, generator=generator)


def slope(denoiser, image):
    flat = lambda v: denoiser(v.view(1, *SIZE)).flatten()  # noqa: E731
    return torch.func.jacrev(flat)(image.flatten())


def test_it_is_a_step_along_the_gradient_of_its_potential(denoiser, images):
    images.requires_grad_()
    (gradient,) = torch.autograd.grad(denoiser.potential(images).sum(), images)
    torch.testing.assert_close(denoiser(images), images - 0.5 * gradient)
    with torch.no_grad():
        torch.testing.assert_close(denoiser(images, 0.3), images - 0.5 * gradient)


def test_its_jacobian_is_symmetric_and_half_as_far_from_the_identity(denoiser, images):
    half = slope(denoiser, images[:1])
    torch.testing.assert_close(half, half.T, atol=1e-5, rtol=0)
    denoiser.strength = 1.0
    try:
        full = slope(denoiser, images[:1])
    finally:
        denoiser.strength = 0.5
    torch.testing.assert_close(half, (torch.eye(64) + full) / 2, atol=1e-5, rtol=0)


def test_training_reaches_the_weights():
    before = GradientStepDenoiser(width=4)
    loss = before(torch.rand(1, *SIZE)).square().sum()
    loss.backward()
    assert all(weights.grad is not None for weights in before.network[0].parameters())
    clean = torch.full((4, *SIZE), 0.5)
    noisy = clean + 0.1 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))
    after = trained(1.0)
    assert (after(noisy) - clean).square().mean() < 0.6 * (noisy - clean).square().mean()


def test_the_plain_iteration_lowers_the_objective(denoiser, images):
    camera = HadamardCamera(0.25, SIZE)
    y = camera.A(images)
    method = PreconditionedFISTA(denoiser, stepsize=1.0, sigma=0.1, momentum="none")
    values, x_before = [], None
    for x, _ in method.iterates(y, camera, 50):
        if x_before is not None:
            u = x_before - camera.A_adjoint(camera.A(x_before) - y)
            data = (camera.A(x) - y).flatten(1).square().sum(1) / 2
            values.append(data + denoiser.penalty(u))
        x_before = x
    rises = torch.stack(values).diff(dim=0)
    assert rises.max() < 1e-5
    assert values[-1].mean() < values[0].mean()


def test_the_eigenvalues_of_one_iteration_are_real(denoiser, images):
    camera = HadamardCamera(0.25, SIZE)
    method = PreconditionedFISTA(denoiser, stepsize=1.0, sigma=0.1)
    found = torch.linalg.eigvals(eigenvalues.jacobian(method, camera.A(images[:1]), camera, images[:1]))
    assert found.imag.abs().max() < 1e-3
