"""Images as grids of patches, which is what the networks work on."""

import torch
from torch import nn

from ..arguments import require


class OnPatches(nn.Module):
    """A network on p×p patches of pixels, whose entries are gathered into channels.

    Nothing is lost by it, and a convolution on the grid of patches costs p² times less than one on pixels with as
    many weights.

    Parameters
    ----------
    in_channels : int
        Image channels that go in.
    patch : int
        Side p of a patch, in pixels.
    multiple : int, optional
        Both sides of an image must be multiples of this many pixels; by default of ``patch``.
    """

    def __init__(self, in_channels: int, patch: int, multiple: int | None = None) -> None:
        super().__init__()
        self.in_channels, self.multiple = in_channels, multiple or patch
        self.gather = nn.PixelUnshuffle(patch)
        self.scatter = nn.PixelShuffle(patch)

    def to_patches(self, v: torch.Tensor) -> torch.Tensor:
        """Gather (N, in_channels, H, W) into (N, p² in_channels, H/p, W/p), channels last in memory.

        Raises
        ------
        ValueError
            If the shape is another, or H or W is not a multiple of ``multiple``.
        """
        fits = v.ndim == 4 and v.shape[1] == self.in_channels and fits_multiple(v.shape, self.multiple)
        expected = f"(N, {self.in_channels}, H, W) with H and W multiples of {self.multiple}"
        require(fits, "v.shape", tuple(v.shape), expected)
        return self.gather(v).contiguous(memory_format=torch.channels_last)

    def to_image(self, patches: torch.Tensor) -> torch.Tensor:
        """Scatter (N, p² C, H/p, W/p) into (N, C, H, W)."""
        return self.scatter(patches.contiguous())


def fits_multiple(shape: tuple[int, ...], multiple: int) -> bool:
    """Whether the last two entries of a shape, an image's sides, are positive multiples of a number of pixels."""
    return all(side > 0 and side % multiple == 0 for side in shape[-2:])
