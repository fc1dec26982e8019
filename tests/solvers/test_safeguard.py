"""The safeguard: a rejected image gets the baseline's iterates, one that is not rejected keeps its own."""

import pytest
import torch

from ddgp_lib import (
    Identity,
    PreconditionedADMM,
    PreconditionedFISTA,
    PreconditionedHQS,
    Preconditioner,
    Safeguard,
)
from ddgp_lib.operators import measure, null_projection
from ddgp_lib.solvers import MOMENTUM


class Rule(Preconditioner):
    """A preconditioner from a function of the gradient and the state."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, grad, state):
        return self.function(grad, state)


def _first_image_only(grad, state):
    return torch.cat([-3 * grad[:1], grad[1:]])


BAD = {
    "expansive": lambda grad, state: -3 * grad,
    "grows in the null space": lambda grad, state: grad - 0.5 * null_projection(state.physics, state.z),
    "grows slowly": lambda grad, state: grad - 0.1 * null_projection(state.physics, state.z),
    "shrinks the image": lambda grad, state: grad + 0.5 * state.z,
    "not a number at k = 7": lambda grad, state: grad * float("nan") if state.k == 7 else grad,
}
BAD_FOR = [(name, 60 if name in ("shrinks the image", "grows slowly") else 300) for name in BAD]
SETTINGS = {"stepsize": 1.0, "sigma": 0.1}


@pytest.fixture(scope="module")
def digits(task):
    return task.test_images[:8]


@pytest.fixture(scope="module")
def y(task, digits):
    return task.measure(digits)


@pytest.fixture(scope="module")
def baseline(task, y):
    """Run without a preconditioner, to k = 300."""
    solver = PreconditionedFISTA(task.denoiser, **SETTINGS)
    return [x for x, _ in solver.iterates(y, task.student, 300)]


@pytest.mark.parametrize(("name", "iterations"), BAD_FOR)
def test_the_worst_case_is_the_baseline(task, digits, y, baseline, name, iterations):
    solver = PreconditionedFISTA(task.denoiser, Rule(BAD[name]), **SETTINGS, safeguard=True)
    off = torch.zeros(8, dtype=torch.bool)
    for k, X in enumerate(solver.states(y, task.student, iterations)):
        x, off = X["est"][0], X.get("rejected", off)
        assert torch.isfinite(x).all()
        torch.testing.assert_close(x[off], baseline[k][off], rtol=0, atol=1e-3)
    assert off.float().mean() > 0.8
    assert task.psnr(x, digits).mean() > task.psnr(baseline[iterations], digits).mean() - 0.3


def test_the_other_images_keep_their_preconditioner(task, y, baseline):
    solver = PreconditionedFISTA(task.denoiser, Rule(_first_image_only), **SETTINGS, safeguard=True)
    *_, last = solver.states(y, task.student, 30)
    assert last["rejected"].tolist() == [True, *[False] * 7]
    assert torch.equal(last["est"][0][1:], baseline[30][1:])


@pytest.mark.parametrize("momentum", MOMENTUM)
@pytest.mark.parametrize("sigma", [0.05, 0.2])
@pytest.mark.parametrize("preconditioner", [Identity(), Rule(lambda grad, state: grad)])
def test_never_fires_without_a_preconditioner(task, y, preconditioner, sigma, momentum):
    arguments = {"stepsize": task.stepsize, "sigma": sigma, "momentum": momentum}
    solvers = [
        PreconditionedFISTA(task.denoiser, preconditioner, **arguments, safeguard=safeguard)
        for safeguard in (False, True)
    ]
    (*_, plain), (*_, watched) = (solver.states(y, task.student, 20) for solver in solvers)
    assert torch.equal(plain["est"][0], watched["est"][0])
    assert not watched["rejected"].any()


@pytest.mark.parametrize("solver_class", [PreconditionedHQS, PreconditionedADMM])
def test_other_solvers_are_safe_too(task, y, solver_class):
    bad = Rule(BAD["not a number at k = 7"])
    guarded, plain = (
        solver_class(task.denoiser, P, **SETTINGS, tau=2.0, max_iter=12, safeguard=P is not None)
        for P in (bad, None)
    )
    torch.testing.assert_close(guarded(y, task.student), plain(y, task.student), rtol=0, atol=1e-4)


def test_decaying_weights_keep_their_place(task, y):
    bad = Rule(BAD["not a number at k = 7"])
    guarded, plain = (
        PreconditionedFISTA(task.denoiser, P, **SETTINGS, max_iter=15, prior_decay=4, safeguard=True)
        for P in (bad, None)
    )
    torch.testing.assert_close(guarded(y, task.student), plain(y, task.student), rtol=0, atol=1e-4)


def test_metrics_tell_who_was_rejected_and_the_solver_forgets(task, y):
    solver = PreconditionedFISTA(
        task.denoiser, Rule(_first_image_only), **SETTINGS, max_iter=6, safeguard=True
    )
    (x, metrics), (again, _) = (solver(y, task.student, compute_metrics=True) for _ in range(2))
    assert [len(history) for history in metrics["rejected"]] == [6] * 8
    assert metrics["rejected"][0][0] is False
    assert [history[-1] for history in metrics["rejected"]] == [True, *[False] * 7]
    assert torch.equal(x, again)
    assert solver(y[1:], task.student, compute_metrics=True)[1]["rejected"][0][-1] is True
    plain = PreconditionedFISTA(task.denoiser, **SETTINGS, max_iter=2)
    assert "rejected" not in plain(y, task.student, compute_metrics=True)[1]


@pytest.mark.parametrize("which", ["student", "teacher"])
def test_data_residual_costs_no_operator(task, digits, generator, which):
    physics = getattr(task, which)
    y = measure(physics, digits, 0)
    z = digits + 0.1 * torch.randn(digits.shape, generator=generator)
    adjoint = physics.A_adjoint(y)
    grad = physics.A_adjoint(physics.A(z)) - adjoint
    residual = Safeguard().watch(y, adjoint).data_residual(z, grad, adjoint)
    torch.testing.assert_close(residual, (physics.A(z) - y).flatten(1).norm(dim=1), rtol=1e-3, atol=1e-3)


def test_no_data_at_all(task, y):
    solver = PreconditionedFISTA(
        task.denoiser, Rule(BAD["expansive"]), **SETTINGS, max_iter=3, safeguard=True
    )
    assert torch.isfinite(solver(torch.zeros_like(y), task.student)).all()


@pytest.mark.parametrize(
    "arguments",
    [
        {"growth": 1.0},
        {"growth": float("inf")},
        {"data_floor": 0.0},
        {"fixed_point_floor": 1.5},
        {"seed": -1},
    ],
)
def test_bad_bounds_are_named(arguments):
    with pytest.raises(ValueError, match=f"^{next(iter(arguments))}="):
        Safeguard(**arguments)


def test_bad_safeguard_is_named(task):
    with pytest.raises(ValueError, match="safeguard='yes'"):
        PreconditionedFISTA(task.denoiser, **SETTINGS, safeguard="yes")
