"""A convolutional network that attends to channels and places."""

import torch
from torch import nn

from ..arguments import require_counts, require_flag
from .initial import for_relu, start_at_zero
from .patches import OnPatches


class ChannelAttention(nn.Module):
    """Weight each channel by sigmoid(M(mean) + M(maximum)), taken over the image, with M a shared MLP.

    Parameters
    ----------
    channels : int
        Channels of the features.
    bias : bool
        Whether M has biases.
    reduction : int
        How many times fewer entries M's hidden layer has.

    References
    ----------
    Woo et al., "CBAM: convolutional block attention module", 2018, equation 2.
    """

    def __init__(self, channels: int, *, bias: bool = False, reduction: int = 8) -> None:
        super().__init__()
        hidden = max(channels // reduction, 1)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden, bias=bias),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, channels, bias=bias),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) to the same shape."""
        weight = self.mlp(features.mean(dim=(2, 3))) + self.mlp(features.amax(dim=(2, 3)))
        return features * weight.sigmoid()[:, :, None, None]


class SpatialAttention(nn.Module):
    """Weight each place by the sigmoid of a 7×7 convolution of the mean and the maximum over channels.

    Parameters
    ----------
    bias : bool
        Whether the convolution has a bias.

    References
    ----------
    Woo et al., "CBAM: convolutional block attention module", 2018, equation 3.
    """

    def __init__(self, *, bias: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) to the same shape."""
        pooled = torch.cat([features.mean(dim=1, keepdim=True), features.amax(dim=1, keepdim=True)], dim=1)
        return features * self.conv(pooled).sigmoid()


class AttentionBlock(nn.Module):
    """Two 3×3 convolutions, attention to channels and then to places, and a skip connection."""

    def __init__(self, channels: int, *, bias: bool = False) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=bias),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=bias),
            ChannelAttention(channels, bias=bias),
            SpatialAttention(bias=bias),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) to the same shape."""
        return torch.relu(features + self.layers(features))


class AttentionCNN(OnPatches):
    """A residual network with attention blocks (CBAM), on 4×4 patches of pixels.

    The sigmoids break homogeneity even without biases; :class:`~ddgp_lib.networks.homogeneous.Homogeneous` brings
    it back.  The last layer starts at zero.

    Parameters
    ----------
    in_channels, out_channels : int
        Image channels.
    width : int
        Channels between convolutions.
    depth : int
        Number of attention blocks.
    bias : bool
        Whether convolutions and linear layers have biases.

    References
    ----------
    Woo et al., "CBAM: convolutional block attention module", 2018, without its batch normalisation.
    """

    def __init__(
        self, in_channels: int, out_channels: int, width: int = 80, *, depth: int = 4, bias: bool = False
    ) -> None:
        super().__init__(in_channels, patch=4)
        require_counts(out_channels=out_channels, width=width, depth=depth)
        require_flag("bias", bias)
        last = nn.Conv2d(width, 16 * out_channels, 3, padding=1, bias=bias)
        self.layers = nn.Sequential(
            nn.Conv2d(16 * in_channels, width, 3, padding=1, bias=bias),
            nn.ReLU(inplace=True),
            *(AttentionBlock(width, bias=bias) for _ in range(depth)),
            last,
        )
        for_relu(self)
        start_at_zero(last)
        self.to(memory_format=torch.channels_last)

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W)."""
        return self.to_image(self.layers(self.to_patches(v)), v)
