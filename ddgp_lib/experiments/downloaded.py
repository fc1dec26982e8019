"""Large networks that others have trained, as rivals: their weights are read from a file that you have downloaded.

Neither is run in the book, which is made without a network.  Both are asked as any method here: ``RAM`` is a
reconstructor, called as ``model(y, task.student)``, and ``DRUNet`` a denoiser, given to a task as ``denoiser=``.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from deepinv.models import RAM, DRUNet
from torch import nn

from ..arguments import require_count, require_instance
from ..checkpoints import CheckpointError

Network = TypeVar("Network", bound=nn.Module)


def load_ram(path: str | Path) -> RAM:
    """Load RAM, one network for many linear operators, from its own file of weights.

    Parameters
    ----------
    path : str or Path
        A file of PyTorch that holds tensors alone, such as ``ram.pth.tar``.

    Returns
    -------
    RAM
        A reconstructor of images with one, two (real and imaginary part) or three channels.  It expects an operator
        of norm 1 that knows its noise, as those of the book's tasks do.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CheckpointError
        If it cannot be read, or has the weights of another network.

    References
    ----------
    M. Terris et al., "Reconstruct Anything Model: a lightweight foundation model for computational imaging", 2025.
    """
    return _filled(RAM(pretrained=False), path)


def load_drunet(path: str | Path, channels: int = 1) -> DRUNet:
    """Load DRUNet, a denoiser that is told σ, from its own file of weights.

    Parameters
    ----------
    path : str or Path
        A file of PyTorch that holds tensors alone, such as ``drunet_gray.pth``.
    channels : int
        1 for grey images, 3 for colour.

    Returns
    -------
    DRUNet
        A denoiser, called as ``denoiser(x, sigma)``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CheckpointError
        If it cannot be read, or has the weights of another network.

    References
    ----------
    K. Zhang et al., "Plug-and-play image restoration with deep denoiser prior", IEEE TPAMI, 2022.
    """
    require_count("channels", channels)
    return _filled(DRUNet(in_channels=channels, out_channels=channels, pretrained=None), path)


def _filled(network: Network, path: str | Path) -> Network:
    """Give a network the weights of a file, and switch its training off."""
    require_instance("path", path, str | Path, "a file")
    if not Path(path).is_file():
        raise FileNotFoundError(f"path={str(path)!r}: no such file; download it first")
    refused = f"path={str(path)!r}: not weights of {type(network).__name__}"
    try:
        _require_whole(path)
        tensors: Mapping[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        _require_numbers(tensors, network)
        missing = set(network.load_state_dict(tensors, strict=False).missing_keys)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{refused}: {reason}") from None
    missing &= {name for name, _ in network.named_parameters()}
    if missing:
        raise CheckpointError(f"{refused}: {len(missing)} of its tensors are missing")
    return network.eval().requires_grad_(False)


def _require_whole(path: str | Path) -> None:
    """Hold the parts of a PyTorch archive against their checksums, at which PyTorch does not look."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"damaged: {damaged} is not what was written")


def _require_numbers(tensors: Mapping[str, Any], network: nn.Module) -> None:
    """Refuse tensors of another kind of numbers than the network's, and ones that are not finite."""
    if not isinstance(tensors, Mapping):
        raise ValueError(f"{type(tensors).__name__}, expected tensors by name")
    for name, own in network.state_dict().items():
        given = tensors.get(name)
        if not isinstance(given, torch.Tensor) or not own.is_floating_point():
            continue
        if not given.is_floating_point():
            raise ValueError(f"{name} is of {given.dtype}, expected {own.dtype}")
        if not bool(torch.isfinite(given).all()):
            raise ValueError(f"{name} has NaN or infinite entries")
