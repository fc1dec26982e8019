"""Cartesian MRI: masks, orthonormal rows, coil maps, the spectrum of several coils."""

from itertools import pairwise

import pytest
import torch

from ddgp_lib.operators import CartesianMRI, MultiCoilCartesianMRI, birdcage_maps, gaussian_columns
from ddgp_lib.operators.mri import _row_blocks

SHAPE = (2, 16, 16)


@pytest.mark.parametrize(
    ("width", "acceleration", "kept"), [(128, 4, 32), (128, 2, 64), (128, 1, 128), (101, 3.0, 34), (1, 1, 1)]
)
def test_number_of_columns(width, acceleration, kept):
    assert int(gaussian_columns(width, acceleration).sum()) == kept


@pytest.mark.parametrize("seed", range(5))
def test_higher_acceleration_is_nested(seed):
    masks = [gaussian_columns(128, acceleration, seed=seed) for acceleration in (12, 8, 4, 2.5, 2, 1)]
    for small, large in pairwise(masks):
        assert bool((small <= large).all())
        assert small.sum() < large.sum()


def test_other_seeds_give_other_columns():
    one, other = gaussian_columns(128, 4, seed=0), gaussian_columns(128, 2, seed=1)
    assert not bool((one <= other).all())


@pytest.mark.parametrize(("width", "center"), [(128, slice(59, 69)), (101, slice(46, 54))])
def test_center_is_measured_by_every_seed(width, center):
    for seed in range(20):
        assert gaussian_columns(width, 4, 0.08, seed)[center].all()
    alone = gaussian_columns(width, width / (center.stop - center.start), 0.08)
    assert alone.nonzero().flatten().tolist() == list(range(center.start, center.stop))


def test_columns_follow_the_density():
    width, center = 128, 10
    mean = torch.stack([gaussian_columns(width, 4, seed=seed) for seed in range(400)]).double().mean(0)
    assert mean.sum().item() == pytest.approx(32)
    near, far = torch.cat([mean[49:59], mean[69:79]]).mean(), torch.cat([mean[:20], mean[108:]]).mean()
    # Without replacement, the chance of a column is 1 - exp(-t p) with one t for all.
    density = torch.exp(-0.5 * ((torch.arange(width).double() - 64) / 12.8) ** 2) + 1 / 8
    outside = torch.cat([density[:59], density[69:]])
    times = torch.linspace(0, 10, 10001).double()
    expected = (1 - torch.exp(-times[:, None] * outside)).sum(1)
    t = times[(expected - (32 - center)).abs().argmin()]
    assert near.item() == pytest.approx(
        (1 - torch.exp(-t * torch.cat([density[49:59], density[69:79]]))).mean().item(), abs=0.02
    )
    assert far.item() == pytest.approx(
        (1 - torch.exp(-t * torch.cat([density[:20], density[108:]]))).mean().item(), abs=0.02
    )


@pytest.mark.parametrize("kind", [CartesianMRI, MultiCoilCartesianMRI])
def test_teacher_sees_what_the_student_sees(kind):
    student, teacher = kind(4.0, (2, 32, 32)), kind(2.0, (2, 32, 32))
    assert bool((student.columns <= teacher.columns).all())
    assert torch.equal(student.mask.bool(), student.columns.expand(1, 2, 32, 32))


def test_mask_can_be_passed():
    mask = torch.arange(16) % 2
    assert torch.equal(CartesianMRI(img_size=SHAPE, mask=mask).columns, mask.bool())


def test_rows_are_orthonormal(generator):
    mri = CartesianMRI(4.0, SHAPE)
    y = mri.mask * torch.randn(3, *SHAPE, generator=generator)
    torch.testing.assert_close(mri.A(mri.A_adjoint(y)), y, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(mri.A_dagger(y), mri.A_adjoint(y), atol=1e-5, rtol=1e-5)


def test_maps_are_normalised_and_smooth_and_turn_with_the_coils():
    maps = birdcage_maps(4, 33, 33)
    torch.testing.assert_close(maps.abs().square().sum(0), torch.ones(33, 33))
    assert (maps[:, 1:] - maps[:, :-1]).abs().max() < 0.15
    torch.testing.assert_close(maps[1].abs(), maps[0].abs().rot90(-1), atol=1e-5, rtol=1e-5)
    assert maps[0, 16].abs().argmax() == 32  # the first coil stands on the right
    assert len(birdcage_maps(1, 4, 4).angle().unique()) > 8  # the phase of one coil varies


def test_maps_of_one_pixel_and_bad_radius():
    torch.testing.assert_close(birdcage_maps(2, 1, 1).abs().flatten(), torch.full((2,), 0.5**0.5))
    with pytest.raises(ValueError, match=r"radius=1\.0"):
        birdcage_maps(2, 4, 4, radius=1.0)


def test_coil_maps_can_be_passed(generator):
    maps = torch.randn(3, 16, 16, dtype=torch.complex64, generator=generator)
    assert torch.equal(MultiCoilCartesianMRI(4.0, SHAPE, maps).coil_maps[0], maps)


def test_full_mask_is_the_identity(generator):
    mri = MultiCoilCartesianMRI(1.0, SHAPE)
    x = torch.randn(2, *SHAPE, generator=generator)
    torch.testing.assert_close(mri.A_adjoint_A(x), x, atol=1e-5, rtol=1e-5)
    assert mri.squared_norm == pytest.approx(1.0, abs=1e-6)


def test_spectrum_is_that_of_the_dense_matrix():
    mri = MultiCoilCartesianMRI(4.0, SHAPE, 4)
    pixels = torch.eye(512, dtype=torch.float64).reshape(512, *SHAPE)
    matrix = mri.A(pixels).reshape(512, -1)
    expected = torch.linalg.eigvalsh(matrix @ matrix.T)
    twice = mri.spectrum.flatten().repeat_interleave(2).sort().values
    torch.testing.assert_close(twice, expected, atol=1e-7, rtol=0)
    assert (mri.spectrum.diff() >= 0).all()


def test_blocks_act_on_rows():
    maps, columns = birdcage_maps(4, 6, 8), gaussian_columns(8, 2)
    blocks = _row_blocks(maps, columns)
    assert blocks.shape == (6, 8, 8)
    torch.testing.assert_close(blocks, blocks.mH)


def test_more_coils_see_more():
    few, many = (MultiCoilCartesianMRI(4.0, (2, 32, 32), coils).spectrum for coils in (2, 12))
    assert (few > 1e-4).sum() < (many > 1e-4).sum()


def test_pseudo_inverse_keeps_its_digits_at_a_fine_tolerance(generator):
    mri = MultiCoilCartesianMRI(4.0, SHAPE, 4)
    x = mri.range_projection(torch.randn(2, *SHAPE, dtype=torch.float64, generator=generator).float())
    y = mri.A(x.double())
    assert (mri.A_dagger(y) - x).norm() < 1e-5 * x.norm()
    torch.testing.assert_close(mri.A(mri.A_dagger(y)), y, atol=1e-5, rtol=0)


def test_coarser_tolerance_sees_less(generator):
    x = torch.randn(1, *SHAPE, generator=generator)
    energies = [
        MultiCoilCartesianMRI(4.0, SHAPE, rtol=rtol).range_projection(x).norm().item()
        for rtol in (1e-5, 1e-2, 0.3)
    ]
    assert energies == sorted(energies, reverse=True)
    assert len(set(energies)) == 3


@pytest.mark.parametrize("convert", [lambda p: p.double(), lambda p: p.to(torch.float64)])
def test_several_coils_in_double_precision_keep_their_phase(convert):
    single = MultiCoilCartesianMRI(2.0, (2, 8, 12), 3, 0.1)
    double = convert(MultiCoilCartesianMRI(2.0, (2, 8, 12), 3, 0.1))
    x = torch.randn(2, 2, 8, 12, generator=torch.Generator().manual_seed(0))
    methods = ("A", "A_adjoint_A", "range_projection", lambda p, v: p.newton(v, 0.1))
    for method in methods:
        call = method if callable(method) else lambda p, v, name=method: getattr(p, name)(v)
        exact = call(double, x.double())
        assert exact.dtype == torch.float64
        torch.testing.assert_close(call(single, x).double(), exact, atol=1e-5, rtol=1e-5)
    x = x.double()
    adjoint = double.A_adjoint(double.A(x))
    torch.testing.assert_close(double.A_adjoint_A(x), adjoint, atol=1e-13, rtol=1e-13)
    seen = double.range_projection(x)
    torch.testing.assert_close(double.range_projection(seen), seen, atol=1e-13, rtol=1e-13)
    torch.testing.assert_close(double.float().A(x.float()), single.A(x.float()))


@pytest.mark.parametrize("sides", [(1, 1), (1, 8), (8, 1)])
def test_maps_of_an_image_with_one_row_or_column(sides):
    maps = birdcage_maps(3, *sides)
    assert maps.shape == (3, *sides)
    torch.testing.assert_close(maps.abs().square().sum(0), torch.ones(sides))


@pytest.mark.parametrize(
    "maps", [torch.full((2, 8, 8), float("nan")), torch.zeros(2, 8, 8), torch.ones(0, 8, 8)]
)
def test_maps_that_see_nothing_or_no_number_are_refused(maps):
    with pytest.raises(ValueError, match="coils="):
        MultiCoilCartesianMRI(2.0, (2, 8, 8), maps + 0j)
