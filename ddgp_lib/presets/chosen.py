"""The camera that a command line names: one of the book's, or one that stands in a file of one's own."""

import runpy
from dataclasses import replace
from pathlib import Path

from ..arguments import require
from ..tasks import Preset, Task
from . import PRESETS


def load_chosen(name: str | None, place: str | None = None, weights: Path | None = None) -> Preset:
    """Return the preset that is named, or the one that stands in a file.

    Parameters
    ----------
    name : str or None
        The name of one of the book's cameras.
    place : str, optional
        ``path/to/file.py:NAME`` in the place of a name; NAME is a :class:`~ddgp_lib.tasks.Preset`, or a function that
        returns a :class:`~ddgp_lib.tasks.Task`.  The file is executed.
    weights : Path, optional
        Folder of the camera's weights and tuned settings; by default its preset's.

    Returns
    -------
    Preset

    Raises
    ------
    ValueError
        If there is neither a name nor a place, both, or one that names no camera.
    FileNotFoundError
        If there is no such file.
    """
    if place is None:
        require(name in PRESETS, "TASK", name, f"one of {tuple(PRESETS)}, or --task path/to/file.py:NAME")
        preset = PRESETS[str(name)]
    else:
        require(name is None, "TASK", name, "nothing beside --task")
        preset = _from_file(place)
    return preset if weights is None else replace(preset, weights=weights)


def _from_file(place: str) -> Preset:
    file, colon, name = place.rpartition(":")
    require(bool(colon) and file.endswith(".py"), "--task", place, "path/to/file.py:NAME")
    if not Path(file).is_file():
        raise FileNotFoundError(f"--task={place!r}: no file {file!r}")
    found = runpy.run_path(file).get(name)
    if isinstance(found, Preset):
        return found
    require(callable(found), "--task", place, "NAME to be a Preset, or a function that returns a Task")
    task = found()  # type: ignore[misc]
    require(
        isinstance(task, Task), "--task", place, f"a function that returns a Task, not {type(task).__name__}"
    )
    # The function brings its own denoiser, so the preset trains none.
    return replace(task.preset, make=found, denoiser=None)
