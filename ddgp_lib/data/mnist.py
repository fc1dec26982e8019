"""The whole of MNIST, read from its original files."""

import gzip
import hashlib
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from ..arguments import require
from ..files import reading
from .listing import existing_folder
from .split import Split, finish

HELD_OUT = 6
"""One training image in this many is for validation: the last 10,000 of 60,000."""
BORDER = 2
"""Rows and columns of zeros on every side, as around the embedded digits."""
UNSIGNED_BYTE = 0x08
GZIP = b"\x1f\x8b"
DENSEST = 1100
"""More bytes than one of gzip can stand for."""


def load_mnist(folder: str | Path) -> Split:
    """Load MNIST, or another set in its format such as Fashion-MNIST, from the four original files.

    Of the official training images the last sixth is for validation; the official test images are for testing.  The
    digits that are embedded in this library, on which its weights were trained, are all among the first 50,000
    training images, so that none of them is in the last 10,000.  Within a part, images are in the order of their
    SHA-256: any first few are a random choice, which they are not in the files.

    Parameters
    ----------
    folder : str or Path
        Holds ``train-images-idx3-ubyte`` and ``t10k-images-idx3-ubyte``, each as it is or compressed (``.gz``).

    Returns
    -------
    Split
        50,000 training, 10,000 validation and 10,000 test images, each (N, 1, 32, 32), float32 in [0, 1]: 28×28
        pixels and a border of two zeros.

    Raises
    ------
    FileNotFoundError
        If the folder or one of the two files is missing.
    ValueError
        If a file is damaged or not of the IDX format, does not hold images of bytes, or a part is empty.

    Warns
    -----
    UserWarning
        Of images that are left out, since a later part has them too.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998.
    """
    path = existing_folder(folder)
    training, test = (_file(path, part) for part in ("train", "t10k"))
    digits = _digits(training)
    kept = len(digits) - len(digits) // HELD_OUT
    parts = [_shuffled(digits[:kept], training), _shuffled(digits[kept:], training, kept)]
    parts.append(_shuffled(_digits(test), test))
    images, origins = zip(*parts, strict=True)
    return finish(path, images, origins)


def read_idx(path: Path) -> np.ndarray:
    """Read a file of bytes in the IDX format, compressed or not.

    Parameters
    ----------
    path : Path
        The file: two zeros, the type 8 (unsigned byte), the number of dimensions, their lengths, the bytes.

    Returns
    -------
    ndarray of uint8

    Raises
    ------
    ValueError
        If the file is anything else.
    """
    with reading(path), open(path, "rb") as file:
        packed = file.read(len(GZIP)) == GZIP
        file.seek(0)
        stream: Any = gzip.GzipFile(fileobj=file) if packed else file
        start = stream.read(4)
        known = len(start) == 4 and start[:3] == bytes([0, 0, UNSIGNED_BYTE])
        require(known, "path", str(path), "an IDX file of unsigned bytes")
        lengths = stream.read(4 * start[3])
        require(len(lengths) == 4 * start[3], "path", str(path), "an IDX file with all of its header")
        shape = struct.unpack(f">{start[3]}I", lengths)
        size, there = math.prod(shape), path.stat().st_size
        room = DENSEST * there if packed else there - stream.tell()
        content = stream.read(size + 1) if size <= room else b""
        found = f"{len(content)} bytes" if size <= room else f"at most {room} bytes"
        require(len(content) == size, "path", f"{path} with {found}", f"{size} bytes after its header")
        return np.frombuffer(content, np.uint8).reshape(shape)


def _file(folder: Path, part: str) -> Path:
    names = [f"{part}-images{dot}idx3-ubyte{end}" for dot in "-." for end in ("", ".gz")]
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise FileNotFoundError(f"folder={str(folder)!r}: no file {names[0]!r}, nor the same with .gz")
    return found


def _digits(path: Path) -> np.ndarray:
    digits = read_idx(path)
    fits = digits.ndim == 3 and digits.size > 0
    require(fits, "path", f"{path} of shape {digits.shape}", "three dimensions (N, H, W), none of them 0")
    return digits


def _shuffled(digits: np.ndarray, path: Path, first: int = 0) -> tuple[torch.Tensor, list[str]]:
    """Return digits as images in the order of their SHA-256, and what each is called; ``first`` is before them."""
    order = sorted(range(len(digits)), key=lambda k: hashlib.sha256(digits[k].tobytes()).digest())
    images = torch.from_numpy(digits[order]).unsqueeze(1).float() / 255
    padded = functional.pad(images, (BORDER, BORDER, BORDER, BORDER))
    return padded, [f"image {first + k + 1} of {path.name}" for k in order]
