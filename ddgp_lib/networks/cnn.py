"""A convolutional network of one scale."""

from itertools import pairwise

import torch
from torch import nn

from ..arguments import require_count, require_counts, require_flag
from .initial import for_relu, start_at_zero
from .patches import OnPatches


class PatchCNN(OnPatches):
    """3×3 convolutions with ReLUs between them, on 4×4 patches of pixels.

    With ten convolutions an output sees 84×84 pixels.  Without biases N(0) = 0 and N(c v) = c N(v) for c > 0.  The
    last layer starts at zero.

    Parameters
    ----------
    in_channels, out_channels : int
        Image channels.
    width : int
        Channels between convolutions.
    depth : int
        Number of convolutions, 2 or more.
    bias : bool
        Whether convolutions have biases.

    References
    ----------
    Zhang et al., "Beyond a Gaussian denoiser: residual learning of deep CNN for image denoising", 2017, without its
    batch normalisation.
    """

    def __init__(
        self, in_channels: int, out_channels: int, width: int = 80, *, depth: int = 10, bias: bool = False
    ) -> None:
        super().__init__(in_channels, patch=4)
        require_counts(out_channels=out_channels, width=width)
        require_count("depth", depth, lowest=2)
        require_flag("bias", bias)
        channels = [16 * in_channels, *[width] * (depth - 1)]
        hidden: list[nn.Module] = []
        for before, after in pairwise(channels):
            hidden += [nn.Conv2d(before, after, 3, padding=1, bias=bias), nn.ReLU(inplace=True)]
        last = nn.Conv2d(width, 16 * out_channels, 3, padding=1, bias=bias)
        self.layers = nn.Sequential(*hidden, last)
        for_relu(self)
        start_at_zero(last)
        self.to(memory_format=torch.channels_last)

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W)."""
        return self.to_image(self.layers(self.to_patches(v)), v)
