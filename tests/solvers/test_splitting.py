"""PGD, HQS and ADMM: equal to deepinv's without a preconditioner, and their equations with one."""

import re

import pytest
import torch
from deepinv.models import DnCNN
from deepinv.optim import ADMM, HQS, PGD, PnP
from deepinv.optim.data_fidelity import L2
from deepinv.physics import Downsampling

from ddgp_lib import (
    PreconditionedADMM,
    PreconditionedFISTA,
    PreconditionedHQS,
    PreconditionedPGD,
    Preconditioner,
    evaluate,
)
from ddgp_lib.operators import HadamardCamera
from ddgp_lib.solvers import geometric

PHYSICS = {
    "single_pixel": lambda: HadamardCamera(0.2, (1, 32, 32)),
    "super_resolution": lambda: Downsampling(img_size=(1, 32, 32), factor=4, filter="gaussian"),
}
PAIRS = {"hqs": (PreconditionedHQS, HQS), "admm": (PreconditionedADMM, ADMM)}


class Double(Preconditioner):
    def forward(self, grad, state):
        return 2 * grad


@pytest.fixture(params=PHYSICS)
def problem(request):
    torch.manual_seed(0)
    physics = PHYSICS[request.param]()
    denoiser = DnCNN(1, 1, depth=3, nf=8, pretrained=None).eval()
    return physics, physics.A(torch.rand(2, 1, 32, 32)), denoiser


def test_pgd_equals_deepinv(problem):
    physics, y, denoiser = problem
    theirs = PGD(data_fidelity=L2(), prior=PnP(denoiser), stepsize=0.5, sigma_denoiser=0.05, max_iter=8)
    ours = PreconditionedPGD(denoiser, stepsize=0.5, sigma=0.05, max_iter=8)
    torch.testing.assert_close(ours(y, physics), theirs(y, physics), rtol=1e-5, atol=1e-6)


def test_pgd_is_fista_without_momentum(problem):
    physics, y, denoiser = problem
    settings = {"stepsize": 0.5, "sigma": 0.05, "max_iter": 4}
    fista = PreconditionedFISTA(denoiser, Double(), **settings, momentum="none")
    assert torch.equal(PreconditionedPGD(denoiser, Double(), **settings)(y, physics), fista(y, physics))


@pytest.mark.parametrize("name", PAIRS)
def test_many_inner_steps_reach_the_proximal_map(problem, name):
    physics, y, denoiser = problem
    ours, theirs = PAIRS[name]
    exact = theirs(data_fidelity=L2(), prior=PnP(denoiser), stepsize=2.0, sigma_denoiser=0.05, max_iter=6)
    adjoint = physics.A_adjoint(y)
    target = exact(y, physics, init=(adjoint, torch.zeros_like(adjoint)))
    gaps = []
    for inner_steps in (1, 40):
        solver = ours(denoiser, stepsize=0.7, tau=2.0, sigma=0.05, inner_steps=inner_steps, max_iter=6)
        gaps.append((solver(y, physics) - target).norm() / target.norm())
    assert gaps[1] < 1e-4
    assert gaps[1] < 0.01 * gaps[0]


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("tau", [2.0, [2.0, 1.0, 0.5, 0.25, 0.125, 0.0625]])
def test_exact_data_steps_are_deepinvs(problem, name, tau):
    physics, y, denoiser = problem
    ours, theirs = PAIRS[name]
    sigmas = geometric(0.2, 0.05, 6)
    exact = theirs(data_fidelity=L2(), prior=PnP(denoiser), stepsize=tau, sigma_denoiser=sigmas, max_iter=6)
    adjoint = physics.A_adjoint(y)
    target = exact(y, physics, init=(adjoint, torch.zeros_like(adjoint)))
    solver = ours(denoiser, tau=tau, sigma=sigmas, inner_steps=None, max_iter=6)
    torch.testing.assert_close(solver(y, physics), target, rtol=1e-3, atol=1e-4)


def test_what_p_adds_is_stepped_along_after_an_exact_data_step(problem):
    physics, y, denoiser = problem
    x = physics.A_adjoint(y)
    grad = physics.A_adjoint(physics.A(x) - y)
    exact = physics.prox_l2(x, y, gamma=2.0)
    with torch.no_grad():
        expected = denoiser(exact - 0.7 * (2 * grad - grad), 0.05)
    solver = PreconditionedHQS(
        denoiser, Double(), stepsize=0.7, tau=2.0, sigma=0.05, inner_steps=None, max_iter=1
    )
    torch.testing.assert_close(solver(y, physics), expected, rtol=1e-3, atol=1e-4)


def test_hqs_is_its_equation(problem):
    physics, y, denoiser = problem
    alpha, tau = 0.4, 1.5
    solver = PreconditionedHQS(
        denoiser, Double(), stepsize=alpha, tau=tau, sigma=0.05, inner_steps=2, max_iter=2
    )
    x = physics.A_adjoint(y)
    for _ in range(2):
        w = x
        for _ in range(2):
            descended = w - alpha * 2 * physics.A_adjoint(physics.A(w) - y)
            w = (tau * descended + alpha * x) / (tau + alpha)
        with torch.no_grad():
            x = denoiser(w, 0.05)
    torch.testing.assert_close(solver(y, physics), x, rtol=1e-4, atol=1e-5)


def test_admm_is_its_equation(problem):
    physics, y, denoiser = problem
    alpha, tau, weights = 0.4, 1.5, (1.0, 0.25)
    solver = PreconditionedADMM(
        denoiser, Double(), stepsize=alpha, tau=tau, sigma=0.05, max_iter=2, prior_decay=1
    )
    x, dual = physics.A_adjoint(y), 0.0
    for weight in weights:
        descended = x - alpha * (1 + weight) * physics.A_adjoint(physics.A(x) - y)
        u = (tau * descended + alpha * (x - dual)) / (tau + alpha)
        with torch.no_grad():
            x = u + dual + weight * (denoiser(u + dual, 0.05) - u - dual)
        dual = dual + u - x
    torch.testing.assert_close(solver(y, physics), x, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("solver_class", [PreconditionedHQS, PreconditionedADMM])
def test_evaluate_takes_any_solver(task, solver_class):
    solver = solver_class(task.denoiser, stepsize=1.0, tau=4.0, sigma=0.1, inner_steps=2)
    images = task.test_images[:3]
    trace = evaluate(task, solver, images=images, max_iter=8)
    assert trace.psnr[-1].mean() > trace.psnr[0].mean() + 1
    assert trace.fixed_point[-1].mean() < 0.3 * trace.fixed_point[0].mean()


@pytest.mark.parametrize(
    "arguments", [{"tau": 0.0}, {"tau": [1.0, 2.0]}, {"inner_steps": 0}, {"prior_decay": 0}, {"sigma": -1.0}]
)
def test_bad_arguments_are_named(arguments):
    denoiser = DnCNN(1, 1, depth=3, nf=8, pretrained=None)
    (name, value), *_ = arguments.items()
    with pytest.raises(ValueError, match=re.escape(f"{name}={value}")):
        PreconditionedADMM(denoiser, **({"stepsize": 1.0, "tau": 1.0, "sigma": 0.1} | arguments))


def test_a_geometric_sequence_has_its_ends_and_one_ratio():
    values = torch.tensor(geometric(0.5, 0.01, 20))
    torch.testing.assert_close(values[[0, -1]], torch.tensor([0.5, 0.01]))
    torch.testing.assert_close(values[1:] / values[:-1], torch.full((19,), (0.01 / 0.5) ** (1 / 19)))
    with pytest.raises(ValueError, match="count=1"):
        geometric(1.0, 0.1, 1)
