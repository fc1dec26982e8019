"""Sensing operators A, and what the solvers and the analysis ask of them."""

from ._common import Picklable, single_precision
from .algebra import (
    gradient,
    measure,
    newton,
    normal,
    null_projection,
    range_projection,
    squared_norm,
)
from .counted import Counted
from .downsampling import FILTERS, FourierDownsampling, FramedDownsampling
from .haar import HaarCamera
from .hadamard import ORDERINGS, HadamardCamera
from .iterative import largest_eigenvalue, norms
from .lensless import LenslessCamera
from .mri import CartesianMRI, MultiCoilCartesianMRI, birdcage_maps, gaussian_columns
from .noise import gaussian_noise, noise_of
from .protocol import LinearOperator
from .sense import SenseMRI, normalise_maps

__all__ = [
    "FILTERS",
    "ORDERINGS",
    "CartesianMRI",
    "Counted",
    "FourierDownsampling",
    "FramedDownsampling",
    "HaarCamera",
    "HadamardCamera",
    "LenslessCamera",
    "LinearOperator",
    "MultiCoilCartesianMRI",
    "Picklable",
    "SenseMRI",
    "birdcage_maps",
    "gaussian_columns",
    "gaussian_noise",
    "gradient",
    "largest_eigenvalue",
    "measure",
    "newton",
    "noise_of",
    "normal",
    "normalise_maps",
    "norms",
    "null_projection",
    "range_projection",
    "single_precision",
    "squared_norm",
]
