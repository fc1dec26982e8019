"""Laws of operators, preconditioners, solvers, recipes and files, on examples that hypothesis draws."""

import json
import string
from dataclasses import asdict

import numpy as np
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import ddgp_lib
from ddgp_lib import DistillationRecipe, State
from ddgp_lib.checkpoints import load_checkpoint, save_checkpoint
from ddgp_lib.data import split_groups
from ddgp_lib.files import read_npz, read_results, write_npz, write_results
from ddgp_lib.operators import (
    ORDERINGS,
    CartesianMRI,
    FourierDownsampling,
    HadamardCamera,
    MultiCoilCartesianMRI,
    gradient,
    newton,
    norms,
    null_projection,
    range_projection,
    squared_norm,
)
from ddgp_lib.recipes import LinearRecipe, build_preconditioner
from tests.fuzz.cases import recipes
from tests.fuzz.examples import camera, solver
from tests.operators_of_deepinv import OPERATORS

SEEDS = st.integers(0, 2**31)
WORDS = st.text(string.ascii_lowercase, min_size=1, max_size=8)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def random(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@st.composite
def operators(draw):
    """Draw an operator and the size (C, H, W) of its images."""
    kind = draw(st.sampled_from(["hadamard", "mri", "coils", "downsampling", *OPERATORS]))
    seed = draw(st.integers(0, 99))
    height, width = (draw(st.integers(3, 12)) * 2 for _ in range(2))
    if kind == "hadamard":
        size = (1, 16, 16)
        return HadamardCamera(draw(st.floats(0.05, 1)), size, draw(st.sampled_from(sorted(ORDERINGS)))), size
    if kind == "mri":
        return CartesianMRI(draw(st.floats(1, 4)), (2, height, width), mask_seed=seed), (2, height, width)
    if kind == "coils":
        coils = draw(st.integers(1, 4))
        return MultiCoilCartesianMRI(2, (2, height, width), coils=coils, mask_seed=seed), (2, height, width)
    if kind == "downsampling":
        factor = draw(st.sampled_from([2, 4]))
        size = (draw(st.sampled_from([1, 3])), factor * height, factor * width)
        return FourierDownsampling(factor, size, std=draw(st.floats(0.5, 3))), size
    return OPERATORS[kind]()


def inner(x, y) -> float:
    return sum(float((a.conj() * b).real.double().sum()) for a, b in zip(parts(x), parts(y), strict=True))


def parts(x) -> list[torch.Tensor]:
    return [x] if isinstance(x, torch.Tensor) else list(x)


@given(operators(), SEEDS)
def test_the_adjoint_is_one(drawn, seed):
    physics, size = drawn
    x, y = random(2, *size, seed=seed), physics.A(random(2, *size, seed=seed + 1))
    left, right = inner(physics.A(x), y), inner(x, physics.A_adjoint(y))
    assert abs(left - right) <= 1e-4 * (inner(physics.A(x), physics.A(x)) * inner(y, y)) ** 0.5


@given(operators(), SEEDS)
def test_projections_are_idempotent_and_complete_each_other(drawn, seed):
    physics, size = drawn
    x = random(2, *size, seed=seed)
    seen, unseen = range_projection(physics, x), null_projection(physics, x)
    assert (norms(seen + unseen - x) <= 1e-6 * norms(x)).all()
    exact, top = hasattr(physics, "range_projection"), squared_norm(physics, size) ** 0.5
    for left in (range_projection(physics, seen) - seen, null_projection(physics, seen)):
        assert (norms(physics.A(left)) <= 1e-3 * top * norms(x)).all()
        assert not exact or (norms(left) <= 1e-5 * norms(x)).all()


@given(operators(), SEEDS, st.floats(1e-2, 1))
def test_newton_solves_its_equation(drawn, seed, damping):
    physics, size = drawn
    x = random(1, *size, seed=seed)
    step = newton(physics, x, damping)
    left = physics.A_adjoint(physics.A(step)) / squared_norm(physics, size) + damping * step
    assert (norms(left - x) <= 1e-3 * norms(x)).all()


def untrained(fields, **others):
    """Build an untrained preconditioner whose last layer is not zero, as it would be at the start of a training."""
    recipe = DistillationRecipe(**{**fields, **others})
    P = build_preconditioner(recipe, 1, (1, 16, 16)).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(recipe.seed)
    for tensor in P.parameters():
        tensor += 0.05 * torch.randn(tensor.shape, generator=generator)
    return P


@given(recipes(), st.floats(0.05, 0.9), SEEDS)
def test_the_null_space_form_leaves_the_measured_alone(fields, ratio, seed):
    physics = HadamardCamera(ratio, (1, 16, 16))
    P = untrained(fields, form="null_space", pairing="same_iterate", from_truth=0.0)
    z = random(2, 1, 16, 16, seed=seed).abs()
    y = physics.A(random(2, 1, 16, 16, seed=seed + 1).abs())
    grad = gradient(physics, z, physics.A_adjoint(y))
    direction = P(grad, State(z, 1, physics, y))
    assert norms(direction - grad).min() > 1e-6  # it does something
    moved = norms(physics.A(direction - grad)[:, None, None])
    assert (moved <= 1e-5 * (norms(direction) + norms(grad))).all()


@given(recipes(), st.floats(0.1, 10), SEEDS)
def test_a_network_without_biases_is_homogeneous(fields, factor, seed):
    physics = camera().student
    P = untrained(fields, bias=False, pairing="same_iterate", from_truth=0.0)
    z, y = random(2, 1, 16, 16, seed=seed), physics.A(random(2, 1, 16, 16, seed=seed + 1))
    grad = gradient(physics, z, physics.A_adjoint(y))
    one, other = (P(c * grad, State(c * z, 1, physics, c * y)) for c in (1.0, factor))
    assert (norms(other - factor * one) <= 1e-3 * factor * norms(one)).all()


def solvers():
    """Draw a solver of the tiny camera."""
    kinds = st.sampled_from(["FISTA", "PGD", "ADMM", "HQS"])
    return st.tuples(kinds, st.booleans(), st.floats(0.02, 0.2), st.integers(1, 4)).map(make_solver)


def make_solver(drawn):
    kind, safeguard, sigma, max_iter = drawn
    options = {"tau": 1.0} if kind in ("ADMM", "HQS") else {}
    make = getattr(ddgp_lib, f"Preconditioned{kind}")
    return make(camera().denoiser, sigma=sigma, max_iter=max_iter, safeguard=safeguard, **options)


@given(solvers(), SEEDS)
def test_a_solver_treats_each_image_of_a_batch_alone(solve, seed):
    task = camera()
    y = task.student.A(random(4, 1, 16, 16, seed=seed).abs())
    x, order = solve(y, task.student), torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(solve(y, task.student), x)
    torch.testing.assert_close(solve(y[order], task.student), x[order], rtol=0, atol=1e-5)
    torch.testing.assert_close(solve(y[:1], task.student), x[:1], rtol=0, atol=1e-5)


@given(st.floats(1e-3, 1e3), SEEDS)
def test_a_solver_without_a_prior_is_homogeneous(factor, seed):
    solve = ddgp_lib.PreconditionedPGD(lambda x, sigma: x, sigma=0.05, max_iter=3)
    y = camera().student.A(random(2, 1, 16, 16, seed=seed))
    one, other = solve(y, camera().student), solve(factor * y, camera().student)
    assert (norms(other - factor * one) <= 1e-4 * factor * norms(one)).all()
    assert solver()(y, camera().student).shape == one.shape


@given(recipes())
def test_a_recipe_survives_json(fields):
    recipe = DistillationRecipe(**{"from_truth": 0.0, **fields})
    assert DistillationRecipe(**json.loads(json.dumps(asdict(recipe)))) == recipe


@given(st.lists(st.floats(0, 1), min_size=1, max_size=3), st.none() | st.integers(1, 8))
def test_a_linear_recipe_survives_json(ridges, rank):
    recipe = LinearRecipe(ridges=tuple(ridges), rank=rank)
    assert LinearRecipe(**json.loads(json.dumps(asdict(recipe)))) == recipe


SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


@given(st.dictionaries(WORDS, st.tuples(SHAPES, SEEDS), min_size=1), st.dictionaries(WORDS, JSON_VALUES))
def test_a_checkpoint_is_read_as_it_was_written(tmp_path, drawn, description):
    tensors = {name: random(*shape, seed=seed) for name, (shape, seed) in drawn.items()}
    save_checkpoint(tmp_path / "a.safetensors", tensors, description)
    found, described = load_checkpoint(tmp_path / "a.safetensors")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    assert description.items() <= described.items()


@given(st.dictionaries(WORDS, st.tuples(SHAPES, SEEDS), min_size=1))
def test_arrays_are_read_as_they_were_written(tmp_path, drawn):
    arrays = {name: np.random.default_rng(seed).normal(size=shape) for name, (shape, seed) in drawn.items()}
    write_npz(tmp_path / "a.npz", **arrays)
    found = read_npz(tmp_path / "a.npz")
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)


@given(st.dictionaries(st.text(), JSON_VALUES))
def test_results_are_read_as_they_were_written(tmp_path, results):
    write_results(tmp_path / "a.json", results)
    assert read_results(tmp_path / "a.json", "") == results


@given(st.sets(st.text(min_size=1), min_size=4, max_size=30), st.floats(0.01, 0.4), st.floats(0.01, 0.4))
def test_groups_are_divided_without_loss_and_alike_in_any_order(names, val, test):
    parts_of = split_groups(sorted(names), (val, test))
    assume(len(parts_of) == 3)
    assert sorted(name for part in parts_of for name in part) == sorted(names)
    assert all(parts_of)
    assert split_groups(sorted(names, reverse=True), (val, test)) == parts_of
