"""A convolutional network built like a transformer."""

import torch
from torch import nn
from torchvision.models.convnext import CNBlock

from ..arguments import require_counts, require_flag
from .initial import drop_biases, start_at_zero
from .patches import OnPatches

LAYER_SCALE = 0.1
"""Initial weight of what a block adds."""


class ConvNeXt(OnPatches):
    """torchvision's ConvNeXt blocks, all on one grid of 4×4 patches of pixels.

    A block mixes places by a 7×7 convolution of each channel by itself, and then channels, place by place.  Layer
    normalisation and GELU break homogeneity even without biases;
    :class:`~ddgp_lib.networks.homogeneous.Homogeneous` brings it back.  The last layer starts at zero.

    Parameters
    ----------
    in_channels, out_channels : int
        Image channels.
    width : int
        Channels between blocks.
    depth : int
        Number of blocks.
    bias : bool
        Whether convolutions, linear layers and normalisations have biases.

    References
    ----------
    Liu et al., "A ConvNet for the 2020s", 2022, section 3.3 for a single grid.
    """

    def __init__(
        self, in_channels: int, out_channels: int, width: int = 96, *, depth: int = 6, bias: bool = False
    ) -> None:
        super().__init__(in_channels, patch=4)
        require_counts(out_channels=out_channels, width=width, depth=depth)
        require_flag("bias", bias)
        self.embed = nn.Conv2d(16 * in_channels, width, 1)
        self.layers = nn.Sequential(*(CNBlock(width, LAYER_SCALE, 0.0) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.last = nn.Linear(width, 16 * out_channels)
        start_at_zero(self.last)
        if not bias:
            drop_biases(self)
        self.to(memory_format=torch.channels_last)

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W)."""
        features = self.layers(self.embed(self.to_patches(v)))
        return self.to_image(self.last(self.norm(features.permute(0, 2, 3, 1))).permute(0, 3, 1, 2), v)
