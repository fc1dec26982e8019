"""Plain arrays with named axes: NumPy's .npy and .npz, and MATLAB's .mat."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..arguments import require, require_choice
from ..data.fourier import centred_fourier
from ..data.hdf5 import open_hdf5, own_dataset, require_stored
from ..files import reading
from ..names import Domain, PixelAxis
from .kspace import AXES, KSpace
from .records import record, require_path

DOMAINS: tuple[Domain, ...] = ("kspace", "image")


def load_array(
    path: str | Path,
    axes: Sequence[str],
    *,
    key: str | None = None,
    domain: Domain = "kspace",
    readout: PixelAxis | None = None,
    field_of_view: tuple[float, float] | None = None,
    size: tuple[int, int] | None = None,
) -> KSpace:
    """Load k-space, or complex images of coils, from a plain array whose axes you name.

    Parameters
    ----------
    path : str or Path
        A file ``.npy``, ``.npz`` or ``.mat`` (all versions; version 7.3 needs h5py).
    axes : sequence of str
        The array's axes in its own order: ``"height"`` and ``"width"`` once each, ``"coils"`` and ``"slices"`` at
        most once.  Axes of length 1 that have no name are dropped.
    key : str, optional
        The array's name in an ``.npz`` or ``.mat``; needed where there are several.
    domain : str
        ``"kspace"``, centred: its zero frequency at n // 2; or ``"image"``, complex images whose transform is
        k-space.
    readout : str, optional
        ``"height"`` or ``"width"``, if you know it.
    field_of_view : pair of float, optional
        Height and width of what is encoded in millimetres, if you know them.
    size : pair of int, optional
        Height and width of the image without the oversampling, if you know them.

    Returns
    -------
    KSpace
        The places where some coil has another value than zero are those that were measured.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If an argument is not accepted, the file is damaged, or it holds something else.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from ddgp_lib.scanner import load_array
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "scan.npy"
    ...     np.save(path, np.ones((6, 4, 2), np.complex64))
    ...     load_array(path, ("height", "width", "coils")).data.shape
    torch.Size([2, 6, 4])
    """
    require_path("path", path)
    _require_axes(axes)
    require_choice("domain", domain, DOMAINS)
    path = Path(path)
    read = READERS.get(path.suffix.lower())
    require(read is not None, "path", str(path), f"a file {', '.join(READERS)}")
    assert read is not None
    array = _ordered(_chosen(read(path), key, path), tuple(axes), path)
    if domain == "image":
        array = _transformed(array, path)
    return record(array, str(path), readout=readout, field_of_view=field_of_view, size=size)


def _require_axes(axes: Any) -> None:
    named = isinstance(axes, tuple | list) and all(isinstance(name, str) for name in axes)
    fits = (
        named and set(axes) <= set(AXES) and {"height", "width"} <= set(axes) and len(set(axes)) == len(axes)
    )
    require(fits, "axes", axes, f"'height' and 'width', and at most once each of the others of {AXES}")


def _chosen(arrays: Mapping[str, np.ndarray], key: str | None, path: Path) -> np.ndarray:
    """Return the array of a name, or the only one."""
    require(key is None or isinstance(key, str), "key", key, f"None, or one of {sorted(arrays)} in {path}")
    if key is None:
        require(len(arrays) == 1, "key", key, f"one of {sorted(arrays)} in {path}")
        key = next(iter(arrays))
    require(key in arrays, "key", key, f"one of {sorted(arrays)} in {path}")
    return arrays[key]


def _ordered(array: np.ndarray, axes: tuple[str, ...], path: Path) -> np.ndarray:
    """Put the axes into the order of a record, with one for the coils."""
    found = f"{array.dtype} of shape {array.shape}, in {path}"
    if array.ndim > len(axes):
        array = array.reshape([n for n in array.shape if n > 1] if array.size else array.shape)
    require(array.ndim == len(axes), "axes", axes, f"a name for each axis of {found}")
    require(array.dtype.kind == "c", "path", found, "complex numbers")
    order = [axes.index(name) for name in AXES if name in axes]
    array = array.transpose(order)
    return array if "coils" in axes else np.expand_dims(array, -3)


def _transformed(images: np.ndarray, path: Path) -> np.ndarray:
    finite = bool(np.isfinite(images).all()) and images.size > 0
    require(finite, "path", f"{path} with images that are empty, NaN or infinite", "finite images")
    kspace: np.ndarray = centred_fourier(torch.from_numpy(images.astype(np.complex64))).numpy()
    return kspace


def _npy(path: Path) -> dict[str, np.ndarray]:
    with reading(path):
        loaded: Any = np.load(path, mmap_mode="r", allow_pickle=False)
        require(isinstance(loaded, np.ndarray), "path", str(path), "an array of NumPy")
        return {path.stem: loaded}


def _npz(path: Path) -> dict[str, np.ndarray]:
    with reading(path):
        loaded: Any = np.load(path, allow_pickle=False)
        require(isinstance(loaded, np.lib.npyio.NpzFile), "path", str(path), "an archive of NumPy")
        with loaded:
            return {name: loaded[name] for name in loaded.files}


def _mat(path: Path) -> dict[str, np.ndarray]:
    """Read the numeric arrays of a MATLAB file; version 7.3 is HDF5, with the axes the other way round."""
    import scipy.io

    with reading(path):
        with open(path, "rb") as file:
            start = file.read(128)
        newest = start.startswith((b"MATLAB 7.3", b"\x89HDF"))
        if newest:
            return _mat_hdf5(path)
        try:
            loaded = scipy.io.loadmat(path)
        except NotImplementedError:
            return _mat_hdf5(path)
        except scipy.io.matlab.MatReadError as error:
            raise ValueError(f"path={str(path)!r}: not readable ({error})") from error
    arrays = {
        name: value
        for name, value in loaded.items()
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiuc"
    }
    require(bool(arrays), "path", str(path), "a MATLAB file with an array of numbers")
    return arrays


def _mat_hdf5(path: Path) -> dict[str, np.ndarray]:
    arrays = {}
    with open_hdf5(path, "MATLAB's files of version 7.3") as file:
        for name in file:
            if name.startswith("#") or not hasattr(file[name], "dtype"):
                continue
            dataset = own_dataset(file, path, name)
            if dataset.dtype.kind in "fiuc" or dataset.dtype.names == ("real", "imag"):
                require_stored(path, dataset, name)
                arrays[name] = _complex(dataset[()]).T
    require(bool(arrays), "path", str(path), "a MATLAB file with an array of numbers")
    return arrays


def _complex(array: np.ndarray) -> np.ndarray:
    """Join the real and imaginary parts, as MATLAB stores them."""
    return array["real"] + 1j * array["imag"] if array.dtype.names else array


READERS: Mapping[str, Callable[[Path], dict[str, np.ndarray]]] = {".npy": _npy, ".npz": _npz, ".mat": _mat}
"""Readers by the endings of files, in small letters."""
