"""CelebA with its official split, from its files as their authors or Kaggle distribute them."""

import csv
from pathlib import Path

from ..arguments import require
from ..files import reading
from .listing import existing_folder, file_in, files_in, named, warn
from .pictures import SUFFIXES, read_picture
from .resampling import Size
from .split import Split, read_parts

LISTS = ("list_eval_partition.txt", "list_eval_partition.csv", "Eval/list_eval_partition.txt")
"""Where the list of the parts may be; Kaggle's is the second."""
FOLDERS = ("img_align_celeba/img_align_celeba", "img_align_celeba", "Img/img_align_celeba")
"""Where the images may be; Kaggle's archive has the first."""
HEADER = ("image_id", "partition")


def load_celeba(
    folder: str | Path, size: Size = 64, *, colour: bool = False, limit: int | None = None
) -> Split:
    """Load the aligned faces of CelebA, with the official split: nobody is in two parts.

    Parameters
    ----------
    folder : str or Path
        Holds ``list_eval_partition.txt`` and the folder ``img_align_celeba`` of JPEG files; or Kaggle's
        ``list_eval_partition.csv`` and its doubled folder ``img_align_celeba/img_align_celeba``.
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
        If an argument is not accepted, a line of the list is not understood, it names an image twice or one outside
        the folder, a part is empty, or an image cannot be read.

    Warns
    -----
    UserWarning
        Of images that are left out: those that the list does not name, and those that a later part has too.

    References
    ----------
    Liu, Luo, Wang and Tang, "Deep learning face attributes in the wild", 2015.
    """
    path = existing_folder(folder)
    lists = [path / name for name in LISTS if (path / name).is_file()]
    if not lists:
        raise FileNotFoundError(f"folder={str(folder)!r}: no file {LISTS[0]!r}, nor {LISTS[1]!r}")
    require(len(lists) == 1, "folder", f"{folder}, with {named(lists, path)}", "one list of the parts")
    images = next((path / name for name in FOLDERS if (path / name).is_dir()), None)
    if images is None:
        raise FileNotFoundError(f"folder={str(folder)!r}: no folder {FOLDERS[1]!r}")
    parts = [[file_in(images, name) for name in part] for part in read_partition(lists[0])]
    unlisted = set(files_in(images, SUFFIXES)).difference(*parts)
    if unlisted:
        warn(
            f"{lists[0].name} does not name {len(unlisted)} image(s), left out: {named(sorted(unlisted), path)}"
        )
    return read_parts(images, parts, lambda file: read_picture(file, size, colour=colour)[None], limit)


def read_partition(path: Path) -> list[list[str]]:
    """Read CelebA's list of parts: its lines are names and numbers, divided by spaces, or by commas in a ``.csv``.

    Parameters
    ----------
    path : Path
        The list; it may begin with a byte-order mark or Kaggle's header, have blank lines, and end lines as Windows
        does.

    Returns
    -------
    list of list of str
        The names for training, validation and testing, in the order of the list.

    Raises
    ------
    ValueError
        If a line is anything else, a name is there twice, or a part has none.
    """
    with reading(path):
        content = path.read_bytes()
        marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        lines = content.decode("utf-16" if marked else "utf-8-sig").splitlines()
    parts: dict[str, list[str]] = {"0": [], "1": [], "2": []}
    seen: set[str] = set()
    for line in filter(str.strip, lines):
        words = next(csv.reader([line])) if path.suffix.lower() == ".csv" else line.split()
        words = [word.strip() for word in words]
        if tuple(words) == HEADER and not seen:
            continue
        fits = len(words) == 2 and words[0] != "" and words[1] in parts
        require(fits, path.name, line, "lines of a file name and 0 (train), 1 (validation) or 2 (test)")
        require(words[0] not in seen, path.name, line, f"each image once; {words[0]} is named twice")
        seen.add(words[0])
        parts[words[1]].append(words[0])
    for number, names in parts.items():
        expected = "0 (train), 1 (validation) and 2 (test), each at least once"
        require(bool(names), path.name, f"no line with {number}", expected)
    return list(parts.values())
