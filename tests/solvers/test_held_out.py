"""Holding out measurements: the operator that is left, what is drawn, what it refuses, and what it leaves alone."""

import pytest
import torch
from deepinv.physics import Inpainting, LinearPhysics

from ddgp_lib import (
    LearnedPreconditioner,
    PreconditionedADMM,
    PreconditionedFISTA,
    PreconditionedHQS,
    Preconditioner,
    Safeguard,
)
from ddgp_lib.networks import build_network
from ddgp_lib.operators import (
    CartesianMRI,
    FourierDownsampling,
    HadamardCamera,
    newton,
    norms,
    null_projection,
    range_projection,
)
from ddgp_lib.preconditioners import Newton
from ddgp_lib.solvers.held_out import KeptRows, hold_out

OPERATORS = {
    "camera": (HadamardCamera(0.3, (1, 16, 16)), (1, 16, 16)),
    "mri": (CartesianMRI(2.0, (2, 16, 16)), (2, 16, 16)),
    "inpainting": (
        Inpainting((1, 16, 16), mask=0.5, rng=torch.Generator().manual_seed(0)),
        (1, 16, 16),
    ),
}


@pytest.fixture(params=OPERATORS)
def problem(request, generator):
    physics, size = OPERATORS[request.param]
    x = torch.randn(3, *size, generator=generator)
    y = physics.A(x)
    return physics, size, y, hold_out(physics, y, size, 0.2, 0)


def test_a_share_of_what_is_measured_is_held_out_and_the_strongest_is_kept(problem):
    physics, size, y, held = problem
    measured = (physics.A(torch.randn(1, *size)) != 0).sum()
    assert held.flatten(1).sum(1).tolist() == pytest.approx(
        [0.2 * float(measured)] * 3, abs=size[0] * size[1]
    )
    assert ((held == 0) | (held == 1)).all()
    strongest = y.abs().flatten(1).argmax(dim=1)
    assert not held.flatten(1).gather(1, strongest[:, None]).any()


def test_what_is_drawn_for_an_image_depends_on_the_seed_and_on_no_other_image(problem):
    physics, size, y, held = problem
    assert torch.equal(hold_out(physics, y[1:2], size, 0.2, 0), held[1:2])
    assert not torch.equal(hold_out(physics, y, size, 0.2, 1), held)


def test_whole_columns_of_mri_are_held_out():
    physics, size = OPERATORS["mri"]
    held = hold_out(physics, physics.A(torch.randn(2, *size)), size, 0.2, 0)
    assert torch.equal(held, held[:, :1, :1].expand_as(held))


def test_the_closed_forms_of_the_rows_that_are_kept(problem, generator):
    physics, size, _, held = problem
    kept = KeptRows(physics, 1 - held, 1.0)
    v, u = torch.randn(2, 3, *size, generator=generator)
    y = torch.randn(held.shape, generator=generator)
    torch.testing.assert_close((kept.A(v) * y).sum(), (v * kept.A_adjoint(y)).sum(), rtol=1e-3, atol=1e-3)
    projected = range_projection(kept, v)
    torch.testing.assert_close(range_projection(kept, projected), projected, rtol=0, atol=1e-5)
    torch.testing.assert_close(kept.A(projected), kept.A(v), rtol=0, atol=1e-5)
    step = newton(kept, u, 0.1)
    torch.testing.assert_close(kept.A_adjoint_A(step) + 0.1 * step, u, rtol=0, atol=1e-4)


@pytest.mark.parametrize("physics", [FourierDownsampling(2, (1, 16, 16)), HadamardCamera(0.01, (1, 16, 16))])
def test_operators_that_cannot_be_split_are_refused(task, physics):
    y = physics.A(torch.rand(1, 1, 16, 16))
    solver = PreconditionedFISTA(task.denoiser, Newton(0.1), sigma=0.1, safeguard=Safeguard(held_out=0.2))
    with pytest.raises(ValueError, match=rf"held_out=0\.2: expected 0 for {type(physics).__name__}"):
        solver(y, physics)


class Invented(Preconditioner):
    """Draws one pattern into the null space of whatever operator it is told."""

    def forward(self, grad, state):
        pattern = torch.sin(torch.arange(grad[0].numel()).float()).view_as(grad[0])
        return grad + 0.3 * null_projection(state.physics, pattern.expand_as(grad))


METHODS = {
    "fista": (PreconditionedFISTA, {}),
    "hqs": (PreconditionedHQS, {"tau": 2.0}),
    "admm": (PreconditionedADMM, {"tau": 2.0}),
}


@pytest.mark.parametrize("method", METHODS)
def test_an_image_that_is_contradicted_gets_the_iterates_without_p(task, method):
    make, more = METHODS[method]
    y = task.measure(task.test_images[:4])
    options = {"stepsize": 1.0, "sigma": 0.07, "max_iter": 6} | more
    plain = make(task.denoiser, **options)(y, task.student)
    guard = Safeguard(growth=1e6, held_out=0.2)
    *_, last = make(task.denoiser, Invented(), safeguard=guard, **options).states(y, task.student)
    assert last["rejected"].all()
    torch.testing.assert_close(last["est"][0], plain, rtol=0, atol=1e-4)


def test_an_image_that_is_not_contradicted_is_as_without_a_safeguard(task):
    network = build_network("cnn", 2, 1, parameters="small")
    P = LearnedPreconditioner(network).requires_grad_(False)
    y = task.measure(task.test_images[:3])
    alone, guarded = (
        PreconditionedFISTA(task.denoiser, P, stepsize=1.0, sigma=0.07, max_iter=5, safeguard=guard)
        for guard in (False, Safeguard(growth=1e6, held_out=0.2, excess=1e6))
    )
    assert torch.equal(alone(y, task.student), guarded(y, task.student))


def test_what_was_held_out_plays_no_part_in_either_run(task):
    P = Newton(0.1)
    y, size = task.measure(task.test_images[:2]), task.img_size
    held = hold_out(task.student, y, size, 0.2, 0)
    solver = PreconditionedFISTA(
        task.denoiser, P, stepsize=1.0, sigma=0.07, safeguard=Safeguard(held_out=0.2)
    )
    runs = [list(solver.states(data, task.student, 4))[-1]["trial"] for data in (y, y - 1e-2 * held * y)]
    assert torch.equal(runs[0].held, runs[1].held)
    for name in ("with_p", "without"):
        first, again = (getattr(run, name)[0] for run in runs)
        assert norms(first - again).max() < 1e-4
    reference = PreconditionedFISTA(task.denoiser, stepsize=1.0, sigma=0.07)
    *_, x = reference.states((1 - held) * y, KeptRows(task.student, 1 - held, 1.0), 4)
    torch.testing.assert_close(runs[0].without[0], x["est"][0], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [
        {"held_out": 0.5},
        {"held_out": -0.1},
        {"held_out": "x"},
        {"excess": 1.0},
        {"seed": -1},
        {"growth": None},
    ],
)
def test_bad_arguments_are_named(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        Safeguard(**arguments)


def test_closed_forms_hold_where_the_norm_is_not_one(generator):
    physics = LinearPhysics(A=lambda x: 2 * x, A_adjoint=lambda y: 2 * y)  # without a tensor of its own
    y = torch.randn(2, 1, 8, 8, generator=generator)
    held = hold_out(physics, y, (1, 8, 8), 0.25, seed=0)
    assert int(held.sum()) == 2 * 16
    kept = KeptRows(physics, 1 - held, norm=4.0)
    x = torch.randn(2, 1, 8, 8, generator=generator)
    torch.testing.assert_close(kept.range_projection(x), (1 - held) * x)
    solved = kept.newton(x, 0.1)
    torch.testing.assert_close(kept.A_adjoint_A(solved) / 4 + 0.1 * solved, x)
