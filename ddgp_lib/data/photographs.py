"""Squares of photographs, and dead leaves beside them, read from installed packages.

Thirteen photographs lie in scikit-image and matplotlib with a word that anybody may use them; ``README.md`` has a
card of them.  That is little.  So every photograph is seen at several scales, from the whole scene down to a detail,
and dead leaves (:mod:`ddgp_lib.data.leaves`) supplement the squares to train on.  Each part has photographs of its
own: nothing that is tested or chosen on was trained on.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from ..arguments import require, require_integer
from .faces import package_file
from .leaves import dead_leaves
from .listing import existing_folder, files_in, named, warn
from .pictures import SUFFIXES, read_pixels
from .split import Split

_SKIMAGE = ("skimage", "scikit-image")
PHOTOGRAPHS = {
    "astronaut": ("train", *_SKIMAGE, "data/astronaut.png"),
    "brick": ("train", *_SKIMAGE, "data/brick.png"),
    "camera": ("train", *_SKIMAGE, "data/camera.png"),
    "chelsea": ("train", *_SKIMAGE, "data/chelsea.png"),
    "clock": ("train", *_SKIMAGE, "data/clock_motion.png"),
    "grass": ("train", *_SKIMAGE, "data/grass.png"),
    "hubble_deep_field": ("train", *_SKIMAGE, "data/hubble_deep_field.jpg"),
    "retina": ("train", *_SKIMAGE, "data/retina.jpg"),
    "rocket": ("train", *_SKIMAGE, "data/rocket.jpg"),
    "coins": ("val", *_SKIMAGE, "data/coins.png"),
    "grace_hopper": ("val", "matplotlib", "matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    "coffee": ("test", *_SKIMAGE, "data/coffee.png"),
    "gravel": ("test", *_SKIMAGE, "data/gravel.png"),
}
"""Part, package, the package's name for pip, and file of each photograph."""
LIMIT = 800
"""Squares of one photograph, so that a large one does not outweigh the others."""
LEAVES = 1500
"""Dead leaves among the images to train on."""
SMALLEST = (2.0, 5.0)
"""Smallest radii, in pixels, of the discs in the first and the second half of them."""
STRIDE = 4
"""Squares to a side: neighbours are a quarter of a side apart."""
REDUCTION = 2
"""Times that a photograph is made smaller at least: its own camera and its compression have blurred it."""
SCALES = 3
"""Scales of a photograph from one to another that is twice as large."""
LEAST = 0.03
"""Standard deviation, on [0, 1], from which on a square has something in it."""


def load_photographs(
    size: int = 32, *, leaves: int = LEAVES, more: str | Path | None = None, limit: int | None = LIMIT
) -> Split:
    """Load squares of photographs from the installed packages scikit-image and matplotlib, in grey.

    A photograph is made smaller, without aliasing, until its shorter side is ``size`` pixels, then 2^(1/3) ``size``,
    and so on, up to half of what it was.  From each of these pictures squares are taken, a quarter of a side apart,
    so that they overlap.  Squares with nothing in them are left out.  The dead leaves are of one seed.

    Parameters
    ----------
    size : int
        Height and width of the squares, from 16 to 128.
    leaves : int
        Dead leaves among the images to train on, 0 or above; they come last.
    more : str or Path, optional
        A folder of further photographs to train on, at any depth, such as an unpacked package of Debian.  They are
        read as :func:`~ddgp_lib.data.pictures.read_picture` reads them.  Nobody looks at their licences.
    limit : int or None
        Largest number of squares of one photograph, spread evenly over all of its squares; None takes all.

    Returns
    -------
    Split
        Grey squares (N, 1, size, size), float32 in [0, 1], photograph by photograph, from the coarsest scale to the
        finest.

    Raises
    ------
    FileNotFoundError
        If a package is not installed, its picture is missing, or there is no folder ``more``.
    ValueError
        If an argument is not accepted, a picture is damaged or not one that is read, or the folder ``more`` gives no
        square.

    Warns
    -----
    UserWarning
        Of pictures in ``more`` that are left out: they are among the photographs of the packages, some of which are
        tested on; they are too small, or nothing is in them; or their files are of another kind.

    Examples
    --------
    >>> from ddgp_lib.data import load_photographs
    >>> images = load_photographs(32, leaves=0, limit=10)  # doctest: +SKIP
    >>> [len(part) for part in images]  # doctest: +SKIP
    [90, 20, 20]
    """
    require_integer("size", size, lowest=16, highest=128)
    require_integer("leaves", leaves, lowest=0)
    require_integer("limit", limit, lowest=1, none=True)
    further = [] if more is None else _further(existing_folder(more), int(size))
    parts = {part: _of_part(part, int(size)) for part in Split._fields}
    found = {part: _joined(each, limit, size) for part, each in parts.items()}
    train = torch.cat([found["train"], _joined(further, limit, size), _leaves(int(leaves), int(size))])
    return Split(train, found["val"], found["test"])


def squares_of(photograph: torch.Tensor, size: int) -> torch.Tensor:
    """Return the squares of a photograph at several scales, without those that have nothing in them.

    Parameters
    ----------
    photograph : Tensor, shape (H, W)
        In [0, 1].
    size : int
        Side of the squares in pixels.

    Returns
    -------
    Tensor, shape (N, 1, size, size)
        None where the photograph's shorter side is below twice ``size``.
    """
    shorter = min(photograph.shape)
    found = [photograph.new_empty(0, 1, size, size)]
    for scale in count():
        length = size * 2 ** (scale / SCALES)
        if length * REDUCTION > shorter:
            break
        sides = [max(size, round(side * length / shorter)) for side in photograph.shape]
        smaller = functional.interpolate(photograph[None, None], sides, mode="bilinear", antialias=True)[0, 0]
        steps = size // STRIDE
        cut = smaller.unfold(0, size, steps).unfold(1, size, steps).reshape(-1, 1, size, size)
        found.append(cut[cut.flatten(1).std(dim=1) >= LEAST])
    return torch.cat(found).clamp(0, 1)


def _further(folder: Path, size: int) -> list[torch.Tensor]:
    """Return the squares of each photograph in a folder, of those that the packages do not have."""
    paths = files_in(folder, SUFFIXES)
    known = {_key(read_pixels(path)) for path in _package_paths(*Split._fields)}
    found, twice, empty = [], [], []
    for path in paths:
        pixels = read_pixels(path)
        if _key(pixels) in known:
            twice.append(path)
        elif len(squares := squares_of(pixels[0], size)) == 0:
            empty.append(path)
        else:
            found.append(squares)
    least = f"{REDUCTION * size} pixels or more on each side, with something in it"
    require(bool(found), "more", str(folder), f"a folder with a further picture of {least}")
    if twice:
        warn(f"more={str(folder)!r}: {len(twice)} left out, the packages have them: {named(twice, folder)}")
    if empty:
        warn(f"more={str(folder)!r}: {len(empty)} left out, not of {least}: {named(empty, folder)}")
    return found


def _key(pixels: torch.Tensor) -> bytes:
    return hashlib.sha256(f"{tuple(pixels.shape)}".encode() + pixels.contiguous().numpy().tobytes()).digest()


def _package_paths(*parts: str) -> list[Path]:
    """Return the files of the packages' photographs of some parts."""
    chosen = [entry[1:] for entry in PHOTOGRAPHS.values() if entry[0] in parts]
    return [package_file(package, file, name) for package, name, file in chosen]


@lru_cache(maxsize=12)
def _of_part(part: str, size: int) -> tuple[torch.Tensor, ...]:
    """Return the squares of each photograph of a part."""
    return tuple(squares_of(read_pixels(path)[0], size) for path in _package_paths(part))


@lru_cache(maxsize=4)
def _leaves(number: int, size: int) -> torch.Tensor:
    """Draw dead leaves, half of them with larger discs."""
    generator = torch.Generator().manual_seed(0)
    halves = zip((number - number // 2, number // 2), SMALLEST, strict=True)
    return torch.cat([dead_leaves(half, size, generator, smallest=radius) for half, radius in halves])


def _joined(squares: Iterable[torch.Tensor], limit: int | None, size: int) -> torch.Tensor:
    """Join the squares of photographs, or as many of each as the limit allows, evenly spread."""
    kept: Sequence[torch.Tensor] = [torch.empty(0, 1, size, size), *squares]
    if limit is not None:
        kept = [
            each[np.linspace(0, len(each) - 1, min(limit, len(each))).round().astype(int)] for each in kept
        ]
    return torch.cat(list(kept))
