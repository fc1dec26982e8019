"""Pictures in folders: CelebA with its official split, or any images of one's own."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from ..arguments import require
from .split import Split, existing_folder, split_groups

PARTITION = "list_eval_partition.txt"
CELEBA_IMAGES = "img_align_celeba"
Size = int | tuple[int, int]
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".pgm")


def load_celeba(
    folder: str | Path, size: Size = 64, *, colour: bool = False, limit: int | None = None
) -> Split:
    """Load the aligned faces of CelebA, with the official split: nobody is in two parts.

    Parameters
    ----------
    folder : str or Path
        Holds ``list_eval_partition.txt`` and the folder ``img_align_celeba`` of JPEG files.
    size : int or pair of int
        Side, or height and width, of the images; the largest part of that shape in the middle is resized with bicubic
        interpolation and antialiasing.
    colour : bool
        Whether images are red, green and blue, or grey.
    limit : int, optional
        Largest number of images in each part, the first ones of the list; all 202,599 take 3.3 GB at 64×64.

    Returns
    -------
    Split
        Images (N, 1 or 3, H, W), float32 in [0, 1].

    Raises
    ------
    FileNotFoundError
        If the folder, the list or an image is missing.
    ValueError
        If a number is not accepted, a line of the list is not understood, or a part is empty.

    References
    ----------
    Liu, Luo, Wang and Tang, "Deep learning face attributes in the wild", 2015.
    """
    path = existing_folder(folder)
    if not (path / PARTITION).is_file():
        raise FileNotFoundError(f"folder={str(folder)!r}: no file {PARTITION!r}")
    names: dict[str, list[str]] = {"0": [], "1": [], "2": []}
    for line in (path / PARTITION).read_text().splitlines():
        words = line.split()
        fits = len(words) == 2 and words[1] in names
        require(fits, PARTITION, line, "lines of a file name and 0 (train), 1 (validation) or 2 (test)")
        names[words[1]].append(words[0])
    parts = [[path / CELEBA_IMAGES / name for name in part] for part in names.values()]
    return _load(parts, size, colour, limit)


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

    Three layouts are understood, in this order.  Folders ``train``, ``val`` and ``test`` are taken as they are.
    Otherwise each folder in ``folder`` is one person, volume or scene, and goes to one part as a whole; or there are
    none, and each file stands for itself.  These are divided by :func:`~ddgp_lib.data.split.split_groups`.

    Parameters
    ----------
    folder : str or Path
        Where the pictures are, as PNG, JPEG, TIFF, BMP or PGM files.
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
        If a number is not accepted, there are too few groups to divide, or a part is empty.
    """
    path = existing_folder(folder)
    if all((path / part).is_dir() for part in Split._fields):
        return _load([_pictures(path / part) for part in Split._fields], size, colour, limit)
    people = {entry.name: _pictures(entry) for entry in path.iterdir() if entry.is_dir()}
    groups = {name: found for name, found in people.items() if found}
    groups = groups or {file.name: [file] for file in _pictures(path)}
    parts = split_groups(sorted(groups), (val, test))
    return _load([[file for name in part for file in groups[name]] for part in parts], size, colour, limit)


def read_picture(path: Path, size: Size, *, colour: bool = False) -> torch.Tensor:
    """Read a picture, and resize the largest part of its middle that has the shape of ``size``.

    Returns
    -------
    Tensor, shape (1 or 3, H, W)
        In [0, 1].
    """
    from PIL import Image

    with Image.open(path) as picture:
        deep = picture.mode.startswith(("I", "F"))
        require(not deep, "path", f"{path} of mode {picture.mode!r}", "8 bits per channel")
        pixels = torch.from_numpy(np.array(picture.convert("RGB" if colour else "L"))).float() / 255
    image = pixels.movedim(-1, 0) if colour else pixels[None]
    sides = (size, size) if isinstance(size, int) else size
    scale = min(length / side for length, side in zip(image.shape[1:], sides, strict=True))
    height, width = (max(1, round(scale * side)) for side in sides)
    top, left = ((image.shape[1] - height) // 2, (image.shape[2] - width) // 2)
    part = image[None, :, top : top + height, left : left + width]
    return functional.interpolate(part, size=sides, mode="bicubic", antialias=True)[0].clamp(0, 1)


def _pictures(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)


def _load(parts: Iterable[list[Path]], size: Size, colour: bool, limit: int | None) -> Split:
    sides = (size,) if isinstance(size, int) else size
    fits = min(sides) >= 1 and len(sides) <= 2
    require(fits, "size", size, "an integer, 1 or above, or a height and a width")
    require(limit is None or limit >= 1, "limit", limit, "None, or an integer, 1 or above")
    images = []
    for name, files in zip(Split._fields, parts, strict=True):
        require(bool(files), name, files, "at least one picture")
        images.append(torch.stack([read_picture(file, size, colour=colour) for file in files[:limit]]))
    return Split(*images)
