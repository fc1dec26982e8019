"""Knees of fastMRI: complex images from the k-space of the single-coil files."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..arguments import require, require_integer, require_number
from .fourier import centred_fourier
from .hdf5 import open_hdf5, own_dataset, require_stored
from .listing import existing_folder, files_in, named, normalised, warn
from .split import Split, read_parts, split_groups

FIELD_OF_VIEW = 320
"""Side in pixels of the centre that is kept: the rest of the field of view is oversampling."""
TRAINING, TESTING = "singlecoil_train", "singlecoil_val"
SUFFIXES = (".h5", ".hdf5")
OWNER = "fastMRI's files"
FILLED = 0.9
"""Share of the places that have to be measured, between the first and the last row and column that are."""
HALF = 0.5
"""Share of k-space that has to lie between these."""
BOTH = 0.8
"""Length of the shorter side of what was measured, from the middle of k-space, over that of the longer one."""
FULL = "k-space that was sampled in full: nothing else is the truth"


def load_fastmri(folder: str | Path, size: int = 128, *, val: float = 0.1, limit: int | None = None) -> Split:
    """Load the single-coil knees of fastMRI as complex images; nobody is in two parts.

    The official validation volumes are for testing, since the official test volumes have no full k-space.  A share
    ``val`` of the people of the official training volumes is held out for validation, and people who are tested
    are not trained on.

    Parameters
    ----------
    folder : str or Path
        Holds the folders ``singlecoil_train`` and ``singlecoil_val`` of HDF5 files, one volume each, with the complex
        dataset ``kspace`` (slices, H, W) and the attribute ``patient_id``.
    size : int
        Height and width of the images, at most the 320 pixels of the centre that is kept.  A smaller size keeps that
        field of view at a lower resolution: of its k-space only the middle is taken.
    val : float
        Share of the people for validation.
    limit : int, optional
        Largest number of slices in each part; at 320×320 a thousand of them take 0.8 GB.

    Returns
    -------
    Split
        Real and imaginary parts (N, 2, size, size), float32.  Each volume is divided by its largest magnitude, so
        that magnitudes are in [0, 1].

    Raises
    ------
    ImportError
        If h5py is not installed.
    FileNotFoundError
        If a folder is missing or has no HDF5 files.
    ValueError
        If a number is not accepted, a file is damaged or not such a volume, k-space was not sampled in full, or too
        few people are left to divide, as where one ``patient_id`` stands for all.

    Warns
    -----
    UserWarning
        Of people who are left out of training, and of files without ``patient_id``: each is taken for one person.

    References
    ----------
    Zbontar et al., "fastMRI: an open dataset and benchmarks for accelerated MRI", 2018.
    """
    path = existing_folder(folder)
    require_integer("size", size, lowest=1, highest=FIELD_OF_VIEW)
    require_number("val", val, above=0, below=1)
    require_integer("limit", limit, lowest=1, none=True)
    testing, training = (_by_person(path / name) for name in (TESTING, TRAINING))
    tested = [file for files in testing.values() for file in files]
    people = {person: files for person, files in training.items() if person not in testing}
    left_out = len(training) - len(people)
    if left_out:
        warn(
            f"folder={str(folder)!r}: {left_out} of {len(training)} people left out of training: they are tested"
        )
    expected = (
        f"two or more people in {TRAINING} who are not in {TESTING}; "
        "where ids were made anonymous, take them out: a file without patient_id stands for one person"
    )
    require(len(people) >= 2, "patient_id", sorted(training), expected)
    train, held_out = split_groups(sorted(people), (val,))
    parts = [*([file for person in part for file in people[person]] for part in (train, held_out)), tested]
    return read_parts(path, parts, lambda file: read_volume(file, size), limit, complex_valued=True)


def read_volume(path: Path, size: int) -> torch.Tensor:
    """Read the slices of one volume.

    Parameters
    ----------
    path : Path
        An HDF5 file with the complex dataset ``kspace`` (slices, H, W).
    size : int
        Height and width of the images.

    Returns
    -------
    Tensor, shape (slices, 2, size, size)
        Real and imaginary parts, with a largest magnitude of 1.

    Raises
    ------
    ImportError
        If h5py is not installed.
    ValueError
        If the file is anything else, has a mask or gaps in its k-space, or is smaller than ``size``.
    """
    require_integer("size", size, lowest=1)
    kspace = torch.from_numpy(_kspace(Path(path)))
    side = min(FIELD_OF_VIEW, *kspace.shape[1:])
    require(size <= side, "size", size, f"1 to {side}, the side of {Path(path).name}")
    images = _centre(centred_fourier(kspace, inverse=True), side)
    if size < side:
        images = centred_fourier(_centre(centred_fourier(images), size), inverse=True)
    images = torch.view_as_real(images).movedim(-1, 1).float()
    largest = images.norm(dim=1).max()
    require(
        bool(torch.isfinite(largest)) and float(largest) > 0, "kspace", str(path), "finite, and not all zero"
    )
    return images / largest


def _kspace(path: Path) -> np.ndarray:
    """Read the k-space (slices, H, W) of a volume that was sampled in full, and is all in this file."""
    with open_hdf5(path, OWNER) as file:
        kspace = own_dataset(file, path, "kspace")
        fits = kspace.ndim == 3 and kspace.dtype.kind == "c" and kspace.size > 0
        found = f"{kspace.dtype} of shape {kspace.shape}, in {path}"
        require(fits, "kspace", found, "complex (slices, H, W), a single coil")
        require_stored(path, kspace, "kspace")
        partial = "mask" in file and not np.all(own_dataset(file, path, "mask")[()])
        partial = partial or not np.all(np.asarray(file.attrs.get("acceleration", 1)) == 1)
        require(not partial, "path", f"{path} with a mask or an acceleration", FULL)
        numbers = kspace[()]
    numbers = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
    gaps = [k for k, measured in enumerate(numbers != 0) if _has_gaps(measured)]
    require(not gaps, "path", f"{path} with places left out in slices {gaps}", FULL)
    return numbers


def _has_gaps(measured: np.ndarray) -> bool:
    """Say whether places (H, W) were left out between measured ones; scanners fill up the sides with zeros."""
    rows, columns = (np.flatnonzero(measured.any(axis=axis)) for axis in (1, 0))
    if len(rows) == 0:
        return False
    inner = measured[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    lines = len(rows) < inner.shape[0] or len(columns) < inner.shape[1]
    partial = any(_is_one_sided(*pair) for pair in zip((rows, columns), measured.shape, strict=True))
    return bool(lines or partial or inner.mean() < FILLED or inner.size < HALF * measured.size)


def _is_one_sided(places: np.ndarray, length: int) -> bool:
    """Say whether measured places reach further to one side of the middle: partial Fourier, whose rest is a guess."""
    middle = length // 2
    before, after = middle - int(places[0]) + 1, int(places[-1]) - middle + 1 + (1 - length % 2)
    return min(before, after) < BOTH * max(before, after)


def _centre(x: torch.Tensor, side: int) -> torch.Tensor:
    """Cut the middle square out; the origin of an even or odd length stays the origin."""
    top, left = (length // 2 - side // 2 for length in x.shape[-2:])
    return x[..., top : top + side, left : left + side]


def _by_person(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each person; one without ``patient_id`` stands for a person, and so do its copies."""
    people: dict[str, list[Path]] = {}
    unnamed = []
    for path in files_in(folder, SUFFIXES):
        with open_hdf5(path, OWNER) as file:
            person = _text(file.attrs.get("patient_id", ""))
        if not person:
            unnamed.append(path)
        people.setdefault(person or _digest(path), []).append(path)
    if not people:
        raise FileNotFoundError(f"folder={str(folder)!r}: no HDF5 files (*.h5)")
    if unnamed:
        warn(f"{len(unnamed)} file(s) without patient_id, each taken for a person: {named(unnamed, folder)}")
    return people


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _text(value: Any) -> str:
    """Write an attribute, which may be text, bytes, a number, empty, or an array of one of these."""
    if isinstance(value, np.ndarray):
        return " ".join(map(_text, value.reshape(-1)))
    if not isinstance(value, str | bytes | int | float | np.generic):
        return ""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return normalised(text.strip("\0 \t\r\n"))
