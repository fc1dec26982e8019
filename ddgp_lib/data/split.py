"""Training, validation and test images, kept apart."""

from typing import NamedTuple

import torch


class Split(NamedTuple):
    """Images for training, for choices made along the way, and for the numbers that are reported.

    Each is a float tensor of shape (N, C, H, W) with values in [0, 1].
    """

    train: torch.Tensor
    val: torch.Tensor
    test: torch.Tensor
