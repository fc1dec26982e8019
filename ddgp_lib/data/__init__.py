"""Images that ship with the library; see ``README.md`` in this folder for the data card."""

import math
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

DIGITS_FILE = Path(__file__).with_name("mnist_10k.npz")
DIGITS_SPLIT = {"train": slice(0, 8000), "val": slice(8000, 9000), "test": slice(9000, 10000)}
"""Which digits train, tune and test: fixed ranges of the index in ``mnist_10k.npz``."""


class Split(NamedTuple):
    """Images for training, for choices made along the way, and for the numbers that are reported.

    Each is a float tensor of shape (N, C, H, W) with values in [0, 1].
    """

    train: torch.Tensor
    val: torch.Tensor
    test: torch.Tensor


@lru_cache(maxsize=1)
def _digit_bytes() -> np.ndarray:
    if not DIGITS_FILE.is_file():
        raise FileNotFoundError(
            f"{DIGITS_FILE} is missing: reinstall ddgp_lib, or make it (ddgp_lib/data/README.md)"
        )
    with np.load(DIGITS_FILE) as archive:
        images: np.ndarray = archive["images"]
    return images


def load_digits() -> Split:
    """Load the 10,000 embedded MNIST digits.

    Returns
    -------
    Split
        8,000 training, 1,000 validation and 1,000 test images, each (N, 1, 32, 32), float32 in [0, 1].

    Raises
    ------
    FileNotFoundError
        If the embedded file is missing.
    """
    images = torch.from_numpy(_digit_bytes()).unsqueeze(1).float() / 255
    return Split(*(images[DIGITS_SPLIT[part]] for part in Split._fields))


def perturb(
    images: torch.Tensor, generator: torch.Generator, *, degrees: float = 8, scale: float = 0.08
) -> torch.Tensor:
    """Turn and stretch each image a little, to make more of few training images.

    Parameters
    ----------
    images : Tensor, shape (N, C, H, W)
        Images on a background of zeros.
    generator : torch.Generator
        Source of the random angles and factors.
    degrees : float
        Largest rotation to either side.
    scale : float
        Largest relative change of the width and, on its own, of the height.

    Returns
    -------
    Tensor, shape (N, C, H, W)
        Bilinearly resampled images.
    """
    count = len(images)
    if count == 0:
        return images
    uniform = 2 * torch.rand(3, count, generator=generator) - 1
    angle = uniform[0] * math.radians(degrees)
    wide, high = 1 + scale * uniform[1], 1 + scale * uniform[2]
    zero = torch.zeros(count)
    rows = [angle.cos() * wide, -angle.sin() * high, zero], [angle.sin() * wide, angle.cos() * high, zero]
    matrices = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
    grid = functional.affine_grid(matrices, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)
