"""The whole of MNIST, read from its original files."""

import hashlib
import math
import struct
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from ..arguments import require
from ..files import read_unzipped
from .split import Split, existing_folder

HELD_OUT = 6
"""One training image in this many is for validation: the last 10,000 of 60,000."""
BORDER = 2
"""Rows and columns of zeros on every side, as around the embedded digits."""
UNSIGNED_BYTE = 0x08


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
        If a file is not of the IDX format, or does not hold images of bytes.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998.
    """
    path = existing_folder(folder)
    training, test = (_digits(path, part) for part in ("train", "t10k"))
    kept = len(training) - len(training) // HELD_OUT
    return Split(*(_images(part) for part in (training[:kept], training[kept:], test)))


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
    content = read_unzipped(path)
    known = len(content) >= 4 and content[:3] == bytes([0, 0, UNSIGNED_BYTE])
    require(known, "path", str(path), "an IDX file of unsigned bytes")
    start = 4 + 4 * content[3]
    require(len(content) >= start, "path", str(path), "an IDX file with all of its header")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    found = len(content) - start
    whole = found == math.prod(shape)
    require(whole, "path", f"{path} with {found} bytes", f"{math.prod(shape)} bytes after its header")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _digits(folder: Path, part: str) -> np.ndarray:
    names = [f"{part}-images{dot}idx3-ubyte{end}" for dot in "-." for end in ("", ".gz")]
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise FileNotFoundError(f"folder={str(folder)!r}: no file {names[0]!r}, nor the same with .gz")
    images = read_idx(found)
    require(images.ndim == 3, "path", f"{found} of shape {images.shape}", "three dimensions (N, H, W)")
    return images


def _images(digits: np.ndarray) -> torch.Tensor:
    order = sorted(range(len(digits)), key=lambda k: hashlib.sha256(digits[k].tobytes()).digest())
    images = torch.from_numpy(digits[order]).unsqueeze(1).float() / 255
    return functional.pad(images, (BORDER, BORDER, BORDER, BORDER))
