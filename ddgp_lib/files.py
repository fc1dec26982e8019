"""Write files so that a reader sees the old content or the new one, never half of it; read arrays and results."""

import gzip
import io
import json
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

UNREADABLE = (
    OSError,  # gzip.BadGzipFile and PIL's UnidentifiedImageError among them
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    RuntimeError,  # RecursionError among them, and h5py's
    SyntaxError,  # PIL's
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
    target = Path(path)
    with open(target.with_name(f".{target.name}.lock"), "ab") as lock:
        _hold(lock.fileno())
        yield


def _hold(handle: int) -> None:
    """Lock an open file, once it is free, until it is closed."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        fcntl.flock(handle, fcntl.LOCK_EX)


def atomic_write(path: str | Path, content: bytes) -> None:
    """Write ``content`` to a temporary neighbour of ``path``, then rename it over ``path``.

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
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"path={str(target)!r}: its folder does not exist")
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


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
    try:
        results: dict[str, Any] = json.loads(Path(path).read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"path={str(path)!r}: not readable as JSON ({error})") from error
    for key, wanted in expected.items():
        found = results.get(key) if isinstance(results, dict) else None
        if found != wanted:
            raise ValueError(f"path={str(path)!r}: {key} is {found!r}, expected {wanted!r}")
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
    with np.load(path) as archive:
        return dict(archive)
