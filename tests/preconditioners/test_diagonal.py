"""Preconditioners by hand: what all share, their diagonals against dense matrices, and what they gain."""

from collections.abc import Callable

import pytest
import torch
from deepinv.physics import Blur, BlurFFT, Inpainting, LinearPhysics

from ddgp_lib import PreconditionedFISTA, State
from ddgp_lib.operators import (
    CartesianMRI,
    FourierDownsampling,
    HadamardCamera,
    MultiCoilCartesianMRI,
    gradient,
    newton,
    normal,
    norms,
    squared_norm,
)
from ddgp_lib.preconditioners import Identity, Newton
from ddgp_lib.preconditioners.classical import Scalar
from ddgp_lib.preconditioners.diagonal import Circulant, Jacobi
from ddgp_lib.preconditioners.polynomial import Polynomial
from ddgp_lib.preconditioners.probing import circulant_spectrum, normal_diagonal

GREY, COMPLEX = (1, 16, 16), (2, 16, 16)
LAM = 1e-2


def signs(rows: int = 205, weights: torch.Tensor | float = 1.0) -> LinearPhysics:
    """Make a single-pixel camera with random patterns of ±1, times a weight of each pixel."""
    generator = torch.Generator().manual_seed(3)
    matrix = (2.0 * torch.randint(2, (rows, 256), generator=generator) - 1) / 16 * weights
    return LinearPhysics(
        A=lambda x: x.flatten(1) @ matrix.T, A_adjoint=lambda y: (y @ matrix).reshape(-1, *GREY)
    )


def blur() -> BlurFFT:
    """Make a periodic convolution with a kernel that is not symmetric."""
    kernel = torch.rand(1, 1, 3, 5, generator=torch.Generator().manual_seed(0))
    return BlurFFT(img_size=GREY, filter=kernel / kernel.sum())


OPERATORS: dict[str, Callable[[], tuple[LinearPhysics, tuple[int, int, int]]]] = {
    "camera": lambda: (HadamardCamera(0.2, GREY), GREY),
    "mri": lambda: (CartesianMRI(4, COMPLEX, center_fraction=0.1), COMPLEX),
    "coils": lambda: (MultiCoilCartesianMRI(4, COMPLEX, coils=4), COMPLEX),
    "downsampling": lambda: (FourierDownsampling(4, GREY, std=2.0), GREY),
    "signs": lambda: (signs(), GREY),
    "blur": lambda: (blur(), GREY),
    "edges": lambda: (Blur(torch.ones(1, 1, 5, 5) / 25, padding="constant"), GREY),
}
KINDS: dict[str, Callable] = {
    "scalar": lambda physics, shape: Scalar(1.5),
    "newton": lambda physics, shape: Newton(0.1),
    "jacobi": Jacobi.of,
    "circulant": Circulant.of,
    "polynomial": lambda physics, shape: Polynomial.of("l2", 3),
}


@pytest.fixture(params=OPERATORS)
def operator(request):
    return OPERATORS[request.param]()


def dense(apply, shape) -> torch.Tensor:
    """Write a linear map of images as a matrix in double precision."""
    n = torch.Size(shape).numel()
    return apply(torch.eye(n).reshape(n, *shape)).flatten(1).double().T


def at(physics, grad) -> State:
    return State(torch.zeros_like(grad), 0, physics, None)


@pytest.mark.parametrize("kind", KINDS)
def test_keeps_shape_and_type_and_is_linear_symmetric_and_positive(operator, kind, generator):
    physics, shape = operator
    P = KINDS[kind](physics, shape)
    g, h = torch.randn(2, 2, *shape, generator=generator)
    direction = P(g, at(physics, g))
    assert direction.shape == g.shape
    assert direction.dtype == g.dtype
    close = {"rtol": 1e-3, "atol": 1e-3 * float(direction.abs().max())}
    torch.testing.assert_close(P(2 * g + h, at(physics, g)), 2 * direction + P(h, at(physics, g)), **close)
    matrix = dense(lambda images: P(images, at(physics, images)), shape)
    assert (matrix - matrix.T).norm() < 1e-4 * matrix.norm()
    assert torch.linalg.eigvalsh((matrix + matrix.T) / 2)[0] > 0


@pytest.mark.parametrize("kind", ["jacobi", "circulant", "newton", "polynomial"])
def test_is_stable_with_the_plain_step(operator, kind):
    """All eigenvalues of P AᵀA/‖A‖² are below 2, and at most 1 for what is scaled down."""
    physics, shape = operator
    P = KINDS[kind](physics, shape)
    M = dense(lambda images: normal(physics, images), shape) / squared_norm(physics, shape)
    values, vectors = torch.linalg.eigh((M + M.T) / 2)
    root = vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T
    similar = root @ dense(lambda images: P(images, at(physics, images)), shape) @ root
    largest = float(torch.linalg.eigvalsh((similar + similar.T) / 2)[-1])
    assert largest < (1.01 if kind != "polynomial" else 2)


@pytest.mark.parametrize("kind", ["newton", "polynomial"])
@pytest.mark.parametrize("name", ["camera", "mri"])
def test_is_a_scalar_on_the_range_where_the_rows_are_orthonormal(name, kind, generator):
    physics, shape = OPERATORS[name]()
    P = KINDS[kind](physics, shape)
    grad = normal(physics, torch.randn(3, *shape, generator=generator))
    direction = P(grad, at(physics, grad))
    scale = float((direction * grad).sum() / grad.square().sum())
    torch.testing.assert_close(direction, Scalar(scale)(grad, at(physics, grad)), rtol=1e-4, atol=1e-4)


def test_jacobi_has_the_dense_diagonal(operator):
    physics, shape = operator
    diagonal = dense(lambda images: normal(physics, images), shape).diagonal()
    found = normal_diagonal(physics, shape)
    assert found.shape == shape
    torch.testing.assert_close(found.flatten().double(), diagonal, rtol=1e-4, atol=1e-6)
    relative = diagonal / squared_norm(physics, shape)
    gains = Jacobi.of(physics, shape, LAM).gains.flatten()
    shares = gains * (relative + LAM)  # the constant c
    torch.testing.assert_close(shares, shares.mean().expand_as(shares), rtol=1e-3, atol=0)


def test_jacobi_with_the_same_for_all_pixels_is_nearly_the_identity(generator):
    for name in ("camera", "mri", "blur"):
        physics, shape = OPERATORS[name]()
        grad = torch.randn(1, *shape, generator=generator)
        direction = Jacobi.of(physics, shape, 1e-4)(grad, at(physics, grad))
        torch.testing.assert_close(direction, grad, rtol=2e-2, atol=0)


def test_jacobi_is_newton_where_pixels_are_measured_alone(generator):
    physics = Inpainting(GREY, mask=torch.rand(1, 16, 16, generator=generator))
    grad = torch.randn(2, *GREY, generator=generator)
    direction = Jacobi.of(physics, GREY, LAM)(grad, at(physics, grad))
    torch.testing.assert_close(direction, newton(physics, grad, LAM), rtol=1e-4, atol=1e-4)


def test_circulant_has_the_diagonal_in_the_fourier_basis(operator):
    physics, shape = operator
    complex_valued = shape == COMPLEX
    M = dense(lambda images: normal(physics, images), shape)
    if complex_valued:
        half = len(M) // 2
        M = torch.complex(M[:half, :half], M[half:, :half])
    pixels = torch.eye(len(M), dtype=torch.complex128).reshape(-1, *shape[1:])
    F = torch.fft.fft2(pixels, norm="ortho").flatten(1)  # symmetric
    expected = (F @ M.to(F) @ F.conj()).diagonal().real
    found = circulant_spectrum(physics, shape, complex_valued=complex_valued)
    torch.testing.assert_close(found.flatten().double(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["blur", "mri"])
def test_circulant_is_newton_on_a_periodic_convolution(name, generator):
    physics, shape = OPERATORS[name]()
    grad = torch.randn(2, *shape, generator=generator)
    direction = Circulant.of(physics, shape, LAM)(grad, at(physics, grad))
    torch.testing.assert_close(direction, newton(physics, grad, LAM), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("physics", [signs(), FourierDownsampling(2, GREY, std=1.0)])
def test_estimates_approach_the_diagonals(physics):
    for exact in (normal_diagonal, circulant_spectrum):
        truth = exact(physics, GREY)
        errors = [
            exact(physics, GREY, probes=probes, generator=torch.Generator().manual_seed(0)) - truth
            for probes in (16, 1600)
        ]
        assert errors[1].norm() < 0.2 * errors[0].norm()
        assert errors[1].norm() < 0.1 * truth.norm()


def test_estimates_follow_the_generator():
    physics = signs()

    def estimate(seed):
        generator = torch.Generator().manual_seed(seed)
        return Circulant.of(physics, GREY, probes=5, generator=generator).gains

    before = torch.get_rng_state()
    assert torch.equal(estimate(0), estimate(0))
    assert not torch.equal(estimate(0), estimate(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_travel_with_the_module(generator):
    first = Jacobi(torch.rand(GREY, generator=generator), LAM)
    second = Jacobi(torch.ones(GREY), LAM)
    second.load_state_dict(first.state_dict())
    grad = torch.randn(1, *GREY, generator=generator)
    assert torch.equal(second(grad, at(None, grad)), first(grad, at(None, grad)))


class Counting(LinearPhysics):
    """An operator that counts its products with AᵀA."""

    def __init__(self, physics, shape):
        super().__init__()
        self.physics, self.squared_norm, self.count = physics, squared_norm(physics, shape), 0
        if hasattr(physics, "newton"):
            self.newton = physics.newton

    def A_adjoint_A(self, x):  # noqa: N802 (deepinv's name)
        self.count += 1
        return normal(self.physics, x)


def descend(P, operator, y, iterations=200, target=-1.0):
    """Descend on the data term from zero until all misfits are at most ``target``; return misfits and count."""
    physics, shape = operator
    counting, adjoint = Counting(physics, shape), physics.A_adjoint(y)
    z = torch.zeros_like(adjoint)
    for k in range(iterations):
        if (norms(physics.A(z) - y) <= target).all():
            break
        direction = P(gradient(counting, z, adjoint), State(z, k, counting, y))
        z = z - direction / counting.squared_norm
    return norms(physics.A(z) - y), counting.count


REAL_SPECTRA = {
    "coils": OPERATORS["coils"],
    "signs": OPERATORS["signs"],
    "enlarging": lambda: (FourierDownsampling(4, (1, 32, 32), std=4.0), (1, 32, 32)),
    "weighted": lambda: (signs(weights=10.0 ** -torch.linspace(0, 1, 256)), GREY),
}
GAINS = [
    *[(name, lambda *_: Polynomial.of("l2", 4)) for name in REAL_SPECTRA],
    *[(name, lambda *_: Polynomial.of("chebyshev", 6, lower=0.03)) for name in REAL_SPECTRA],
    (
        "coils",
        lambda *_: Newton(1e-3),
    ),  # in closed form, which the wrapper passes on: nothing of it is counted
    ("enlarging", lambda *_: Newton(0.1)),
    ("enlarging", lambda physics, shape: Circulant.of(physics, shape, 0.1)),
    ("weighted", lambda physics, shape: Jacobi.of(physics, shape, LAM)),
]


@pytest.mark.parametrize(("name", "make"), GAINS)
def test_takes_a_third_of_the_products_of_gradient_descent(name, make, generator):
    """The misfit of 200 plain steps is reached with at most 66 products with AᵀA, those inside of P counted."""
    operator = REAL_SPECTRA[name]()
    y = operator[0].A(torch.rand(2, *operator[1], generator=generator))
    target, plain = descend(Identity(), operator, y)
    assert plain == 200
    misfits, products = descend(make(*operator), operator, y, target=target)
    assert (misfits <= target).all()
    assert products <= plain / 3


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("coils", lambda *_: Polynomial.of("ifista", 4)),
        ("signs", lambda *_: Polynomial.of("ifista", 4)),
        ("signs", Jacobi.of),
        ("signs", Circulant.of),
        ("coils", Jacobi.of),
    ],
)
def test_gains_nothing_where_there_is_no_structure_to_use(name, make, generator):
    """Gradient steps in one remain as many; random patterns look alike to each pixel and each frequency."""
    operator = REAL_SPECTRA[name]()
    y = operator[0].A(torch.rand(2, *operator[1], generator=generator))
    target, plain = descend(Identity(), operator, y)
    _, products = descend(make(*operator), operator, y, target=target, iterations=300)
    assert products == pytest.approx(plain, rel=0.05)


def test_runs_in_the_solver(task):
    y = task.measure(task.test_images[:2])
    options = {"stepsize": task.stepsize, "sigma": task.sigma, "max_iter": 3}
    plain = PreconditionedFISTA(task.denoiser, **options)(y, task.student)
    for P in (Scalar(1.0), Jacobi.of(task.student, task.img_size, 1e-6)):
        found = PreconditionedFISTA(task.denoiser, P, **options)(y, task.student)
        torch.testing.assert_close(found, plain, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: Scalar(0), "scale=0"),
        (lambda: Scalar(float("inf")), "scale=inf"),
        (lambda: Jacobi(torch.ones(GREY), 0), "damping=0"),
        (lambda: Jacobi(torch.ones(16, 16), LAM), "diagonal"),
        (lambda: Jacobi(-torch.ones(GREY), LAM), "diagonal"),
        (lambda: Circulant(torch.ones(GREY), LAM, scale=-1), "scale=-1"),
        (lambda: Jacobi.of(blur(), GREY, -1.0), "damping"),
        (lambda: Circulant.of(blur(), GREY, float("nan")), "damping=nan"),
        (lambda: Jacobi.of(blur(), GREY, probes=3), "generator=None"),
        (lambda: Circulant.of(blur(), GREY, generator=torch.Generator()), "generator"),
        (lambda: Jacobi.of(blur(), GREY, probes=0, generator=torch.Generator()), "probes=0"),
    ],
)
def test_bad_arguments_are_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
