"""Total variation: its formula, its minimiser, and the differences' transpose."""

import pytest
import torch
from deepinv.models import TVDenoiser
from deepinv.physics import Denoising

from ddgp_lib.solvers import PreconditionedFISTA
from ddgp_lib.variation import TotalVariation, differences, total_variation, transposed


def test_differences_have_their_transpose_and_its_bound(generator):
    x = torch.randn(2, 3, 9, 7, dtype=torch.float64, generator=generator)
    p = torch.randn(2, 2, 3, 9, 7, dtype=torch.float64, generator=generator)
    torch.testing.assert_close((differences(x) * p).sum(), (x * transposed(p)).sum())
    for _ in range(100):
        x = transposed(differences(x)) / x.norm()
    assert 7.3 < float(x.norm()) < 8


def test_total_variation_is_the_length_of_a_contour_times_its_step():
    image = torch.zeros(2, 1, 16, 16)
    image[:, :, :, 8:] = torch.tensor([1.0, 3.0]).view(2, 1, 1, 1)
    torch.testing.assert_close(total_variation(image), torch.tensor([16.0, 48.0]))
    both = image.expand(2, 2, 16, 16)
    torch.testing.assert_close(total_variation(both), 2**0.5 * torch.tensor([16.0, 48.0]))


def test_one_channel_is_that_of_deepinv(generator):
    noisy = torch.rand(2, 1, 12, 12, generator=generator)
    theirs = TVDenoiser(n_it_max=3000, crit=1e-7)(noisy, ths=0.2)
    torch.testing.assert_close(TotalVariation(iterations=500)(noisy, 0.2), theirs, atol=2e-4, rtol=0)


def test_it_is_the_minimiser_for_each_image_and_channels_are_coupled(generator):
    noisy = torch.randn(2, 2, 8, 8, dtype=torch.float64, generator=generator)
    sigma = torch.tensor([0.1, 0.5], dtype=torch.float64)

    def objective(u):
        return 0.5 * (u - noisy).square().sum(dim=(1, 2, 3)) + 2 * sigma * total_variation(u)

    best = TotalVariation(weight=2.0, iterations=2000)(noisy, sigma)
    for _ in range(20):
        other = best + 1e-2 * torch.randn(best.shape, dtype=torch.float64, generator=generator)
        assert (objective(best) < objective(other)).all()
    turned = torch.stack([-noisy[:, 1], noisy[:, 0]], dim=1)  # times the imaginary unit
    torch.testing.assert_close(TotalVariation(2.0, 2000)(turned, sigma)[:, 1], best[:, 0])


def test_a_solver_with_it_denoises_to_the_proximal_map(generator):
    y = torch.rand(1, 1, 12, 12, generator=generator)
    solver = PreconditionedFISTA(TotalVariation(iterations=300), stepsize=0.5, sigma=0.05, max_iter=100)
    expected = TotalVariation(iterations=500)(y, 0.1)
    torch.testing.assert_close(solver(y, Denoising()), expected, atol=1e-3, rtol=0)


def test_thirty_iterations_are_near_the_end(generator):
    image = torch.zeros(1, 1, 32, 32)
    image[..., 8:24, 8:24] = 1
    noisy = image + 0.1 * torch.randn(image.shape, generator=generator)
    few, many = (TotalVariation(iterations=count)(noisy, 0.1) for count in (30, 1000))
    assert (few - many).norm() < 0.03 * (noisy - many).norm()


@pytest.mark.parametrize(
    ("arguments", "named"), [({"weight": 0}, "weight=0"), ({"iterations": 0}, "iterations=0")]
)
def test_bad_arguments_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        TotalVariation(**arguments)
