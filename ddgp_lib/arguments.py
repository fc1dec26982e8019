"""One way to refuse a bad argument: name it, show its value, say what is accepted.

A value of the wrong type is refused as one out of range is, with a ``ValueError``.
"""

import math
from collections.abc import Callable, Collection
from numbers import Integral, Real
from typing import Any

import torch

SHOWN = 200
"""Characters of a value that a message shows."""
LARGEST_SIDE = 2**14
"""Longest side of an image, most channels, and highest number of layers or coils that are accepted."""
LARGEST_IMAGE = 2**28
"""Numbers in an image that are accepted: 1 GiB in single precision."""
MOST_ITERATIONS = 10**6
"""Iterations of a solver that are accepted where each of them is kept."""


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
        raise ValueError(f"{argument}={shown(value)}: expected {expected}")


def shown(value: Any) -> str:
    """Write a value for a message: a tensor by its type and shape, anything else by its ``repr``, shortened."""
    if isinstance(value, torch.Tensor):
        return f"<tensor {tuple(value.shape)}, {value.dtype}, {value.device}>"
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def is_number(value: Any) -> bool:
    """Say whether a value is one real number: Python's or NumPy's, and no bool."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_integer(value: Any) -> bool:
    """Say whether a value is one integer: Python's or NumPy's, and no bool."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def require_number(
    argument: str,
    value: Any,
    *,
    above: float | None = None,
    lowest: float | None = None,
    highest: float | None = None,
    below: float | None = None,
    none: bool = False,
) -> None:
    """Raise a ``ValueError`` unless ``value`` is a finite real number within the bounds.

    Parameters
    ----------
    argument : str
        The argument's name.
    value : Any
        What was given.
    above, below : float, optional
        Bounds that the number must not reach.
    lowest, highest : float, optional
        Bounds that it may reach.
    none : bool
        Whether None is accepted too.
    """
    accepted = (none and value is None) or (
        is_number(value)
        and math.isfinite(value)
        and (above is None or value > above)
        and (lowest is None or value >= lowest)
        and (highest is None or value <= highest)
        and (below is None or value < below)
    )
    bounds = _bounds(above, lowest, highest, below)
    require(accepted, argument, value, f"{'None, or ' if none else ''}a finite number{bounds}")


def require_integer(
    argument: str,
    value: Any,
    *,
    lowest: int | None = None,
    highest: int | None = None,
    none: bool = False,
) -> None:
    """Raise a ``ValueError`` unless ``value`` is an integer within the bounds, or None where that is accepted.

    Parameters
    ----------
    argument : str
        The argument's name.
    value : Any
        What was given.
    lowest, highest : int, optional
        Bounds that the integer may reach.
    none : bool
        Whether None is accepted too.
    """
    accepted = (none and value is None) or (
        is_integer(value) and (lowest is None or value >= lowest) and (highest is None or value <= highest)
    )
    bounds = _bounds(None, lowest, highest, None)
    require(accepted, argument, value, f"{'None, or ' if none else ''}an integer{bounds}")


def _bounds(above: float | None, lowest: float | None, highest: float | None, below: float | None) -> str:
    """Say bounds in words: `` above 0``, ``, 1 or above``, `` from 0 to 1``, `` above 0 and at most 1``."""
    if lowest is not None and highest is not None:
        return f" from {lowest} to {highest}"
    forms = {"above {}": above, "of {} or more": lowest, "at most {}": highest, "below {}": below}
    words = [form.format(bound) for form, bound in forms.items() if bound is not None]
    if words == [f"of {lowest} or more"]:
        return f", {lowest} or above"
    return f" {' and '.join(words)}" if words else ""


def require_positive(argument: str, value: Any) -> None:
    """Raise a ``ValueError`` unless ``value`` is a finite number above zero."""
    require_number(argument, value, above=0)


def require_choice(argument: str, value: Any, accepted: Collection[Any], *, none: bool = False) -> None:
    """Raise a ``ValueError`` unless ``value`` is one of the names that are accepted, or None where that is.

    Parameters
    ----------
    argument : str
        The argument's name.
    value : Any
        What was given, of any type.
    accepted : collection
        The choices, as a tuple or the keys of a table.
    none : bool
        Whether None is accepted too.
    """
    fits = (none and value is None) or any(type(value) is type(name) and value == name for name in accepted)
    require(fits, argument, value, f"{'None, or ' if none else ''}one of {tuple(accepted)}")


def require_count(argument: str, value: Any, *, lowest: int = 1, none: bool = False) -> None:
    """Raise a ``ValueError`` unless ``value`` is an integer from ``lowest`` to :data:`LARGEST_SIDE`."""
    require_integer(argument, value, lowest=lowest, highest=LARGEST_SIDE, none=none)


def require_counts(**values: Any) -> None:
    """Raise a ``ValueError`` unless all values, by their names, are as in :func:`require_count`."""
    for argument, value in values.items():
        require_count(argument, value)


def require_seed(argument: str, value: Any) -> None:
    """Raise a ``ValueError`` unless ``value`` is a seed that every generator takes, an integer from 0 to 2⁶³ − 1."""
    require_integer(argument, value, lowest=0, highest=2**63 - 1)


def require_device(argument: str, value: Any) -> None:
    """Raise a ``ValueError`` unless ``value`` is None, or a device on which PyTorch can make a tensor here."""
    require(value is None or _is_device(value), argument, value, "None, or a device that PyTorch has here")


def _is_device(value: Any) -> bool:
    if not isinstance(value, str | torch.device):
        return False
    try:
        torch.empty(0, device=value)
    except (AssertionError, NotImplementedError, RuntimeError):
        return False
    return True


def require_flag(argument: str, value: Any) -> None:
    """Raise a ``ValueError`` unless ``value`` is True or False."""
    require(isinstance(value, bool), argument, value, "True or False")


def require_instance(argument: str, value: Any, kind: Any, expected: str, *, none: bool = False) -> None:
    """Raise a ``ValueError`` unless ``value`` is an instance of a class, described in words, or None where that is.

    Parameters
    ----------
    argument : str
        The argument's name.
    value : Any
        What was given.
    kind : type, or what :func:`isinstance` takes
        The class.
    expected : str
        What is accepted, in words.
    none : bool
        Whether None is accepted too.
    """
    accepted = (none and value is None) or isinstance(value, kind)
    require(accepted, argument, value, f"{'None, or ' if none else ''}{expected}")


def require_callable(argument: str, value: Any, expected: str = "a function", *, none: bool = False) -> None:
    """Raise a ``ValueError`` unless ``value`` can be called, or is None where that is accepted."""
    require_instance(argument, value, Callable, expected, none=none)


def require_generator(argument: str, value: Any, *, none: bool = False) -> None:
    """Raise a ``ValueError`` unless ``value`` is a ``torch.Generator``, or None where that is accepted."""
    require_instance(argument, value, torch.Generator, "a torch.Generator", none=none)


def require_img_size(
    argument: str, value: Any, expected: str = "(C, H, W)", *, lengths: tuple[int, ...] = (3,)
) -> None:
    """Raise a ``ValueError`` unless ``value`` is the shape (C, H, W) of an image that fits into memory.

    Parameters
    ----------
    argument : str
        The argument's name.
    value : Any
        What was given, a tuple or a list.
    expected : str
        What is accepted, in words; a caller may ask for more.
    lengths : tuple of int
        How many numbers there may be.
    """
    sized = isinstance(value, tuple | list) and len(value) in lengths and all(map(is_integer, value))
    accepted = sized and min(value) >= 1 and max(value) <= LARGEST_SIDE and math.prod(value) <= LARGEST_IMAGE
    largest = f"at most {LARGEST_SIDE} each and {LARGEST_IMAGE} together"
    require(accepted, argument, value, f"{expected}; integers, 1 or above, {largest}")


def require_size(argument: str, value: Any, *, none: bool = False) -> None:
    """Raise a ``ValueError`` unless ``value`` is the side of a square in pixels, or a pair (height, width)."""
    sides = value if isinstance(value, tuple | list) and len(value) == 2 else (value,)
    accepted = (none and value is None) or all(
        is_integer(side) and 1 <= side <= LARGEST_SIDE for side in sides
    )
    wanted = f"an integer from 1 to {LARGEST_SIDE}, or a pair (height, width) of them"
    require(accepted, argument, value, f"{'None, or ' if none else ''}{wanted}")


def require_tensor(
    argument: str,
    value: Any,
    *,
    dimensions: int | None = None,
    shape: tuple[int, ...] | None = None,
    finite: bool = True,
) -> None:
    """Raise a ``ValueError`` unless ``value`` is a tensor of floating-point numbers as described.

    Parameters
    ----------
    argument : str
        The argument's name.
    value : Any
        What was given.
    dimensions : int, optional
        Number of dimensions that it must have.
    shape : tuple of int, optional
        Shape that it must have.
    finite : bool
        Whether all entries must be finite.
    """
    require(isinstance(value, torch.Tensor), argument, value, f"a tensor, not {type(value).__name__}")
    fits = value.is_floating_point() or value.is_complex()
    require(fits, f"{argument}.dtype", value.dtype, "floating-point numbers, such as torch.float32")
    if dimensions is not None:
        require(value.ndim == dimensions, f"{argument}.shape", tuple(value.shape), f"{dimensions} dimensions")
    if shape is not None:
        require(
            tuple(value.shape) == tuple(shape), f"{argument}.shape", tuple(value.shape), f"{tuple(shape)}"
        )
    if finite:
        whole = bool(torch.isfinite(value).all())
        require(whole, argument, "tensor with NaN or infinite entries", "finite entries only")


def require_images(
    argument: str,
    images: Any,
    channels: int | None = None,
    *,
    bounds: tuple[float, float] | None = None,
) -> None:
    """Raise a ``ValueError`` unless ``images`` is a finite (N, C, H, W) tensor of real numbers, N ≥ 1.

    Parameters
    ----------
    argument : str
        The argument's name.
    images : Any
        What was given.
    channels : int, optional
        C that it must have.
    bounds : pair of float, optional
        Lowest and highest value that a pixel may have, with a thousandth of their distance to spare.
    """
    require(isinstance(images, torch.Tensor), argument, images, f"a tensor, not {type(images).__name__}")
    require(images.ndim == 4, f"{argument}.shape", tuple(images.shape), "four dimensions (N, C, H, W)")
    if channels is not None:
        require(
            images.shape[1] == channels, f"{argument}.shape", tuple(images.shape), f"{channels} channel(s)"
        )
    require(
        images.numel() > 0,
        f"{argument}.shape",
        tuple(images.shape),
        "(N, C, H, W) with N ≥ 1 and at least one pixel",
    )
    real = images.is_floating_point()
    require(real, f"{argument}.dtype", images.dtype, "real floating-point numbers, such as torch.float32")
    finite = bool(torch.isfinite(images).all())
    require(finite, argument, "tensor with NaN or infinite entries", "finite entries only")
    if bounds is not None:
        low, high = images.min().item(), images.max().item()
        spare = 1e-3 * (bounds[1] - bounds[0])
        fits = bounds[0] - spare <= low and high <= bounds[1] + spare
        between = f"pixels between {bounds[0]:g} and {bounds[1]:g}"
        require(fits, argument, f"tensor of values from {low:.4g} to {high:.4g}", between)


def require_mask(argument: str, mask: Any, images: torch.Tensor, *, none: bool = False) -> None:
    """Raise a ``ValueError`` unless ``mask`` says which pixels of images count, one at least in each image.

    Parameters
    ----------
    argument : str
        The argument's name.
    mask : Any
        What was given; a tensor of bool, shape (N, 1, H, W), is accepted.
    images : Tensor, shape (N, C, H, W)
        The images.
    none : bool
        Whether None is accepted too.
    """
    wanted = f"{'None, or ' if none else ''}a tensor of bool, shape (N, 1, H, W)"
    if none and mask is None:
        return
    require(isinstance(mask, torch.Tensor), argument, mask, wanted)
    require(mask.dtype == torch.bool, f"{argument}.dtype", mask.dtype, wanted)
    fits = images.ndim == 4 and mask.shape == (len(images), 1, *images.shape[2:])
    require(fits, f"{argument}.shape", tuple(mask.shape), f"{wanted}, of images {tuple(images.shape)}")
    kept = bool(mask.flatten(1).any(dim=1).all())
    require(kept, argument, mask, "one pixel at least in each image")
