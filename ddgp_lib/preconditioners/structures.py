r"""Structures of a linear map between images: what is free in its matrix, and what is shared.

A structure cuts images into blocks.  The map is one small matrix for each block, applied to all of the block's
samples; the blocks together are the image, so to restrict a matrix is to choose a cut.

=================  =====================================  ==============================  =================
structure          blocks                                 samples in one image            features
=================  =====================================  ==============================  =================
``"full"``         one                                    1: the image                    :math:`C H W`
``"rows"``         one                                    :math:`H`: its rows             :math:`C W`
``"convolution"``  each frequency, :math:`H W / s^2`      1: its Fourier coefficients     :math:`C s^2`
``"diagonal"``     each pixel, :math:`H W`                1: the pixel                    :math:`C`
``"scalar"``       one                                    :math:`H W`: all pixels         :math:`C`
=================  =====================================  ==============================  =================

A convolution with stride s treats each of the s × s phases of a pixel as a channel.  It commutes with shifts by
multiples of s, as an operator does that keeps every s-th pixel; for s = 1 it is an ordinary periodic convolution.
"""

from dataclasses import dataclass
from typing import get_args

import torch
from torch.nn import functional

from ..arguments import (
    require,
    require_choice,
    require_count,
    require_img_size,
    require_integer,
    require_tensor,
)
from ..names import StructureName

STRUCTURES: tuple[StructureName, ...] = get_args(StructureName)


@dataclass(frozen=True)
class Structure:
    """How images (N, C, H, W) are cut into blocks, and put together again.

    Attributes
    ----------
    name : str
        One of :data:`STRUCTURES`.
    img_size : tuple of int
        Shape (C, H, W) of the images that come out; those that go in may have other channels.
    stride : int
        s of a convolution; it divides H and W.

    Raises
    ------
    ValueError
        If the name is unknown, or the stride does not fit.
    """

    name: StructureName
    img_size: tuple[int, ...]
    stride: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be cut."""
        require_choice("structure", self.name, STRUCTURES)
        require_img_size("img_size", self.img_size)
        object.__setattr__(self, "img_size", tuple(self.img_size))  # JSON gives a list back
        _, height, width = self.img_size
        require_integer("stride", self.stride, lowest=1)
        fits = height % self.stride == 0 and width % self.stride == 0
        require(fits, "stride", self.stride, f"a divisor of both sides of {height} x {width} pixels")
        require(self.stride == 1 or self.complex_valued, "stride", self.stride, "1, but for a convolution")

    @property
    def complex_valued(self) -> bool:
        """Whether blocks are Fourier coefficients."""
        return self.name == "convolution"

    @property
    def grid(self) -> tuple[int, int]:
        """Sides of the image in steps of the stride."""
        return self.img_size[1] // self.stride, self.img_size[2] // self.stride

    @property
    def count(self) -> int:
        """Number of blocks B; a real image's Fourier transform has one half that says it all."""
        height, width = self.grid
        return {"convolution": height * (width // 2 + 1), "diagonal": height * width}.get(self.name, 1)

    def features(self, channels: int) -> int:
        """Return the number of features F of images with this many channels."""
        require_count("channels", channels)
        _, height, width = self.img_size
        sizes = {"full": height * width, "rows": width, "convolution": self.stride**2}
        return channels * sizes.get(self.name, 1)

    def blocks(self, images: torch.Tensor) -> torch.Tensor:
        """Cut images (N, C, H, W) into blocks (B, samples, F)."""
        require_tensor("images", images, dimensions=4, finite=False)
        sides = tuple(images.shape[2:]) == tuple(self.img_size[1:])
        expected = f"(N, C, {self.img_size[1]}, {self.img_size[2]})"
        require(sides, "images.shape", tuple(images.shape), expected)
        count, channels = images.shape[:2]
        if self.name == "full":
            return images.reshape(1, count, -1)
        if self.name == "rows":
            return images.permute(0, 2, 1, 3).reshape(1, -1, self.features(channels))
        if self.name == "scalar":
            return images.permute(0, 2, 3, 1).reshape(1, -1, channels)
        if self.name == "convolution":
            images = torch.fft.rfft2(functional.pixel_unshuffle(images, self.stride), norm="ortho")
        return images.flatten(2).permute(2, 0, 1)

    def images(self, blocks: torch.Tensor) -> torch.Tensor:
        """Put blocks (B, samples, F) together to images (N, C, H, W): the inverse of :meth:`blocks`."""
        require_tensor("blocks", blocks, dimensions=3, finite=False)
        channels, height, width = self.img_size
        if self.name == "full":
            return blocks.reshape(-1, channels, height, width)
        if self.name == "rows":
            return blocks.reshape(-1, height, channels, width).transpose(1, 2)
        if self.name == "scalar":
            return blocks.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
        flat = blocks.permute(1, 2, 0)
        if self.name == "diagonal":
            return flat.reshape(-1, channels, height, width)
        rows, columns = self.grid
        spectrum = flat.reshape(*flat.shape[:2], rows, columns // 2 + 1)
        phases = torch.fft.irfft2(spectrum, s=(rows, columns), norm="ortho")
        return functional.pixel_shuffle(phases, self.stride)
