"""Measurements that nobody here simulated: a registry of data sets, fetched on request and checked, with readers."""

from .folder import data_folder
from .lensless import lensless_camera, prepare_lensless
from .loading import load_measured
from .records import ArraySpec, DataFile, Measured, MeasuredSet, NamedArray
from .registry import MEASURED
from .single_pixel import diameters_of, haar_coefficients, hadamard_coefficients

__all__ = [
    "MEASURED",
    "ArraySpec",
    "DataFile",
    "Measured",
    "MeasuredSet",
    "NamedArray",
    "data_folder",
    "diameters_of",
    "haar_coefficients",
    "hadamard_coefficients",
    "lensless_camera",
    "load_measured",
    "prepare_lensless",
]
