"""The experiment on a head of several coils: on a small simulated record, whose columns are left out."""

import pytest
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.experiments.measured.head import Candidate, candidates, compare, scan_of
from ddgp_lib.operators import birdcage_maps
from ddgp_lib.scanner import KSpace, draw_mask

NOISE = 0.01


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
    wanted = {("CG-SENSE", "λ 0.01"), ("CG-SENSE", "λ 0.3"), ("TV", "σ 0.005")}
    return [one for one in candidates() if (one.method, one.setting) in wanted]


def test_each_method_has_a_row_for_each_acceleration(record, few):
    rows = compare(record, few, (2, 4), (1, 3, 6), noise=NOISE)
    assert [row.condition for row in rows] == ["R = 2", "R = 2", "R = 4", "R = 4"]
    assert [row.method.split(",")[0] for row in rows] == 2 * ["CG-SENSE", "TV"]
    assert all(row.iteration in (1, 3, 6) for row in rows)
    assert all(0 < row.residual < 0.5 and 0 < row.standard_error < row.error < 1 for row in rows)
    assert rows[0].gain is None
    assert rows[1].gain is not None


def test_columns_that_judge_choose_nothing(record, few):
    mask = draw_mask("columns", (80, 96), 4, 0.08, 0)
    changed = record.data.clone()
    changed[..., ~mask] *= -1
    other = KSpace(changed, record.mask, "changed")
    one, two = (compare(each, few, (4,), (1, 3, 6), noise=NOISE) for each in (record, other))
    assert [(row.method, row.iteration, row.residual) for row in one] == [
        (row.method, row.iteration, row.residual) for row in two
    ]
    assert one[0].error < two[0].error


def test_a_perfect_method_has_no_error_beyond_the_noise(record):
    mask = draw_mask("columns", (80, 96), 2, 0.2, 0)
    scan = scan_of(record, mask, ~mask, NOISE)
    found = scan.judge.error(scan.judge.measured)
    assert found.value == pytest.approx(-found.noise_energy, rel=1e-5)
    assert found.groups == int((~mask).sum())
    image = scan.whole.A_adjoint(torch.view_as_real(scan.judge.measured).movedim(-1, 0)[None].contiguous())
    assert scan.judge.error(scan.predict(image)).nmse < 0.02


def test_a_method_without_steps_is_never_chosen_over_one_that_fits(record):
    def nothing(physics, y, iterations):
        return (torch.zeros_like(physics.A_adjoint(y)) for _ in range(iterations))

    def adjoint(physics, y, iterations):
        return (physics.A_adjoint(y) for _ in range(iterations))

    methods = [Candidate("one", "zero", nothing), Candidate("one", "adjoint", adjoint)]
    (row,) = compare(record, methods, (2,), (1,), noise=NOISE)
    assert row.method == "one, adjoint"
