"""Images that ship with the library, read from their file."""

from pathlib import Path

import numpy as np

from ..arguments import require
from ..files import read_npz, reading


def embedded_images(path: Path, shape: tuple[int, int, int]) -> np.ndarray:
    """Read the array ``images`` of an npz that ships with the library.

    Parameters
    ----------
    path : Path
        The file.
    shape : tuple of int
        (N, H, W) that the array has.

    Returns
    -------
    ndarray of uint8, shape (N, H, W)

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    ValueError
        If it is damaged, or holds other images.
    """
    with reading(path):
        images = read_npz(path)["images"]
        fits = images.dtype == np.uint8 and images.shape == shape
        require(
            fits, "path", f"{path} with {images.dtype} of shape {images.shape}", f"bytes of shape {shape}"
        )
    return images
