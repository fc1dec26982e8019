"""Checks of operators: they pass on ours and deepinv's, and name the mistakes that are planted."""

import re
from functools import cache

import pytest
import torch
from deepinv.physics import (
    MRI,
    Blur,
    BlurFFT,
    CompressedSensing,
    Decolorize,
    Denoising,
    Downsampling,
    GaussianNoise,
    Inpainting,
    MultiCoilMRI,
    Tomography,
    Upsampling,
    stack,
)
from torch.nn import functional

import ddgp_lib
from ddgp_lib.checks import CheckFailed, check_adjoint, check_linear, check_projector
from ddgp_lib.operators import (
    CartesianMRI,
    FourierDownsampling,
    HadamardCamera,
    MultiCoilCartesianMRI,
    null_projection,
    range_projection,
)

S = (2, 1, 16, 16)
C = (2, 2, 16, 16)
KERNEL = torch.rand(1, 1, 5, 5, generator=torch.Generator().manual_seed(0))
MASK = (torch.rand(16, 16, generator=torch.Generator().manual_seed(0)) > 0.5).float()


def maps(coils=3):
    return torch.randn(1, coils, 16, 16, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))


@cache
def load(name, **options):
    """Load a task, once for all tests here: they change nothing in it."""
    return ddgp_lib.load_task(name, **options)


def sensing(m=60, dtype=torch.float32):
    return CompressedSensing(m, S[1:], dtype=dtype, rng=torch.Generator().manual_seed(0))


def inpainting(seed=0):
    return Inpainting(S[1:], mask=0.5, rng=torch.Generator().manual_seed(seed))


CLOSED = {
    "single_pixel": lambda: (load("single_pixel", size=16).student, S),
    "mri": lambda: (load("mri", size=16).student, C),
    "multicoil": lambda: (load("mri", size=16, coils=4).student, C),
    "super_resolution": lambda: (load("super_resolution", size=32).student, (2, 1, 32, 32)),
    "teacher": lambda: (load("super_resolution", size=32).teacher, (2, 1, 32, 32)),
    "bicubic": lambda: (FourierDownsampling(2, S[1:], "bicubic"), S),
    "MultiCoilCartesianMRI": lambda: (MultiCoilCartesianMRI(3.0, C[1:], 4), C),
    "CartesianMRI-odd": lambda: (CartesianMRI(3.0, (2, 10, 15)), (2, 2, 10, 15)),
    "Denoising": lambda: (Denoising(), S),
    "Inpainting": lambda: (inpainting(), S),
    "BlurFFT": lambda: (BlurFFT(S[1:], filter=KERNEL), S),
    "Decolorize": lambda: (Decolorize(), (2, 3, 8, 8)),
    "MRI": lambda: (MRI(mask=MASK, img_size=C[1:]), C),
    "CompressedSensing": lambda: (sensing(), S),
    "Downsampling": lambda: (Downsampling(S[1:], filter=None, factor=2), S),
    "stack": lambda: (stack(Denoising(), Downsampling(S[1:], filter=None, factor=2)), S),
    "double": lambda: (sensing(dtype=torch.float64), S),
    "complex": lambda: (sensing(dtype=torch.complex64), S),
}
ITERATIVE = {
    "Blur": lambda: (Blur(filter=KERNEL, padding="valid"), S),
    "Blur-reflect": lambda: (Blur(filter=KERNEL, padding="reflect"), S),
    "Downsampling-bicubic": lambda: (Downsampling(S[1:], filter="bicubic", factor=2, padding="circular"), S),
    "Upsampling": lambda: (
        Upsampling((1, 16, 16), factor=2, filter="bilinear", padding="circular"),
        (1, 1, 8, 8),
    ),
    "MultiCoilMRI": lambda: (MultiCoilMRI(mask=MASK, coil_maps=maps(), img_size=C[1:]), C),
    "Tomography": lambda: (Tomography(8, 16, normalize=True), S),
}


@pytest.fixture(params=CLOSED)
def closed(request):
    physics, shape = CLOSED[request.param]()
    return physics, shape, {"dtype": torch.complex64} if request.param == "complex" else {}


@pytest.fixture(params=CLOSED | ITERATIVE)
def case(request):
    physics, shape = (CLOSED | ITERATIVE)[request.param]()
    return physics, shape, {"dtype": torch.complex64} if request.param == "complex" else {}


def failure(check, *args, **options):
    with pytest.raises(CheckFailed) as failed:
        check(*args, **options)
    return failed.value


# --- check_adjoint and check_linear


def test_adjoint_and_linearity_of_operators(case):
    physics, shape, options = case
    assert check_adjoint(physics, shape, **options) < 1e-5
    assert check_linear(physics.A, shape, **options) < 1e-5


def test_the_operators_number_format_is_used():
    assert check_adjoint(sensing(dtype=torch.float64), S) < 1e-12


def test_the_returned_number_is_the_relative_frobenius_distance():
    A = torch.randn(30, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    wrong = A + 1e-2 * torch.randn(30, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    options = {"adjoint": lambda y: y @ wrong, "tolerance": 0.5, "dtype": torch.float64}
    found = [check_adjoint(lambda x: x @ A.T, (50, 40), seed=seed, **options) for seed in range(20)]
    assert sum(found) / 20 == pytest.approx(((A - wrong).norm() / A.norm()).item(), rel=0.2)


def test_an_operator_made_from_the_same_seed():
    physics = sensing()  # its first rows are the first numbers of a generator with seed 0
    failed = failure(check_projector, torch.zeros_like, S, physics=physics, onto="null", seed=0)
    assert "returns zero" in failed.cause


def turned(channels, factor=0.6 + 0.8j):
    """Multiply complex images of two channels by a complex number."""
    turned = torch.view_as_complex(channels.movedim(1, -1).contiguous()) * factor
    return torch.view_as_real(turned).movedim(-1, 1)


def valid(x):
    return functional.conv2d(x, KERNEL)


def full(y, kernel):
    return functional.conv2d(y, kernel, padding=4)


def circular(x, kernel):
    return functional.conv2d(functional.pad(x, (2, 2, 2, 2), mode="circular"), kernel)


COMPLEX = torch.polar(torch.rand(16, 16), 6 * torch.rand(16, 16, generator=torch.Generator().manual_seed(0)))
WRONG_ADJOINTS = {
    "sign": (inpainting(), S, lambda y: -inpainting().A_adjoint(y), "the sign of A_adjoint is flipped"),
    "factor": (
        sensing(),
        S,
        lambda y: 0.25 * sensing().A_adjoint(y),
        r"A_adjoint is 0\.25 times the adjoint",
    ),
    "weight": (Denoising(), S, lambda y: 1.02 * y, r"A_adjoint is 1\.02 times"),
    "zero": (sensing(), S, lambda y: 0 * sensing().A_adjoint(y), "A_adjoint returns zero"),
    "pseudo-inverse": (sensing(), S, lambda y: sensing().A_dagger(y), "such as the pseudo-inverse.*by them$"),
    "mean of pixels": (
        lambda x: functional.avg_pool2d(x, 2),
        S,
        lambda y: functional.interpolate(y, scale_factor=2),
        "such as the pseudo-inverse.*here it is 4 times the adjoint",
    ),
    "mask": (inpainting(), S, lambda y: y, "apply the mask in the adjoint too"),
    "mri mask": (
        MRI(mask=MASK, img_size=C[1:]),
        C,
        MRI(img_size=C[1:]).A_adjoint,
        "apply the mask in the adjoint",
    ),
    "two channels": (turned, C, turned, "the complex conjugate is missing"),
    "valid convolution": (valid, S, lambda y: full(y, KERNEL), "the kernel is not flipped"),
    "circular": (
        lambda x: circular(x, KERNEL),
        S,
        lambda y: circular(y, KERNEL),
        "the kernel is not flipped",
    ),
    "deepinv blur": (
        Blur(filter=KERNEL, padding="circular"),
        S,
        Blur(filter=KERNEL, padding="circular").A,
        "the kernel is not flipped",
    ),
    "clamped": (Denoising(), S, lambda y: y.clamp(0, 1), "A_adjoint is not linear: .*clamping to a range"),
    "order": (lambda x: x[..., :8].flip(-1), S, lambda y: functional.pad(y, (0, 8)), "transpose each step"),
    "crop": (lambda x: x[..., 4:], S, lambda y: functional.pad(y, (0, 4)), "put back at the other end"),
}


@pytest.mark.parametrize("name", WRONG_ADJOINTS)
def test_wrong_adjoints_are_told_apart(name):
    physics, shape, adjoint, cause = WRONG_ADJOINTS[name]
    failed = failure(check_adjoint, physics, shape, adjoint=adjoint)
    assert re.search(cause, failed.cause), failed.cause
    assert "differ by" in failed.found


def test_conjugate_of_complex_tensors():
    def A(x):  # noqa: N802
        return COMPLEX * x

    assert check_adjoint(A, S, adjoint=lambda y: COMPLEX.conj() * y, dtype=torch.complex64) < 1e-6
    failed = failure(check_adjoint, A, S, adjoint=A, dtype=torch.complex64)
    assert "complex conjugate is missing" in failed.cause


def test_fourier_transform_of_real_images():
    def A(x):  # noqa: N802
        return MASK * torch.fft.fft2(x, norm="ortho")

    assert check_adjoint(A, S, adjoint=lambda y: torch.fft.ifft2(MASK * y, norm="ortho").real) < 1e-6
    no_part = failure(check_adjoint, A, S, adjoint=lambda y: torch.fft.ifft2(MASK * y, norm="ortho"))
    assert "take the real part" in no_part.cause
    forward = failure(check_adjoint, A, S, adjoint=lambda y: torch.fft.fft2(MASK * y, norm="ortho").real)
    assert "complex conjugate is missing" in forward.cause
    unscaled = failure(check_adjoint, A, S, adjoint=lambda y: torch.fft.ifft2(MASK * y).real)
    assert "0.0625 times the adjoint" in unscaled.cause
    assert 'norm="ortho"' in unscaled.cause


def test_an_operator_that_adds_noise():
    noisy = HadamardCamera(0.25, S[1:], noise=0.1)
    failed = failure(check_adjoint, lambda x: noisy(x), S, adjoint=noisy.A_adjoint)
    assert "A is not linear: it adds noise: call physics.A, not physics(x)" in failed.cause
    assert check_adjoint(noisy, S) < 1e-6


def test_an_operator_that_is_not_written():
    assert "zero for five" in failure(check_adjoint, torch.zeros_like, S, adjoint=torch.zeros_like).found


@pytest.mark.parametrize(
    ("function", "found", "cause"),
    [
        (GaussianNoise(0.1), "two calls", "call physics.A, not physics(x)"),
        (torch.nn.Dropout(0.5), "two calls", "training mode"),
        (lambda x: 2 * x + 1, "f(0)", "a constant is added"),
        (torch.square, "f(2u)", "depends on the size"),
        (lambda x: x.clamp(0, 1), "f(2u)", "clamping to a range"),
        (lambda x: x / x.norm(), "f(2u)", "a division by a norm"),
        (torch.relu, "f(−u)", "a ReLU"),
        (torch.abs, "f(−u)", "an absolute value"),
        (lambda x: x[..., 1:].median(-1).values, "f(u + v)", "a median"),
    ],
)
def test_nonlinear_functions_are_told_apart(function, found, cause):
    failed = failure(check_linear, function, S)
    assert found in failed.found
    assert cause in failed.cause


def test_linear_over_the_real_numbers_alone():
    failed = failure(check_linear, lambda x: x.conj().resolve_conj(), S, dtype=torch.complex64)
    assert "over the real numbers alone" in failed.cause
    assert check_linear(lambda x: 1j * x, S, dtype=torch.complex64) < 1e-6
    assert check_linear(lambda x: x.real, S, dtype=torch.complex64) < 1e-6


# --- check_projector


def test_the_projections_of_operators(closed):
    physics, shape, options = closed
    options |= {"physics": physics}
    for onto, project in (("range", range_projection), ("null", null_projection)):
        assert check_projector(lambda x, p=project: p(physics, x), shape, onto=onto, **options) < 1e-4


def test_a_projection_by_singular_vectors():
    physics = sensing()
    rows = torch.linalg.svd(physics._A, full_matrices=False).Vh

    def P(x):  # noqa: N802
        return (x.flatten(1) @ rows.T @ rows).view_as(x)

    check_projector(P, S, physics=physics)
    check_projector(lambda x: x - P(x), S, physics=physics, onto="null")


def test_another_threshold_on_weak_modes_is_accepted():
    strict, loose = (FourierDownsampling(4, (1, 32, 32), std=4.0, rtol=rtol) for rtol in (1e-5, 0.03))
    shape = (2, 1, 32, 32)
    check_projector(strict.range_projection, shape, physics=loose)
    check_projector(loose.range_projection, shape, physics=loose)
    failed = failure(check_projector, loose.range_projection, shape, physics=strict)
    assert "below a threshold" in failed.cause
    check_projector(loose.range_projection, shape, physics=strict, tolerance=0.05)


def gram(x):
    return sensing().A_adjoint(sensing().A(x))


def damped(x):
    A = sensing()._A
    inverse = torch.linalg.inv(A @ A.T + 0.1 * torch.eye(60))
    return (x.flatten(1) @ A.T @ inverse @ A).view_as(x)


def oblique(x):
    """Project onto the range of Aᵀ along another space: a weighted pseudo-inverse."""
    A, weights = sensing()._A, torch.linspace(1, 3, 256)
    inverse = torch.linalg.inv((A * weights) @ A.T)
    return (x.flatten(1) @ A.T @ inverse.T @ (A * weights)).view_as(x)


def consistent(x):
    y = sensing().A(torch.ones(1, *S[1:]))
    return x - sensing().A_dagger(sensing().A(x) - y)


def shuffled(x):
    return x + 0.1 * torch.randn_like(x)


def seen(x):
    return range_projection(sensing(), x)


def unseen(x):
    return null_projection(sensing(), x)


@pytest.mark.parametrize(
    ("projector", "onto", "cause"),
    [
        (unseen, "range", "onto the null space of A, the other one"),
        (seen, "null", "onto the range of Aᵀ, the other one"),
        (gram, "range", "AᵀA stands where A⁺A is meant"),
        (lambda x: x - gram(x), "null", "AᵀA stands where A⁺A is meant"),
        (lambda x: gram(x) / 9, "range", "here 0.1111, does not change that"),
        (lambda x: 2 * seen(x), "range", "P is 2 times a projection"),
        (lambda x: x - seen(x) / 4, "null", "I − P is 0.25 times a projection"),
        (damped, "range", "the inverse is damped"),
        (oblique, "range", "the projection is oblique"),
        (lambda x: x - oblique(x), "null", "the projection is oblique"),
        (consistent, "range", "images that fit some data"),
        (shuffled, "range", "adds noise"),
        (lambda x: x.clamp(min=0), "range", "not linear"),
        (lambda x: x**3, "range", "not linear"),
        (lambda x: x.roll(1, -1), "range", "applying P twice"),
        (lambda x: x, "range", "returns its input: what A does not see has to be taken away"),
        (lambda x: x, "null", "returns its input: what A sees has to be taken away"),
        (torch.zeros_like, "null", "returns zero: what A does not see has to be kept"),
        (torch.zeros_like, "range", "returns zero: what A sees has to be kept"),
        (lambda x: range_projection(inpainting(), x), "range", "belongs to another operator"),
    ],
)
def test_wrong_projections_are_told_apart(projector, onto, cause):
    failed = failure(check_projector, projector, S, physics=sensing(), onto=onto)
    assert cause in failed.cause


def test_a_part_of_the_space_is_not_the_space():
    physics = inpainting()
    left = torch.arange(16) < 8
    failed = failure(
        check_projector, lambda x: left * null_projection(physics, x), S, physics=physics, onto="null"
    )
    assert "a part of the space alone" in failed.cause
    assert "in the null space of A" in failed.found


def test_an_operator_is_not_believed_blindly():
    class Own(CompressedSensing):
        def range_projection(self, x):
            return x  # wrong, and what is checked

    camera = HadamardCamera(0.25, S[1:])
    camera.range_projection = lambda x: x
    for physics in (Own(60, S[1:]), camera):
        failed = failure(check_projector, physics.range_projection, S, physics=physics)
        assert "returns its input" in failed.cause


def test_without_an_operator_the_two_properties_are_checked():
    assert check_projector(lambda x: x, S) == 0
    assert check_projector(torch.zeros_like, S, onto="null") == 0
    assert "3 times a projection" in failure(check_projector, lambda x: 3 * x, S).cause


def test_an_iterative_inverse_is_named():
    physics = Blur(filter=KERNEL, padding="valid")
    failed = failure(check_projector, lambda x: physics.A_dagger(physics.A(x)), S, physics=physics)
    assert "an iterative solver stopped early" in failed.cause
    assert "returns its input" in failure(check_projector, lambda x: x, S, physics=physics).cause
    assert "returns zero" in failure(check_projector, torch.zeros_like, S, physics=physics, onto="null").cause
