"""Bring saved files to the present format: ``python -m ddgp_lib.stamp TASK FILE …``.

Weights and tunings that were written before there were fingerprints do not say which operator, images and denoiser
they were made for.  Whoever knows says so: TASK is the name of one of the book's cameras, or ``path/to/file.py:NAME``
as the command line takes it.  Tensors, recipes, metrics and settings stay as they are.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .checkpoints import is_weights_file, load_old_checkpoint, save_checkpoint
from .files import reading
from .fingerprint import fingerprint, of_images
from .outputs import status_of
from .presets import PRESETS
from .presets.chosen import load_chosen
from .pretrained import save_tuning
from .tasks import Preset


def stamp(path: str | Path, preset: Preset) -> None:
    """Write a file of weights or tuned settings again, in the present format and with a camera's fingerprint.

    Parameters
    ----------
    path : str or Path
        The file, which :func:`~ddgp_lib.pretrained.save_preconditioner` or another ``save_…`` of the library wrote.
    preset : Preset
        The camera that it was made for, with its default options.

    Raises
    ------
    ValueError
        If the file is corrupt, of another task, or none of the library's.
    FileNotFoundError
        If there is no such file.
    """
    if is_weights_file(str(path)):
        tensors, description = load_old_checkpoint(path)
        _require_task(path, description.get("task"), preset)
        save_checkpoint(path, tensors, description | {"fingerprint": _made_for(description, preset)})
        return
    with reading(path):
        tuning = json.loads(Path(path).read_bytes())
        methods = tuning["methods"] if "format" in tuning else tuning
        settings = {kind: preset.setting(kind, method["setting"]) for kind, method in methods.items()}
    _require_task(path, tuning.get("task", preset.name), preset)
    if settings:
        save_tuning(preset, methods, path, replacing=True)


def _require_task(path: str | Path, found: Any, preset: Preset) -> None:
    if found != preset.name:
        raise ValueError(f"path={str(path)!r}: task is {found!r}, expected {preset.name!r}")


def _made_for(description: dict[str, Any], preset: Preset) -> dict[str, Any]:
    """Return what the file depends on: a denoiser on its images alone."""
    if description.get("kind") != "denoiser":
        return fingerprint(preset.load())
    images = None if preset.images is None else preset.images()
    return {} if images is None else {"images": of_images(images.train, images.val)}


def main(argv: Sequence[str] | None = None) -> int:
    """Stamp files; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ddgp_lib.stamp", description=__doc__)
    parser.add_argument("task", metavar="TASK", help="a name, or PATH:FUNCTION")
    parser.add_argument("paths", nargs="+", metavar="FILE")
    arguments = parser.parse_args(argv)
    return status_of(lambda: _stamp_all(arguments.task, arguments.paths))


def _stamp_all(name: str, paths: Sequence[str]) -> None:
    preset = load_chosen(name) if name in PRESETS else load_chosen(None, name)
    for path in sorted(paths, key=lambda path: "denoiser" not in path):  # tasks are loaded with it
        stamp(path, preset)


if __name__ == "__main__":
    raise SystemExit(main())
