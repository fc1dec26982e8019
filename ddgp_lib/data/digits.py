"""The embedded digits of MNIST."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from .embedded import embedded_images
from .split import Split

DIGITS_FILE = Path(__file__).with_name("mnist_10k.npz")
DIGITS_SPLIT = {"train": slice(0, 8000), "val": slice(8000, 9000), "test": slice(9000, 10000)}
"""Which digits train, tune and test: fixed ranges of the index in ``mnist_10k.npz``."""


@lru_cache(maxsize=1)
def _digit_bytes() -> np.ndarray:
    return embedded_images(DIGITS_FILE, (10_000, 32, 32))


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
    ValueError
        If it is damaged.
    """
    images = torch.from_numpy(_digit_bytes()).unsqueeze(1).float() / 255
    return Split(*(images[DIGITS_SPLIT[part]] for part in Split._fields))
