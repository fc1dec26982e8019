"""How a folder of pictures is divided: by folders named after the parts, by person, or by file; never by a guess."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from ..arguments import require
from .listing import named, normalised
from .split import Split, split_groups

NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
"""What folders may be called, in any capitals, and the part that each is taken for."""
ACCEPTED = (
    "pictures alone; or folders of people, volumes or scenes alone; "
    "or one folder each for train, val (valid, validation, dev) and test, with pictures, and no others"
)
FILLERS = ("", "data", "dataset", "file", "image", "img", "my", "part", "picture", "set", "split")
SHORT = {"tr": "train", "trn": "train", "va": "val", "vl": "val", "te": "test", "ts": "test", "tst": "test"}
"""What people shorten the names to: refused where folders have the short names of two parts."""
NEAR = 0.8
"""Likeness, as difflib measures it, from which on a word may be a misspelt one of :data:`NAMES`."""


def divide(folder: Path, files: Sequence[Path], fractions: tuple[float, float]) -> list[list[Path]]:
    """Divide files into those for training, validation and testing, so that what belongs together stays together.

    Parameters
    ----------
    folder : Path
        The folder.
    files : sequence of Path
        The files at any depth in it, in the order in which they are to stay.
    fractions : pair of float
        Shares of the groups for validation and testing, where no folders are named after the parts.

    Returns
    -------
    list of list of Path
        The three parts.

    Raises
    ------
    ValueError
        If the folder is laid out in two ways at once, or its names hint at parts that are not clear.
    """
    tops: dict[str, list[Path]] = {}
    alone: dict[str, list[Path]] = {}
    for file in files:
        top, *rest = (normalised(part) for part in file.relative_to(folder).parts)
        group, name = (tops, top) if rest else (alone, normalised(file.stem))
        group.setdefault(name, []).append(file)
    if tops and alone:
        _refuse(folder, f"pictures ({named(alone)}) beside folders with pictures ({named(tops)})")
    named_parts = {name: NAMES.get(name.casefold()) for name in tops}
    _refuse_nested(folder, files, named_parts)
    if sorted(map(str, named_parts.values())) == sorted(Split._fields):
        return [tops[name] for part in Split._fields for name in tops if named_parts[name] == part]
    _refuse_hints(folder, [*tops])
    labels = [{NAMES[word] for word in _words(stem) if word in NAMES} for stem in alone]
    if all(labels) and len(set().union(*labels)) > 1:
        _refuse(folder, f"files named after parts ({named(alone)})")
    groups = tops or {members[0].name: members for members in alone.values()}
    parts = split_groups(sorted(groups), fractions)
    return [[file for name in part for file in groups[name]] for part in parts]


def _refuse(folder: Path, found: str) -> None:
    require(False, "folder", f"{folder}: {found}", ACCEPTED)


def _refuse_nested(folder: Path, files: Sequence[Path], named_parts: dict[str, str | None]) -> None:
    """Refuse folders named after parts inside others, unless they repeat the name of the part that they are in."""
    inner = {file.parent.relative_to(folder) for file in files}
    for top, *rest in (path.parts for path in inner if path.parts):
        for name in rest:
            part = _called(normalised(name))
            if part is not None and part != named_parts[normalised(top)]:
                _refuse(folder, f"{'/'.join((top, *rest))}, a part inside another folder")


def _refuse_hints(folder: Path, names: list[str]) -> None:
    """Refuse folders of which one is called as a part is, or words of which remind of different parts."""
    parts = {part for name in names for word in _words(name) for part in _reminders(word)}
    short = {SHORT[name.casefold()] for name in names if name.casefold() in SHORT}
    if (
        len(parts) > 1
        or (len(short) > 1 and len(short) == len(names))
        or any(_called(name) for name in names)
    ):
        _refuse(folder, f"folders of which some are named after parts ({named(names)})")


def _called(name: str) -> str | None:
    """Return the part that a name means, numbers and words such as "set" aside: ``train_2017``, ``tests``."""
    words = [word for word in _words(name) if word.removesuffix("s") not in FILLERS]
    core = re.sub(r"((data)?set|split|data|images|s)$", "", words[0]) if len(words) == 1 else ""
    return NAMES.get(core)


def _reminders(word: str) -> set[str]:
    """Return the parts whose names a word is like: a letter more, less or changed after the first, or two swapped."""
    likeness = {
        name: difflib.SequenceMatcher(None, word, name).ratio() for name in NAMES if name[0] == word[0]
    }
    return {NAMES[n] for n, like in likeness.items() if like >= NEAR or sorted(n) == sorted(word)}


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", name.casefold())
