"""Checks for learners: what every one of them does with functions and arguments that are no use."""

import doctest
import importlib
import pickle
import pkgutil
import re

import pytest
import torch
from deepinv.physics import GaussianNoise

import ddgp_lib.checks
from ddgp_lib.checks import (
    CheckFailed,
    check_adjoint,
    check_denoiser,
    check_fixed_point,
    check_linear,
    check_preconditioner,
    check_projector,
    check_stepsize,
)
from ddgp_lib.operators import HadamardCamera
from ddgp_lib.preconditioners import Identity

SHAPE = (2, 1, 8, 8)
IMAGES = torch.rand(SHAPE, generator=torch.Generator().manual_seed(1))


def camera():
    return HadamardCamera(0.25, SHAPE[1:])


CHECKS = {
    "adjoint": lambda f: check_adjoint(camera(), SHAPE, adjoint=f),
    "linear": lambda f: check_linear(f, SHAPE),
    "projector": lambda f: check_projector(f, SHAPE),
    "preconditioner": lambda f: check_preconditioner(lambda g, state: f(g), camera(), SHAPE),
    "fixed_point": lambda f: check_fixed_point(f, IMAGES),
    "denoiser": lambda f: check_denoiser(lambda x, sigma: f(x), IMAGES, 0.1),
}
OF_IMAGES = [name for name in CHECKS if name != "adjoint"]


def stopping(x):
    raise RuntimeError("kernel too large")


def unwritten(x):
    raise NotImplementedError


@pytest.fixture(params=CHECKS)
def check(request):
    return CHECKS[request.param]


@pytest.mark.parametrize(
    ("function", "found", "cause"),
    [
        (lambda x: None, r"returned nothing yet \(None\)", "not written yet"),
        (lambda x: ..., r"returned nothing yet \(Ellipsis\)", "not written yet"),
        (unwritten, "NotImplementedError", "not written yet"),
        (stopping, "RuntimeError: kernel too large", "whose line is in the traceback"),
        (lambda x: 3.0, "returned float", "in the place of the tensor"),
        (lambda x: x > 0, r"returned torch\.bool", "a comparison"),
        (lambda x: x / torch.zeros_like(x), "NaN or infinite", "division by zero"),
        (lambda x: x.mul_(0.5), "changed its input", "in place"),
        (lambda x: (x.add_(1), x.clone())[1], "changed its input", "in place"),
    ],
)
def test_useless_results(check, function, found, cause):
    with pytest.raises(CheckFailed) as failed:
        check(function)
    assert re.search(found, failed.value.found)
    assert cause in failed.value.cause


@pytest.mark.parametrize("name", [name for name in OF_IMAGES if name != "linear"])
@pytest.mark.parametrize(
    ("function", "cause"),
    [
        (lambda x: x[0], "batch dimension is lost"),
        (lambda x: x.sum(), "keep the images apart"),
        (lambda x: x.flatten(1), "another arrangement"),
        (lambda x: x[..., 1:], "a crop, a padding"),
        (lambda x: torch.fft.fft2(x), "take the real part"),
    ],
)
def test_wrong_form(name, function, cause):
    with pytest.raises(CheckFailed, match=cause):
        CHECKS[name](function)


@pytest.mark.parametrize("name", ["preconditioner", "denoiser"])
def test_another_precision(name):
    with pytest.raises(CheckFailed, match="another precision"):
        CHECKS[name](lambda x: x.double())


def test_the_imaginary_part_is_lost():
    with pytest.raises(CheckFailed, match="imaginary part is lost"):
        check_projector(lambda x: x.real, SHAPE, dtype=torch.complex64)


def test_a_failure_has_three_parts_and_survives_pickling():
    with pytest.raises(CheckFailed) as failed:
        check_linear(lambda x: x + 1, SHAPE)
    error = pickle.loads(pickle.dumps(failed.value))
    assert str(error) == str(failed.value)
    assert str(error) == f"Found: {error.found}.\nExpected: {error.expected}.\nLikely cause: {error.cause}."
    assert isinstance(error, AssertionError)


def test_the_error_inside_is_kept():
    with pytest.raises(CheckFailed) as failed:
        check_linear(stopping, SHAPE)
    assert isinstance(failed.value.__cause__, RuntimeError)
    assert "(2, 1, 8, 8) float32" in failed.value.expected


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: check_linear(abs, (2, 0)), "shape="),
        (lambda: check_linear(abs, 8), "shape=8"),
        (lambda: check_linear(abs, ()), r"shape=\(\)"),
        (lambda: check_linear(3, SHAPE), "function=3"),
        (lambda: check_linear(abs, SHAPE, tolerance=0), "tolerance=0"),
        (lambda: check_linear(abs, SHAPE, tolerance="small"), "tolerance='small'"),
        (lambda: check_linear(abs, SHAPE, tolerance=float("nan")), "tolerance=nan"),
        (lambda: check_linear(abs, SHAPE, seed=0.5), r"seed=0\.5"),
        (lambda: check_linear(abs, SHAPE, dtype=torch.int64), r"dtype=torch\.int64"),
        (lambda: check_adjoint(abs, SHAPE), "adjoint=None"),
        (lambda: check_adjoint(abs, SHAPE, adjoint=3), "adjoint=3"),
        (lambda: check_projector(abs, SHAPE, onto="both"), "onto='both'"),
        (lambda: check_projector(abs, SHAPE, physics=abs), "physics="),
        (lambda: check_stepsize("1", camera(), SHAPE), "stepsize='1'"),
        (lambda: check_stepsize(1.0, abs, SHAPE), "physics="),
        (lambda: check_stepsize(1.0, camera(), SHAPE, at_least=3), "at_least=3"),
        (lambda: check_stepsize(1.0, camera(), SHAPE, iterations=1), "iterations=1"),
        (lambda: check_preconditioner(None, camera(), SHAPE), "preconditioner=None"),
        (lambda: check_fixed_point(abs, 1.0), r"x=1\.0"),
        (lambda: check_fixed_point(abs, torch.tensor([1])), r"x\.dtype"),
        (lambda: check_denoiser(abs, IMAGES[0], 0.1), r"images\.shape"),
        (lambda: check_denoiser(abs, IMAGES * float("nan"), 0.1), "images="),
        (lambda: check_denoiser(abs, IMAGES, -1), "sigma=-1"),
        (lambda: check_denoiser(abs, IMAGES, 0.1, gain="1"), "gain='1'"),
    ],
)
def test_bad_arguments_are_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()


def test_an_ellipsis_in_the_place_of_a_function_is_unfinished():
    for call in (
        lambda: check_linear(..., SHAPE),
        lambda: check_stepsize(..., camera(), SHAPE),
        lambda: check_stepsize(None, camera(), SHAPE),
        lambda: check_preconditioner(..., camera(), SHAPE),
    ):
        with pytest.raises(CheckFailed, match="nothing yet"):
            call()


def test_only_their_own_generator_is_used():
    before = torch.get_rng_state()
    noisy = HadamardCamera(0.25, SHAPE[1:], noise=0.1)
    noisy.set_noise_model(GaussianNoise(0.1))
    check_adjoint(noisy, SHAPE)
    check_projector(noisy.range_projection, SHAPE, physics=noisy)
    check_stepsize(1.0, noisy, SHAPE)
    check_preconditioner(Identity(), noisy, SHAPE)
    assert torch.equal(before, torch.get_rng_state())


def test_a_seed_decides_the_number():
    first, again, other = (check_adjoint(camera(), SHAPE, seed=seed) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("name", [m.name for m in pkgutil.iter_modules(ddgp_lib.checks.__path__)])
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(f"ddgp_lib.checks.{name}")).failed == 0
