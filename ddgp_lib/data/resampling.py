"""Bring images to another size."""

import torch
from torch.nn import functional


def resample(images: torch.Tensor, size: int | tuple[int, int]) -> torch.Tensor:
    """Resample images (N, C, H, W) bilinearly, without aliasing, to a side or a (height, width); in [0, 1]."""
    height, width = (size, size) if isinstance(size, int) else size
    if images.shape[-2:] == (height, width):
        return images
    return functional.interpolate(images, size=(height, width), mode="bilinear", antialias=True).clamp(0, 1)
