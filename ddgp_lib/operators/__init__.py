"""Sensing operators A, and what the solvers and the analysis ask of them."""

from .algebra import (
    gradient,
    largest_eigenvalue,
    measure,
    newton,
    normal,
    norms,
    null_projection,
    range_projection,
    squared_norm,
)
from .counted import Counted
from .downsampling import FILTERS, FourierDownsampling
from .hadamard import ORDERINGS, HadamardCamera
from .mri import CartesianMRI, MultiCoilCartesianMRI, birdcage_maps, gaussian_columns

__all__ = [
    "FILTERS",
    "ORDERINGS",
    "CartesianMRI",
    "Counted",
    "FourierDownsampling",
    "HadamardCamera",
    "MultiCoilCartesianMRI",
    "birdcage_maps",
    "gaussian_columns",
    "gradient",
    "largest_eigenvalue",
    "measure",
    "newton",
    "normal",
    "norms",
    "null_projection",
    "range_projection",
    "squared_norm",
]
