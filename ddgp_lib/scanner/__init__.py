"""Raw data of scanners: readers, and the preparation of k-space as a scanner's own pipeline does it."""

from .arrays import load_array
from .calibration import Region, calibration_region
from .camera import PreparedScan, prepare_scan
from .coils import combine_coils, mix_coils, root_sum_of_squares
from .compression import compress_coils, compress_coils_geometrically, compression_matrix
from .espirit import Sensitivities, espirit_maps
from .family import MASKS, DrawnScanner, ScanFamily, draw_mask
from .fastmri import load_fastmri_coils
from .ismrmrd import load_ismrmrd
from .kspace import KSpace
from .masks import column_mask, poisson_disc_mask, random_mask
from .oversampling import remove_oversampling, without_oversampling
from .prewhitening import corner_noise, noise_covariance, prewhiten, prewhitening_matrix
from .scaling import brightness, low_resolution, scale_to_unit
from .siemens import load_siemens

__all__ = [
    "MASKS",
    "DrawnScanner",
    "KSpace",
    "PreparedScan",
    "Region",
    "ScanFamily",
    "Sensitivities",
    "brightness",
    "calibration_region",
    "column_mask",
    "combine_coils",
    "compress_coils",
    "compress_coils_geometrically",
    "compression_matrix",
    "corner_noise",
    "draw_mask",
    "espirit_maps",
    "load_array",
    "load_fastmri_coils",
    "load_ismrmrd",
    "load_siemens",
    "low_resolution",
    "mix_coils",
    "noise_covariance",
    "poisson_disc_mask",
    "prepare_scan",
    "prewhiten",
    "prewhitening_matrix",
    "random_mask",
    "remove_oversampling",
    "root_sum_of_squares",
    "scale_to_unit",
    "without_oversampling",
]
