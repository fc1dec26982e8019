"""Store tensors with a description of how they came about, as safetensors and never as pickles."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn
from torch.nn.modules import module as hooks

from .arguments import require
from .files import UNREADABLE, atomic_write

FORMAT = "ddgp-2"
OLD_FORMAT = "ddgp-1"
SUFFIX = ".safetensors"
WEIGHTS_FOLDER = Path(__file__).with_name("weights")
LONGEST_HEADER = 100_000_000
"""Bytes of a file's header at most, as in the safetensors library."""

M = TypeVar("M", bound=nn.Module)


def weights_path(name: str, kind: str, folder: str | Path = WEIGHTS_FOLDER) -> Path:
    """Return the file that holds what was trained for a task: ``folder/NAME-KIND.safetensors``."""
    require_name("name", name)
    require_name("kind", kind)
    return Path(folder) / f"{name}-{kind}{SUFFIX}"


def beside(path: str | Path, what: str) -> Path:
    """Return ``NAME-WHAT.safetensors`` beside ``NAME.safetensors``: the file of another phase of a training.

    Examples
    --------
    >>> from ddgp_lib.checkpoints import beside
    >>> beside("checkpoints/mri-distilled.safetensors", "tuned").name
    'mri-distilled-tuned.safetensors'
    """
    require_name("what", what)
    return Path(path).with_stem(f"{Path(path).stem}-{what}")


def require_name(argument: str, name: Any) -> None:
    """Refuse a name that files are called by, if it could lead to another folder.

    Raises
    ------
    ValueError
        If it is not a text of letters, digits, spaces and ``_-.,+`` that begins with a letter, a digit or ``_``.
    """
    fits = isinstance(name, str) and re.fullmatch(r"\w[\w.,+ -]*", name) is not None
    require(fits, argument, name, "a name, without a folder")


def is_weights_file(source: str | Path) -> bool:
    """Say whether what a caller passed is a file of weights, and not the name of a task."""
    return isinstance(source, Path) or source.endswith(SUFFIX)


def is_packaged(folder: str | Path) -> bool:
    """Say whether a folder lies in the package, so that what is written there replaces what ships."""
    return Path(folder).resolve().is_relative_to(WEIGHTS_FOLDER.parent.resolve())


class CheckpointError(ValueError):
    """A weights file that cannot be used: corrupt, of another format, or made for something else."""


def save_checkpoint(
    path: str | Path, tensors: Mapping[str, torch.Tensor], description: Mapping[str, Any]
) -> None:
    """Write tensors and their description to one safetensors file, atomically, with the hashes of both.

    Parameters
    ----------
    path : str or Path
        The file to write; its folder must exist.
    tensors : mapping of str to Tensor
        What to store, for example a ``state_dict``.
    description : mapping of str to JSON values
        What a reader needs to know: ``"kind"``, ``"task"``, the recipe, the metrics, the fingerprint.

    Raises
    ------
    FileNotFoundError
        If the folder of ``path`` does not exist.
    """
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(dict(description), sort_keys=True)
    metadata = {"format": FORMAT, "description": text}
    hashes = {"sha256": hash_of(contiguous), "description_sha256": _hash(text)}
    atomic_write(path, save(contiguous, metadata | hashes))


def hash_of(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of tensors: their names in order, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def load_checkpoint(path: str | Path, **expected: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read a file that :func:`save_checkpoint` wrote: once, so that what it holds is of one version.

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
    tensors, description = _parse(path, FORMAT)
    for key, value in expected.items():
        if description.get(key) != value:
            raise CheckpointError(
                f"path={str(path)!r}: {key} is {description.get(key)!r}, expected {value!r}"
            )
    return tensors, description


def load_old_checkpoint(path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read a file as it was written before there were fingerprints and hashes, or a present one."""
    return _parse(path, FORMAT, OLD_FORMAT)


def _parse(path: str | Path, *formats: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    if not Path(path).is_file():
        raise FileNotFoundError(f"path={str(path)!r}: no such weights file")
    with _refusing(path, "not a readable safetensors file"):
        content = Path(path).read_bytes()
        metadata = _metadata(content)
        tensors = load(content)
    found = metadata.get("format")
    if found not in formats:
        old = "; `python -m ddgp_lib.stamp TASK FILE` makes it one" if found == OLD_FORMAT else ""
        raise CheckpointError(f"path={str(path)!r}: format is {found!r}, expected {FORMAT!r}{old}")
    text = metadata.get("description", "{}")
    if found == FORMAT and metadata.get("sha256") != hash_of(tensors):
        raise CheckpointError(f"path={str(path)!r}: damaged: its tensors are not those that were written")
    if found == FORMAT and metadata.get("description_sha256") != _hash(text):
        raise CheckpointError(f"path={str(path)!r}: damaged: its description is not what was written")
    with _refusing(path, "its description is not readable"):
        description = json.loads(text)
    if not isinstance(description, dict):
        raise CheckpointError(f"path={str(path)!r}: its description is no JSON object")
    return tensors, description


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def using(path: str | Path) -> Iterator[None]:
    """Turn whatever goes wrong while a file's description is used into a :class:`CheckpointError` that names it."""
    with _refusing(path, "its description cannot be used"):
        yield


@contextmanager
def _refusing(path: str | Path, what: str) -> Iterator[None]:
    """Turn what goes wrong while a file is parsed, or what it describes built, into a :class:`CheckpointError`."""
    try:
        yield
    except (FileNotFoundError, CheckpointError):
        raise
    except (*UNREADABLE, SafetensorError, RuntimeError, AttributeError, ArithmeticError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise CheckpointError(f"path={str(path)!r}: {what} ({reason})") from error


def _metadata(content: bytes) -> dict[str, str]:
    """Return the metadata in the header of a safetensors file: eight bytes of its length, then JSON."""
    length = int.from_bytes(content[:8], "little")
    if not 2 <= length <= min(len(content) - 8, LONGEST_HEADER):
        raise ValueError(f"a header of {length} bytes in a file of {len(content)}")
    header = json.loads(content[8 : 8 + length])
    found = header.get("__metadata__", {}) if isinstance(header, dict) else {}
    return found if isinstance(found, dict) else {}


def build(make: Callable[[], M], tensors: Mapping[str, torch.Tensor], path: str | Path) -> M:
    """Build the module that a file describes, and give it the file's tensors.

    Parameters
    ----------
    make : callable
        Builds it from the description.
    tensors : mapping of str to Tensor
        Of the file.
    path : str or Path
        The file, for the message.

    Returns
    -------
    nn.Module
        In evaluation mode, its parameters frozen.

    Raises
    ------
    CheckpointError
        If the description is none of such a module, or of one far larger than the tensors, or they do not fit it.
    """
    room = 4 * sum(tensor.numel() for tensor in tensors.values()) + 1_000_000
    with using(path), _at_most(room):
        module = make()
    load_weights(module, tensors, path)
    return module.eval().requires_grad_(False)


@contextmanager
def _at_most(numbers: int) -> Iterator[None]:
    """Stop the building of modules, in this thread, at more parameters than a number, before they are filled."""
    left, thread = numbers, get_ident()

    def count(module: nn.Module, name: str, parameter: torch.Tensor | None) -> None:
        nonlocal left
        if get_ident() == thread and parameter is not None:
            left -= parameter.numel()
            require(left >= 0, "parameters", f"more than {numbers:,}", "about as many as the file holds")

    handle = hooks.register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        handle.remove()


def load_weights(module: nn.Module, tensors: Mapping[str, torch.Tensor], path: str | Path) -> None:
    """Load tensors into a module, and say which file is to blame where they do not fit.

    Raises
    ------
    CheckpointError
        If a tensor is missing, unexpected, of another shape or kind of numbers, or not finite.
    """
    own = module.state_dict()
    for name in own.keys() & tensors.keys():
        given, wanted = tensors[name], own[name]
        if _kind(given) != _kind(wanted):
            raise CheckpointError(f"path={str(path)!r}: {name} is of {given.dtype}, expected {wanted.dtype}")
        if not bool(torch.isfinite(given).all()):
            raise CheckpointError(f"path={str(path)!r}: {name} has NaN or infinite entries")
    try:
        module.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise CheckpointError(
            f"path={str(path)!r}: weights do not fit {type(module).__name__}: {error}"
        ) from error


def _kind(tensor: torch.Tensor) -> tuple[bool, bool] | torch.dtype:
    """Floating-point numbers are one kind, complex ones another, and all else its own."""
    if tensor.is_floating_point() or tensor.is_complex():
        return (tensor.is_floating_point(), tensor.is_complex())
    return tensor.dtype
