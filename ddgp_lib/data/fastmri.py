"""Knees of fastMRI: complex images from the k-space of the single-coil files."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..arguments import require
from .split import Split, existing_folder, split_groups

FIELD_OF_VIEW = 320
"""Side in pixels of the centre that is kept: the rest of the field of view is oversampling."""
TRAINING, TESTING = "singlecoil_train", "singlecoil_val"


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
        If a number is not accepted, a file is not such a volume, or too few people are left to divide.

    References
    ----------
    Zbontar et al., "fastMRI: an open dataset and benchmarks for accelerated MRI", 2018.
    """
    require(limit is None or limit >= 1, "limit", limit, "None, or an integer, 1 or above")
    testing, people = (_by_person(existing_folder(folder) / name) for name in (TESTING, TRAINING))
    people = {person: files for person, files in people.items() if person not in testing}
    train, held_out = split_groups(sorted(people), (val,))
    parts = ([file for person in part for file in people[person]] for part in (train, held_out))
    tested = [file for files in testing.values() for file in files]
    return Split(*(_slices(files, size, limit) for files in (*parts, tested)))


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
        If the file is anything else, or smaller than ``size``.
    """
    with _open(path) as file:
        require("kspace" in file, "path", str(path), "a dataset 'kspace'")
        kspace = file["kspace"][()]
    fits = kspace.ndim == 3 and np.iscomplexobj(kspace)
    require(
        fits, "kspace", f"{kspace.dtype} of shape {kspace.shape}", "complex (slices, H, W), a single coil"
    )
    side = min(FIELD_OF_VIEW, *kspace.shape[1:])
    require(1 <= size <= side, "size", size, f"1 to {side}, the side of {path.name}")
    images = _centre(_fourier(torch.from_numpy(kspace), inverse=True), side)
    if size < side:
        images = _fourier(_centre(_fourier(images), size), inverse=True)
    images = torch.view_as_real(images).movedim(-1, 1).float()
    largest = images.norm(dim=1).max()
    require(
        bool(torch.isfinite(largest)) and float(largest) > 0, "kspace", str(path), "finite, and not all zero"
    )
    return images / largest


def _fourier(x: torch.Tensor, *, inverse: bool = False) -> torch.Tensor:
    """Orthonormal transform of the last two dimensions, with the origin in the middle on both sides."""
    transform = torch.fft.ifft2 if inverse else torch.fft.fft2
    shifted = torch.fft.ifftshift(x, dim=(-2, -1))
    return torch.fft.fftshift(transform(shifted, norm="ortho"), dim=(-2, -1))


def _centre(x: torch.Tensor, side: int) -> torch.Tensor:
    """Cut the middle square out; the origin of an even or odd length stays the origin."""
    top, left = (length // 2 - side // 2 for length in x.shape[-2:])
    return x[..., top : top + side, left : left + side]


def _open(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise ImportError("fastMRI's files need h5py: `pip install h5py`") from error
    require(h5py.is_hdf5(path), "path", str(path), "an HDF5 file")
    return h5py.File(path, "r")


def _by_person(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each person; a file without ``patient_id`` stands for a person of its own."""
    people: dict[str, list[Path]] = {}
    for path in sorted(existing_folder(folder).glob("*.h5")):
        with _open(path) as file:
            people.setdefault(str(file.attrs.get("patient_id", path.stem)), []).append(path)
    if not people:
        raise FileNotFoundError(f"folder={str(folder)!r}: no HDF5 files (*.h5)")
    return people


def _slices(files: list[Path], size: int, limit: int | None) -> torch.Tensor:
    volumes: list[torch.Tensor] = []
    for path in files:
        if limit is not None and sum(map(len, volumes)) >= limit:
            break
        volumes.append(read_volume(path, size))
    return torch.cat(volumes)[:limit]
