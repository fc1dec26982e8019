"""A U-Net."""

import torch
from deepinv.models import UNet

from ..arguments import require, require_count, require_flag
from .initial import start_at_zero
from .patches import OnPatches


class PatchUNet(OnPatches):
    """deepinv's U-Net without normalisation, and by default without biases, on 2×2 patches of pixels.

    Pixels are first gathered into channels (``PixelUnshuffle``), which costs no information and makes the
    network about twice as fast.  Without biases N(0) = 0 and N(c v) = c N(v) for c > 0: a gradient's scale, which
    falls by orders of magnitude over a reconstruction, needs no learning.  The last layer starts at zero, so that
    a preconditioner g + N(g) starts as the identity.

    Where the sides of the grid of patches are not multiples of 2 to the number of scales, deepinv repeats the last
    row and column of patches up to the next.

    Parameters
    ----------
    in_channels, out_channels : int
        Image channels.
    widths : tuple of int
        Channels at each scale, from fine to coarse.
    bias : bool
        Whether convolutions have biases.

    References
    ----------
    Ronneberger et al., "U-Net", 2015; Mohan et al., "Robust and interpretable blind image denoising via bias-free
    convolutional neural networks", 2020.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        widths: tuple[int, ...] = (32, 64, 128),
        *,
        bias: bool = False,
    ) -> None:
        super().__init__(in_channels, patch=2)
        require_count("out_channels", out_channels)
        require(isinstance(widths, tuple | list) and len(widths) >= 1, "widths", widths, "at least one width")
        for width in widths:
            require_count("widths", width)
        require_flag("bias", bias)
        self.unet = UNet(
            4 * in_channels,
            4 * out_channels,
            residual=False,
            bias=bias,
            batch_norm=False,
            channels_per_scale=list(widths),
        )
        start_at_zero(self.unet.Conv_1x1)
        self.to(memory_format=torch.channels_last)

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W)."""
        return self.to_image(self.unet(self.to_patches(v)), v)
