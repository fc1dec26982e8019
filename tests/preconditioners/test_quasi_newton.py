"""The rank-one quasi-Newton preconditioner: its equations, its memory, and runs with it."""

import pytest
import torch
from deepinv.physics import LinearPhysics

from ddgp_lib import PreconditionedFISTA, State
from ddgp_lib.operators import (
    FourierDownsampling,
    HadamardCamera,
    MultiCoilCartesianMRI,
    gradient,
    normal,
    norms,
    squared_norm,
)
from ddgp_lib.preconditioners.quasi_newton import SR1, damping_weights, rank_one_direction

SHAPE = (1, 16, 16)


@pytest.fixture(scope="module")
def physics():
    return FourierDownsampling(2, SHAPE, std=1.0)


@pytest.fixture
def change(physics, generator):
    """Return s, and m = AᵀA s/‖A‖², of three images in double precision."""
    s = normal(physics, torch.randn(3, *SHAPE, generator=generator))
    return s.double(), (normal(physics, s) / squared_norm(physics, SHAPE)).double()


def dense(s, m, *thetas):
    """Write H of one image as a matrix."""
    n = s.numel()
    eye = torch.eye(n, dtype=s.dtype).reshape(n, *s.shape)
    return rank_one_direction(eye, s.expand(n, *s.shape), m.expand(n, *s.shape), *thetas).flatten(1)


def data_run(P, physics, y, iterations):
    """Descend on the data term alone from zero; yield the points."""
    adjoint = physics.A_adjoint(y)
    z, top = torch.zeros_like(adjoint), squared_norm(physics, tuple(adjoint.shape[1:]))
    for k in range(iterations):
        yield z
        grad = gradient(physics, z, adjoint)
        z = z - P(grad, State(z, k, physics, y)) / top


def test_secant_equation_holds_undamped(change):
    s, m = change
    assert not damping_weights(s.flatten(1), m.flatten(1), 2e-6, 200.0).any()
    torch.testing.assert_close(rank_one_direction(m, s, m), s, rtol=1e-9, atol=1e-12)


def test_is_symmetric_with_the_eigenvalues_that_it_says(change):
    s, m = (batch[0] for batch in change)
    H = dense(s, m)
    torch.testing.assert_close(H, H.T)
    r = s.square().sum() / (m * s).sum()
    tau = r - (r**2 - s.square().sum() / m.square().sum()).sqrt()
    found = torch.linalg.eigvalsh(H)
    torch.testing.assert_close(found[:-1], tau.expand(found.numel() - 1))
    torch.testing.assert_close(found[-1], 2 * r - tau)


def test_is_positive_definite_and_bounded_whatever_the_changes(generator):
    for scale in (0.0, 1e-3, 1.0, 1e3):
        s, other = torch.randn(2, 1, 4, 4, generator=generator, dtype=torch.float64)
        m = scale * other - s  # also of negative curvature
        values = torch.linalg.eigvalsh(dense(s, m, 1e-2, 200.0))
        assert values[0] > 0
        assert values[-1] <= 2 / 1e-2 * (1 + 1e-9)


def test_damping_is_the_smallest_that_is_accepted(generator):
    s = torch.randn(1, 64, generator=generator, dtype=torch.float64)
    for m in (0 * s, -0.5 * s, -2.0 * s):
        beta = float(damping_weights(s, m, 1e-2, 200.0))
        kappa = float((m * s).sum() / s.square().sum())
        assert beta + (1 - beta) * kappa >= 1e-2 > (beta - 0.01) + (1 - beta + 0.01) * kappa - 1e-12
    assert float(damping_weights(s, 500 * s, 1e-2, 200.0)) == pytest.approx(0.61)  # β + 500 (1 − β) ≤ 200


def test_a_multiple_of_the_change_gives_a_multiple_of_the_identity(generator):
    s, g = torch.randn(2, 2, *SHAPE, generator=generator)
    torch.testing.assert_close(rank_one_direction(g, s, 0.25 * s), 4 * g)
    torch.testing.assert_close(rank_one_direction(g, 0 * s, 0 * s), g)


def test_images_of_a_batch_do_not_meet(change, generator):
    s, m = change
    g = torch.randn(3, *SHAPE, generator=generator)
    together = rank_one_direction(g, s, m)
    assert together.dtype == g.dtype
    for i in range(3):
        alone = rank_one_direction(g[i : i + 1], s[i : i + 1], m[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone)


def test_an_image_that_diverged_leaves_the_others_alone(change):
    s, m = change
    broken = s.clone()
    broken[0] = torch.nan
    found = rank_one_direction(m, broken, m)
    assert found[0].isnan().all()
    assert torch.equal(found[1:], rank_one_direction(m, s, m)[1:])


def test_follows_the_run(physics, generator):
    y = physics.A(torch.rand(2, *SHAPE, generator=generator))
    adjoint, top = physics.A_adjoint(y), squared_norm(physics, SHAPE)
    points = torch.rand(3, 2, *SHAPE, generator=generator)
    grads = [gradient(physics, z, adjoint) for z in points]
    P = SR1()
    assert P.products == 0
    for _ in range(2):  # a second run starts anew
        assert torch.equal(P(grads[0], State(points[0], 0, physics, y)), grads[0])
        for k in (1, 1, 2):  # an application may be repeated
            found = P(grads[k], State(points[k], k, physics, y))
            expected = rank_one_direction(
                grads[k], points[k] - points[k - 1], (grads[k] - grads[k - 1]) / top
            )
            assert torch.equal(found, expected)


def test_is_the_gradient_without_the_previous_iteration(physics, generator):
    y = physics.A(torch.rand(1, *SHAPE, generator=generator))
    z, grad = torch.rand(2, 1, *SHAPE, generator=generator)
    P = SR1()
    P(grad, State(z, 0, physics, y))
    for state in (
        State(2 * z, 2, physics, y),
        State(2 * z, 3, physics, y.clone()),
        State(2 * z, 4, FourierDownsampling(2, SHAPE, std=1.0), y),
    ):
        assert torch.equal(P(2 * grad, state), 2 * grad)


def test_refuses_images_at_different_iterations(physics, generator):
    z = torch.rand(2, *SHAPE, generator=generator)
    with pytest.raises(ValueError, match=r"state\.k"):
        SR1()(z, State(z, torch.tensor([0, 1]), physics, physics.A(z)))


def test_undoes_a_step_whose_gradient_was_zero(generator):
    camera = HadamardCamera(0.2, SHAPE)
    z, first = torch.rand(2, 1, *SHAPE, generator=generator)
    y = camera.A(z)  # ∇g(z) = 0
    P = SR1()
    for k, x in enumerate((z, first)):
        grad = gradient(camera, x, camera.A_adjoint(y))
        u = x - P(grad, State(x, k, camera, y))
    torch.testing.assert_close(u, z, rtol=0, atol=1e-4)


def signs(generator, rows=205):
    """Make a single-pixel camera with random patterns of ±1: its spectrum is spread out."""
    matrix = (2.0 * torch.randint(2, (rows, 256), generator=generator) - 1) / 16
    return LinearPhysics(
        A=lambda x: x.flatten(1) @ matrix.T, A_adjoint=lambda y: (y @ matrix).reshape(-1, *SHAPE)
    )


@pytest.mark.parametrize("name", ["coils", "signs", "downsampling"])
def test_takes_a_third_of_the_products_of_gradient_descent(name, generator):
    """The misfit of 200 plain steps is reached within 66, one product each."""
    operators = {
        "coils": lambda: (MultiCoilCartesianMRI(4, (2, 16, 16), coils=4), (2, 16, 16)),
        "signs": lambda: (signs(generator), SHAPE),
        "downsampling": lambda: (FourierDownsampling(4, SHAPE, std=4.0), SHAPE),
    }
    physics, shape = operators[name]()
    y = physics.A(torch.rand(2, *shape, generator=generator))

    def misfits(P, iterations):
        return torch.stack([norms(physics.A(z) - y) for z in data_run(P, physics, y, iterations + 1)])

    plain = misfits(lambda grad, state: grad, 200)[-1]
    assert (misfits(SR1(), 66).amin(dim=0) <= plain).all()


def test_rests_at_rounding_level(generator):
    """Without the rule for rounding errors, H would amplify them: relative residuals of up to 2e-3."""
    physics = signs(generator, rows=102)
    y = physics.A(torch.rand(2, *SHAPE, generator=generator))
    late = list(data_run(SR1(), physics, y, 300))[200:]
    assert all((norms(physics.A(z) - y) < 2e-6 * norms(y)).all() for z in late)


def test_runs_in_the_solver_and_under_a_safeguard(task):
    y = task.measure(task.test_images[:2])
    options = {"stepsize": 1.0, "sigma": 0.07, "max_iter": 8, "momentum": "none"}
    P = SR1()
    solver = PreconditionedFISTA(task.denoiser, P, **options)
    first = solver(y, task.student)
    assert torch.equal(solver(y, task.student), first)
    plain = PreconditionedFISTA(task.denoiser, **options)(y, task.student)
    assert (first - plain).norm() > 1e-3 * plain.norm()
    guarded = PreconditionedFISTA(task.denoiser, P, safeguard=True, **options)
    assert torch.isfinite(guarded(y, task.student)).all()


@pytest.mark.parametrize("theta_1", [0, 2.0, float("nan")])
def test_bad_arguments_are_named(theta_1):
    with pytest.raises(ValueError, match="theta_1"):
        SR1(theta_1=theta_1)
    with pytest.raises(ValueError, match="theta_2"):
        SR1(theta_2=0.5)
