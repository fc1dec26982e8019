"""Comparisons of scans by several coils: on a small simulated record, whose columns are left out."""

from dataclasses import replace

import pytest
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.experiments.heldout import HeldOut
from ddgp_lib.experiments.measured.candidates import Candidate
from ddgp_lib.experiments.measured.head import EXPERIMENT, columns
from ddgp_lib.experiments.measured.multicoil import compare, methods, scan_of
from ddgp_lib.operators import birdcage_maps
from ddgp_lib.scanner import KSpace, draw_mask

NOISE = 0.01
SIDES = (80, 96)


def splits(*accelerations):
    return {f"R = {R}": columns(SIDES, R) for R in accelerations}


def alike(mask):
    """Use some columns, and judge by the same."""
    return HeldOut(mask, mask)


@pytest.fixture(scope="module")
def record():
    generator = torch.Generator().manual_seed(0)
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, 80), torch.linspace(-1, 1, 96), indexing="ij")
    image = ((rows / 0.8) ** 2 + (columns / 0.7) ** 2 < 1) * (1 + 0.5 * torch.sin(9 * rows + 7 * columns))
    clean = centred_fourier(image * birdcage_maps(4, 80, 96))
    noise = torch.view_as_complex(torch.randn(*clean.shape, 2, generator=generator))
    return KSpace(
        (clean + NOISE * noise).to(torch.complex64), torch.ones(80, 96, dtype=torch.bool), "simulated"
    )


@pytest.fixture(scope="module")
def few():
    wanted = {"CG-SENSE": {"λ": (0.01, 0.3)}, "TV": {"σ": (0.0025, 0.005)}}
    return [replace(one, axes=wanted[one.name]) for one in methods() if one.name in wanted and not one.note]


def test_each_method_has_a_row_for_each_acceleration(record, few):
    rows = compare(record, few, splits(2, 4), (1, 3, 6), NOISE).rows
    assert [row.condition for row in rows] == ["R = 2", "R = 2", "R = 4", "R = 4"]
    assert all({row.method.split(",")[0] for row in rows[k : k + 2]} == {"CG-SENSE", "TV"} for k in (0, 2))
    assert all(row.iteration in (1, 3, 6) for row in rows)
    assert all(0 < row.residual < 0.5 and 0 < row.standard_error < row.error < 1 for row in rows)
    assert rows[0].gain is None
    assert rows[1].gain is not None


def test_columns_that_judge_choose_nothing(record, few):
    mask = draw_mask("columns", SIDES, 4, 0.08, 0)
    changed = record.data.clone()
    changed[..., ~mask] *= -1
    other = KSpace(changed, record.mask, "changed")
    one, two = (compare(each, few, splits(4), (1, 3, 6), NOISE).rows for each in (record, other))
    assert [(row.method, row.iteration, row.residual) for row in one] == [
        (row.method, row.iteration, row.residual) for row in two
    ]
    assert one[0].error < two[0].error


def test_a_perfect_method_has_no_error_beyond_the_noise(record):
    mask = draw_mask("columns", SIDES, 2, 0.2, 0)
    scan = scan_of(record, HeldOut(mask, ~mask), NOISE)
    found = scan.judge.error(scan.judge.measured)
    assert found.value == pytest.approx(-found.noise_energy, rel=1e-5)
    assert found.groups == int((~mask).sum())
    image = scan.whole.A_adjoint(torch.view_as_real(scan.judge.measured).movedim(-1, 0)[None].contiguous())
    assert scan.judge.error(scan.predict(image)).nmse < 0.02


def test_of_two_methods_of_one_name_the_better_is_taken(record):
    def nothing(_):
        return lambda physics, y, iterations: (
            torch.zeros_like(physics.A_adjoint(y)) for _ in range(iterations)
        )

    def adjoint(_):
        return lambda physics, y, iterations: (physics.A_adjoint(y) for _ in range(iterations))

    grid = {"σ": (1.0, 2.0)}
    tried = [Candidate("one", grid, nothing, "zero"), Candidate("one", grid, adjoint, "adjoint")]
    (row,), edges, _ = compare(record, tried, splits(2), (1,), NOISE)
    assert row.method == "one, σ 1, adjoint"
    assert edges == ["R = 2, one, σ 1, adjoint: 1 iterations are the most that were allowed"]


def test_grids_grow_and_runs_last_until_the_best_is_inside(record):
    """The best of a shrunk true image is where it is not shrunk, long after the marks and far beyond the grid."""
    image = scan_of(record, alike(draw_mask("columns", SIDES, 1, 0.2, 0)), NOISE)
    truth = image.physics.A_adjoint(image.y)

    def shrunk(weight):
        def solve(physics, y, iterations):
            factor = physics.A_adjoint(y).norm() / physics.A_adjoint(physics.A(truth)).norm()
            return (
                factor * truth / (1 + abs(k - 11) / 20 + abs(weight - 8) / 8)
                for k in range(1, iterations + 1)
            )

        return solve

    true = [Candidate("true", {"w": (1.0, 2.0)}, shrunk)]
    (row,), edges, _ = compare(record, true, splits(2), (1, 3), NOISE, longest=4)
    assert row.method == "true, w 8"
    assert row.iteration == 12
    assert edges == ["R = 2, true, w 8: 12 iterations are the most that were allowed"]
    (row,), edges, _ = compare(record, true, splits(2), (1, 3, 11, 13), NOISE)
    assert (row.iteration, edges) == (11, [])


def test_classical_methods_have_room_and_p_takes_part(record):
    """Three coils at 80 × 96 are no scan of the training; P runs there all the same."""
    names = list(dict.fromkeys(method.name for method in methods()))
    assert names == ["CG-SENSE", "TV", "PnP", "PnP annealed", "ADMM annealed", "Newton-PnP", "P"]
    assert max(EXPERIMENT.iterations) >= 50
    learned = [method for method in methods() if not method.classical]
    assert {method.name for method in learned} == {"P"}
    scan = scan_of(record, alike(draw_mask("columns", SIDES, 4, 0.08, 0)), NOISE)
    for method in learned:
        *_, last = method.make(0.03)(scan.physics, scan.y, 2)
        assert torch.isfinite(last).all()
