"""Where commands write: chosen, made and tried before the work begins; and the line on what they refuse."""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .arguments import require
from .checkpoints import is_packaged
from .digests import tensors_digest
from .pretrained import tuning_path
from .tasks import Preset

WEIGHTS = Path("weights")
"""Folder in the present one that trained weights and tuned settings go to where nothing else is said."""

RESULTS = Path("results")
"""The same for studies and benchmarks."""

MODELS = Path("models")
"""The same for exported models."""

RESULT_SIZE = 2**20
"""Bytes that must find room for results: more than any that ship."""

WEIGHTS_SIZE = 2**23
"""The same for weights."""


def weights_folder(arguments: argparse.Namespace, preset: Preset) -> Path:
    """Return the folder that trained weights and tuned settings go to; the package's own only with ``--shipped``."""
    if _shipped(arguments) or (arguments.output is None and not is_packaged(preset.weights)):
        return preset.weights
    return WEIGHTS if arguments.output is None else Path(arguments.output)


def results_folder(arguments: argparse.Namespace, preset: Preset | None, books: Path) -> Path:
    """Return the folder that results go to: beside the weights of one's own camera, else :data:`RESULTS`.

    Parameters
    ----------
    arguments : Namespace
        Of the command.
    preset : Preset or None
        The camera; None for all of the book's.
    books : Path
        Folder of the package's own results, which is meant with ``--shipped``.
    """
    if _shipped(arguments):
        return books
    if arguments.output is not None:
        return Path(arguments.output)
    own = preset is not None and not is_packaged(preset.weights)
    return preset.weights if own and preset is not None else RESULTS


def _shipped(arguments: argparse.Namespace) -> bool:
    """Say whether the package's own files are meant, which takes a whole run: no option of a trial beside it."""
    for name, usual in arguments.whole.items() if arguments.shipped else ():
        value = getattr(arguments, name, usual)
        expected = "nothing beside --shipped, which replaces the package's files by those of a whole run"
        require(value == usual, f"--{name}", value, expected)
    return bool(arguments.shipped)


def prepare(option: str, folder: Path, *names: str, size: int = RESULT_SIZE) -> Path:
    """Make a folder and try it: files of some names are created there, written, renamed and deleted; return it.

    Parameters
    ----------
    option : str
        The option that names another folder, for the message.
    folder : Path
        The folder.
    *names : str
        Files that will be written there.
    size : int
        Bytes that must find room.

    Raises
    ------
    ValueError
        If a name is a path, or the folder cannot be made or written to.
    """
    for name in names:
        require(
            name not in ("", "..") and Path(name).name == name,
            option,
            name,
            "the name of a file, which is no path",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = [Path(os.path.realpath(folder / name)) for name in names]
        for file in files:
            if file.is_dir():
                raise IsADirectoryError(0, "a folder is in the place of the file", str(file))
        for place in {folder.resolve(), *(file.parent for file in files)}:
            _try(place, size)
    except (OSError, ValueError) as error:
        reason = f"{getattr(error, 'strerror', None) or error}: {getattr(error, 'filename', None) or folder}"
        expected = f"a folder that can be written to ({reason})"
        raise ValueError(f"{option}={str(folder)!r}: expected {expected}") from error
    return folder


def _try(place: Path, size: int) -> None:
    """Create, rename and delete a file, then write one that vanishes even if the process is killed."""
    handle, probe = tempfile.mkstemp(dir=place, prefix=".probe.")
    os.close(handle)
    try:
        os.replace(probe, f"{probe}.renamed")
        probe = f"{probe}.renamed"
    finally:
        os.unlink(probe)
    with tempfile.TemporaryFile(dir=place) as stream:
        stream.write(bytes(size))
        stream.flush()
        os.fsync(stream.fileno())


def prepare_weights(arguments: argparse.Namespace, preset: Preset, *kinds: str, tuned: bool = False) -> Path:
    """Prepare the folder of weights for some kinds, for tuned settings too where asked, and make it whole.

    What else the camera has, its denoiser above all, is copied from where it is read unless it is there, so that
    ``--weights`` can name the folder.

    Raises
    ------
    ValueError
        If the folder cannot be written to, or holds another denoiser than the one that is read.
    """
    folder = weights_folder(arguments, preset)
    settings = tuning_path(preset.name, folder).name
    written = [*(preset.path(kind).name for kind in kinds), *([settings] if tuned else [])]
    prepare("--output", folder, *written, size=WEIGHTS_SIZE if kinds else RESULT_SIZE)
    alone = len(kinds) == 1 and kinds[0] in preset.all_denoisers
    if folder.resolve() != preset.weights.resolve() and not alone:
        _require_denoiser(folder, preset)
        trained = ("denoiser", *preset.distilled, *preset.alternatives)
        others = [preset.path(kind).name for kind in trained]
        for name in {*others, settings} - set(written):
            if (preset.weights / name).is_file() and not (folder / name).exists():
                shutil.copyfile(preset.weights / name, folder / name)
    announce(folder)
    return folder


def _require_denoiser(folder: Path, preset: Preset) -> None:
    used, there = preset.path("denoiser"), folder / preset.path("denoiser").name
    if used.is_file() and there.is_file():
        expected = (
            f"a folder with the denoiser that is used, that of {str(preset.weights)!r}; or --weights {folder}"
        )
        require(tensors_digest(used) == tensors_digest(there), "--output", str(folder), expected)


def announce(folder: Path) -> None:
    """Say where the command writes."""
    sys.stderr.write(f"writing to {folder}\n")


def status_of(work: Callable[[], object]) -> int:
    """Run a command's work and return its exit status: 2, and the message as one line, where it refuses something.

    Parameters
    ----------
    work : callable
        Takes nothing; what it returns is left out.

    Examples
    --------
    >>> from ddgp_lib.outputs import status_of
    >>> status_of(lambda: None)
    0
    """
    try:
        work()
    except (ValueError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0
