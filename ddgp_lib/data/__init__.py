"""Images that ship with the library or with a package it needs; see ``README.md`` here for the data cards."""

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
from .digits import DIGITS_FILE, DIGITS_SPLIT, load_digits
from .faces import PERSONS_SPLIT, load_faces, load_portraits
from .split import Split

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
    "load_brains",
    "load_digits",
    "load_faces",
    "load_portraits",
    "perturb",
    "smooth_phase",
    "to_complex",
]
