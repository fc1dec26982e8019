"""Store tensors with a description of how they came about, as safetensors and never as pickles."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from .files import atomic_write

FORMAT = "ddgp-1"
SUFFIX = ".safetensors"
WEIGHTS_FOLDER = Path(__file__).with_name("weights")


def weights_path(name: str, kind: str, folder: str | Path = WEIGHTS_FOLDER) -> Path:
    """Return the file that holds what was trained for a task: ``folder/NAME-KIND.safetensors``."""
    return Path(folder) / f"{name}-{kind}{SUFFIX}"


def is_weights_file(source: str | Path) -> bool:
    """Say whether what a caller passed is a file of weights, and not the name of a task."""
    return isinstance(source, Path) or source.endswith(SUFFIX)


class CheckpointError(ValueError):
    """A weights file that cannot be used: corrupt, of another format, or made for something else."""


def save_checkpoint(
    path: str | Path, tensors: Mapping[str, torch.Tensor], description: Mapping[str, Any]
) -> None:
    """Write tensors and their description to one safetensors file, atomically.

    Parameters
    ----------
    path : str or Path
        The file to write; its folder must exist.
    tensors : mapping of str to Tensor
        What to store, for example a ``state_dict``.
    description : mapping of str to JSON values
        What a reader needs to know: ``"kind"``, ``"task"``, the recipe, the metrics.

    Raises
    ------
    FileNotFoundError
        If the folder of ``path`` does not exist.
    """
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {"format": FORMAT, "description": json.dumps(dict(description), sort_keys=True)}
    atomic_write(path, save(contiguous, metadata))


def load_checkpoint(path: str | Path, **expected: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read a file that :func:`save_checkpoint` wrote.

    Parameters
    ----------
    path : str or Path
        The file to read.
    **expected : str
        Entries that the description must have, for example ``task="single_pixel"``.

    Returns
    -------
    tensors : dict of str to Tensor
    description : dict

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CheckpointError
        If the file is corrupt, of another format, or described otherwise than expected.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"path={str(path)!r}: no such weights file")
    try:
        with safe_open(path, framework="pt") as archive:
            metadata = archive.metadata() or {}
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118
        description = json.loads(metadata.get("description", "{}"))
    except (SafetensorError, json.JSONDecodeError) as error:
        raise CheckpointError(f"path={str(path)!r}: not a readable safetensors file ({error})") from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"path={str(path)!r}: format is {metadata.get('format')!r}, expected {FORMAT!r}"
        )
    for key, value in expected.items():
        if description.get(key) != value:
            raise CheckpointError(
                f"path={str(path)!r}: {key} is {description.get(key)!r}, expected {value!r}"
            )
    return tensors, description


def load_weights(module: torch.nn.Module, tensors: Mapping[str, torch.Tensor], path: str | Path) -> None:
    """Load tensors into a module, and say which file is to blame where names or shapes differ.

    Raises
    ------
    CheckpointError
        If a tensor is missing, unexpected or of another shape.
    """
    try:
        module.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise CheckpointError(
            f"path={str(path)!r}: weights do not fit {type(module).__name__}: {error}"
        ) from error
