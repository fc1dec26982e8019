"""HDF5 files of others: opened, and taken for whole, only where they are."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..arguments import require
from ..files import reading

DENSEST = 20
"""More bytes of k-space than one of a compressed file can stand for: noise is hardly compressed."""


@contextmanager
def open_hdf5(path: Path, owner: str) -> Iterator[Any]:
    """Open an HDF5 file to read; whatever goes wrong inside is said of the file.

    Parameters
    ----------
    path : Path
        The file.
    owner : str
        Whose files these are, for the message where h5py is missing.

    Raises
    ------
    ImportError
        If h5py is not installed.
    ValueError
        If it is not an HDF5 file, or what the caller reads from it cannot be read.
    """
    try:
        import h5py
    except ImportError as error:
        raise ImportError(f"{owner} need h5py: `pip install h5py`") from error
    with reading(path):
        require(path.is_file() and h5py.is_hdf5(path), "path", str(path), "an HDF5 file")
        with h5py.File(path, "r") as file:
            yield file


def own_dataset(file: Any, path: Path, name: str) -> Any:
    """Return a dataset of an open HDF5 file, stored in it and not in another.

    Parameters
    ----------
    file : h5py.File
        The open file.
    path : Path
        Its path.
    name : str
        The dataset's name.

    Raises
    ------
    ValueError
        If there is no such dataset, or its numbers are in another file.
    """
    import h5py

    require(name in file and isinstance(file[name], h5py.Dataset), "path", str(path), f"a dataset {name!r}")
    dataset = file[name]
    own = Path(dataset.file.filename) == path and not dataset.is_virtual and not dataset.external
    require(own, "path", f"{path} whose {name!r} is in another file", "its numbers in the file itself")
    return dataset


def require_stored(path: Path, dataset: Any, name: str) -> None:
    """Raise a ``ValueError`` where a file is too small to hold the numbers that a dataset claims.

    Parameters
    ----------
    path : Path
        The file.
    dataset : h5py.Dataset
        The dataset.
    name : str
        Its name, for the message.
    """
    there, claimed = path.stat().st_size, dataset.dtype.itemsize * math.prod(dataset.shape)
    whole = claimed <= DENSEST * there
    require(whole, "path", f"{path} of {there} bytes", f"a file of the {claimed} bytes of its {name!r}")
