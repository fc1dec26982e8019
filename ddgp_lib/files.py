"""Write files so that a reader sees the old content or the new one, never half of it; read arrays and results."""

import glob
import gzip
import io
import json
import os
import secrets
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

TEMPORARY = ".tmp"
"""End of the names of files that are being written."""

UNREADABLE = (
    OSError,  # gzip.BadGzipFile and PIL's UnidentifiedImageError among them
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    RuntimeError,  # RecursionError among them, and h5py's
    SyntaxError,  # PIL's
    tokenize.TokenError,  # NumPy's, of headers
    MemoryError,
    TypeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What parsers raise at a damaged file."""


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Turn whatever goes wrong while a file is parsed into a ``ValueError`` that names the file.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    FileNotFoundError
        If there is no such file: as it was raised.
    ValueError
        If it cannot be read or parsed, with the reason; one that names the path already stays as it is.

    Examples
    --------
    >>> import json
    >>> with reading("mine.json"):
    ...     json.loads("{")
    Traceback (most recent call last):
    ...
    ValueError: path='mine.json': not readable (JSONDecodeError: Expecting property name ...)
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except UNREADABLE as error:
        if isinstance(error, ValueError) and str(path) in str(error):
            raise
        raise ValueError(f"path={str(path)!r}: not readable ({type(error).__name__}: {error})") from error


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Wait until no other process holds the lock of a file, and hold it: for reading, changing and writing it.

    The lock is that of an empty neighbour, ``.NAME.lock``, which stays; the system lets go of it when a process dies.

    Parameters
    ----------
    path : str or Path
        The file, which need not exist; its folder must.
    """
    target = Path(os.path.realpath(path))
    with open(target.with_name(f".{target.name}.lock"), "ab") as lock:
        _hold(lock.fileno())
        yield


def _hold(handle: int, *, wait: bool = True) -> None:
    """Lock an open file until it is closed, once it is free; or raise an ``OSError`` if it is not."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        os.lseek(handle, 0, os.SEEK_SET)
        mode = msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK  # type: ignore[attr-defined, unused-ignore]
        msvcrt.locking(handle, mode, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def atomic_write(path: str | Path, content: bytes) -> None:
    """Write ``content`` to a temporary neighbour of ``path``, then rename it over ``path``.

    Where ``path`` is a symbolic link, the file that it leads to is written.  Neighbours that writers have left, which
    were killed, are removed.

    Parameters
    ----------
    path : str or Path
        Where the content goes; its folder must exist.
    content : bytes
        The whole content of the file.

    Raises
    ------
    FileNotFoundError
        If the folder of ``path`` does not exist.
    ValueError
        If ``path`` is a folder or a device.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"path={str(path)!r}: its folder does not exist")
    if target.exists() and not target.is_file():
        raise ValueError(f"path={str(path)!r}: expected the name of a file, and this is a folder or a device")
    _remove_leftovers(target)
    handle, temporary = _temporary(target)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            if os.name != "nt":  # Windows does not rename what is open
                os.replace(temporary, target)
        if os.name == "nt":
            os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _temporary(target: Path) -> tuple[int, Path]:
    """Create a neighbour with the rights of any new file, and hold its lock, which says that its writer lives."""
    while True:
        path = target.with_name(f".{target.name}.{secrets.token_hex(4)}{TEMPORARY}")
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        with suppress(OSError):  # where the file system knows no locks
            _hold(handle, wait=False)
        if path.exists():  # and was not taken for a leftover before it was locked
            return handle, path
        os.close(handle)


def _remove_leftovers(target: Path) -> None:
    """Remove temporary neighbours of a file that no living writer holds."""
    pattern = f".{glob.escape(target.name)}.{'[0-9a-f]' * 8}{TEMPORARY}"
    for path in target.parent.glob(pattern):
        with suppress(OSError):  # it is held, or another process has removed it
            handle = os.open(path, os.O_RDWR)
            try:
                _hold(handle, wait=False)
                path.unlink()
            finally:
                os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Have the system store the folder's list of names, where it can be opened."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_unzipped(path: Path) -> bytes:
    """Read a file's bytes, decompressed if they begin as those of gzip do."""
    content = path.read_bytes()
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def write_results(path: str | Path, results: dict[str, Any]) -> None:
    """Write results as JSON.

    Raises
    ------
    FileNotFoundError
        If the folder of ``path`` does not exist.
    ValueError
        If a number is not finite: JSON has none that are not.
    """
    atomic_write(path, (json.dumps(results, indent=1, allow_nan=False) + "\n").encode())


def read_results(path: str | Path, command: str, **expected: str) -> dict[str, Any]:
    """Read what :func:`write_results` wrote.

    Parameters
    ----------
    path : str or Path
        The file.
    command : str
        What makes it, for the message where it is missing.
    **expected : str
        Entries that it must have, such as its format.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is corrupt, or an entry is not as expected.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file; `{command}` makes it")
    with reading(path):
        try:
            results: Any = json.loads(Path(path).read_bytes())
        except json.JSONDecodeError as error:
            raise ValueError(f"path={str(path)!r}: not readable as JSON ({error})") from error
    for key, wanted in expected.items():
        found = results.get(key) if isinstance(results, dict) else None
        if found != wanted:
            raise ValueError(f"path={str(path)!r}: {key} is {found!r}, expected {wanted!r}")
    if not isinstance(results, dict):
        raise ValueError(f"path={str(path)!r}: expected a JSON object, not {type(results).__name__}")
    return results


def write_npz(path: str | Path, **arrays: np.ndarray) -> None:
    """Write arrays to a compressed npz whose bytes depend on nothing but the arrays and zlib."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.ascontiguousarray(array), version=(1, 0))
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entry.getvalue(), compresslevel=9)
    atomic_write(path, buffer.getvalue())


def read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """Read the arrays of an npz that ships with the library.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"{path} is missing: reinstall ddgp_lib, or make it (ddgp_lib/data/README.md)"
        )
    with reading(path), np.load(io.BytesIO(Path(path).read_bytes())) as archive:
        return dict(archive)
