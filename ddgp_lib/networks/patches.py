"""Images as grids of patches, which is what the networks work on."""

import torch
from torch import nn
from torch.nn import functional

from ..arguments import require, require_count, require_counts, require_tensor


class OnPatches(nn.Module):
    """A network on p×p patches of pixels, whose entries are gathered into channels.

    Nothing is lost by it, and a convolution on the grid of patches costs p² times less than one on pixels with as
    many weights.  Images of any size go in: where a side is not a multiple of what the network needs, its last row or
    column is repeated up to the next multiple, and what comes out is cropped.

    Parameters
    ----------
    in_channels : int
        Image channels that go in.
    patch : int
        Side p of a patch, in pixels.
    multiple : int, optional
        The network works on sides that are multiples of this many pixels; by default of ``patch``.
    """

    def __init__(self, in_channels: int, patch: int, multiple: int | None = None) -> None:
        super().__init__()
        require_counts(in_channels=in_channels, patch=patch)
        require_count("multiple", multiple, none=True)
        self.in_channels, self.multiple = in_channels, multiple or patch
        self.gather = nn.PixelUnshuffle(patch)
        self.scatter = nn.PixelShuffle(patch)

    def to_patches(self, v: torch.Tensor) -> torch.Tensor:
        """Pad (N, in_channels, H, W) and gather it into (N, p² in_channels, ⌈H/p⌉, ⌈W/p⌉), channels last in memory.

        Raises
        ------
        ValueError
            If the shape is another, or an image has no pixels.
        """
        require_tensor("v", v, finite=False)
        fits = v.ndim == 4 and v.shape[1] == self.in_channels and min(v.shape[-2:]) > 0
        require(fits, "v.shape", tuple(v.shape), f"(N, {self.in_channels}, H, W), H and W above 0")
        return self.gather(pad_to_multiple(v, self.multiple)).contiguous(memory_format=torch.channels_last)

    def to_image(self, patches: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Scatter patches with p² C channels into (N, C, H, W), with H and W those of ``v``."""
        height, width = v.shape[-2:]
        return self.scatter(patches.contiguous())[..., :height, :width]


def pad_to_multiple(v: torch.Tensor, multiple: int) -> torch.Tensor:
    """Repeat the last row and column of images (N, C, H, W) until both sides are multiples of a number of pixels."""
    below, right = (-side % multiple for side in v.shape[-2:])
    return functional.pad(v, (0, right, 0, below), mode="replicate") if below or right else v
