"""Which files in a folder count: none that is hidden, none that lies elsewhere, and none left out in silence."""

import logging
import os
import sys
import unicodedata
import warnings
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from ..arguments import require
from ..files import reading

LOGGER = logging.getLogger("ddgp_lib.data")
NOT_DATA = ("__macosx", "__pycache__", "thumbs.db", "desktop.ini", "@eadir", "lost+found", "$recycle.bin")
"""What systems leave in folders, in small letters; names that begin with a dot or end with ``~`` are hidden too."""
NOTES = (
    ".txt",
    ".md",
    ".rst",
    ".csv",
    ".tsv",
    ".json",
    ".xml",
    ".yml",
    ".yaml",
    ".html",
    ".pdf",
    ".log",
    ".py",
)
"""Endings of files that nobody takes for images: a line in the log says that they are left out, not a warning."""
NAMED = 5
"""Names that a message shows."""


def existing_folder(folder: str | Path) -> Path:
    """Return the path of a folder.

    Raises
    ------
    ValueError
        If ``folder`` is not a path.
    FileNotFoundError
        If there is no such folder.
    """
    fits = isinstance(folder, str | os.PathLike) and str(folder) != "" and "\0" not in str(folder)
    require(fits, "folder", folder, "the path of a folder")
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"folder={str(folder)!r}: no such folder")
    return Path(folder)


def files_in(folder: str | Path, suffixes: Collection[str]) -> list[Path]:
    """List the files of some kinds in a folder and in its folders, and say what is left out.

    Parameters
    ----------
    folder : str or Path
        The folder.  Links are followed, as long as they stay in it.
    suffixes : collection of str
        Endings in small letters, with their dots; a file's own may be in capitals.

    Returns
    -------
    list of Path
        In the order of their names, which is the same on every system.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If a link leads out of the folder or back to where it came from, or a folder cannot be read.

    Warns
    -----
    UserWarning
        Of files of other kinds, except notes such as ``.txt``.
    """
    root = existing_folder(folder)
    found: list[Path] = []
    others: list[Path] = []
    for path in _walk(root, root.resolve(), set()):
        (found if path.suffix.lower() in suffixes and path.is_file() else others).append(path)
    unread = [path for path in others if path.suffix.lower() not in NOTES]
    LOGGER.info(
        "%s: %d files that count, %d others left out: %s", root, len(found), len(others), named(others, root)
    )
    if unread:
        warn(
            f"folder={str(root)!r}: {len(unread)} file(s) left out: {named(unread, root)}; "
            f"read are {', '.join(suffixes)}"
        )
    return sorted(found, key=lambda path: [normalised(part) for part in path.relative_to(root).parts])


def file_in(folder: Path, name: str) -> Path:
    """Return the file in a folder that a list names.

    Parameters
    ----------
    folder : Path
        The folder.
    name : str
        Path within it; letters with accents may be composed in another way than in the file's name.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not in the folder.
    """
    path = folder / name
    with reading(path):
        _require_inside(path, folder.resolve())
        if not path.is_file() and path.parent.is_dir():
            wanted = normalised(path.name)
            path = next((other for other in path.parent.iterdir() if normalised(other.name) == wanted), path)
    if not path.is_file():
        raise FileNotFoundError(f"path={str(path)!r}: no such file")
    return path


def normalised(name: str) -> str:
    """Write a name's accents in the one way (NFC) that does not depend on the system that wrote it."""
    return unicodedata.normalize("NFC", name)


def named(paths: Iterable[str | Path], root: Path | None = None) -> str:
    """Write the first of some paths for a message, relative to ``root`` where it is given."""
    names = [str(Path(path).relative_to(root)) if root else str(path) for path in paths]
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")


def warn(message: str) -> None:
    """Say what a user would want to know of images that are read, at the line that called the library."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(f"{__package__}."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)


def _counts(name: str) -> bool:
    return not name.startswith(".") and not name.endswith("~") and name.casefold() not in NOT_DATA


def _require_inside(path: Path, root: Path) -> Path:
    target = path.resolve()
    require(target.is_relative_to(root), "path", str(path), f"a file inside the folder {str(root)!r}")
    return target


def _walk(folder: Path, root: Path, seen: set[Path]) -> Iterator[Path]:
    """Yield what counts and is no folder, at any depth; ``seen`` are the targets of links that were met."""
    with reading(folder):
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    for entry in entries:
        path = folder / entry.name
        if not _counts(entry.name):
            LOGGER.info("%s: hidden, left out", path)
            continue
        if entry.is_symlink():
            target = _require_inside(path, root)
            fresh = target not in seen and not path.parent.resolve().is_relative_to(target)
            require(fresh, "path", str(path), "no second link to the same, and none that leads back")
            seen.add(target)
        if entry.is_dir():
            yield from _walk(path, root, seen)
        else:
            yield path
