"""A convolutional network of several scales and depths."""

from typing import Any

import torch
from torch import nn

from ..arguments import require, require_count, require_counts, require_flag
from .initial import for_relu, start_at_zero
from .patches import OnPatches

BRANCHES = ((3, 6), (5, 3), (7, 2))
"""Kernel side and number of convolutions of each branch."""


class MultiDepthCNN(OnPatches):
    """Branches of different kernel size and depth side by side, on 4×4 patches of pixels.

    The shallow branch of large kernels looks far in few steps, the deep one of small kernels composes what is near.
    One convolution comes before all branches, and one adds up what they return.  Without biases N(0) = 0 and
    N(c v) = c N(v) for c > 0.  The last layer starts at zero.

    Parameters
    ----------
    in_channels, out_channels : int
        Image channels.
    width : int
        Channels between convolutions, in each branch.
    branches : tuple of pairs of int
        Kernel side, odd, and number of convolutions of each branch.
    bias : bool
        Whether convolutions have biases.

    References
    ----------
    Yuan et al., "A multiscale and multidepth convolutional neural network for remote sensing imagery
    pan-sharpening", 2018; the branches here are three instead of two, of one kernel size each.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        width: int = 44,
        *,
        branches: tuple[tuple[int, int], ...] = BRANCHES,
        bias: bool = False,
    ) -> None:
        super().__init__(in_channels, patch=4)
        require_counts(out_channels=out_channels, width=width)
        require_flag("bias", bias)
        _require_branches(branches)
        self.first = nn.Conv2d(16 * in_channels, width, 3, padding=1, bias=bias)
        self.branches = nn.ModuleList(_branch(width, kernel, depth, bias) for kernel, depth in branches)
        self.last = nn.Conv2d(len(branches) * width, 16 * out_channels, 3, padding=1, bias=bias)
        for_relu(self)
        start_at_zero(self.last)
        self.to(memory_format=torch.channels_last)

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W)."""
        features = torch.relu(self.first(self.to_patches(v)))
        return self.to_image(self.last(torch.cat([branch(features) for branch in self.branches], dim=1)), v)


def _require_branches(branches: Any) -> None:
    """Refuse what is no sequence of pairs of an odd kernel side and a number of convolutions."""
    expected = "pairs of an odd kernel side and a number of convolutions"
    require(isinstance(branches, tuple | list) and len(branches) >= 1, "branches", branches, expected)
    for branch in branches:
        require(isinstance(branch, tuple | list) and len(branch) == 2, "branches", branches, expected)
        for number in branch:
            require_count("branches", number)
        require(branch[0] % 2 == 1, "branches", branches, expected)


def _branch(width: int, kernel: int, depth: int, bias: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Conv2d(width, width, kernel, padding=kernel // 2, bias=bias), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
