"""Slices of two brain volumes, and a simulated phase that makes them complex."""

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from ..arguments import (
    require,
    require_images,
    require_positive,
    require_tensor,
)
from .augment import require_generator
from .embedded import embedded_images
from .resampling import sides_of_phases
from .split import Split

BRAINS_FILE = Path(__file__).with_name("brain_128.npz")
BRAINS_SPLIT = {"train": slice(0, 311), "val": slice(311, 371), "test": slice(371, 571)}
"""Which slices train, tune and test: fixed ranges of the index in ``brain_128.npz``."""
BRAIN_VOLUMES = ("colin27_head", "colin27_brain", "mni152_brain")
"""What the numbers in the array ``volume`` of ``brain_128.npz`` mean; the test slices are all of the last."""
ORIENTATIONS = ("axial", "coronal", "sagittal")
"""What the numbers in the array ``orientation`` of ``brain_128.npz`` mean."""
PHASE_DEGREE = 3


@lru_cache(maxsize=1)
def _brain_bytes() -> np.ndarray:
    return embedded_images(BRAINS_FILE, (571, 128, 128))


def load_brains() -> Split:
    """Load the embedded brain slices: Colin27 to train and to choose on, MNI152 to report on.

    Returns
    -------
    Split
        Magnitudes, each (N, 1, 128, 128), float32 in [0, 1]. Validation and test slices are interleaved: any
        first few of them hold all three orientations, spread over the head.

    Raises
    ------
    FileNotFoundError
        If the embedded file is missing.
    ValueError
        If it is damaged.
    """
    images = torch.from_numpy(_brain_bytes()).unsqueeze(1).float() / 255
    return Split(*(images[BRAINS_SPLIT[part]] for part in Split._fields))


def smooth_phase(
    count: int, size: int | tuple[int, int], generator: torch.Generator, *, amplitude: float = math.pi
) -> torch.Tensor:
    """Draw smooth random phases, such as the coil and the main field leave in a real MR image.

    Each is φ(u, v) = s Σ c_ij T_i(u) T_j(v) over i + j ≤ 3, with Chebyshev polynomials T on [-1, 1]², normal
    coefficients c_ij of standard deviation 1/(1 + i + j), and s such that max |φ| is a random number between
    a quarter of ``amplitude`` and ``amplitude``.

    Parameters
    ----------
    count : int
        Number of phases, N.
    size : int or pair of int
        Their side, or height and width, 2 or more.
    generator : torch.Generator
        Source of the coefficients.
    amplitude : float
        Largest absolute phase in radians; the default π leaves no phase wrapped.

    Returns
    -------
    Tensor, shape (N, H, W)
        Phases in radians.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.
    """
    height, width = sides_of_phases(count, size)
    require_positive("amplitude", amplitude)
    require_generator(generator)
    orders = torch.arange(PHASE_DEGREE + 1)
    degrees = orders[:, None] + orders
    down, across = (torch.cos(orders[:, None] * torch.linspace(-1, 1, n).acos()) for n in (height, width))
    coefficients = torch.randn(count, *degrees.shape, generator=generator) / (1 + degrees)
    coefficients = coefficients * (degrees <= PHASE_DEGREE)
    phases = torch.einsum("nij,iu,jv->nuv", coefficients, down, across)
    largest = amplitude * (0.25 + 0.75 * torch.rand(count, 1, 1, generator=generator))
    return phases * (largest / phases.abs().amax(dim=(1, 2), keepdim=True))


def to_complex(magnitude: torch.Tensor, phase: torch.Tensor) -> torch.Tensor:
    """Join a magnitude m and a phase φ to m exp(iφ), with real and imaginary part as two channels.

    Parameters
    ----------
    magnitude : Tensor, shape (N, 1, H, W)
        Magnitudes.
    phase : Tensor, shape (N, H, W)
        Phases in radians.

    Returns
    -------
    Tensor, shape (N, 2, H, W)
        Real and imaginary parts.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    require_images("magnitude", magnitude, channels=1)
    require_tensor("phase", phase)
    expected = (len(magnitude), *magnitude.shape[2:])
    require(tuple(phase.shape) == expected, "phase.shape", tuple(phase.shape), f"{expected} as the magnitude")
    return magnitude * torch.stack([phase.cos(), phase.sin()], dim=1)
