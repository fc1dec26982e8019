"""Hostile values of arguments and tensors, and which of them an argument's type excludes."""

import collections.abc
import inspect
import math
import types
import typing
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

VALUES: dict[str, Any] = {
    "None": None,
    "text": "seven",
    "empty text": "",
    "NaN": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "minus one": -1,
    "minus a half": -0.5,
    "zero": 0,
    "a half": 0.5,
    "true": True,
    "huge": 10**12,
    "bytes": b"7",
    "empty list": [],
    "empty dict": {},
    "an object": object(),
    "imaginary": 1j,
    "NaN of NumPy": np.float64("nan"),
    "integer of NumPy": np.int64(3),
    "list of texts": ["a", "b"],
    "pair with NaN": (1.0, math.nan),
    "a module": math,
}

SPOILT: dict[str, Callable[[torch.Tensor], Any]] = {
    "a NaN": lambda x: x.index_fill(-1, torch.tensor([0]), math.nan),
    "an infinity": lambda x: x.index_fill(-1, torch.tensor([0]), math.inf),
    "integers": lambda x: x.long(),
    "booleans": lambda x: x > 0,
    "no image": lambda x: x[:0],
    "one dimension fewer": lambda x: x[0],
    "one dimension more": lambda x: x[None],
    "three channels": lambda x: x[:, :1].expand(-1, 3, *x.shape[2:]),
    "a row fewer": lambda x: x[..., :-1, :],
    "one row": lambda x: x[..., :1, :],
    "one pixel": lambda x: x[..., :1, :1],
    "nothing": lambda x: None,
    "a list": lambda x: x.tolist(),
    "an array": lambda x: x.numpy(),
    "a number": lambda x: 1.0,
    "text": lambda x: "seven",
    "zeros": torch.zeros_like,
    "not contiguous": lambda x: x.mT.contiguous().mT,
    "requires gradients": lambda x: x.clone().requires_grad_(),
    "tiny": lambda x: x * 1e-30,
    "huge": lambda x: x * 1e30,
    "negative": lambda x: -x,
    "complex": lambda x: x + 0j,
}

ACCEPTABLE = {"zeros", "not contiguous", "requires gradients", "tiny", "negative", "huge"}
"""Spoilt tensors that are measurements or images still."""
UNFINITE = {"a NaN", "an infinity"}

POSITIVE = {
    "sigma", "tau", "batch_size", "pool_size", "horizon", "learning_rate", "n_images", "stepsize", "noise_scale",
    "steps", "max_iter", "inner_steps", "depth", "width", "channels", "in_channels", "out_channels", "factor",
    "ratio", "acceleration", "checkpoint_every", "size", "coils", "damping", "validation_images", "growth",
}  # fmt: skip
"""Arguments that must be above zero wherever they occur."""
BELOW_NONE = POSITIVE | {
    "noise", "weight_decay", "momentum", "embedding", "validate_every", "rank", "iterations", "stride", "unroll",
    "perturbed", "from_truth", "tolerance", "rtol",
}  # fmt: skip
"""Arguments that must not be below zero."""
NUMBERS = (int, float)


def flat(hint: Any) -> tuple[Any, ...]:
    """Return the alternatives of a type, with names that stand for a union resolved."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(part for option in typing.get_args(hint) for part in flat(option))
    return (hint,)


def excluded(name: str, hint: Any, value: Any) -> bool:
    """Say whether a value is outside what an argument of this name and type is documented to take.

    What a type leaves open is not excluded: a bool for a number, an integer of NumPy, a text where texts are taken.
    """
    options = flat(hint)
    if hint is inspect.Parameter.empty or any(option in (Any, object, bool) for option in options):
        return False
    if value is None or isinstance(value, bool | np.integer):
        return value is None and type(None) not in options
    if isinstance(value, int | float) and any(option in NUMBERS for option in options):
        return _number_excluded(name, options, value)
    return not any(_fits(option, value) for option in options)


def _number_excluded(name: str, options: tuple[Any, ...], value: float) -> bool:
    if not math.isfinite(value) or (float not in options and value != int(value)):
        return True
    return value < 0 if name in BELOW_NONE - POSITIVE else name in POSITIVE and value <= 0


def _fits(option: Any, value: Any) -> bool:
    origin = typing.get_origin(option)
    if origin is typing.Literal:
        return any(type(value) is type(name) and value == name for name in typing.get_args(option))
    if origin in (tuple, list, collections.abc.Sequence) and isinstance(value, list | tuple):
        return value == [] or (isinstance(value, list) and str in typing.get_args(option))
    if origin in (dict, collections.abc.Mapping):
        return isinstance(value, dict)
    if origin is collections.abc.Callable:
        return callable(value)
    if origin in (collections.abc.Sequence, collections.abc.Collection) and isinstance(value, str):
        return True
    wanted = option if origin is None else origin
    if getattr(wanted, "_is_protocol", False):
        return callable(value)
    return isinstance(wanted, type) and isinstance(value, wanted)
