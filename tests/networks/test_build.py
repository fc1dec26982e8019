"""Networks: sizes, a start at zero, homogeneity without biases, what they accept, and the iteration told or not."""

import math
from functools import partial

import pytest
import torch
from torch.nn import functional

from ddgp_lib import LearnedPreconditioner, State, distill
from ddgp_lib.distillation import DistillationRecipe, build_preconditioner
from ddgp_lib.networks import (
    MLP,
    NETWORKS,
    SIZES,
    ConvNeXt,
    ViT,
    build_network,
    iteration_features,
    iteration_progress,
    with_iteration,
)
from ddgp_lib.networks.build import BREAK_HOMOGENEITY
from ddgp_lib.networks.cbam import AttentionCNN, ChannelAttention, SpatialAttention
from ddgp_lib.networks.homogeneous import Homogeneous
from ddgp_lib.networks.vit import positions
from ddgp_lib.operators import HadamardCamera

COUNTS = {
    "mlp": (99_328, 496_804),
    "cnn": (87_552, 495_360),
    "cbam": (88_968, 502_152),
    "unet": (99_848, 518_528),
    "mdcnn": (105_200, 471_152),
    "indi": (105_000, 544_128),
    "vit": (113_328, 447_840),
    "convnext": (91_000, 476_448),
}
"""Weights of the small and the medium size, from 2 channels to 1, without biases; of the MLP for 32×32 pixels."""

MULTIPLES = {"cnn": 4, "cbam": 4, "unet": 2, "mdcnn": 4, "indi": 8, "vit": 4, "convnext": 4}
"""What sides are padded to multiples of."""


def _awake(name, in_channels=2, out_channels=1, *, img_size=(16, 16), seed=0, **options):
    """Build a small network whose zeros, the last layer and biases, are drawn; call it as N(v) or N(v, s)."""
    torch.manual_seed(seed)
    options = {"parameters": "small"} | options
    network = build_network(name, in_channels, out_channels, img_size=img_size, **options)
    for weights in network.parameters():
        if not weights.any():
            torch.nn.init.normal_(weights, std=0.1)
    return partial(network, s=torch.tensor([0.3])) if getattr(network, "wants_iteration", False) else network


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", SIZES)
def test_sizes_are_what_they_are_called(name, size):
    def count(in_channels, out_channels, **options):
        network = build_network(
            name, in_channels, out_channels, parameters=size, img_size=(1, 32, 32), **options
        )
        return sum(weights.numel() for weights in network.parameters())

    assert count(2, 1) == COUNTS[name][list(SIZES).index(size)]
    for channels in ((1, 1), (2, 1), (2, 2), (4, 2)):
        for bias in (False, True):
            assert count(*channels, bias=bias) == pytest.approx(SIZES[size], rel=0.25)


def test_the_default_is_the_medium_network_without_biases():
    torch.manual_seed(0)
    default = build_network("unet", 2, 1).state_dict()
    torch.manual_seed(0)
    named = build_network("unet", 2, 1, parameters="medium", bias=False, width=32).state_dict()
    assert list(default) == list(named)
    assert all(torch.equal(value, named[name]) for name, value in default.items())


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_start_at_zero_and_learn(name, bias, generator):
    """After a few steps towards a target, the loss has fallen and every weight has moved."""
    torch.manual_seed(0)
    network = build_network(name, 2, 1, parameters="small", bias=bias, img_size=(16, 16))
    v = torch.randn(8, 2, 16, 16, generator=generator)
    target = v[:, :1].roll(1, dims=-1) - 0.5 * v[:, 1:]
    told = (torch.rand(8, generator=generator),) if getattr(network, "wants_iteration", False) else ()
    assert not network(v, *told).any()
    before = [weights.clone() for weights in network.parameters()]
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(40):
        loss = (network(v, *told) - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert all((now - old).any() for now, old in zip(network.parameters(), before, strict=True))


@pytest.mark.parametrize("channels", [(1, 1), (2, 1), (4, 2)])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_keep_zero_and_scale_without_biases(name, channels, generator):
    network = _awake(name, *channels)
    v = torch.randn(3, channels[0], 16, 16, generator=generator)
    out = network(v)
    assert out.shape == (3, channels[1], 16, 16)
    assert out.abs().max() > 1e-3
    assert not network(torch.zeros_like(v)).any()
    for scale in (1e-6, 7.0, 1e5):
        torch.testing.assert_close(network(scale * v) / scale, out, rtol=1e-3, atol=1e-4)
    assert not any(key.endswith("bias") for key in getattr(network, "func", network).state_dict())


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_with_biases_lose_scale(name, generator):
    network = _awake(name, bias=True)
    v = torch.randn(3, 2, 16, 16, generator=generator)
    change = network(7 * v) / 7 - network(v)
    assert change.norm() > 0.02 * network(v).norm()
    assert network(torch.zeros_like(v)).any()


@pytest.mark.parametrize(("name", "kind"), [("cbam", AttentionCNN), ("vit", ViT), ("convnext", ConvNeXt)])
def test_some_networks_need_help_to_keep_scale(name, kind, generator):
    assert name in BREAK_HOMOGENEITY
    network = _awake(name)
    assert isinstance(network.network, kind)
    v = torch.randn(3, 2, 16, 16, generator=generator)
    v = v / v.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    torch.testing.assert_close(network(v), network.network(v), rtol=1e-3, atol=1e-4)
    assert (network.network(7 * v) / 7 - network.network(v)).norm() > 0.02 * network(v).norm()


@pytest.mark.parametrize("name", BREAK_HOMOGENEITY)
def test_gradients_are_finite_at_zero(name):
    v = torch.zeros(2, 2, 16, 16, requires_grad=True)
    _awake(name)(v).sum().backward()
    assert torch.isfinite(v.grad).all()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_each_image_is_mapped_by_itself(name, bias, generator):
    network = _awake(name, bias=bias)
    v = torch.randn(3, 2, 16, 16, generator=generator) * torch.tensor([0.01, 1, 100]).view(3, 1, 1, 1)
    for image, out in zip(v.split(1), network(v).split(1), strict=True):
        torch.testing.assert_close(network(image), out, rtol=1e-3, atol=1e-4 * out.abs().max().item())


@pytest.mark.parametrize(("name", "multiple"), MULTIPLES.items())
def test_any_sides_are_padded_and_cropped(name, multiple, generator):
    network = _awake(name)
    network = (
        network.network if isinstance(network, Homogeneous) else network
    )  # whose scale is that of the image
    fitting = torch.randn(1, 2, 3 * multiple, 5 * multiple, generator=generator)
    assert network(fitting).shape == (1, 1, 3 * multiple, 5 * multiple)
    part = fitting[..., :-1, : -(multiple // 2)]
    padded = functional.pad(part, (0, multiple // 2, 0, 1), mode="replicate")
    expected = network(padded)[..., :-1, : -(multiple // 2)]
    assert expected.abs().max() > 0
    torch.testing.assert_close(network(part), expected, rtol=0, atol=0)
    assert network(fitting[..., :1, :3]).shape == (1, 1, 1, 3)
    for refused in (fitting[:, :1], fitting[0], fitting[..., :0]):
        with pytest.raises(ValueError, match=r"v.shape="):
            network(refused)


def test_the_mlp_is_for_one_image_size(generator):
    network = _awake("mlp")
    for refused in ((1, 2, 16, 12), (1, 1, 16, 16), (2, 16, 16)):
        with pytest.raises(ValueError, match=r"v.shape=.* expected \(N, \*\(2, 16, 16\)\)$"):
            network(torch.zeros(refused))
    with pytest.raises(ValueError, match="img_size=None"):
        build_network("mlp", 2, 1)
    with pytest.raises(ValueError, match=r"img_size=\(2, 128, 128\): expected images so small"):
        build_network("mlp", 4, 2, img_size=(2, 128, 128))
    network = MLP(1, 1, (8, 8), 5)
    torch.nn.init.normal_(network.layers[5].weight)
    out = network(torch.randn(40, 1, 8, 8, generator=generator)).flatten(1)
    assert torch.linalg.matrix_rank(out, rtol=1e-5) == 5


@pytest.mark.parametrize(
    "options", [{"parameters": "huge"}, {"width": 0}, {"name": "resnet"}, {"name": "vit", "width": 6}]
)
def test_unknown_options_are_refused(options):
    argument, value = list({"name": "unet"} | options | {})[-1], list(options.values())[-1]
    with pytest.raises(ValueError, match=f"{argument}={value!r}: expected"):
        build_network(**({"name": "unet", "in_channels": 1, "out_channels": 1} | options))


def test_an_output_of_the_cnn_sees_84_pixels():
    torch.manual_seed(0)
    network = build_network("cnn", 1, 1)
    for weights in network.parameters():
        torch.nn.init.constant_(weights, 0.01)
    v = torch.ones(1, 1, 128, 128, requires_grad=True)
    network(v)[0, 0, 64, 64].backward()
    seen = v.grad[0, 0].nonzero()
    assert (seen.amax(dim=0) - seen.amin(dim=0) + 1).tolist() == [84, 84]


def test_attention_is_its_formula(generator):
    features = torch.randn(2, 8, 5, 6, generator=generator)
    channels, places = ChannelAttention(8, bias=True), SpatialAttention(bias=True)
    first, second = channels.mlp[0], channels.mlp[2]

    def shared(pooled):
        hidden = (pooled @ first.weight.T + first.bias).clamp_min(0)
        return hidden @ second.weight.T + second.bias

    flat = features.flatten(2)
    weight = torch.sigmoid(shared(flat.mean(dim=2)) + shared(flat.max(dim=2).values))
    torch.testing.assert_close(channels(features), features * weight[:, :, None, None])
    torch.nn.init.zeros_(places.conv.weight)
    places.conv.weight.data[0, :, 3, 3] = torch.tensor([2.0, -1.0])
    weight = torch.sigmoid(2 * features.mean(1, True) - features.max(1, True).values + places.conv.bias)
    torch.testing.assert_close(places(features), features * weight)


def test_positions_tell_places_apart():
    told = positions(8, 12, 48)
    assert told.shape == (96, 48)
    assert (torch.cdist(told, told) + 10 * torch.eye(96)).min() > 0.5
    torch.testing.assert_close(positions(8, 20, 48).view(8, 20, 48)[:, :12].flatten(0, 1), told)


@pytest.mark.filterwarnings("ignore:There is a performance drop")
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_have_derivatives_in_both_directions(name, generator):
    """Forward and reverse mode agree, as the spectral radius of the iteration needs."""
    network = _awake(name)
    v, forward, backward = (torch.randn(1, 2, 16, 16, generator=generator) for _ in range(3))
    pushed = torch.func.jvp(network, (v,), (forward,))[1]
    pulled = torch.func.vjp(network, v)[1](backward[:, :1])[0]
    torch.testing.assert_close(
        (pushed * backward[:, :1]).sum(), (forward * pulled).sum(), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("form", ["free", "null_space"])
def test_a_network_that_wants_the_iteration_is_told(form, generator):
    physics = HadamardCamera(0.2, (1, 16, 16))
    recipe = DistillationRecipe(network="indi", form=form, horizon=30, parameters="small")
    preconditioner = build_preconditioner(recipe, 1, (1, 16, 16))
    torch.nn.init.normal_(preconditioner.network.last.weight, std=0.1)
    z, grad = torch.randn(2, 3, 1, 16, 16, generator=generator)

    def told(k):
        return preconditioner(grad, State(z, k, physics, physics.A(z)))

    each = told(torch.tensor([0, 5, 30]))
    for image, k in enumerate((0, 5, 30)):
        torch.testing.assert_close(each[image], told(k)[image], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(told(30), told(300))
    assert (told(0) - told(5)).norm() > 1e-3 * told(0).norm()


def test_the_progress_is_handed_on(generator):
    class Listening(torch.nn.Module):
        wants_iteration = True

        def forward(self, v, s):
            self.heard = s
            return v[:, :1]

    network = Listening()
    preconditioner = LearnedPreconditioner(network, form="free", longest=20)
    v = torch.randn(2, 1, 4, 4, generator=generator)
    for k in (3, torch.tensor([0, 25])):
        preconditioner(v, State(v, k, None, v))
        assert torch.equal(network.heard, iteration_progress(k, 20))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_can_be_distilled(name, task):
    options = {"steps": 2, "batch_size": 2, "pool_size": 4, "parameters": "small", "bias": True}
    result = distill(task, name, progress=False, **options)
    assert all(math.isfinite(loss) for loss in result.history["total"])
    assert result.recipe.parameters == "small"
    weights = result.preconditioner.state_dict()
    assert any(key.endswith("bias") for key in weights)
    rebuilt = build_preconditioner(result.recipe, 1, task.img_size)
    rebuilt.load_state_dict(weights)
    v = torch.rand(1, 1, 32, 32)
    state = State(v, 3, task.student, task.student.A(v))
    torch.testing.assert_close(rebuilt.eval()(v, state), result.preconditioner(v, state))


def test_a_recipe_with_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match="parameters='huge'"):
        DistillationRecipe(parameters="huge")


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


def test_progress_is_its_formula():
    torch.testing.assert_close(iteration_progress(torch.tensor([0, 50, 90]), 50), torch.tensor([0.0, 1, 1]))
    torch.testing.assert_close(iteration_progress(6, 48), torch.tensor([0.5]))


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
