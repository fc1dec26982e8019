"""One way to refuse a bad argument: name it, show its value, say what is accepted."""

import math
from typing import Any

import torch


def require(accepted: bool, argument: str, value: Any, expected: str) -> None:
    """Raise a ``ValueError`` that names the argument unless it is accepted.

    Parameters
    ----------
    accepted : bool
        Whether the value is accepted.
    argument : str
        The argument's name, as the caller wrote it.
    value : Any
        The value that was given.
    expected : str
        What is accepted, in words.

    Raises
    ------
    ValueError
        If ``accepted`` is false.
    """
    if not accepted:
        raise ValueError(f"{argument}={value!r}: expected {expected}")


def require_positive(argument: str, value: float) -> None:
    """Raise a ``ValueError`` unless ``value`` is a finite number above zero."""
    require(math.isfinite(value) and value > 0, argument, value, "a finite number above 0")


def require_images(argument: str, images: torch.Tensor, channels: int | None = None) -> None:
    """Raise a ``ValueError`` unless ``images`` is a finite (N, C, H, W) tensor with ``channels`` channels."""
    require(images.ndim == 4, f"{argument}.shape", tuple(images.shape), "four dimensions (N, C, H, W)")
    if channels is not None:
        require(
            images.shape[1] == channels, f"{argument}.shape", tuple(images.shape), f"{channels} channel(s)"
        )
    finite = bool(torch.isfinite(images).all())
    require(finite, argument, "tensor with NaN or infinite entries", "finite entries only")
