"""Digests of saved weights, by which a result can tell whether it belongs to the weights that are there now."""

from collections.abc import Iterable
from pathlib import Path

from .checkpoints import hash_of, load_checkpoint
from .tasks import Preset


def tensors_digest(path: str | Path) -> str:
    """Return the SHA-256 of a weights file's tensors, by their names, types, shapes and bytes; notes do not count.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CheckpointError
        If it cannot be read.
    """
    return hash_of(load_checkpoint(path)[0])


def digests(preset: Preset, kinds: Iterable[str]) -> dict[str, str]:
    """Return the digests of a preset's denoiser and of the kinds that have weights, by the name of the file."""
    names = dict.fromkeys(name for kind in kinds for name in preset.read_by(kind))
    paths = [preset.path(name) for name in ("denoiser", *names)]
    return {path.name: tensors_digest(path) for path in paths if path.is_file()}
