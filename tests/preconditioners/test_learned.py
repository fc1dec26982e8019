"""Learned preconditioners: what each form promises, with and without the iteration."""

import pytest
import torch

from ddgp_lib import LearnedPreconditioner, PreconditionedFISTA, State
from ddgp_lib.distillation import DistillationRecipe, build_preconditioner, consistency_penalty
from ddgp_lib.operators import HadamardCamera, SenseMRI, birdcage_maps, gaussian_columns
from ddgp_lib.preconditioners.learned import FORMS


@pytest.fixture(scope="module")
def camera():
    return HadamardCamera(0.2, (1, 16, 16))


def trained(channels=1, **options):
    """Build a preconditioner whose last layer is not zero."""
    preconditioner = build_preconditioner(DistillationRecipe(**options), channels)
    torch.nn.init.normal_(
        preconditioner.network.unet.Conv_1x1.weight, std=0.1, generator=torch.Generator().manual_seed(0)
    )
    return preconditioner


@pytest.fixture
def images(generator):
    return torch.rand(2, 3, 1, 16, 16, generator=generator)


@pytest.mark.parametrize("form", FORMS)
def test_only_null_space_forms_keep_the_data(camera, images, form):
    grad, z = images
    direction = trained(form=form)(grad, State(z, 0, camera, camera.A(z)))
    penalty = consistency_penalty(direction, grad, camera, 1.0)
    assert (penalty < 1e-10) == (form in ("null_space", "newton_null_space"))  # A Aᵀ = I here
    assert (direction - grad).norm() > 1e-2


def test_penalised_is_the_free_form(camera, images):
    grad, z = images
    state = State(z, 0, camera, camera.A(z))
    torch.testing.assert_close(
        trained(form="penalised")(grad, state), trained(form="free")(grad, state), rtol=0, atol=0
    )


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_where_newton_and_the_soft_split_share_their_damping_both_are_one_solve(noise, generator):
    """With the same direction as two solves; where the damping follows the noise and has left the split, two."""
    solves = []

    class Watched(SenseMRI):
        def newton(self, x, damping, *args, **kwargs):
            solves.append(damping)
            return super().newton(x, damping, *args, **kwargs)

    physics = Watched(birdcage_maps(4, 32, 32), gaussian_columns(32, 4), noise=noise, split=0.03, tol=1e-6)
    grad, z = torch.randn(2, 1, 2, 32, 32, generator=generator)
    grad, state = physics.A_adjoint_A(grad), State(z, 0, physics, physics.A(z))
    for follows in (None, 0.01):
        P = trained(channels=2, form="newton_null_space", damping=0.03, damping_noise=follows)
        solves.clear()
        direction = P(grad, state)
        one = follows is None or noise == follows
        assert len(solves) == (1 if one else 2)
        parts = P.base(grad, state) + physics.hidden(P.correction(grad, z, 0))
        torch.testing.assert_close(direction, parts, rtol=1e-4, atol=1e-3)
        assert (direction - P.base(grad, state)).norm() > 0.1
        direction.square().sum().backward()
        assert all(weights.grad.isfinite().all() for weights in P.parameters())


@pytest.mark.parametrize("inputs", ["state_aware", "gradient_only"])
def test_embedding_keeps_zero_and_scale_and_tells_iterations_apart(camera, images, inputs):
    grad, z = images
    P = trained(inputs=inputs, embedding=3)
    k = torch.tensor([0, 5, 200])
    direction = P(grad, State(z, k, camera, camera.A(z)))
    scaled = P(3 * grad, State(3 * z, k, camera, camera.A(3 * z)))
    torch.testing.assert_close(scaled, 3 * direction, rtol=1e-4, atol=1e-5)
    assert not P(0 * grad, State(0 * z, k, camera, camera.A(z))).any()
    assert (direction - P(grad, State(z, 0, camera, camera.A(z))))[1:].abs().max() > 1e-4
    for i, iteration in enumerate(k.tolist()):
        alone = P(grad[i : i + 1], State(z[i : i + 1], iteration, camera, camera.A(z[i : i + 1])))
        torch.testing.assert_close(alone, direction[i : i + 1], rtol=1e-4, atol=1e-5)


def test_embedded_preconditioner_runs_in_a_solver(task):
    solver = PreconditionedFISTA(
        task.denoiser, trained(embedding=2, form="null_space"), stepsize=1.0, sigma=0.05, max_iter=3
    )
    assert torch.isfinite(solver(task.measure(task.test_images[:2]), task.student)).all()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"embedding": -1}, "embedding=-1"),
        ({"longest": 0}, "longest=0"),
        ({"form": "soft"}, "form='soft'.*penalised"),
    ],
)
def test_bad_arguments_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        LearnedPreconditioner(torch.nn.Identity(), **arguments)
