"""What has been found of an operator, kept until one of its tensors changes."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from deepinv.physics import LinearPhysics


class _Known:
    """Values by name and shape of images, and the operator's tensors that they were found for."""

    def __init__(self, physics: LinearPhysics) -> None:
        self.values: dict[tuple[Any, ...], Any] = {}
        self.tensors = _tensors(physics)

    def holds(self, physics: LinearPhysics) -> bool:
        """Say whether the operator's tensors are as they were, and remember those that were made anew alike.

        Some of deepinv's operators, as ``Downsampling``, register equal tensors anew whenever they are applied.
        """
        now = _tensors(physics)
        pairs = list(zip(now, self.tensors, strict=False))
        if len(now) != len(self.tensors) or not all(_same(*pair) for pair in pairs):
            return False
        self.tensors = now
        return True


_KNOWN: WeakKeyDictionary[LinearPhysics, _Known] = WeakKeyDictionary()


def found_once(physics: LinearPhysics, name: str, img_size: tuple[int, ...], find: Callable[[], Any]) -> Any:
    """Return ``find()``, or what it returned before for this operator, name and shape.

    Parameters
    ----------
    physics : LinearPhysics
        The operator; it is found anew once one of its parameters or buffers has other entries.
    name : str
        What is found.
    img_size : tuple of int
        Shape (C, H, W) of the operator's images.
    find : callable
        Finds it.
    """
    known = _KNOWN.get(physics)
    if known is None or not known.holds(physics):
        known = _KNOWN[physics] = _Known(physics)
    key = (name, *img_size)
    if key not in known.values:
        known.values[key] = find()
        known.tensors = _tensors(physics) if known.holds(physics) else known.tensors
    return known.values[key]


def _tensors(physics: LinearPhysics) -> list[tuple[torch.Tensor, int]]:
    """Parameters and buffers, each with the number of changes in place that PyTorch has counted."""
    tensors = [*physics.parameters(), *physics.buffers()]
    return [(tensor, _version(tensor)) for tensor in tensors]


def _version(tensor: torch.Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _same(now: tuple[torch.Tensor, int], then: tuple[torch.Tensor, int]) -> bool:
    """Say whether a tensor is another one unchanged, or a new one with the same entries as the unchanged old."""
    if now[0] is then[0]:
        return now[1] == then[1]
    alike = now[0].shape == then[0].shape and now[0].dtype == then[0].dtype
    if not alike or now[0].device != then[0].device or _version(then[0]) != then[1]:
        return False
    return torch.equal(now[0], then[0])
