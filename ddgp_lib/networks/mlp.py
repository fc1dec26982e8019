"""A fully connected network."""

import math

import torch
from torch import nn

from ..arguments import LARGEST_IMAGE, require, require_counts, require_flag, require_img_size, require_tensor
from .initial import for_relu, start_at_zero


class MLP(nn.Module):
    """Three linear layers with ReLUs between them, from all pixels of an image to all pixels.

    It has weights for each pixel, so that it knows where in the image it is, and works for images of one size only.
    What it returns is of rank ``width`` at most.  Without biases N(0) = 0 and N(c v) = c N(v) for c > 0.  The last
    layer starts at zero.

    Parameters
    ----------
    in_channels, out_channels : int
        Image channels.
    img_size : tuple of int
        (H, W), or (C, H, W) of which C is not read.
    width : int
        Entries of both hidden layers.
    bias : bool
        Whether the layers have biases.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        img_size: tuple[int, ...],
        width: int,
        *,
        bias: bool = False,
    ) -> None:
        super().__init__()
        require_counts(in_channels=in_channels, out_channels=out_channels, width=width)
        require_img_size("img_size", img_size, "(H, W) or (C, H, W)", lengths=(2, 3))
        require_flag("bias", bias)
        height, columns = img_size[-2:]
        weights = width * (in_channels + out_channels) * height * columns
        require(weights <= LARGEST_IMAGE, "width", width, f"at most {LARGEST_IMAGE} weights, not {weights}")
        self.shape_in, shape_out = (in_channels, height, columns), (out_channels, height, columns)
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(math.prod(self.shape_in), width, bias=bias),
            nn.ReLU(inplace=True),
            nn.Linear(width, width, bias=bias),
            nn.ReLU(inplace=True),
            last := nn.Linear(width, math.prod(shape_out), bias=bias),
            nn.Unflatten(1, tuple(map(int, shape_out))),
        )
        for_relu(self)
        start_at_zero(last)

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W), for the one H and W that it is built for."""
        require_tensor("v", v, finite=False)
        require(v.shape[1:] == self.shape_in, "v.shape", tuple(v.shape), f"(N, *{self.shape_in})")
        return self.layers(v)


def width_for(weights: int, in_channels: int, out_channels: int, img_size: tuple[int, ...]) -> int:
    """Return the width with which an :class:`MLP` has a given number of weights.

    The root of w² + (C_in + C_out) H W w = ``weights``, rounded down.
    """
    half = (in_channels + out_channels) * math.prod(img_size[-2:]) / 2
    return math.floor(math.sqrt(half**2 + weights) - half)
