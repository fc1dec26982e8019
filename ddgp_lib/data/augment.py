"""Random changes that make more of few training images."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from ..arguments import require, require_choice, require_number, require_tensor

Augment = Callable[[torch.Tensor, torch.Generator], torch.Tensor]
"""A random change of images (N, C, H, W), whose choices a generator makes."""

LARGEST = 10.0
"""Largest value that changed images may have: views of complex images exceed 1, a scale of 0 to 255 is beyond it."""

PADDINGS = ("zeros", "border", "reflection")
"""What :func:`perturb` can put beyond the edge of an image."""


def perturb(
    images: torch.Tensor,
    generator: torch.Generator,
    *,
    degrees: float = 8,
    scale: float = 0.08,
    flip: bool = False,
    padding: str = "zeros",
) -> torch.Tensor:
    """Turn and stretch each image a little, to make more of few training images.

    Parameters
    ----------
    images : Tensor, shape (N, C, H, W)
        Images; on a background of zeros, or with another ``padding``.
    generator : torch.Generator
        Source of the random angles, factors and flips.
    degrees : float
        Largest rotation to either side, from 0 to 180.
    scale : float
        Largest relative change of the width and, on its own, of the height, 0 or above and below 1.
    flip : bool
        Whether each image is mirrored left to right with a probability of one half.
    padding : str
        What lies beyond the edge: ``"zeros"``, ``"border"`` (the nearest pixel) or ``"reflection"``.

    Returns
    -------
    Tensor, shape (N, C, H, W)
        Bilinearly resampled images.

    Raises
    ------
    ValueError
        If an argument is not accepted.
    """
    require_tensor("images", images, dimensions=4, finite=False)
    require(images.is_floating_point(), "images.dtype", images.dtype, "real numbers, such as torch.float32")
    require_generator(generator)
    require_number("degrees", degrees, lowest=0, highest=180)
    require_number("scale", scale, lowest=0, below=1)
    require_choice("flip", flip, (True, False))
    require_choice("padding", padding, PADDINGS)
    count = len(images)
    if count == 0:
        return images
    uniform = 2 * torch.rand(3, count, generator=generator) - 1
    angle = uniform[0] * math.radians(degrees)
    wide, high = 1 + scale * uniform[1], 1 + scale * uniform[2]
    zero = torch.zeros(count)
    flat = (
        images.shape[-2] / images.shape[-1]
    )  # the grid's coordinates are shares of the height and of the width
    rows = (
        [angle.cos() * wide, -angle.sin() * high * flat, zero],
        [angle.sin() * wide / flat, angle.cos() * high, zero],
    )
    matrices = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
    if flip:
        mirrored = torch.rand(count, generator=generator) < 0.5
        matrices[mirrored, 0] *= -1
    grid = functional.affine_grid(matrices.to(images), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode=padding, align_corners=False)


def require_generator(generator: Any) -> None:
    """Raise a ``ValueError`` unless ``generator`` is a source of random numbers, on the CPU as all draws are."""
    fits = isinstance(generator, torch.Generator) and generator.device.type == "cpu"
    require(fits, "generator", generator, "a torch.Generator on the CPU")


def augmented(augment: Augment, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Change images at random, and look at what comes out: it would be broadcast, or trained on, in silence.

    Parameters
    ----------
    augment : callable
        (images, generator) ↦ images.
    images : Tensor, shape (N, C, H, W)
        Images on [0, 1], or their real and imaginary parts; they stay as they are.
    generator : torch.Generator
        Source of its choices.

    Returns
    -------
    Tensor, shape (N, C, H, W)

    Raises
    ------
    ValueError
        If it gives no tensor of the shape and the type of the images, or numbers that are not finite or
        beyond :data:`LARGEST`.
    """
    made: Any = augment(images.clone(), generator)
    named = "augment(images, generator)"
    require(isinstance(made, torch.Tensor), named, type(made).__name__, "a tensor of images")
    alike = made.shape == images.shape and made.dtype == images.dtype
    found, wanted = ((tuple(one.shape), one.dtype) for one in (made, images))
    require(alike, named, found, f"images like those that it was given, {wanted}")
    largest = float(made.detach().abs().max())
    require(largest <= LARGEST, named, f"values up to {largest:.3g}", "finite ones, on [0, 1] or near it")
    return made
