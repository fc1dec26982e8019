"""Images that ship with the library or a package it needs, one's own, and measurements; cards in ``README.md``."""

from .augment import PADDINGS, perturb
from .brains import (
    BRAIN_VOLUMES,
    BRAINS_FILE,
    BRAINS_SPLIT,
    ORIENTATIONS,
    load_brains,
    smooth_phase,
    to_complex,
)
from .celeba import load_celeba
from .digits import DIGITS_FILE, DIGITS_SPLIT, load_digits
from .faces import PERSONS_SPLIT, load_faces, load_portraits
from .fastmri import load_fastmri
from .leaves import dead_leaves
from .measured import load_measured
from .mnist import load_mnist
from .photographs import load_photographs
from .pictures import load_folder
from .resampling import resample
from .sensitivities import energy_outside, random_maps, rough_phase
from .split import Split, split_groups

__all__ = [
    "BRAINS_FILE",
    "BRAINS_SPLIT",
    "BRAIN_VOLUMES",
    "DIGITS_FILE",
    "DIGITS_SPLIT",
    "ORIENTATIONS",
    "PADDINGS",
    "PERSONS_SPLIT",
    "Split",
    "dead_leaves",
    "energy_outside",
    "load_brains",
    "load_celeba",
    "load_digits",
    "load_faces",
    "load_fastmri",
    "load_folder",
    "load_measured",
    "load_mnist",
    "load_photographs",
    "load_portraits",
    "perturb",
    "random_maps",
    "resample",
    "rough_phase",
    "smooth_phase",
    "split_groups",
    "to_complex",
]
