"""Networks N_θ for a preconditioner, built by name."""

from collections.abc import Callable

import torch
from deepinv.models import UNet
from torch import nn

from .checks import require


class PatchUNet(nn.Module):
    """deepinv's U-Net without biases or normalisation, on 2×2 patches of pixels.

    Pixels are first gathered into channels (``PixelUnshuffle``), which costs no information and makes the
    network about twice as fast.  Without biases N(0) = 0 and N(c v) = c N(v) for c > 0: a gradient's scale, which
    falls by orders of magnitude over a reconstruction, needs no learning.  The last layer starts at zero, so that
    a preconditioner g + N(g) starts as the identity.

    Parameters
    ----------
    in_channels, out_channels : int
        Image channels.
    widths : tuple of int
        Channels at each scale, from fine to coarse; image sides must be multiples of 2 to their number.

    References
    ----------
    Ronneberger et al., "U-Net", 2015; Mohan et al., "Robust and interpretable blind image denoising via bias-free
    convolutional neural networks", 2020.
    """

    def __init__(self, in_channels: int, out_channels: int, widths: tuple[int, ...] = (32, 64, 128)) -> None:
        super().__init__()
        self.gather = nn.PixelUnshuffle(2)
        self.unet = UNet(
            4 * in_channels,
            4 * out_channels,
            residual=False,
            bias=False,
            batch_norm=False,
            channels_per_scale=list(widths),
        )
        self.scatter = nn.PixelShuffle(2)
        nn.init.zeros_(self.unet.Conv_1x1.weight)
        self.to(memory_format=torch.channels_last)

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W)."""
        patches = self.gather(v).contiguous(memory_format=torch.channels_last)
        return self.scatter(self.unet(patches).contiguous())


NETWORKS: dict[str, Callable[[int, int], nn.Module]] = {"unet": PatchUNet}


def build_network(name: str, in_channels: int, out_channels: int) -> nn.Module:
    """Build a network by its name, with weights from torch's global generator.

    Parameters
    ----------
    name : str
        ``"unet"``.
    in_channels, out_channels : int
        Image channels that go in and come out.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    require(name in NETWORKS, "network", name, f"one of {tuple(NETWORKS)}")
    return NETWORKS[name](in_channels, out_channels)
