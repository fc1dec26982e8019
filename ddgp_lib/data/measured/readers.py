"""Read the arrays of NumPy's, MATLAB's and picture files, with no code of the file's run; a damaged one is named."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from ...arguments import require
from ...files import reading
from .records import ArraySpec, NamedArray

PIXELS = {"I;16": np.uint16, "L": np.uint8, "RGB": np.uint8, "RGBA": np.uint8}
"""Modes of pictures that are read, by Pillow's names, and what a pixel is."""


def read_numpy(path: str | Path) -> dict[str, np.ndarray]:
    """Read a ``.npy``, by the name ``""``, or all arrays of a ``.npz``; one of Python objects is refused.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, or holds pickled objects.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from ddgp_lib.data.measured.readers import read_numpy
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/scan.npz", kspace=np.ones((2, 3), np.complex64))
    ...     read_numpy(f"{folder}/scan.npz")["kspace"].shape
    (2, 3)
    """
    with reading(path):
        content = Path(path).read_bytes()
        found = np.load(io.BytesIO(content), allow_pickle=False)
        if isinstance(found, np.ndarray):
            return {"": found}
        with found as archive:
            return dict(archive)


def read_matlab(path: str | Path) -> dict[str, np.ndarray]:
    """Read the arrays of numbers of a MATLAB file up to version 7, by their names; what is none is left out.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, or of version 7.3, which is HDF5.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    with reading(path):
        try:
            found = loadmat(io.BytesIO(Path(path).read_bytes()))
        except MatReadError as error:  # which is no ValueError
            raise ValueError(str(error)) from error
    arrays = {name: value for name, value in found.items() if isinstance(value, np.ndarray)}
    return {name: value for name, value in arrays.items() if value.dtype.kind in "iufc"}


def read_grey(path: str | Path) -> dict[str, np.ndarray]:
    """Read a grey picture of 8 or 16 bits, by the name ``""``, as it is: not scaled, and not turned.

    A picture in colour is accepted where its colours are equal, and it is opaque.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, coloured, or of several pages.
    """
    from PIL import Image

    with reading(path), Image.open(io.BytesIO(Path(path).read_bytes()), formats=("PNG", "TIFF")) as picture:
        mode, frames = picture.mode, getattr(picture, "n_frames", 1)
        require(
            mode in PIXELS and frames == 1,
            "path",
            f"{path} of mode {mode} and {frames} page(s)",
            f"one page of {tuple(PIXELS)}",
        )
        pixels = np.array(picture)
    if pixels.ndim == 3:
        grey = bool((pixels[..., :3] == pixels[..., :1]).all() and (pixels[..., 3:] == 255).all())
        require(grey, "path", f"{path} in colour or with transparency", "a grey picture")
        pixels = pixels[..., 0]
    return {"": pixels.astype(PIXELS[mode], copy=False)}


READERS: Mapping[str, Callable[[str | Path], dict[str, np.ndarray]]] = MappingProxyType(
    {
        ".npy": read_numpy,
        ".npz": read_numpy,
        ".mat": read_matlab,
        ".png": read_grey,
        ".tif": read_grey,
        ".tiff": read_grey,
    }
)
"""What reads a file, by its ending."""


def read_file(path: str | Path) -> dict[str, np.ndarray]:
    """Read the arrays of a file by its ending.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, or no reader knows its ending.
    """
    suffix = Path(path).suffix.lower()
    require(suffix in READERS, "path", str(path), f"a file that ends in one of {tuple(READERS)}")
    return READERS[suffix](path)


def named_array(path: str | Path, found: Mapping[str, np.ndarray], spec: ArraySpec) -> NamedArray:
    """Take an array of a file, check it, and put its axes in the order that its description says.

    Parameters
    ----------
    path : str or Path
        The file, for messages.
    found : mapping of str to ndarray
        What was read from it.
    spec : ArraySpec
        The description.

    Returns
    -------
    NamedArray
        With the numbers of the file: complex numbers keep their precision, whole numbers become double precision,
        in which they are exact.

    Raises
    ------
    ValueError
        If the array is missing, or has another kind, other axes or lengths, or numbers that are not finite.
    """
    name = spec.key or "an array"
    there = ", ".join(sorted(found)) or "no arrays"
    require(spec.key in found, "path", f"{path} with {there}", f"one with {name}")
    array = found[spec.key]
    wanted = f"{spec.kind} numbers {spec.stored}"
    fits = (array.dtype.kind == "c") == (spec.kind == "complex") and array.dtype.kind in "iufc"
    require(
        fits and array.ndim == len(spec.stored),
        "path",
        f"{path} with {name} of {array.dtype}, shape {array.shape}",
        wanted,
    )
    if spec.kept is not None:
        array = array[tuple(slice(0, count) for count in spec.kept)]
    array = array.astype(np.float64) if array.dtype.kind in "iu" else array
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    finite = bool(np.isfinite(array).all())
    require(finite, "path", f"{path} with numbers in {name} that are not finite", "finite numbers")
    added = tuple(axis for axis in spec.axes if axis not in spec.stored)
    array = array.reshape(array.shape + (1,) * len(added))
    order = [(*spec.stored, *added).index(axis) for axis in spec.axes]
    values = torch.from_numpy(np.ascontiguousarray(array.transpose(order)))
    require(
        tuple(values.shape) == spec.shape,
        "path",
        f"{path} with {name} of shape {tuple(values.shape)}",
        f"{spec.shape}, as {spec.axes}",
    )
    return NamedArray(values, spec.axes)
