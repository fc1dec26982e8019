"""Held-out measurements: an unbiased estimate of the true error, errors that cover it, differences without noise."""

import math

import pytest
import torch

from ddgp_lib.experiments.heldout import held_out_difference, held_out_error, hold_out, used_residual
from ddgp_lib.experiments.noise_level import noise_by_line, noise_from_corners

SIDE, COILS, SIGMA = 24, 3, 0.4
DRAWS = 400


def noise(shape, generator, sigma=SIGMA, complex_valued=True):
    """Draw noise of standard deviation sigma in each part."""
    if not complex_valued:
        return sigma * torch.randn(shape, generator=generator, dtype=torch.float64)
    return torch.view_as_complex(sigma * torch.randn(*shape, 2, generator=generator, dtype=torch.float64))


def decaying(shape, generator, scale=1.0):
    """Draw numbers whose energy differs from place to place, as that of errors in k-space does."""
    columns = torch.linspace(-2, 2, shape[-1], dtype=torch.float64)
    return scale * torch.exp(-columns.square()) * noise(shape, generator, 1.0)


def every(*shape):
    return torch.ones(shape, dtype=torch.bool)


# Masks


@pytest.mark.parametrize("dim", [None, -1, -2, 0])
def test_what_is_held_out_and_what_is_used_are_what_was_measured_and_share_nothing(generator, dim):
    measured = torch.rand(SIDE, SIDE, generator=generator) < 0.4
    used, held_out = hold_out(measured, 5, generator=generator, dim=dim)
    assert torch.equal(used | held_out, measured)
    assert not (used & held_out).any()
    lines = held_out if dim is None else held_out.movedim(dim, 0).any(dim=1)
    assert lines.sum() == 5


def test_a_line_is_held_out_as_a_whole_and_never_where_it_meets_what_is_kept(generator):
    measured = every(SIDE, SIDE)
    kept = torch.zeros_like(measured)
    kept[10:14, 10:14] = True
    for _ in range(20):
        used, held_out = hold_out(measured, 12, generator=generator, dim=-1, kept=kept)
        assert used[kept].all()
        columns = held_out.any(dim=0)
        assert torch.equal(held_out, columns.expand(SIDE, SIDE))
    with pytest.raises(ValueError, match="count=21: expected at most the 20 that may be held out"):
        hold_out(measured, 21, generator=generator, dim=-1, kept=kept)


def test_places_are_drawn_alike_and_by_the_generator_alone(generator):
    measured = every(10)
    state = torch.get_rng_state()
    counts = sum(hold_out(measured, 3, generator=generator).held_out.double() for _ in range(2000))
    assert torch.equal(state, torch.get_rng_state())
    assert counts.sum() == 6000
    assert (counts - 600).abs().max() < 5 * math.sqrt(2000 * 0.3 * 0.7)
    same = [hold_out(measured, 3, generator=torch.Generator().manual_seed(5)).held_out for _ in range(2)]
    assert torch.equal(*same)


def test_masks_of_any_strides_are_taken(generator):
    columns = torch.tensor([True, False, True, True]).expand(6, 4)
    for mask in (columns, every(4, 6).mT):
        used, held_out = hold_out(mask, 2, generator=generator)
        assert torch.equal(used | held_out, mask)


def test_one_measurement_at_least_stays_in_use(generator):
    with pytest.raises(ValueError, match="count=4: expected at most the 4 that may be held out, and fewer"):
        hold_out(every(4), 4, generator=generator)


# The estimate of the error


@pytest.mark.parametrize("complex_valued", [True, False])
def test_the_estimate_is_unbiased_and_its_errors_are_right_at_these_places(generator, complex_valued):
    shape, draws = (SIDE, SIDE), 2000
    wrong = decaying(shape, generator, 0.5)
    truth = decaying(shape, generator, 3.0)
    if not complex_valued:
        wrong, truth = wrong.real, truth.real
    held_out = torch.rand(shape, generator=generator) < 0.3
    true_error = wrong[held_out].abs().square().mean().item()
    found = [
        held_out_error(
            truth + wrong, truth + noise(shape, generator, complex_valued=complex_valued), SIGMA, held_out
        )
        for _ in range(draws)
    ]
    values = torch.tensor([each.value for each in found])
    spread = values.std().item()
    assert values.mean().item() == pytest.approx(true_error, abs=4 * spread / math.sqrt(draws))
    assert sum(each.noise_error for each in found) / draws == pytest.approx(spread, rel=0.05)
    covered = sum(abs(each.value - true_error) < 1.96 * each.noise_error for each in found) / draws
    assert covered == pytest.approx(0.95, abs=0.02)
    assert found[0].noise_energy == pytest.approx((2 if complex_valued else 1) * SIGMA**2)
    signal = torch.tensor([each.signal for each in found]).mean().item()
    assert signal == pytest.approx(truth[held_out].abs().square().mean().item(), rel=0.02)


def test_with_no_error_the_estimate_is_around_zero_and_not_above_it(generator):
    truth = decaying((SIDE, SIDE), generator)
    found = [
        held_out_error(truth, truth + noise(truth.shape, generator), SIGMA, every(SIDE, SIDE))
        for _ in range(DRAWS)
    ]
    values = torch.tensor([each.value for each in found])
    assert values.mean().abs() < 4 * values.std() / math.sqrt(DRAWS)
    assert 0.4 < (values < 0).double().mean() < 0.6
    assert found[0].noise_error == pytest.approx(2 * SIGMA**2 / SIDE, rel=0.1)


@pytest.mark.parametrize("dim", [None, -1])
def test_the_error_over_other_places_covers_the_error_of_the_whole(generator, dim):
    """Places, or columns whose errors belong together, are drawn from many, of which the mean is to be told."""
    rows, columns, count = 16, 600, 40 if dim else 400
    of_column = noise((1, columns), generator, 1.0) if dim else 0.3
    wrong = of_column * (1 + 0.2 * noise((rows, columns), generator, 1.0))
    whole = wrong.abs().square().mean().item()
    covered, spreads, values = 0, [], []
    for _ in range(DRAWS):
        _, held_out = hold_out(every(rows, columns), count, generator=generator, dim=dim)
        found = held_out_error(wrong, noise(wrong.shape, generator), SIGMA, held_out, dim=dim)
        covered += abs(found.value - whole) < found.interval
        spreads.append(found.error)
        values.append(found.value)
    assert covered / DRAWS == pytest.approx(0.95, abs=0.05)
    assert sum(spreads) / DRAWS == pytest.approx(torch.tensor(values).std().item(), rel=0.12)
    assert found.groups == count


def test_errors_of_a_column_that_belong_together_need_groups(generator):
    """Taken for independent places, they give an error that is far too small."""
    wrong = noise((1, 64), generator, 1.0).expand(64, 64)
    y = noise((64, 64), generator, 0.01)
    _, held_out = hold_out(every(64, 64), 20, generator=generator, dim=-1)
    single, grouped = (held_out_error(wrong, y, 0.01, held_out, dim=dim) for dim in (None, -1))
    assert single.value == pytest.approx(grouped.value)
    assert grouped.error > 5 * single.error
    assert (single.groups, grouped.groups, grouped.numbers) == (1280, 20, 1280)


def test_without_groups_the_error_is_that_of_a_mean(generator):
    wrong, y = torch.rand(2, 50, generator=generator)
    found = held_out_error(wrong, y, 0.1, every(50))
    terms = (wrong - y).double().square() - 0.01
    assert found.value == pytest.approx(terms.mean().item())
    assert found.error == pytest.approx(terms.std().item() / math.sqrt(50))


def test_coils_share_the_places_of_a_mask_and_may_have_their_own_noise(generator):
    sigma = torch.tensor([0.1, 0.5, 2.0], dtype=torch.float64)[:, None, None]
    shape = (COILS, SIDE, SIDE)
    wrong = decaying(shape, generator)
    held_out = torch.rand(SIDE, SIDE, generator=generator) < 0.5
    found = held_out_error(wrong, sigma * noise(shape, generator, 1.0), sigma, held_out)
    assert found.numbers == COILS * int(held_out.sum())
    assert found.groups == int(held_out.sum())
    assert found.noise_energy == pytest.approx(2 * sigma.square().mean().item())
    assert abs(found.value - wrong[:, held_out].abs().square().mean().item()) < 4 * found.noise_error


def test_noise_behind_a_window_is_told_line_by_line_and_not_by_corners(generator):
    window = torch.hann_window(SIDE, periodic=False, dtype=torch.float64)[:, None] + 0.2
    wrong = decaying((SIDE, SIDE), generator, 0.3)
    scan = window * noise((10, SIDE, SIDE), generator)  # slices, of which the first is judged
    by_line = noise_by_line(scan, 12)
    found = []
    for _ in range(DRAWS):
        y = window * noise((SIDE, SIDE), generator)
        found.append(held_out_error(wrong, y, by_line, every(SIDE, SIDE), dim=-1))
    true = wrong.abs().square().mean().item()
    values = torch.tensor([each.value for each in found])
    of_sigma = found[0].noise_energy * 2 / math.sqrt(2 * 2 * SIDE * 240)  # the level is estimated once
    error = math.hypot(values.std().item() / math.sqrt(DRAWS), of_sigma)
    assert values.mean().item() == pytest.approx(true, abs=4 * error)
    assert found[0].noise_error == pytest.approx(values.std().item(), rel=0.15)
    corners = noise_from_corners(scan, 4).sigma
    assert held_out_error(wrong, y, corners, every(SIDE, SIDE), dim=-1).value > 2 * true


def test_an_uncertain_noise_level_makes_the_error_larger(generator):
    y = noise((SIDE, SIDE), generator)
    sure, unsure = (held_out_error(y * 0, y, SIGMA, every(SIDE, SIDE), sigma_rtol=r) for r in (0.0, 0.05))
    added = 2 * 0.05 * 2 * SIGMA**2
    assert unsure.value == sure.value
    for name in ("error", "noise_error"):
        assert getattr(unsure, name) == pytest.approx(math.hypot(getattr(sure, name), added))


def test_what_was_not_held_out_does_not_count(generator):
    y = noise((SIDE, SIDE), generator)
    held_out = torch.rand(SIDE, SIDE, generator=generator) < 0.5
    other = torch.where(held_out, 0 * y, 100 + 0 * y)
    assert held_out_error(other, y, SIGMA, held_out) == held_out_error(0 * y, y, SIGMA, held_out)


def test_the_normalised_error_is_missing_where_there_is_no_signal(generator):
    truth = decaying((64, 64), generator, 10.0)
    y = truth + noise(truth.shape, generator)
    found = held_out_error(0.9 * truth, y, SIGMA, every(64, 64))
    assert found.nmse == pytest.approx(0.01, rel=0.05)
    nothing = held_out_error(0 * y, 1e-3 * y, 100.0, every(64, 64))
    assert math.isnan(nothing.nmse)


def scan(draws, generator, *, leak=False):
    """Reconstruct a scan of two coils by ridge regression without some lines; return true errors and estimates."""
    n, coils = 16, 2
    place = torch.arange(n, dtype=torch.float64)
    image = torch.outer(torch.exp(-(((place - 6) / 3) ** 2)), torch.exp(-(((place - 9) / 4) ** 2))) + 0j
    maps = torch.stack(
        [torch.linspace(0.2, 1, n, dtype=torch.float64), torch.linspace(1, 0.2, n, dtype=torch.float64)]
    )
    fourier = torch.fft.fft(torch.eye(n, dtype=torch.complex128), norm="ortho")
    columns = torch.cat(
        [fourier * maps[coil] for coil in range(coils)]
    )  # (coils · columns of k-space, columns)
    truth = (image @ columns.T).view(n, coils, n).transpose(0, 1)  # (coils, rows, columns of k-space)
    found = []
    for _ in range(draws):
        y = truth + noise(truth.shape, generator, 0.05)
        used, held_out = hold_out(every(n, n), 4, generator=generator, dim=-1)
        kept = (used | held_out if leak else used)[0].repeat(coils).nonzero()[:, 0]
        A, b = columns[kept], y.transpose(0, 1).reshape(n, -1)[:, kept]
        gram = A.mH @ A + 0.01 * torch.eye(n)
        estimate = torch.linalg.solve(gram, A.mH @ b.T).T
        prediction = (estimate @ columns.T).view(n, coils, n).transpose(0, 1)
        true = (prediction - truth)[:, held_out].abs().square().mean().item()
        found.append((true, held_out_error(prediction, y, 0.05, held_out, dim=-1)))
    return found


def test_a_scan_that_is_reconstructed_without_some_lines_is_judged_by_them_without_bias(generator):
    found = scan(DRAWS, generator)
    apart = torch.tensor([estimate.value - true for true, estimate in found])
    assert apart.mean().abs() < 4 * apart.std() / math.sqrt(DRAWS)
    covered = sum(abs(estimate.value - true) < 1.96 * estimate.noise_error for true, estimate in found)
    assert covered / DRAWS == pytest.approx(0.95, abs=0.04)


def test_lines_that_were_used_after_all_flatter(generator):
    found = scan(100, generator, leak=True)
    true, estimate = (sum(values) / 100 for values in zip(*((t, e.value) for t, e in found), strict=True))
    assert estimate < 0 < true


# Differences


def test_the_noise_cancels_in_a_difference_and_its_errors_are_right(generator):
    truth = decaying((SIDE, SIDE), generator, 3.0)
    a, b = (truth + decaying(truth.shape, generator, scale) for scale in (0.40, 0.45))
    mean_error = lambda x: (x - truth).abs().square().mean().item()  # noqa: E731
    expected = mean_error(a) - mean_error(b)
    whole = every(SIDE, SIDE)
    found = []
    for _ in range(DRAWS):
        y = truth + noise(truth.shape, generator)
        found.append(held_out_difference(a, b, y, whole, sigma=SIGMA))
    values = torch.tensor([each.value for each in found])
    spread = values.std().item()
    assert values.mean().item() == pytest.approx(expected, abs=4 * spread / math.sqrt(DRAWS))
    assert found[0].noise_error == pytest.approx(spread, rel=0.12)
    single = held_out_error(a, y, SIGMA, whole)
    assert found[0].noise_error < single.noise_error
    decibels = torch.tensor([each.decibels for each in found])
    assert decibels.mean().item() == pytest.approx(10 * math.log10(mean_error(b) / mean_error(a)), abs=0.1)


def test_the_error_in_decibels_covers_the_gain_of_the_whole(generator):
    rows, columns = 16, 400
    of_column = noise((1, columns), generator, 1.0)
    a, b = (scale * of_column * (1 + 0.3 * noise((rows, columns), generator, 1.0)) for scale in (0.8, 1.0))
    gain = 10 * math.log10((b.abs().square().mean() / a.abs().square().mean()).item())
    covered, differs = 0, 0
    whole = (a.abs().square() - b.abs().square()).mean().item()
    for _ in range(DRAWS):
        _, held_out = hold_out(every(rows, columns), 60, generator=generator, dim=-1)
        y = noise((rows, columns), generator)
        found = held_out_difference(a, b, y, held_out, sigma=SIGMA, dim=-1)
        assert found.decibels is not None
        covered += abs(found.decibels - gain) < 1.96 * found.decibels_error
        differs += abs(found.value - whole) < found.interval
    assert covered / DRAWS == pytest.approx(0.95, abs=0.05)
    assert differs / DRAWS == pytest.approx(0.95, abs=0.05)


def test_a_gain_in_decibels_needs_a_noise_level_and_errors_above_it(generator):
    y = noise((SIDE, SIDE), generator)
    whole = every(SIDE, SIDE)
    bare = held_out_difference(0 * y, y + 1, y, whole)
    assert bare.decibels is bare.decibels_error is bare.noise_error is None
    perfect = held_out_difference(y, y + 1, y, whole, sigma=SIGMA)
    assert perfect.decibels is perfect.decibels_error is None
    assert perfect.noise_error is not None
    assert perfect.value == pytest.approx(-1)


def test_an_uncertain_noise_level_makes_decibels_less_sure_and_not_the_difference(generator):
    truth = decaying((SIDE, SIDE), generator, 3.0)
    y = truth + noise(truth.shape, generator)
    whole = every(SIDE, SIDE)
    sure, unsure = (
        held_out_difference(truth + 0.5, truth + 1, y, whole, sigma=SIGMA, sigma_rtol=r) for r in (0.0, 0.1)
    )
    assert (sure.value, sure.error, sure.decibels) == (unsure.value, unsure.error, unsure.decibels)
    assert unsure.decibels_error > 1.5 * sure.decibels_error


# The residual on what was used


@pytest.mark.parametrize("complex_valued", [True, False])
def test_the_truth_has_a_residual_of_one_within_its_error(generator, complex_valued):
    used = torch.rand(SIDE, SIDE, generator=generator) < 0.5
    found = [
        used_residual(y * 0, y, SIGMA, used)
        for y in (noise((SIDE, SIDE), generator, complex_valued=complex_valued) for _ in range(DRAWS))
    ]
    ratios = torch.tensor([each.ratio for each in found])
    assert ratios.mean().item() == pytest.approx(1, abs=4 * ratios.std().item() / math.sqrt(DRAWS))
    assert found[0].error == pytest.approx(ratios.std().item(), rel=0.12)
    assert found[0].numbers == int(used.sum())


def test_a_fit_with_free_numbers_has_a_smaller_residual(generator):
    y = noise((400,), generator, complex_valued=False)
    basis = torch.linalg.qr(torch.randn(400, 100, dtype=torch.float64, generator=generator)).Q
    found = used_residual(basis @ (basis.T @ y), y, SIGMA, every(400))
    assert found.ratio == pytest.approx(0.75, abs=4 * found.error)


@pytest.mark.parametrize("complex_valued", [True, False])
def test_the_residual_relative_to_the_data_is_that_of_the_used_places(generator, complex_valued):
    y = noise((3, SIDE, SIDE), generator, complex_valued=complex_valued) + 1
    used = torch.arange(SIDE) < SIDE // 2
    found = used_residual(0.9 * y, torch.where(used, y, 7 * y), SIGMA, used)
    assert found.relative == pytest.approx(0.1)
    assert math.isnan(used_residual(y, 0 * y, SIGMA, used).relative)


# What is refused


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"prediction": torch.zeros(4, 5)}, r"prediction\.dtype=torch\.float32: expected complex numbers"),
        ({"prediction": torch.zeros(5, dtype=torch.cfloat)}, r"prediction\.shape=\(5,\)"),
        ({"held_out": torch.zeros(4, 5, dtype=torch.bool)}, "held_out=.*2 or more places or lines, not 0"),
        ({"held_out": torch.ones(3, 5, dtype=torch.bool)}, r"held_out\.shape=\(3, 5\)"),
        ({"held_out": torch.ones(4, 5)}, "held_out=.*a tensor of bool"),
        ({"sigma": 0.0}, "sigma=0.0: expected a finite number above 0"),
        ({"sigma": torch.ones(3)}, r"sigma\.shape=\(3,\): expected a shape that broadcasts to \(4, 5\)"),
        ({"sigma": -torch.ones(5)}, "sigma=.*real numbers above 0"),
        ({"dim": 2}, "dim=2: expected None, or an integer from -2 to 1"),
        ({"confidence": 1.0}, "confidence=1.0"),
        ({"sigma_rtol": -0.1}, "sigma_rtol=-0.1"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(changed, message):
    given = {
        "prediction": torch.zeros(4, 5, dtype=torch.cfloat),
        "measured": torch.ones(4, 5, dtype=torch.cfloat),
        "sigma": 1.0,
        "held_out": torch.ones(4, 5, dtype=torch.bool),
    }
    with pytest.raises(ValueError, match=message):
        held_out_error(**(given | changed))
