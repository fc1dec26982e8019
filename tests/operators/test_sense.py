"""Multi-coil MRI by Fourier transforms: adjoint, norm, solves and the soft split, against dense matrices."""

import pytest
import torch
from deepinv.physics import MultiCoilMRI

from ddgp_lib.checks import check_adjoint, check_linear, check_stepsize
from ddgp_lib.operators import (
    MultiCoilCartesianMRI,
    SenseMRI,
    birdcage_maps,
    gaussian_columns,
    newton,
    normal,
    normalise_maps,
    norms,
    null_projection,
    range_projection,
    squared_norm,
)
from ddgp_lib.operators.iterative import solve_symmetric
from ddgp_lib.preconditioners import LearnedPreconditioner, Newton, State
from ddgp_lib.scanner import random_mask

SHAPE = (2, 16, 16)
EYE = torch.eye(512, dtype=torch.float64).reshape(512, *SHAPE)


def places(seed=0, sides=(16, 16)):
    return random_mask(sides, 4.0, 4, torch.Generator().manual_seed(seed))


def disc():
    line = torch.linspace(-1, 1, 16)
    return line[:, None] ** 2 + line**2 < 0.8


MASKS = {
    "columns": gaussian_columns(16, 4),
    "rows": gaussian_columns(16, 4)[:, None].expand(16, 16),
    "places": places(),
    "all": torch.ones(16, dtype=torch.bool),
}
AXES = {"columns": (-1,), "rows": (-2,), "places": (-2, -1), "all": ()}


def camera(mask="places", maps=None, **options):
    maps = birdcage_maps(3, 16, 16) if maps is None else maps
    return SenseMRI(maps, MASKS[mask], **options)


@pytest.fixture(scope="module", params=["columns", "places"])
def dense(request):
    """Return a precise camera within a disc, and its AᵀA as eigenvalues, relative to ‖A‖², and eigenvectors."""
    physics = camera(request.param, normalise_maps(birdcage_maps(3, 16, 16), disc()), tol=1e-7).double()
    matrix = physics.A(EYE).reshape(512, -1)
    values, vectors = torch.linalg.eigh(matrix @ matrix.mT)
    return physics, values.clamp(min=0) / physics.squared_norm, vectors


def filtered(dense, factors, x):
    _, _, vectors = dense
    return ((x.flatten(1) @ vectors) * factors @ vectors.mT).reshape(x.shape)


@pytest.mark.parametrize("mask", MASKS)
def test_it_is_deepinvs_operator_whatever_the_mask(mask, generator):
    physics = camera(mask)
    theirs = MultiCoilMRI(MASKS[mask].expand(16, 16).float(), birdcage_maps(3, 16, 16))
    x = torch.randn(2, *SHAPE, generator=generator)
    y = torch.randn(2, 2, 3, 16, 16, generator=generator)
    torch.testing.assert_close(physics.A(x), theirs.A(x))
    torch.testing.assert_close(physics.A_adjoint(y), theirs.A_adjoint(y))
    torch.testing.assert_close(physics.A_adjoint_A(x), theirs.A_adjoint(theirs.A(x)), rtol=0, atol=1e-5)
    assert physics.axes == AXES[mask]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("sides", [(16, 16), (15, 16), (7, 9)])
def test_the_adjoint_is_one_and_products_are_linear(mask, sides):
    masks = {
        "columns": gaussian_columns(sides[1], 2),
        "all": torch.ones(sides[1]),
        "places": places(0, sides),
    }
    masks["rows"] = gaussian_columns(sides[0], 2)[:, None].expand(sides)
    physics = SenseMRI(birdcage_maps(3, *sides), masks[mask])
    check_adjoint(physics, (2, 2, *sides))
    check_linear(physics.A_adjoint_A, (2, 2, *sides))
    check_stepsize(1 / physics.squared_norm, physics, (1, 2, *sides))


def test_it_agrees_with_the_operator_of_dense_blocks(generator):
    maps = birdcage_maps(4, 16, 16)
    exact = MultiCoilCartesianMRI(4.0, SHAPE, maps)
    physics = SenseMRI(maps, exact.columns, tol=1e-7)
    x = torch.randn(2, *SHAPE, generator=generator)
    torch.testing.assert_close(normal(physics, x), normal(exact, x), rtol=0, atol=1e-5)
    scaled = newton(exact, x, 0.1) / exact.squared_norm
    ratio = exact.squared_norm / physics.squared_norm
    torch.testing.assert_close(
        newton(physics, x, 0.1 * ratio) / physics.squared_norm, scaled, rtol=0, atol=1e-4
    )


def test_the_norm_is_found_from_below_and_once(dense, monkeypatch):
    physics, values, _ = dense
    assert 1 <= values.max() < 1.005
    assert physics.squared_norm <= 1 + 1e-6
    assert squared_norm(physics, SHAPE) == physics.squared_norm
    monkeypatch.setattr(physics, "A_adjoint_A", None)  # no further product
    assert physics.squared_norm > 0.9


def test_the_norm_is_found_anew_when_maps_change():
    physics = camera("all")
    assert physics.squared_norm == pytest.approx(1, abs=1e-5)
    physics.coil_maps.mul_(0.5)
    assert physics.squared_norm == pytest.approx(0.25, abs=1e-5)


def test_a_solve_is_that_of_the_dense_matrix(dense, generator):
    physics, values, _ = dense
    x = torch.randn(2, *SHAPE, dtype=torch.float64, generator=generator)
    for damping in (1.0, 0.1, 1e-2, 1e-3):
        expected = filtered(dense, 1 / (values + damping), x)
        assert (norms(physics.newton(x, damping) - expected) <= 1e-4 * norms(expected)).all()
        torch.testing.assert_close(newton(physics, x, damping), physics.newton(x, damping))


def test_the_split_has_tikhonovs_filter_factors(dense, generator):
    physics, values, _ = dense
    x = torch.randn(2, *SHAPE, dtype=torch.float64, generator=generator)
    for split in (0.1, 1e-2, 1e-3):
        expected = filtered(dense, split / (values + split), x)
        assert (norms(physics.hidden(x, split) - expected) <= 1e-5 * norms(x)).all()
    seen = filtered(dense, values / (values + physics.split), x)
    torch.testing.assert_close(range_projection(physics, x), seen, rtol=0, atol=1e-5)
    torch.testing.assert_close(null_projection(physics, x), physics.hidden(x))


def test_factors_of_the_split_seen_one_by_one(dense):
    """The matrix of the hidden part has the eigenvalues λ/(σ² + λ), each twice: one for each complex mode."""
    physics, values, vectors = dense
    matrix = physics.hidden(EYE, 0.01).reshape(512, 512)
    found = torch.einsum("pi,pq,qi->i", vectors, matrix, vectors)
    torch.testing.assert_close(found, 0.01 / (values + 0.01), rtol=0, atol=1e-5)
    assert found.max() > 0.99
    assert found.min() < 0.01


def test_there_is_no_gap_in_the_spectrum(dense):
    """Which is why the split is soft: hardly a singular value is zero within the support, and they fall smoothly."""
    physics, values, _ = dense
    outside = 2 * int((~physics.support).sum())
    singular = values[outside:].sqrt()
    assert (values[:outside] < 1e-12).all()
    decades = [float(((singular > 10.0**-n) & (singular <= 10.0 ** (1 - n))).float().mean()) for n in (1, 2)]
    assert min(decades) > 0.01


def test_the_hidden_part_changes_the_data_by_half_the_root_of_the_threshold_at_most(generator):
    physics = camera(tol=1e-6)
    x = torch.randn(8, *SHAPE, generator=generator)
    for split in (0.1, 1e-2, 1e-3):
        changed = norms(physics.A(physics.hidden(x, split)))
        assert (changed <= 0.5 * split**0.5 * physics.squared_norm**0.5 * norms(x)).all()


def test_a_form_with_a_null_space_uses_the_split_as_it_is(generator):
    """One solve is enough where the damping is the threshold: R g + λ R N = R (g + λ N)."""
    physics = camera(split=0.02, tol=1e-6)
    network = torch.nn.Conv2d(4, 2, 3, padding=1)
    P = LearnedPreconditioner(network, form="newton_null_space", damping=0.02).eval()
    z, grad = torch.randn(2, 1, *SHAPE, generator=generator)
    with torch.no_grad():
        correction = network(torch.cat([grad, z], dim=1))
        direction = P(grad, State(z, 0, physics, physics.A(z)))
    expected = Newton(0.02)(grad, State(z, 0, physics, physics.A(z))) + physics.hidden(correction)
    torch.testing.assert_close(direction, expected, rtol=0, atol=1e-4)
    at_once = newton(physics, grad + 0.02 * correction, 0.02)
    torch.testing.assert_close(direction, at_once, rtol=0, atol=2e-3)


def test_gradients_go_through_the_split(generator):
    physics = camera(tol=1e-6).double()
    x = torch.randn(1, *SHAPE, dtype=torch.float64, generator=generator, requires_grad=True)
    v = torch.randn(1, *SHAPE, dtype=torch.float64, generator=generator)
    (found,) = torch.autograd.grad((v * physics.hidden(x)).sum(), x)
    torch.testing.assert_close(found, physics.hidden(v), rtol=0, atol=1e-5)


def counted(physics, monkeypatch):
    calls, product = [], physics.A_adjoint_A
    monkeypatch.setattr(physics, "A_adjoint_A", lambda x: (calls.append(1), product(x))[1])
    return calls


def test_a_warm_start_saves_products_and_changes_no_solution(generator, monkeypatch):
    physics = camera(tol=1e-4)
    x = torch.randn(1, *SHAPE, generator=generator)
    near = physics.newton(x, 0.01, tol=1e-3)
    calls = counted(physics, monkeypatch)
    cold = physics.newton(x, 0.01)
    count = len(calls)
    warm = physics.newton(x, 0.01, start=near)
    assert len(calls) - count <= 0.7 * count
    assert norms(warm - cold) <= 1e-2 * norms(cold)
    count = len(calls)
    physics.newton(x, 0.01, tol=1e-2)
    assert len(calls) - count < count / 2


def test_a_start_is_left_aside_where_a_derivative_is_asked_for(generator):
    x, start = torch.randn(2, 1, *SHAPE, generator=generator)
    physics = camera()
    x.requires_grad_()
    torch.testing.assert_close(physics.newton(x, 0.1, start), physics.newton(x, 0.1), rtol=0, atol=0)


def test_a_solve_stops_at_its_tolerance(generator):
    physics = camera("columns")
    x = torch.randn(3, *SHAPE, generator=generator)
    for tol in (1e-1, 1e-3, 1e-5):
        n = solve_symmetric(lambda v: physics.A_adjoint_A(v) + 0.01 * v, x, 101.0, tol=tol)
        left = norms(physics.A_adjoint_A(n) + 0.01 * n - x) / norms(x)
        assert (left <= 1.2 * tol + 1e-6).all()


def test_sense_by_conjugate_gradients_finds_the_image(generator):
    """All of it from all columns; from few the image at which the damped normal equations hold."""
    x = torch.randn(2, *SHAPE, generator=generator)
    physics = SenseMRI(birdcage_maps(8, 16, 16, radius=1.45), gaussian_columns(16, 1), tol=1e-6)
    torch.testing.assert_close(physics.cg_sense(physics.A(x), 1e-4), x, rtol=0, atol=2e-3)
    few = camera("columns", tol=1e-6)
    y = few.A(x)
    solution = few.cg_sense(y, 0.01)
    left = few.A_adjoint(few.A(solution) - y) + 0.01 * few.squared_norm * solution
    assert (norms(left) < 1e-4 * norms(few.A_adjoint(y))).all()
    torch.testing.assert_close(few.cg_sense(y, 0.01, start=solution), solution, rtol=0, atol=1e-3)


def test_a_start_that_is_not_finite_is_no_error_of_the_caller_s(generator):
    """It is what an iteration gives that diverges, and the solver says that."""
    physics = camera("columns")
    y = physics.A(torch.randn(1, *SHAPE, generator=generator))
    start = torch.full((1, *SHAPE), torch.nan)
    assert physics.cg_sense(y, 0.01, start=start).isnan().all()


@pytest.mark.parametrize("tol", [0.0, 1.0, 1.5])
def test_a_tolerance_of_conjugate_gradients_outside_its_range_is_refused(tol, generator):
    physics = camera("columns")
    with pytest.raises(ValueError, match=r"^tol="):
        physics.cg_sense(physics.A(torch.randn(1, *SHAPE, generator=generator)), 0.01, tol=tol)


def test_images_of_any_size_are_solved_alike(generator):
    physics, x = camera("columns"), torch.randn(1, *SHAPE, generator=generator)

    def solved(right):
        return solve_symmetric(lambda v: physics.A_adjoint_A(v) + 0.01 * v, right, 101.0)

    torch.testing.assert_close(1e18 * solved(1e-18 * x), solved(x), rtol=1e-4, atol=1e-4)


def test_little_is_kept():
    physics = SenseMRI(
        birdcage_maps(8, 256, 256), random_mask((256, 256), 4.0, 24, torch.Generator().manual_seed(0))
    )
    kept = sum(tensor.numel() * tensor.element_size() for tensor in physics.buffers())
    assert kept <= 8 * 8 * 256**2 + 12 * 256**2 + 10_000  # and the state of the noise's generator


def test_noise_is_white_on_what_is_measured_and_of_the_seed():
    maps = birdcage_maps(4, 64, 64)
    first, second = (SenseMRI(maps, gaussian_columns(64, 4), noise=0.1, seed=n) for n in (1, 2))
    zero = torch.zeros(1, 2, 64, 64)
    y = first(zero)
    measured = y[:, :, :, :, gaussian_columns(64, 4)]
    assert float(measured.std()) == pytest.approx(0.1, rel=0.05)
    assert float(measured[0, 0].std()) == pytest.approx(float(measured[0, 1].std()), rel=0.1)
    assert not y[:, :, :, :, ~gaussian_columns(64, 4)].any()
    assert not torch.equal(second(zero), SenseMRI(maps, gaussian_columns(64, 4), noise=0.1, seed=1)(zero))


def test_double_precision_keeps_the_imaginary_parts(generator):
    physics = camera().double()
    assert physics.coil_maps.dtype == torch.complex128
    torch.testing.assert_close(physics.coil_maps[0].to(torch.complex64), birdcage_maps(3, 16, 16))
    x = torch.randn(1, *SHAPE, dtype=torch.float64, generator=generator)
    assert physics.newton(x, 0.1).dtype == torch.float64


def test_maps_are_normalised_within_a_support(generator):
    maps = 7e8 * torch.randn(3, 16, 16, dtype=torch.complex64, generator=generator)
    maps[:, 0, 0] = 0
    within = normalise_maps(maps, disc())
    torch.testing.assert_close(torch.linalg.vector_norm(within, dim=0), disc().float())
    everywhere = normalise_maps(maps)
    torch.testing.assert_close(everywhere[:, disc()], within[:, disc()])
    assert not everywhere[:, 0, 0].any()
    faint = torch.ones(1, 2, 2) + 0j
    faint[0, 0, 0] = 1e-4
    assert int(normalise_maps(faint).count_nonzero()) == 3
    assert int(normalise_maps(faint, floor=1e-5).count_nonzero()) == 4


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"maps": 2 * birdcage_maps(3, 16, 16)}, "maps"),
        ({"maps": birdcage_maps(3, 16, 16).real}, "maps"),
        ({"maps": torch.zeros(3, 16, 16) + 0j}, "maps"),
        ({"mask": torch.zeros(16)}, "mask"),
        ({"mask": torch.full((16,), 0.5)}, "mask"),
        ({"mask": torch.ones(15)}, r"mask\.shape"),
        ({"split": 0.0}, "split"),
        ({"tol": 1.0}, "tol"),
        ({"noise": -1.0}, "noise"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_is_no_camera_is_refused_by_name(change, named):
    good = {"maps": birdcage_maps(3, 16, 16), "mask": torch.ones(16)}
    with pytest.raises(ValueError, match=rf"^{named}="):
        SenseMRI(**(good | change))


def test_another_mask_at_call_time_and_other_sides_are_refused(generator):
    physics = camera()
    with pytest.raises(ValueError, match="mask="):
        physics.A(torch.zeros(1, *SHAPE), mask=torch.ones(16, 16))
    for bad, named in ((torch.zeros(1, 2, 16, 8), "x"), (torch.zeros(1, 1, 16, 16), "x")):
        with pytest.raises(ValueError, match=rf"^{named}\.shape="):
            physics.newton(bad, 0.1)
    with pytest.raises(ValueError, match=r"^damping="):
        physics.newton(torch.zeros(1, *SHAPE), 0.0)
    with pytest.raises(ValueError, match=r"^start\.shape="):
        physics.newton(torch.zeros(1, *SHAPE), 0.1, start=torch.zeros(1, 2, 8, 8))
    with pytest.raises(ValueError, match=r"^split="):
        physics.hidden(torch.zeros(1, *SHAPE), -1.0)
