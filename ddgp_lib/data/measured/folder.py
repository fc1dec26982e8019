"""Where measured data are: found, checked by their SHA-256, and fetched when that is asked for."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...files import atomic_write
from .readers import read_file
from .records import DataFile, MeasuredSet

VARIABLE = "DDGP_DATA"
"""Variable of the environment that names the folder."""
INSTALL = "`pip install pooch`, or `pip install '.[measured]'` from the repository"
STATES = ("present", "missing", "changed")
"""What may be said of a file in the folder."""


def data_folder() -> Path:
    """Return the folder of measured data: what ``DDGP_DATA`` names, or else pooch's cache folder for ``ddgp``.

    Raises
    ------
    ImportError
        If ``DDGP_DATA`` is not set and pooch, which knows where caches are, is not installed.
    """
    named = os.environ.get(VARIABLE, "")
    return Path(named).expanduser() if named else Path(_pooch().os_cache("ddgp"))


def state(file: DataFile, folder: Path) -> str:
    """Say whether a file is there and is the one that was registered: one of :data:`STATES`."""
    path = folder / file.name
    if not path.is_file():
        return "missing"
    try:
        return "present" if _digest(file, path) == file.sha256 else "changed"
    except ValueError:  # it cannot be read, of a file whose arrays count
        return "changed"


def locate(file: DataFile, name: str, folder: Path) -> Path:
    """Return the path of a file that is there and has not changed.

    Parameters
    ----------
    file : DataFile
        The file.
    name : str
        Of its set, for the messages.
    folder : Path
        Where it is looked for.

    Raises
    ------
    FileNotFoundError
        If it is missing, with what to do.
    ValueError
        If it is not the file that was registered, with what was found, what was expected and what to do.
    """
    path = folder / file.name
    if not path.is_file():
        raise FileNotFoundError(
            f"path={str(path)!r}: no such file, which {name!r} needs; {how_to_get(file, name)}, "
            f"or set {VARIABLE} to a folder that holds it"
        )
    found, size = _digest(file, path), path.stat().st_size
    if found != file.sha256:
        raise ValueError(
            f"path={str(path)!r}: found {size} bytes with SHA-256 {found}, expected {file.size} bytes with "
            f"{file.sha256}; {_diagnosis(file, size)}delete it, then {how_to_get(file, name)}"
        )
    return path


def how_to_get(file: DataFile, name: str) -> str:
    """Say in words how a file comes into the folder."""
    if file.repacked:
        return f"make it from {file.url} ({file.repacked})"
    return (
        f"fetch it by `python -m ddgp_lib data fetch {name}` or `load_measured({name!r}, download=True)`, "
        f"from {file.url}"
    )


def fetch(card: MeasuredSet, folder: Path) -> list[Path]:
    """Fetch the files of a set that are missing or have changed, from where their authors published them.

    Each is downloaded beside, checked by its SHA-256, and only then put into the folder at once.

    Parameters
    ----------
    card : MeasuredSet
        The set.
    folder : Path
        Where the files go; it is made.

    Returns
    -------
    list of Path
        What was fetched; empty where all was there.

    Raises
    ------
    ImportError
        If pooch is not installed.
    OSError
        If a file could not be fetched.
    ValueError
        If the folder cannot be written to, what came is not the registered file, or a file is one that was repacked.
    """
    wanted = [file for file in card.files if state(file, folder) != "present"]
    for file in wanted:
        if file.repacked:
            raise ValueError(
                f"name={card.name!r}: {file.name} cannot be fetched; {how_to_get(file, card.name)}"
            )
    if not wanted:
        return []
    retriever = _pooch()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"{VARIABLE}={str(folder)!r}: expected a folder that can be made ({error})"
        ) from error
    return [_fetch(retriever, file, folder) for file in wanted]


def listing(sets: Mapping[str, MeasuredSet]) -> dict[str, Any]:
    """Describe sets, their sizes in bytes, their licences, and whether they are in the folder.

    Returns
    -------
    dict
        ``"folder"``, or None where none is known, and ``"sets"``: by name ``"title"``, ``"bytes"``, ``"licence"``,
        ``"state"``, one of :data:`STATES`, and ``"files"``, the state of each.
    """
    try:
        folder = data_folder()
    except ImportError:  # nothing can have been fetched
        folder = None
    found = {}
    for name, card in sets.items():
        files = {file.name: state(file, folder) if folder else "missing" for file in card.files}
        worst = next((word for word in ("changed", "missing") if word in files.values()), "present")
        about = {"title": card.title, "bytes": card.size, "licence": card.licence}
        found[name] = {**about, "state": worst, "files": files}
    return {"folder": None if folder is None else str(folder), "sets": found}


def file_digest(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def arrays_digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of arrays by their names, types, shapes and numbers, in whatever file they are.

    Texts count by their letters, and not by the length of the longest.

    Examples
    --------
    >>> import numpy as np
    >>> from ddgp_lib.data.measured.folder import arrays_digest
    >>> arrays_digest({"a": np.arange(3, dtype="<i4")})[:8] == arrays_digest({"a": np.arange(3, dtype=">i4")})[:8]
    True
    """
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        if array.dtype.kind == "U":
            kind, content = "text", "\0".join(array.ravel().tolist()).encode()
        else:
            kind = array.dtype.newbyteorder("<").str
            content = np.ascontiguousarray(array.astype(kind)).tobytes()
        digest.update(f"{name} {kind.lstrip('<|')} {array.shape}\n".encode() + content)
    return digest.hexdigest()


def _fetch(retriever: Any, file: DataFile, folder: Path) -> Path:
    path = folder / file.name
    with tempfile.TemporaryDirectory() as beside:
        try:
            came = retriever.retrieve(
                file.url, known_hash=f"sha256:{file.sha256}", fname=file.name, path=beside, progressbar=False
            )
        except ValueError as error:  # pooch's word for another hash
            raise ValueError(
                f"path={str(path)!r}: what came from {file.url} is not the registered file, and is not kept; "
                f"expected {file.size} bytes with SHA-256 {file.sha256} ({error})"
            ) from error
        except OSError as error:
            raise OSError(
                f"path={str(path)!r}: not fetched from {file.url} ({error}); without a network, put the file into "
                f"the folder that {VARIABLE} names"
            ) from error
        try:
            atomic_write(path, Path(came).read_bytes())
        except OSError as error:
            expected = f"a folder that can be written to ({error})"
            raise ValueError(f"{VARIABLE}={str(folder)!r}: expected {expected}") from error
    return locate(file, "", folder)


def _digest(file: DataFile, path: Path) -> str:
    return arrays_digest(read_file(path)) if file.repacked else file_digest(path)


def _diagnosis(file: DataFile, size: int) -> str:
    if file.repacked or size == file.size:
        return ""
    return "it is truncated: " if size < file.size else "it is longer: "


def _pooch() -> Any:
    try:
        import pooch
    except ImportError as error:
        raise ImportError(
            f"measured data are fetched by pooch: {INSTALL}; or set {VARIABLE} to a folder"
        ) from error
    return pooch
