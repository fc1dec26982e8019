"""Write files so that a reader sees the old content or the new one, never half of it."""

import os
import tempfile
from pathlib import Path


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
