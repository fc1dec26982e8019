"""Checks of step sizes, iterations, preconditioners and denoisers: they pass on ours, and name planted mistakes."""

from functools import cache

import pytest
import torch
from deepinv.models import MedianFilter, TVDenoiser
from deepinv.physics import Blur, BlurFFT, CompressedSensing, Downsampling, Inpainting, Tomography, stack
from torch import nn

import ddgp_lib
from ddgp_lib import PreconditionedPGD
from ddgp_lib.checks import (
    CheckFailed,
    check_denoiser,
    check_fixed_point,
    check_preconditioner,
    check_stepsize,
)
from ddgp_lib.operators import HadamardCamera, null_projection, range_projection, squared_norm
from ddgp_lib.preconditioners import SR1, Circulant, Identity, Jacobi, Newton, Polynomial, Scalar
from ddgp_lib.stability import iteration_map

S = (2, 1, 16, 16)


@cache
def load(name, **options):
    """Load a task, once for all tests here: they change nothing in it."""
    return ddgp_lib.load_task(name, **options)


def sensing(scale=1.0):
    physics = CompressedSensing(60, S[1:], rng=torch.Generator().manual_seed(0))
    physics._A, physics._A_adjoint = scale * physics._A, scale * physics._A_adjoint
    physics._A_dagger = physics._A_dagger / scale
    return physics


def top(physics):
    """‖A‖² of compressed sensing, from its matrix."""
    return torch.linalg.matrix_norm(physics._A, 2).item() ** 2


def camera():
    return HadamardCamera(0.25, S[1:])


def failure(check, *args, **options):
    with pytest.raises(CheckFailed) as failed:
        check(*args, **options)
    return failed.value


OPERATORS = {
    "single_pixel": lambda: load("single_pixel", size=16).student,
    "mri": lambda: load("mri", size=16).student,
    "multicoil": lambda: load("mri", size=16, coils=4).student,
    "super_resolution": lambda: load("super_resolution", size=16).student,
    "BlurFFT": lambda: BlurFFT(
        S[1:], filter=torch.rand(1, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    ),
    "Blur": lambda: Blur(
        filter=torch.rand(1, 1, 3, 3, generator=torch.Generator().manual_seed(0)), padding="valid"
    ),
    "Inpainting": lambda: Inpainting(S[1:], mask=0.5, rng=torch.Generator().manual_seed(0)),
    "CompressedSensing": sensing,
    "Downsampling": lambda: Downsampling(S[1:], filter=None, factor=2),
    "Tomography": lambda: Tomography(8, 16, normalize=True),
    "stack": lambda: stack(camera(), Inpainting(S[1:], mask=0.5, rng=torch.Generator().manual_seed(0))),
}


@pytest.fixture(params=OPERATORS)
def case(request):
    return OPERATORS[request.param](), (2, 2, 16, 16) if request.param in ("mri", "multicoil") else S


# --- check_stepsize


def test_one_over_the_squared_norm(case):
    physics, shape = case
    step = 1 / squared_norm(physics, shape[1:])
    assert check_stepsize(step, physics, shape, at_least=0.5) == pytest.approx(1, abs=5e-3)
    assert check_stepsize(1.9 * step, physics, shape) == pytest.approx(1.9, abs=1e-2)
    failed = failure(check_stepsize, 2 * step, physics, shape)
    assert "2/L" in failed.expected


def test_the_returned_number_is_the_step_times_the_largest_eigenvalue():
    physics = sensing()
    assert check_stepsize(0.1, physics, S) == pytest.approx(0.1 * top(physics), rel=1e-3)
    assert check_stepsize(torch.tensor(0.125), physics, S) == check_stepsize(0.125, physics, S)


@pytest.mark.parametrize(
    ("formula", "cause"),
    [
        (lambda L: 1 / L**0.5, "the norm instead of its square"),
        (lambda L: 2 / L**0.5, "the norm instead of its square"),
        (lambda L: L, "in the place of 1/L"),
        (lambda L: L**0.5, "in the place of 1/L"),
        (lambda L: 3 / L, "at −1 or below it diverges"),
        (lambda L: 2 / L, "at −1 or below it diverges"),
        (lambda L: -1 / L, "a sign"),
        (lambda L: 0, "a rounding to an integer"),
        (lambda L: float("inf"), "a division by zero"),
        (lambda L: torch.tensor(float("nan")), "a division by zero"),
    ],
)
def test_wrong_step_sizes_are_told_apart(formula, cause):
    physics = sensing(3.0)
    assert cause in failure(check_stepsize, formula(top(physics)), physics, S).cause


@pytest.mark.parametrize(
    ("formula", "cause"),
    [
        (lambda L: 1 / L**0.5, "the norm instead of its square"),
        (lambda L: L, "in the place of 1/L"),
        (lambda L: 0.1 / L, "stable, and needlessly slow"),
    ],
)
def test_slow_step_sizes_are_stable(formula, cause):
    physics = sensing(0.2)
    step = formula(top(physics))
    assert check_stepsize(step, physics, S) < 1
    assert cause in failure(check_stepsize, step, physics, S, at_least=0.9).cause


def test_a_norm_that_is_squared_twice():
    for scale, options in ((0.2, {}), (3.0, {"at_least": 0.9})):
        physics = sensing(scale)
        assert "taken twice" in failure(check_stepsize, 1 / top(physics) ** 2, physics, S, **options).cause


def test_the_step_of_a_preconditioner():
    physics = sensing(3.0)
    L = top(physics)
    gain = L / (
        L + 1e-2 * L
    )  # of Newton's step, λ = 0.01, along the strongest component; all others gain less
    assert check_stepsize(1 / L, physics, S, preconditioner=Newton(1e-2)) == pytest.approx(gain, rel=1e-2)
    P = Jacobi.of(physics, S[1:])
    assert check_stepsize(1 / L, physics, S, preconditioner=P) < 1.01
    wrong = failure(check_stepsize, 1 / L, physics, S, preconditioner=Scalar(4.0))
    assert "the preconditioner changes L" in wrong.cause
    uphill = failure(check_stepsize, 1 / L, physics, S, preconditioner=lambda g, state: -g)
    assert "leave the sign" in uphill.cause
    with pytest.raises(ValueError, match="a linear map of the gradient"):
        check_stepsize(1 / L, physics, S, preconditioner=lambda g, state: g.abs())


def test_a_step_for_an_operator_without_its_adjoint():
    physics = sensing()
    physics._A_adjoint = -physics._A_adjoint
    assert "run check_adjoint" in failure(check_stepsize, 1.0, physics, S).cause


# --- check_fixed_point


def rotate(angle, growth=1.0):
    matrix = (
        torch.tensor([[0.0, -1.0], [1.0, 0.0]]) * torch.tensor(angle).sin()
        + torch.eye(2) * torch.tensor(angle).cos()
    )
    return lambda x: growth * x @ matrix.T


@pytest.mark.parametrize(
    ("step", "cause"),
    [
        (lambda x: 0.9 * x + 0.1, "not yet converged, run on"),
        (lambda x: 1.5 * x - 1, "this fixed point repels"),
        (lambda x: 1e30 * x, "10 more steps overflow"),
        (lambda x: 1 - x, "a limit cycle"),
        (rotate(0.7), "a limit cycle"),
        (rotate(0.7, 1.2), "this fixed point repels"),
        (rotate(0.7, 0.9), "not yet converged"),
        (lambda x: x + 0.1, "go on in one direction"),
    ],
)
def test_what_has_not_arrived(step, cause):
    assert cause in failure(check_fixed_point, step, torch.tensor([[3.0, 5.0]])).cause


def test_a_solver_arrives(task):
    y = task.measure(task.test_images[:3])
    solver = PreconditionedPGD(task.denoiser, stepsize=1.0, sigma=0.05, max_iter=60)
    step = iteration_map(solver, y, task.student)
    assert check_fixed_point(step, solver(y, task.student), tolerance=1e-2) < 1e-2
    early = PreconditionedPGD(task.denoiser, stepsize=1.0, sigma=0.05, max_iter=1)(y, task.student)
    assert "not yet converged" in failure(check_fixed_point, step, early).cause


def test_the_worst_image_counts():
    x = torch.ones(4, 1, 2, 2)
    still = check_fixed_point(lambda v: v, x)
    moving = x.clone()
    moving[2] = 2
    failed = failure(check_fixed_point, lambda v: 0.5 * v + 0.5, moving)
    assert still == 0
    assert "0.25 of its norm" in failed.found
    assert check_fixed_point(lambda v: v / 2, 0 * x) == 0


# --- check_preconditioner


def test_preconditioners_of_the_library(case):
    physics, shape = case
    for P in (Identity(), Scalar(1.5), Newton(1e-2), Polynomial.of("l2", 2), SR1()):
        check_preconditioner(P, physics, shape, descent=True)
    check_preconditioner(Identity(), physics, shape, null_space=True)


def test_diagonal_preconditioners():
    for physics in (sensing(), load("super_resolution", size=16).student):
        for kind in (Jacobi, Circulant):
            check_preconditioner(kind.of(physics, S[1:]), physics, S, descent=True)


@pytest.mark.parametrize(
    ("name", "variant"),
    [("single_pixel", "distilled"), ("single_pixel", "distilled_linear"), ("super_resolution", "distilled")],
)
def test_shipped_preconditioners(name, variant):
    task = load(name)
    P = ddgp_lib.load_preconditioner(name, variant)
    keeps_data = getattr(P, "form", None) == "null_space"
    check_preconditioner(P, task.student, (1, *task.img_size), null_space=keeps_data)


class Dropping(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, grad, state):
        return self.drop(grad)


class Remembering:
    calls = 0

    def __call__(self, grad, state):
        self.calls += 1
        return grad * self.calls


class Normalising(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(1, track_running_stats=False)

    def forward(self, grad, state):
        return self.norm(grad)


def spoil(grad, state):
    state.z.zero_()
    return grad.clone()


@pytest.mark.parametrize(
    ("preconditioner", "cause"),
    [
        (Dropping(), r"training mode \(call .eval\(\)\)"),
        (Remembering(), "remembers the call before"),
        (Normalising(), "batch normalisation"),
        (lambda g, state: g / g.norm(), "over the whole batch"),
        (lambda g, state: g.mean(0, keepdim=True).expand_as(g), "over the whole batch"),
        (spoil, "on the caller's tensor"),
        (lambda g, state: None, "not written yet"),
        (lambda g: g, "an error inside the preconditioner"),
        (lambda g, state: state.y, "is returned"),
    ],
)
def test_broken_preconditioners(preconditioner, cause):
    with pytest.raises(CheckFailed, match=cause):
        check_preconditioner(preconditioner, sensing(), S)


def network(x):
    return torch.tanh(x.roll(1, -1)) + 0.3


@pytest.mark.parametrize(
    ("preconditioner", "cause"),
    [
        (lambda g, state: g + network(g), "is not projected onto the null space"),
        (
            lambda g, state: g + range_projection(state.physics, network(g)),
            "project with I − A⁺A, not with A⁺A",
        ),
        (lambda g, state: null_projection(state.physics, network(g)), "the gradient is left out"),
        (
            lambda g, state: 0.5 * g + null_projection(state.physics, network(g)),
            "multiplies what A sees by 0.5",
        ),
        (lambda g, state: -g, "multiplies what A sees by -1"),
    ],
)
@pytest.mark.parametrize("physics", [sensing(), camera()])
def test_what_breaks_the_null_space_form(physics, preconditioner, cause):
    check_preconditioner(preconditioner, physics, S)
    assert cause in failure(check_preconditioner, preconditioner, physics, S, null_space=True).cause
    check_preconditioner(
        lambda g, state: g + null_projection(state.physics, network(g)), physics, S, null_space=True
    )


@pytest.mark.parametrize(
    ("preconditioner", "cause"),
    [
        (lambda g, state: -g, "the sign is flipped"),
        (lambda g, state: 0 * g, "P returns zero"),
        (lambda g, state: g * (torch.arange(16) - 7.6), "more than a right angle"),
    ],
)
def test_what_goes_uphill(preconditioner, cause):
    check_preconditioner(preconditioner, sensing(), S)
    assert cause in failure(check_preconditioner, preconditioner, sensing(), S, descent=True).cause


# --- check_denoiser


@pytest.fixture(scope="module")
def digits():
    return load("single_pixel").test_images[:8]


@pytest.fixture(scope="module")
def denoiser():
    return load("single_pixel").denoiser


@pytest.mark.parametrize("name", ["single_pixel", "mri", "super_resolution"])
def test_shipped_denoisers(name):
    task = load(name)
    for sigma in (0.03, 0.1):
        assert check_denoiser(task.denoiser, task.test_images[:3], sigma, gain=2) > 2


def test_the_gain_is_the_difference_of_psnr(digits, denoiser):
    after = ddgp_lib.denoisers.denoising_psnr(denoiser, digits, 0.1)
    assert check_denoiser(denoiser, digits, 0.1) == pytest.approx(after - 20, abs=0.1)


def test_classical_denoisers():
    images = load("super_resolution").test_images[:3]
    check_denoiser(lambda x, sigma: MedianFilter()(x), images, 0.1)
    assert "the call before" in failure(check_denoiser, TVDenoiser(n_it_max=50), images, 0.1).cause


@pytest.mark.parametrize(
    ("wrong", "gain", "cause"),
    [
        (lambda D: lambda x, sigma: D(x, sigma / 255), 2, "σ is on another scale"),
        (lambda D: lambda x, sigma: D(x, min(255 * sigma, 2.0)), 0, "σ is on another scale"),
        (lambda D: lambda x, sigma: 255 * D(x / 255, sigma / 255), 2, "made for images from 0 to 255"),
        (lambda D: lambda x, sigma: x - D(x, sigma), 0, "it returns the noise"),
        (lambda D: lambda x, sigma: x, 0, "it returns its input"),
        (lambda D: lambda x, sigma: x.mean((2, 3), keepdim=True).expand_as(x), 0, "it smooths too much"),
        (lambda D: lambda x, sigma: D(x, sigma / 4), 8, "it leaves noise"),
        (lambda D: D, 30, "less than is asked"),
        (lambda D: lambda x, sigma: x + x.roll(1, -1) / 4, 0, "its weights are not loaded"),
        (lambda D: nn.Sequential(nn.Dropout(0.1)).forward, 0, "an error inside"),
        (
            lambda D: lambda x, sigma: nn.functional.dropout(D(x, sigma), 0.1),
            0,
            "training mode, with dropout",
        ),
    ],
)
def test_wrong_denoisers_are_told_apart(digits, denoiser, wrong, gain, cause):
    assert cause in failure(check_denoiser, wrong(denoiser), digits, 0.1, gain=gain).cause
