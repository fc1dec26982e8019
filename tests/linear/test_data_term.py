"""Learning on the data term alone: steps are least-squares steps, and the null space is left alone."""

import pytest
import torch

from ddgp_lib import State, load_task
from ddgp_lib.analysis import dense_matrix
from ddgp_lib.data import Split
from ddgp_lib.linear import learn_linear
from ddgp_lib.linear.data_term import FITS
from ddgp_lib.linear.states import Trajectory, training_images
from ddgp_lib.operators import null_projection

IMAGES = 30


@pytest.fixture(scope="module")
def faces():
    return load_task("super_resolution", size=16, blur=2.0, rtol=1e-5)


@pytest.fixture(scope="module")
def coils():
    return load_task("mri", size=16, coils=2, center_fraction=0.1)


def start(task, count=IMAGES, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Trajectory.start(task, training_images(task, count, generator), generator)


def data_term(task, now, x):
    """Return Σ_i f_i(x_i) of the images of a trajectory."""
    return 0.5 * (task.student.A(x) - now.y).double().square().sum()


def candidates(task, structure, grad):
    """Return E_j g for every free number of a structure, (J, N, C, H, W)."""
    if structure == "scalar":
        return grad[None]
    if structure == "convolution":
        reach = range(-1, 2)
        return torch.stack([grad.roll((row, column), dims=(2, 3)) for row in reach for column in reach])
    pixels = torch.eye(task.img_size[1] * task.img_size[2] * task.img_size[0]).view(-1, 1, *task.img_size)
    return pixels * grad


@pytest.mark.parametrize("structure", ["scalar", "diagonal", "convolution"])
@pytest.mark.parametrize("name", ["faces", "coils"])
def test_first_step_is_the_least_squares_step(structure, name, request):
    task, epsilon = request.getfixturevalue(name), 1e-3
    P = learn_linear(task, structure, 1, kernel_size=3, n_images=IMAGES, ridge=epsilon)
    now = start(task)
    grad, alpha = now.gradient, task.stepsize
    E = candidates(task, structure, grad)
    seen = torch.stack([task.student.A(part) for part in E]).flatten(1).double() * alpha
    left = (task.student.A(now.z - alpha * grad) - now.y).flatten().double()
    share = 1 / grad[0].numel() if structure == "diagonal" else 1.0
    c = alpha * epsilon * share * float(grad.double().square().sum())
    theta = torch.linalg.solve(seen @ seen.T + c * torch.eye(len(E), dtype=seen.dtype), seen @ left)
    expected = grad + torch.einsum("j,jnchw->nchw", theta.float(), E)
    direction = P(grad, now.state)
    assert (direction - expected).norm() < 1e-3 * expected.norm()
    assert (expected - grad).norm() > 1e-2 * grad.norm()


def test_full_matrix_solves_its_normal_equations(faces):
    epsilon = 1e-3
    P = learn_linear(faces, "full", 1, n_images=IMAGES, ridge=epsilon)
    E = P.weights[0, 0].T.double()
    now = start(faces)
    A = dense_matrix(faces.student, faces.img_size).double()
    M, g = faces.stepsize * A.T @ A, now.gradient.flatten(1).double()
    S = g.T @ g
    c = epsilon * float(S.diagonal().mean())
    left, right = M @ E @ S + c * E, (torch.eye(256, dtype=M.dtype) - M) @ S
    assert (left - right).norm() < 1e-3 * right.norm()


@pytest.mark.parametrize("structure", FITS)
def test_data_term_falls_on_held_out_images(faces, structure):
    P = learn_linear(faces, structure, 5, n_images=100)
    truth = faces.test_images[:20]
    now = Trajectory.start(faces, truth, torch.Generator().manual_seed(9))
    plain = learned = now
    for k in range(5):
        plain = plain.advance(plain.step(plain.gradient, None), lambda k: 0.0)
        learned = learned.advance(learned.step(P(learned.gradient, learned.state), None), lambda k: 0.0)
        if k == 0:
            first = data_term(faces, now, learned.x)
    assert first < 0.5 * data_term(faces, now, now.z)
    assert data_term(faces, now, learned.x) < 0.8 * data_term(faces, now, plain.x)


def test_richer_structures_lower_the_data_term_more(faces):
    now = start(faces)
    left = {}
    for structure in FITS:
        P = learn_linear(faces, structure, 1, n_images=IMAGES, ridge=1e-6)
        left[structure] = data_term(faces, now, now.step(P(now.gradient, now.state), None))
    assert left["full"] < left["convolution"] < left["scalar"]
    assert left["full"] < left["diagonal"] < left["scalar"]


def test_null_space_part_is_not_determined_and_not_added(faces, generator):
    """Whatever a matrix adds in null(A) leaves the data term as it is; the fitted one adds nothing."""
    P = learn_linear(faces, "full", 1, n_images=IMAGES)
    now = start(faces)
    direction = P(now.gradient, now.state)
    assert null_projection(faces.student, direction).norm() < 1e-3 * direction.norm()
    other = torch.randn(256, 256, generator=generator)
    hidden = null_projection(faces.student, (now.gradient.flatten(1) @ other).view_as(direction))
    assert hidden.norm() > direction.norm()
    before, after = (
        data_term(faces, now, now.step(given, None)) for given in (direction, direction + hidden)
    )
    torch.testing.assert_close(after, before, rtol=1e-3, atol=0)


def test_data_term_does_not_tell_what_a_diagonal_hides():
    """With less ridge, held-out data are fitted as well, and what they do not see is far worse."""
    task = load_task("super_resolution", size=32)
    now = Trajectory.start(task, task.test_images[:20], torch.Generator().manual_seed(9))
    left, hidden = [], []
    for ridge in (1e-4, 1e-2):
        P = learn_linear(task, "diagonal", 1, n_images=100, ridge=ridge)
        x = now.step(P(now.gradient, now.state), None)
        left.append(float(data_term(task, now, x)))
        hidden.append(float(null_projection(task.student, x - now.truth).norm()))
    assert left[0] == pytest.approx(left[1], rel=0.05)
    assert hidden[0] > 1.5 * hidden[1]


@pytest.mark.parametrize("structure", FITS)
@pytest.mark.parametrize("sigma", [None, 0.07])
def test_nothing_is_learned_where_rows_are_orthonormal(structure, sigma):
    """With A Aᵀ = I the plain step already fits the data exactly, so P = I is the best of every structure."""
    task = load_task("single_pixel", size=16)
    P = learn_linear(task, structure, 2, n_images=IMAGES, sigma=sigma)
    now = start(task)
    grad = now.gradient + task.student.A_adjoint(task.student.A(now.truth))
    for k in range(2):
        torch.testing.assert_close(P(grad, State(now.z, k, task.student, now.y)), grad, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"structure": "rows"}, "structure='rows'.*full"),
        ({"iterations": 0}, "iterations=0"),
        ({"kernel_size": 4}, "kernel_size=4"),
        ({"kernel_size": 17}, "kernel_size=17"),
        ({"n_images": 0}, "n_images=0"),
        ({"ridge": 0.0}, "ridge=0"),
        ({"sigma": -1.0}, "sigma=-1"),
        ({"momentum": "heavy"}, "momentum='heavy'"),
    ],
)
def test_bad_arguments_are_named(faces, options, named):
    with pytest.raises(ValueError, match=named):
        learn_linear(faces, **options)


def test_matrices_too_large_are_refused():
    grey = Split(*torch.full((3, 1, 2, 128, 128), 0.5))
    with pytest.raises(ValueError, match=r"structure='full'.*32768"):
        learn_linear(load_task("mri", images=grey), "full")


def test_equal_seeds_give_equal_weights(faces):
    options = {"structure": "convolution", "iterations": 2, "n_images": 10}
    first, second, other = (learn_linear(faces, seed=seed, **options).weights for seed in (0, 0, 1))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
