"""Shrinkage of Haar wavelets: a soft threshold, averaged over shifts."""

import pytest
import torch

from ddgp_lib.experiments.measured.shrinkage import HaarShrinkage
from ddgp_lib.operators import HaarCamera


def test_one_level_is_a_soft_threshold_averaged_over_two_shifts(generator):
    x = torch.rand(3, 1, 16, 16, generator=generator)
    basis = HaarCamera(1.0, (1, 16, 16), 8)

    def shrunk(image):
        y = basis.V_adjoint(image)
        details = y.sign() * (y.abs() - 0.2).clamp(min=0)
        details[..., :8, :8] = y[..., :8, :8]
        return basis.V(details)

    moved = shrunk(x.roll((-1, -1), (-2, -1))).roll((1, 1), (-2, -1))
    torch.testing.assert_close(HaarShrinkage(2.0, levels=1)(x, 0.1), (shrunk(x) + moved) / 2)


def test_each_image_may_have_a_level_of_its_own(generator):
    x, prior = torch.rand(2, 1, 32, 32, generator=generator), HaarShrinkage()
    each = prior(x, torch.tensor([0.05, 0.2]))
    torch.testing.assert_close(each[:1], prior(x[:1], 0.05))
    torch.testing.assert_close(each[1:], prior(x[1:], 0.2))
    assert not torch.allclose(each[:1], prior(x[:1], 0.2))


def test_flat_images_stay_and_noise_goes(generator):
    flat = torch.full((1, 1, 32, 32), 0.3)
    torch.testing.assert_close(HaarShrinkage()(flat, 0.1), flat)
    noise = 0.1 * torch.randn(flat.shape, generator=generator)
    assert float((HaarShrinkage(3.0)(flat + noise, 0.1) - flat).norm()) < 0.2 * float(noise.norm())


@pytest.mark.parametrize(("options", "message"), [({"weight": 0}, "^weight=0"), ({"levels": 0}, "^levels=0")])
def test_what_is_not_accepted_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        HaarShrinkage(**options)
