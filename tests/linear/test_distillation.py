"""Closed-form distillation: each regression is the dense one on its own trajectory, and it helps."""

from dataclasses import asdict, replace

import pytest
import torch

from ddgp_lib import State, evaluate, load_solver, load_task
from ddgp_lib.analysis import dense_matrix
from ddgp_lib.checkpoints import load_checkpoint, load_weights, save_checkpoint
from ddgp_lib.linear import Ridge, distill_linear
from ddgp_lib.linear.states import Trajectory, range_basis, training_images
from ddgp_lib.operators import CartesianMRI, null_projection, range_projection
from ddgp_lib.preconditioners.structures import STRUCTURES
from ddgp_lib.presets import PRESETS
from ddgp_lib.recipes import LinearRecipe, build_linear_preconditioner
from ddgp_lib.tasks import Task

QUICK = {"progress": False, "n_images": 60, "iterations": 2, "validation_images": 8}


@pytest.fixture(scope="module")
def faces():
    return load_task("super_resolution", size=16, blur=1.0, noise=0.0)


def start(task, count, seed=0):
    """Return the training trajectory that a fit with this seed starts from."""
    generator = torch.Generator().manual_seed(seed)
    return Trajectory.start(task, training_images(task, count, generator), generator)


def rows(*images):
    return torch.cat([v.flatten(1) for v in images], dim=1).double()


@pytest.mark.parametrize("count", [100, 600])  # fewer samples than features, and more
@pytest.mark.parametrize("momentum", ["none", "deepinv"])
def test_two_iterations_are_their_dense_regressions(small, count, momentum):
    epsilon = 0.01
    P = distill_linear(
        small, iterations=2, n_images=count, ridges=(epsilon,), momentum=momentum, progress=False
    ).preconditioner
    now = start(small, count)
    x, z = now.x, now.z
    for k in range(2):
        g_s = small.student.A_adjoint(small.student.A(z)) - now.adjoint
        g_t = small.teacher.A_adjoint(small.teacher.A(z)) - now.teacher_adjoint
        X, Y = rows(g_s, z), rows(null_projection(small.student, g_t - g_s))
        x_mean, y_mean = X.mean(dim=0), Y.mean(dim=0)
        X, Y = X - x_mean, Y - y_mean
        c = epsilon * float(z.double().square().sum()) / 256
        W = torch.linalg.solve(X.T @ X + c * torch.eye(512, dtype=X.dtype), X.T @ Y)
        learned = ((rows(g_s, z) - x_mean) @ W + y_mean).float().view_as(z)
        expected = g_s + null_projection(small.student, learned)
        direction = P(g_s, State(z, k, small.student, now.y))
        torch.testing.assert_close(direction, expected, rtol=1e-3, atol=1e-4)
        x_next = small.denoiser(z - small.stepsize * expected, small.sigma)
        x, z = x_next, x_next + {"none": 0, "deepinv": 2 / 3}[momentum] * (x_next - x)


def test_steps_and_not_bare_gradients_are_matched(faces):
    """With ‖A_t‖ ≠ ‖A_s‖ and an exact regression, α_s P(∇g_s) is α_t ∇g_t."""
    assert abs(faces.teacher_stepsize / faces.stepsize - 1) > 0.5
    task = replace(faces, train_images=faces.train_images[:8])
    P = distill_linear(
        task, structure="full", form="free", iterations=1, n_images=8, ridges=(1e-9,), progress=False
    ).preconditioner
    now = start(task, 8)
    student_step = task.stepsize * P(now.gradient, now.state)
    gradient = task.teacher.A_adjoint(task.teacher.A(now.z)) - now.teacher_adjoint
    teacher_step = task.teacher_stepsize * gradient
    assert (student_step - teacher_step).norm() < 1e-3 * teacher_step.norm()


def wiener(M_s, M_t, C):
    """P* = M_t C M_s (M_s C M_s)⁺."""
    return M_t @ C @ M_s @ torch.linalg.pinv(M_s @ C @ M_s, rtol=1e-9, hermitian=True)


def normal_matrix(physics, img_size):
    A = dense_matrix(physics, img_size).double()
    return A.T @ A


def test_regression_of_gradients_is_the_wiener_predictor(faces, generator):
    """For errors with any covariance C, without noise."""
    M_s, M_t = (normal_matrix(A, faces.img_size) for A in (faces.student, faces.teacher))
    factor = torch.randn(256, 256, dtype=torch.float64, generator=generator)
    C = factor @ factor.T / 256
    white = torch.linalg.qr(torch.randn(300, 256, dtype=torch.float64, generator=generator))[0]
    errors = white @ factor.T / 16  # errorsᵀ errors = C
    W = Ridge((errors @ M_s)[None], (errors @ M_t)[None]).weights(0)[0].T
    expected = wiener(M_s, M_t, C)
    torch.testing.assert_close(W @ M_s, expected @ M_s, rtol=1e-6, atol=1e-8)
    seen = torch.linalg.pinv(M_s, rtol=1e-9, hermitian=True) @ M_s
    torch.testing.assert_close(W, W @ seen)  # of all solutions the one that is zero where gradients never are


def test_gradient_only_free_form_is_the_wiener_predictor(faces):
    P = distill_linear(
        faces,
        structure="full",
        form="free",
        inputs="gradient_only",
        iterations=1,
        n_images=400,
        ridges=(0.0,),
        progress=False,
    ).preconditioner
    now = start(faces, 400)
    errors = rows(now.z - now.truth)
    M_s, M_t = (normal_matrix(A, faces.img_size) for A in (faces.student, faces.teacher))
    best = faces.teacher_stepsize / faces.stepsize * wiener(M_s, M_t, errors.T @ errors)
    expected = (rows(now.gradient) @ best.T).float()
    direction = P(now.gradient, now.state).flatten(1)
    assert (direction - expected).norm() < 1e-3 * expected.norm()
    assert (expected - now.gradient.flatten(1)).norm() > 0.1 * expected.norm()


GAINS = {  # dB in the second and third iteration, at least
    "affine": {"full": 2.5, "rows": 1.0, "convolution": 0.7, "diagonal": 1.0, "scalar": 0.4},
    "gradient_only": {"full": 1.5, "rows": 0.4, "convolution": 0.1, "diagonal": 0.4, "scalar": 0.0},
}


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("inputs", GAINS)
def test_every_structure_helps_on_held_out_images(small, structure, inputs):
    options = {"structure": structure, "inputs": inputs, "n_images": 400, "ridges": (0.01,)}
    P = distill_linear(small, progress=False, iterations=3, **options).preconditioner
    images = small.test_images[:32]
    plain, learned = (
        evaluate(small, method, images=images, max_iter=3).psnr.mean(dim=1) for method in (None, P)
    )
    gain, least = learned - plain, GAINS[inputs][structure]
    if inputs == "gradient_only":
        assert gain[0].abs() < 1e-4  # ∇g vanishes at the start, where A Aᵀ = I
    if least > 0:
        assert (gain[1:] > least).all()
    else:  # a multiple of the gradient has nothing in the null space
        assert gain.abs().max() < 1e-4


def test_default_gains_a_decibel_over_the_tuned_solver(task):
    """A smaller fit than the default already does, on test digits."""
    P = distill_linear(task, progress=False, n_images=1000, iterations=2).preconditioner
    images = task.test_images[:24]
    tuned, learned = (
        evaluate(task, method, images=images, max_iter=8).psnr[-1].mean()
        for method in (load_solver("single_pixel", "none"), P)
    )
    assert learned > tuned + 1.0


def test_settles_after_the_last_fitted_iteration(small):
    """Past K the plain step takes over, and the gain is given back slowly; the last map, repeated, diverges."""
    P = distill_linear(small, progress=False, iterations=3, n_images=600).preconditioner
    images = small.test_images[:16]
    plain = evaluate(small, images=images, max_iter=40).psnr[-1].mean()
    curve = evaluate(small, P, images=images, max_iter=40).psnr.mean(dim=1)
    assert curve[-1] > plain - 0.1
    P.after = "last"
    assert evaluate(small, P, images=images, max_iter=40).psnr[-1].mean() < curve[-1] - 3


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"structure": "rows", "rank": 3},
        {"structure": "convolution", "stride": 4},
        {"form": "newton_null_space"},
        {"momentum": "chambolle_dossal", "sigma": 0.1},
    ],
)
def test_equal_seeds_give_equal_weights(small, options):
    first, second = (distill_linear(small, **QUICK | options) for _ in range(2))
    assert first.history == second.history
    other = distill_linear(small, seed=1, **QUICK | options).preconditioner.state_dict()
    for name, value in first.preconditioner.state_dict().items():
        torch.testing.assert_close(second.preconditioner.state_dict()[name], value, rtol=0, atol=0)
        assert torch.isfinite(value).all()
        assert not torch.equal(other[name], value)


def test_history_has_the_best_ridge_of_each_iteration(small):
    ridges = (1e-4, 1e-2, 1.0, 100.0)
    both = distill_linear(small, ridges=ridges, **QUICK)
    alone = [distill_linear(small, ridges=(ridge,), **QUICK).history["psnr"][0] for ridge in ridges]
    assert both.history["psnr"][0] == pytest.approx(max(alone))
    assert both.history["ridge"][0] == ridges[alone.index(max(alone))]
    assert all(len(values) == 2 for values in both.history.values())
    assert both.history["match"][0] > 0.3
    assert distill_linear(small, ridges=(1e9,), **QUICK).history["match"][1] == pytest.approx(0, abs=0.05)


def test_a_ridge_that_gives_no_number_is_not_chosen(small, monkeypatch):
    numbers = iter((float("nan"), 20.0, float("nan")))
    monkeypatch.setattr(type(small), "psnr", lambda self, x, truth: torch.tensor([next(numbers)]))
    history = distill_linear(small, **QUICK | {"ridges": (1e-4, 1e-2, 1.0), "iterations": 1}).history
    assert (history["ridge"], history["psnr"]) == ([1e-2], [20.0])


def test_rank_of_the_outputs_costs_little(small):
    whole, low = (
        distill_linear(small, rank=rank, iterations=1, n_images=600, progress=False) for rank in (None, 16)
    )
    assert low.preconditioner.weights.shape == (1, 1, 512, 16)
    assert low.history["match"][0] > 0.9 * whole.history["match"][0]


def test_images_beyond_the_training_set_are_perturbed_copies(faces, generator):
    images = training_images(faces, 285, generator)
    own = faces.train_images
    assert images.shape == (285, *faces.img_size)
    assert torch.equal(images[:280].flatten(1).sum(1).sort()[0], own.flatten(1).sum(1).sort()[0])
    distance = (images[280:, None] - own).flatten(2).norm(dim=2).min(dim=1)[0]
    assert (distance > 1e-3).all()


@pytest.mark.parametrize("name", ["camera", "mri"])
def test_basis_spans_what_gradients_can_be(small, name, generator):
    physics = small.student if name == "camera" else CartesianMRI(4, (2, 16, 16), center_fraction=0.1)
    img_size = (1, 16, 16) if name == "camera" else (2, 16, 16)
    basis = range_basis(physics, img_size)
    images = torch.randn(4, *img_size, generator=generator)
    torch.testing.assert_close(
        rows(images) @ basis @ basis.T, rows(range_projection(physics, images)), atol=1e-5, rtol=1e-4
    )
    torch.testing.assert_close(basis.T @ basis, torch.eye(basis.shape[1], dtype=basis.dtype))


@pytest.mark.parametrize("name", PRESETS)
def test_a_recipe_and_weights_are_the_preconditioner(name, tmp_path):
    task = load_task(name, size=32)
    options = {"rank": 32} if name == "mri" else {}
    fitted = distill_linear(task, progress=False, n_images=20, iterations=2, validation_images=4, **options)
    save_checkpoint(
        tmp_path / "weights", fitted.preconditioner.state_dict(), {"recipe": asdict(fitted.recipe)}
    )
    tensors, description = load_checkpoint(tmp_path / "weights")
    recipe = LinearRecipe(**description["recipe"])
    assert recipe == fitted.recipe
    again = build_linear_preconditioner(recipe, list(task.img_size))
    load_weights(again, tensors, tmp_path / "weights")
    now = start(task, 4)
    torch.testing.assert_close(
        again(now.gradient, now.state), fitted.preconditioner(now.gradient, now.state), rtol=0, atol=0
    )


def test_several_coils_can_be_distilled():
    task = load_task("mri", size=32, coils=3)
    options = {"rank": None, "n_images": 60, "iterations": 1, "validation_images": 20, "ridges": (1e-3,)}
    history = distill_linear(task, form="free", progress=False, **options).history
    assert history["match"][0] > 0.5


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"structure": "dense"}, "structure='dense'.*full"),
        ({"inputs": "z"}, "inputs='z'"),
        ({"form": "soft"}, "form='soft'"),
        ({"after": "none"}, "after='none'"),
        ({"momentum": "heavy"}, "momentum='heavy'"),
        ({"iterations": 0}, "iterations=0"),
        ({"n_images": 1}, "n_images=1"),
        ({"rank": 0}, "rank=0"),
        ({"ridges": ()}, r"ridges=\(\)"),
        ({"ridges": (0.1, -1.0)}, "ridges=-1"),
        ({"sigma": 0.0}, "sigma=0"),
        ({"damping": float("nan")}, "damping=nan"),
        ({"structure": "convolution", "stride": 5}, "stride=5"),
    ],
)
def test_bad_options_are_named(small, options, named):
    with pytest.raises(ValueError, match=named):
        distill_linear(small, progress=False, **options)


def test_unknown_options_are_refused(small):
    with pytest.raises(TypeError, match="steps"):
        distill_linear(small, steps=3)


def test_a_ridge_that_gives_nan_is_not_chosen(small, monkeypatch):
    quick = {**QUICK, "iterations": 1, "ridges": (1e-3, 1e-2, 1e-1), "structure": "diagonal"}
    values = iter([float("nan"), 20.0, 21.0])
    monkeypatch.setattr(Task, "psnr", lambda *_: torch.tensor([next(values)]))
    assert distill_linear(small, **quick).history["ridge"] == [1e-1]
    monkeypatch.setattr(Task, "psnr", lambda *_: torch.tensor([float("nan")]))
    with pytest.raises(ValueError, match=r"ridges=.*expected a finite PSNR"):
        distill_linear(small, **quick)
