"""Multi-coil files of fastMRI, of people who are trained or tested on: k-space as it is, masks included."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import require
from ..data.fastmri import OWNER
from ..data.hdf5 import open_hdf5, own_dataset, require_stored
from .header import Header, parse_header
from .kspace import KSpace
from .records import record, require_chosen, require_path

ATTRIBUTES = ("acquisition", "patient_id", "max", "norm", "acceleration", "num_low_frequency")
"""Attributes of a file that a record keeps."""


def load_fastmri_coils(path: str | Path, slices: Sequence[int] | None = None) -> KSpace:
    """Load the k-space of one multi-coil volume of fastMRI.

    Parameters
    ----------
    path : str or Path
        An HDF5 file with the complex dataset ``kspace`` (slices, coils, H, W); a dataset ``mask`` (W,) where columns
        were left out, and the header ``ismrmrd_header``, are read where they are there.
    slices : sequence of int, optional
        Numbers of the slices to read, in this order; all of them unless given.  A slice of 640 × 368 with 16 coils
        takes 30 MB.

    Returns
    -------
    KSpace
        The readout runs along the height.  Columns that the file fills up with zeros count as not measured.

    Raises
    ------
    ImportError
        If h5py is not installed.
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged or not such a volume, or lacks a slice.

    References
    ----------
    Zbontar et al., "fastMRI: an open dataset and benchmarks for accelerated MRI", 2018.
    """
    require_path("path", path)
    path = Path(path)
    with open_hdf5(path, OWNER) as file:
        dataset = own_dataset(file, path, "kspace")
        found = f"{dataset.dtype} of shape {dataset.shape}, in {path}"
        fits = dataset.ndim == 4 and dataset.dtype.kind == "c" and dataset.size > 0
        require(fits, "kspace", found, "complex (slices, coils, H, W)")
        require_stored(path, dataset, "kspace")
        require_chosen("slices", slices, len(dataset), str(path))
        numbers = dataset[()] if slices is None else np.stack([dataset[k] for k in slices])
        numbers[..., ~_columns(file, path, dataset.shape[-1])] = 0
        header = _header(file, path)
        about = {
            **header.about,
            **{name: _plain(file.attrs[name]) for name in ATTRIBUTES if name in file.attrs},
        }
    size = None if header.reconstructed is None else header.reconstructed[:2]
    return record(
        numbers,
        str(path),
        readout="height",
        field_of_view=_as_stored(header.field_of_view),
        size=_as_stored(size),
        about=about,
    )


def _as_stored(sides: tuple[Any, Any] | None) -> tuple[Any, Any] | None:
    """Put (phase, readout) into the order of fastMRI's axes: the readout is the height."""
    return None if sides is None else (sides[1], sides[0])


def _columns(file: Any, path: Path, width: int) -> np.ndarray:
    """Return which columns were measured, all of them where the file has no mask."""
    if "mask" not in file:
        return np.ones(width, dtype=bool)
    mask = own_dataset(file, path, "mask")
    found = f"{mask.dtype} of shape {mask.shape}, in {path}"
    fits = mask.dtype.kind in "biuf" and mask.shape == (width,)
    wanted = f"booleans or 0 and 1 of shape ({width},)"
    require(fits, "mask", found, wanted)
    values = np.asarray(mask[()])
    require(bool(np.isin(values, (0, 1)).all()), "mask", f"other numbers, in {path}", wanted)
    return values != 0


def _header(file: Any, path: Path) -> Header:
    if "ismrmrd_header" not in file:
        return Header()
    text = own_dataset(file, path, "ismrmrd_header")[()]
    require(isinstance(text, str | bytes), "ismrmrd_header", f"{type(text).__name__}, in {path}", "text")
    return parse_header(text, str(path))


def _plain(value: Any) -> Any:
    """Return an attribute as a number or a text of Python."""
    value = value.item() if isinstance(value, np.generic) or getattr(value, "size", 0) == 1 else value
    return value.decode(errors="replace") if isinstance(value, bytes) else value
