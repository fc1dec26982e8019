"""The camera that a command line names: one of the book's, or one that stands in a file of one's own."""

import runpy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import wraps
from inspect import signature
from pathlib import Path
from traceback import extract_tb
from typing import Any

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
        If there is neither a name nor a place, both, or one that names no camera; or the file fails.
    FileNotFoundError
        If there is no such file.
    """
    if place is None:
        accepted = f"one of {tuple(PRESETS)}, or --task path/to/file.py:NAME{nearest(name, PRESETS)}"
        require(name in PRESETS, "TASK", name, accepted)
        preset = PRESETS[str(name)]
    else:
        require(name is None, "TASK", name, "nothing beside --task")
        preset = _from_file(place)
    return preset if weights is None else replace(preset, weights=weights)


def nearest(value: str | None, accepted: Iterable[str]) -> str:
    """Return a question for the end of a message: the accepted name that was probably meant; nothing if none is."""
    found = get_close_matches(value or "", list(accepted), 1)
    return f"; did you mean {found[0]!r}?" if found else ""


def require_options(preset: Preset, needed: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a camera that does not take the options that its conditions or its studies' rows give it.

    Raises
    ------
    ValueError
        If an option is not one of ``make``'s.
    """
    for options in needed if preset.make is not None else ():
        _require_call(preset.make, options, f"make of preset {preset.name!r}")  # type: ignore[arg-type]


def _require_call(function: Callable[..., Any], options: Mapping[str, Any], argument: str) -> None:
    try:
        signature(function).bind(**options)
    except TypeError as error:
        expected = (
            f"a function that can be called with {dict(options)}" if options else "no required argument"
        )
        raise ValueError(f"{argument}: expected {expected} ({error})") from error


def _from_file(place: str) -> Preset:
    file, colon, name = place.rpartition(":")
    require(bool(colon) and file.endswith(".py"), "--task", place, "path/to/file.py:NAME")
    if not Path(file).is_file():
        raise FileNotFoundError(f"--task={place!r}: no file {file!r}")
    found = _run(file, place).get(name)
    if isinstance(found, Preset):
        return found
    require(callable(found), "--task", place, "NAME to be a Preset, or a function that returns a Task")
    assert callable(found)
    _require_call(found, {}, f"--task={place!r}")
    task = _carry_out(found, file, place)
    require(
        isinstance(task, Task), "--task", place, f"a function that returns a Task, not {type(task).__name__}"
    )

    @wraps(found)
    def make(**options: Any) -> Task:
        _require_call(found, options, f"--task={place!r}")
        made: Task = _carry_out(lambda: found(**options), file, place)
        return made

    # The function brings its own denoiser, so the preset trains none.
    return replace(task.preset, make=make, denoiser=None)


def _run(file: str, place: str) -> dict[str, Any]:
    """Execute a file."""
    found: dict[str, Any] = _carry_out(lambda: runpy.run_path(file), file, place)
    return found


def _carry_out(work: Callable[[], Any], file: str, place: str) -> Any:
    """Carry out what stands in a file; what goes wrong in it, an exit too, is said with its line."""
    try:
        return work()
    except (Exception, SystemExit) as error:
        lines = [frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename == file]
        line = getattr(error, "lineno", None) or (lines[-1] if lines else None)
        where = "" if line is None else f", line {line}"
        found = f"{type(error).__name__}: {error}{where}"
        raise ValueError(f"--task={place!r}: expected a file that runs ({found})") from error
