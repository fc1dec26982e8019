"""Pictures in folders of one's own."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from ..arguments import require, require_choice, require_integer, require_number
from ..files import reading
from .folders import divide
from .listing import existing_folder, files_in
from .resampling import Size, height_and_width
from .split import Split, read_parts

SUFFIXES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".jfif",
    ".tif",
    ".tiff",
    ".bmp",
    ".pgm",
    ".ppm",
    ".pnm",
    ".webp",
    ".gif",
)
"""Endings of the files that are read, in small letters or capitals."""
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "PPM", "WEBP", "GIF")
"""Pillow's names of the formats that are read, whatever a file's ending."""
DEEP = ("I", "F")
"""How Pillow's names of modes of more than 8 bits begin."""
INVERTED = (262, 0)
"""Tag and value by which a TIFF says that its lowest number is white."""


def load_folder(
    folder: str | Path,
    size: Size,
    *,
    colour: bool = False,
    val: float = 0.1,
    test: float = 0.1,
    limit: int | None = None,
) -> Split:
    """Load one's own pictures, split so that what belongs together stays together.

    Three layouts are understood, and a mixture of them is refused.  Folders ``train``, ``val`` (or ``valid``,
    ``validation``, ``dev``) and ``test``, in any capitals, are taken as they are.  Otherwise each folder in
    ``folder`` is one person, volume or scene, and goes to one part as a whole; or there are none, and each file
    stands for itself, with the files that differ from it in their ending alone.  These are divided by
    :func:`~ddgp_lib.data.split.split_groups`.

    Files and folders that are hidden do not count (:mod:`ddgp_lib.data.listing`).  A picture that is equal to one of
    a later part is left out of the earlier one, with a warning.

    Parameters
    ----------
    folder : str or Path
        Where the pictures are, as PNG, JPEG, TIFF, BMP, PGM, PPM, WebP or GIF files of one picture each.
    size : int or pair of int
        Side, or height and width, of the images; the largest part of that shape in the middle is resized with bicubic
        interpolation and antialiasing.
    colour : bool
        Whether images are red, green and blue, or grey.
    val, test : float
        Shares of the people, volumes, scenes or files that are for validation and for testing.
    limit : int, optional
        Largest number of images in each part.

    Returns
    -------
    Split
        Images (N, 1 or 3, H, W), float32 in [0, 1], in the order of their names within a group.

    Raises
    ------
    FileNotFoundError
        If the folder is missing.
    ValueError
        If an argument is not accepted, the folder is laid out in another way, there are too few groups to divide, a
        part is empty, or a picture cannot be read.

    Warns
    -----
    UserWarning
        Of files that are left out.
    """
    path = existing_folder(folder)
    _require_picture_arguments(size, colour)
    for name, share in (("val", val), ("test", test)):
        require_number(name, share, above=0, below=1)
    require_integer("limit", limit, lowest=1, none=True)
    parts = divide(path, files_in(path, SUFFIXES), (val, test))
    return read_parts(path, parts, lambda file: read_picture(file, size, colour=colour)[None], limit)


def read_picture(path: str | Path, size: Size, *, colour: bool = False) -> torch.Tensor:
    """Read a picture, and resize the largest part of its middle that has the shape of ``size``.

    It is turned as its metadata say.  What is transparent is laid on white.  16 bits are divided by 65,535, and
    numbers of floating point are taken as they are.

    Parameters
    ----------
    path : str or Path
        A file of one picture.
    size : int or pair of int
        Side, or height and width, of the image.
    colour : bool
        Whether it is to be red, green and blue, or grey.

    Returns
    -------
    Tensor, shape (1 or 3, H, W)
        In [0, 1].

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If an argument is not accepted, the file is damaged or of another format, has several pages or frames, or
        numbers whose range is not known.
    """
    sides = _require_picture_arguments(size, colour)
    image = read_pixels(path, colour=colour)
    scale = min(length / side for length, side in zip(image.shape[1:], sides, strict=True))
    height, width = (max(1, round(scale * side)) for side in sides)
    top, left = ((image.shape[1] - height) // 2, (image.shape[2] - width) // 2)
    part = image[None, :, top : top + height, left : left + width]
    return functional.interpolate(part, size=sides, mode="bicubic", antialias=True)[0].clamp(0, 1)


def _require_picture_arguments(size: Any, colour: Any) -> tuple[int, int]:
    require_choice("colour", colour, (True, False))
    return height_and_width(size)


def read_pixels(path: str | Path, *, colour: bool = False) -> torch.Tensor:
    """Read all pixels of a picture, upright and on white, as :func:`read_picture` does before it cuts and resizes.

    Parameters
    ----------
    path : str or Path
        A file of one picture.
    colour : bool
        Whether it is to be red, green and blue, or grey.

    Returns
    -------
    Tensor, shape (1 or 3, H, W)
        In [0, 1].

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As :func:`read_picture`.
    """
    from PIL import Image, ImageOps

    require_choice("colour", colour, (True, False))
    path = Path(path)
    require(path.is_file() or not path.exists(), "path", str(path), "a file")
    try:
        with reading(path), Image.open(path, formats=FORMATS) as picture:
            _require_one_picture(picture, path)
            upright = ImageOps.exif_transpose(picture)
            if picture.mode.startswith(DEEP):
                return _deep(upright, picture.format, path).expand(3 if colour else 1, -1, -1)
            if upright.has_transparency_data:
                layers = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
            pixels = torch.from_numpy(np.array(upright.convert("RGB" if colour else "L"))).float() / 255
    except Image.DecompressionBombError as error:
        raise ValueError(f"path={str(path)!r}: not readable ({error})") from error
    return pixels.movedim(-1, 0) if colour else pixels[None]


def _require_one_picture(picture: Any, path: Path) -> None:
    """Refuse what Pillow would read in part or with another meaning; of a phone's two frames the first is meant."""
    frames = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
    require(frames == 1, "path", f"{path} of {frames} pages or frames", "a file of one picture")
    deep = picture.mode.startswith(DEEP)
    cut = deep and "transparency" in picture.info
    require(not cut, "path", f"{path}, with more than 8 bits and transparency", "one of the two")
    if picture.format == "TIFF":
        inverted = deep and picture.tag_v2.get(INVERTED[0]) == INVERTED[1]
        require(not inverted, "path", f"{path}, whose lowest number is white", "that it is black")
        blocks = [block[1] for block in picture.tile]
        there = sum((right - left) * (lower - upper) for left, upper, right, lower in blocks)
        width, height = picture.size
        whole = there >= width * height
        require(whole, "path", f"{path} with {there} pixels", f"the {width} × {height} of its header")


def _deep(picture: Any, format: str | None, path: Path) -> torch.Tensor:
    """Return the pixels (1, H, W) of a grey picture of 16 bits, or of numbers in [0, 1]."""
    sixteen = picture.mode.startswith("I;16") or (picture.mode == "I" and format in ("PNG", "PPM"))
    numbers = np.array(picture).astype(np.float64) / (65535 if sixteen else 1)
    known = (sixteen or picture.mode == "F") and bool(np.all((numbers >= 0) & (numbers <= 1)))
    expected = "8 or 16 bits per channel, or numbers of floating point in [0, 1]"
    require(known, "path", f"{path} of mode {picture.mode!r}", expected)
    return torch.from_numpy(numbers).float()[None]
