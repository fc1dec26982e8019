"""Noise of a single-pixel camera's coefficients, estimated where it is known."""

import pytest
import torch

from ddgp_lib.experiments.measured.photons import (
    PhotonNoise,
    fit_photon_noise,
    light_of,
    noise_between,
    sign_changes,
)
from ddgp_lib.operators import HaarCamera, HadamardCamera


@pytest.fixture
def scene():
    """Return a bright disc on a dark ground, 64 × 64, with soft light: (1, 1, 64, 64)."""
    pixel = torch.arange(64) - 31.5
    disc = torch.hypot(pixel[:, None], pixel) < 20
    return (0.1 + 0.6 * disc + 0.2 * torch.linspace(0, 1, 64))[None, None]


def test_the_variance_is_a_line_in_the_light_and_scales_with_the_units():
    noise = PhotonNoise(0.04, 0.5, 0.1)
    light = torch.tensor([-1.0, 0.0, 0.64])
    torch.testing.assert_close(noise.sigma(light), torch.tensor([0.2, 0.2, 0.6]))
    scaled = noise.scaled(3.0)
    torch.testing.assert_close(scaled.sigma(3 * light), 3 * noise.sigma(light))
    assert scaled.rtol == 0.1


@pytest.mark.parametrize("coarsest", [1, 8])
def test_the_light_of_a_pattern_is_the_mean_under_it(coarsest, generator):
    images = torch.rand(2, 1, 32, 32, generator=generator)
    patterns = HaarCamera(1.0, (1, 32, 32), coarsest).V(torch.eye(1024).reshape(1024, 1, 32, 32))
    seen = (patterns != 0).float()
    means = (seen.flatten(1) @ images.flatten(1).T / seen.flatten(1).sum(dim=1, keepdim=True)).T
    torch.testing.assert_close(light_of(images, coarsest).flatten(1), means)


def test_photon_noise_is_found_behind_edges_and_not_too_small(scene):
    camera, true = HaarCamera(1.0, (1, 64, 64)), PhotonNoise(1e-4, 1e-3)
    found = []
    for seed in range(10):
        noise = torch.randn(scene.shape, generator=torch.Generator().manual_seed(seed))
        y = camera.V_adjoint(scene) + true.sigma(light_of(scene, 8)) * noise
        light = light_of(camera.V(y), 8)[..., 32:, 32:]
        edges = y[..., :32, 32:].square() + y[..., 32:, :32].square()
        found.append(fit_photon_noise(y[..., 32:, 32:], edges, light))
    for light in (0.2, 0.8):
        levels = torch.stack([noise.sigma(torch.tensor(light)) for noise in found])
        expected = float(true.sigma(torch.tensor(light)))
        assert float(levels.mean()) == pytest.approx(expected, rel=0.07)
    assert found[0].rtol == pytest.approx(0.052, abs=0.001)


def test_neither_number_of_a_fit_is_below_zero(generator):
    light, edges = torch.rand(2, 4000, generator=generator)
    noise = torch.randn(4000, generator=generator)
    falling = fit_photon_noise((1.2 - light).sqrt() * noise, edges, light)
    assert falling.gain == 0
    assert falling.constant > 0
    steep = fit_photon_noise(light * noise, edges, light)
    assert steep.constant == 0
    assert steep.gain > 0


def test_the_noise_between_two_acquisitions_is_that_of_one(generator):
    camera = HadamardCamera(1.0, (1, 32, 32))
    smooth = torch.nn.functional.avg_pool2d(torch.rand(1, 1, 39, 39, generator=generator), 8, stride=1)
    scene = camera.V_adjoint(smooth)[0, 0]
    one, two = (level * (scene + 0.05 * torch.randn(32, 32, generator=generator)) for level in (1.0, 1.1))
    found = noise_between(one, two, least=16)
    assert found.numbers == 256
    assert abs(found.sigma - 0.05 * 1.05) < 4 * found.error
    shifted = two.clone()
    shifted[0, 0] += 100  # the first coefficient is a scale, and no reading
    assert noise_between(one, shifted, least=16).sigma == found.sigma


def test_sign_changes_are_those_of_the_matrix_of_the_camera():
    matrix = HadamardCamera(1.0, (1, 16, 16)).hadamard
    expected = (matrix[:, 1:].sign() != matrix[:, :-1].sign()).sum(dim=1)
    assert torch.equal(sign_changes(16), expected)
    assert sorted(sign_changes(16).tolist()) == list(range(16))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: light_of(torch.ones(1, 1, 8, 4), 1), "^images.shape"),
        (lambda: light_of(torch.ones(1, 1, 8, 8), 16), "^coarsest=16"),
        (lambda: fit_photon_noise(torch.ones(100), torch.ones(100), torch.ones(100)), "^groups=8: .*6"),
        (lambda: fit_photon_noise(torch.ones(100), torch.ones(99), torch.ones(100)), "^edges.shape"),
        (lambda: noise_between(torch.ones(8, 8), torch.ones(8, 8), 8), "^least=8"),
        (lambda: noise_between(torch.zeros(8, 8), torch.ones(8, 8), 4), "^first=0.0"),
        (lambda: noise_between(torch.ones(6, 6), torch.ones(6, 6), 4), "^first.shape"),
        (lambda: sign_changes(6), "^side=6"),
    ],
)
def test_what_is_not_accepted_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
