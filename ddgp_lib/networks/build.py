"""Networks by name, in two sizes, with or without biases."""

from collections.abc import Callable, Mapping

from torch import nn

from ..arguments import (
    require,
    require_choice,
    require_count,
    require_counts,
    require_flag,
    require_img_size,
)
from ..names import Network, Size
from .cbam import AttentionCNN
from .cnn import PatchCNN
from .convnext import ConvNeXt
from .homogeneous import Homogeneous
from .indi import TimedUNet
from .mdcnn import MultiDepthCNN
from .mlp import MLP, width_for
from .unet import PatchUNet
from .vit import ViT

SIZES: Mapping[Size, int] = {"small": 100_000, "medium": 500_000}
"""Names of the two sizes, and the number of weights that each aims at."""

LEAST_WIDTH = 8
"""Narrowest MLP that a size is met with."""


def _unet(in_channels: int, out_channels: int, width: int, *, bias: bool = False) -> PatchUNet:
    return PatchUNet(in_channels, out_channels, (width, 2 * width, 4 * width), bias=bias)


NETWORKS: Mapping[Network, Callable[..., nn.Module]] = {
    "mlp": MLP,
    "cnn": PatchCNN,
    "cbam": AttentionCNN,
    "unet": _unet,
    "mdcnn": MultiDepthCNN,
    "indi": TimedUNet,
    "vit": ViT,
    "convnext": ConvNeXt,
}
"""What builds each network: from input and output channels, for the MLP the image size, the width and ``bias``."""

WIDTHS: Mapping[Network, Mapping[Size, int]] = {
    "cnn": {"small": 32, "medium": 80},
    "cbam": {"small": 32, "medium": 80},
    "unet": {"small": 14, "medium": 32},
    "mdcnn": {"small": 20, "medium": 44},
    "indi": {"small": 14, "medium": 32},
    "vit": {"small": 48, "medium": 96},
    "convnext": {"small": 40, "medium": 96},
}
"""Width of each network at each size; that of the MLP depends on the image."""

BREAK_HOMOGENEITY: tuple[Network, ...] = ("cbam", "vit", "convnext")
"""Networks that are not homogeneous by themselves when they have no biases."""


def build_network(
    name: Network,
    in_channels: int,
    out_channels: int,
    *,
    parameters: Size = "medium",
    width: int | None = None,
    bias: bool = False,
    img_size: tuple[int, ...] | None = None,
) -> nn.Module:
    """Build a network by its name, with weights from torch's global generator and a last layer that is zero.

    Without biases every network is positively homogeneous, N(0) = 0 and N(c v) = c N(v) for c > 0: the MLP, the CNN,
    the U-Net, the MDCNN and ``"indi"`` by their layers, the others because what goes in is divided by its root mean
    square and what comes out is multiplied by it, see :class:`~ddgp_lib.networks.homogeneous.Homogeneous`.  With
    biases, none is.

    Parameters
    ----------
    name : str
        ``"mlp"``, ``"cnn"``, ``"cbam"`` (convolutions and attention to channels and places), ``"unet"``, ``"mdcnn"``
        (branches of several kernel sizes and depths), ``"indi"`` (a U-Net that is told the iteration, called as
        ``network(v, s)``), ``"vit"`` or ``"convnext"``.
    in_channels, out_channels : int
        Image channels that go in and come out.
    parameters : str
        Size: ``"small"``, about 0.1 million weights, or ``"medium"``, about 0.5 million.
    width : int, optional
        Channels, entries of a hidden layer or of a token, see each network; in the place of what the size asks for.
    bias : bool
        Whether layers have biases.
    img_size : tuple of int, optional
        (H, W) or (C, H, W), for which alone the MLP is built; the others take images of any size.

    Returns
    -------
    nn.Module
        N: (N, in_channels, H, W) to (N, out_channels, H, W), zero until it is trained.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.
    """
    require_choice("name", name, NETWORKS)
    require_choice("parameters", parameters, SIZES)
    require_count("width", width, none=True)
    require_counts(in_channels=in_channels, out_channels=out_channels)
    require_flag("bias", bias)
    if img_size is not None:
        require_img_size("img_size", img_size, "None, (H, W) or (C, H, W)", lengths=(2, 3))
    if name == "mlp":
        return _mlp(in_channels, out_channels, img_size, width, SIZES[parameters], bias)
    network = NETWORKS[name](in_channels, out_channels, width or WIDTHS[name][parameters], bias=bias)
    return Homogeneous(network) if name in BREAK_HOMOGENEITY and not bias else network


def _mlp(
    in_channels: int,
    out_channels: int,
    img_size: tuple[int, ...] | None,
    width: int | None,
    weights: int,
    bias: bool,
) -> MLP:
    """Build the MLP, of a given width or number of weights."""
    require_img_size("img_size", img_size, "(H, W) or (C, H, W), for the network 'mlp'", lengths=(2, 3))
    assert img_size is not None
    if width is None:
        width = width_for(weights, in_channels, out_channels, img_size)
        expected = (
            f"images so small that an MLP of {weights:,} weights is {LEAST_WIDTH} wide; or give a width"
        )
        require(width >= LEAST_WIDTH, "img_size", img_size, expected)
    return MLP(in_channels, out_channels, img_size, width, bias=bias)
