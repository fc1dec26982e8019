"""Networks without biases keep zero and scale, with the iteration told or not."""

import math

import pytest
import torch

from ddgp_lib.networks import build_network, iteration_features, with_iteration


@pytest.mark.parametrize("count", [0, 3])
def test_networks_are_homogeneous_at_every_iteration(generator, count):
    torch.manual_seed(0)
    network = build_network("unet", 2 * (1 + count), 1)
    torch.nn.init.normal_(network.unet.Conv_1x1.weight, std=0.1)
    v, k = torch.randn(3, 2, 16, 16, generator=generator), torch.tensor([0, 3, 70])

    def told(v, k):
        return network(with_iteration(v, k, count, 50))

    assert not told(torch.zeros_like(v), k).any()
    torch.testing.assert_close(told(5 * v, k), 5 * told(v, k), rtol=1e-4, atol=1e-5)
    differs = (told(v, 0) - told(v, 20)).abs().max() > 1e-4
    assert differs == (count > 0)


def test_features_are_their_formula():
    features = iteration_features(torch.tensor([0, 4]), 3, 50)
    assert features.shape == (2, 3)
    torch.testing.assert_close(features[0], torch.ones(3))
    s = math.log(5) / math.log(51)
    torch.testing.assert_close(features[1], torch.tensor([math.cos(math.pi * j * s) for j in (1, 2, 3)]))


def test_features_stay_past_the_longest_iteration():
    torch.testing.assert_close(iteration_features(50, 4, 50), iteration_features(1000, 4, 50))
    assert (iteration_features(49, 4, 50) - iteration_features(50, 4, 50)).abs().max() > 1e-4


def test_one_iteration_for_all_or_one_for_each(generator):
    v = torch.randn(3, 2, 4, 4, generator=generator)
    each = with_iteration(v, torch.tensor([7, 7, 7]), 2, 50)
    assert each.shape == (3, 6, 4, 4)
    torch.testing.assert_close(with_iteration(v, 7, 2, 50), each)
    torch.testing.assert_close(each[:, :2], v)
    torch.testing.assert_close(each[:, 4:], iteration_features(7, 2, 50)[0, 1] * v)
    assert with_iteration(v, 7, 0, 50) is v
