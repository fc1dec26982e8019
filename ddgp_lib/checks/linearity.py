"""Whether a function is linear."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ._inputs import Call, probes_for, require_function, require_tolerance
from ._vectors import Value, added, distance, each, norm, parts, scaled
from .failure import CheckFailed


def check_linear(
    function: Callable[[Any], Any],
    shape: Sequence[int],
    *,
    tolerance: float = 1e-4,
    seed: int = 0,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> float:
    """Check that f(a u + b v) = a f(u) + b f(v), on random images.

    In this order: two calls agree, f(0) = 0, f(2u) = 2 f(u), f(−u) = −f(u), f(u + v) = f(u) + f(v), and for complex
    images with complex results f(i u) = i f(u).

    Parameters
    ----------
    function : callable
        f, of one image or batch of images.
    shape : sequence of int
        Shape of u, with the batch.
    tolerance : float
        Relative deviation that counts as rounding, between 0 and 1.
    seed : int
        Seed of the random images, standard normal.
    dtype, device : torch.dtype, torch.device, optional
        Number format and device of u; by default those of the function's tensors where it is a module, otherwise
        float32 on the CPU.

    Returns
    -------
    float
        The largest deviation found, relative to the norm of the result; no unit.

    Raises
    ------
    CheckFailed
        If f is not linear, or its results are not finite tensors.
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> from ddgp_lib.checks import CheckFailed, check_linear
    >>> check_linear(lambda x: 3 * x.flip(-1), (2, 1, 8, 8)) < 1e-6
    True
    >>> try:
    ...     check_linear(lambda x: 3 * x + 1, (2, 1, 8, 8))
    ... except CheckFailed as failed:
    ...     print(failed.cause)
    a constant is added, which makes the function affine: leave it out
    """
    require_tolerance(tolerance)
    require_function("function", function)
    probes = probes_for(function, shape, seed, dtype, device)
    call = Call("the function", function)
    u, v = probes.normal(), probes.normal()
    failed, largest = departure(call, u, v, tolerance, (*OVER_REALS, OVER_COMPLEX))
    if failed is not None:
        raise CheckFailed(failed.found.format(largest), failed.expected, failed.cause)
    return largest


def nonlinearity(call: Call, u: Value, v: Value, tolerance: float) -> str | None:
    """Say why a function is not linear over the real numbers, or None if it is."""
    failed, _ = departure(call, u, v, tolerance)
    return None if failed is None else f"{call.name} is not linear: {failed.cause}"


@dataclass(frozen=True)
class Property:
    """One thing that holds for linear functions, and what it means when it does not."""

    deviation: Callable[[Call, Value, Value], float]
    found: str
    expected: str
    cause: str


def departure(
    call: Call, u: Value, v: Value, tolerance: float, properties: Sequence[Property] | None = None
) -> tuple[Property | None, float]:
    """Return the first property that fails, with its deviation; or None, with the largest deviation."""
    largest = 0.0
    for rule in properties or OVER_REALS:
        deviation = rule.deviation(call, u, v)
        if not deviation <= tolerance:
            return rule, deviation
        largest = max(largest, deviation)
    return None, largest


def repeats(call: Call, u: Value, v: Value = None) -> float:
    """Return the relative distance of two calls on one image."""
    return distance(call(u), call(u))


def _offset(call: Call, u: Value, v: Value) -> float:
    try:
        at_zero = norm(call(each(torch.zeros_like, u)))
    except CheckFailed:  # such as 0 / 0, in a division by a norm: the next properties say more
        return 0.0
    return at_zero / max(at_zero, norm(call(u))) if at_zero > 0 else 0.0


def _doubled(call: Call, u: Value, v: Value) -> float:
    return distance(call(scaled(2, u)), scaled(2, call(u)))


def _odd(call: Call, u: Value, v: Value) -> float:
    return distance(call(scaled(-1, u)), scaled(-1, call(u)))


def _additive(call: Call, u: Value, v: Value) -> float:
    return distance(call(added(u, v)), added(call(u), call(v)))


def _turned(call: Call, u: Value, v: Value) -> float:
    result = call(u)
    if not all(part.is_complex() for part in (*parts(u), *parts(result))):
        return 0.0
    return distance(call(scaled(1j, u)), scaled(1j, result))


OVER_REALS = (
    Property(
        repeats,
        "two calls on one image differ by {:.2g} of the result's norm",
        "the same result each time",
        "it adds noise: call physics.A, not physics(x), which measures with noise; or dropout, in a module in "
        "training mode",
    ),
    Property(
        _offset,
        "f(0) is {:.2g} of the norm of f(u), not zero",
        "f(0) = 0",
        "a constant is added, which makes the function affine: leave it out",
    ),
    Property(
        _doubled,
        "f(2u) and 2 f(u) differ by {:.2g} of their norm",
        "f(2u) = 2 f(u)",
        "a nonlinearity that depends on the size of its input: a power, clamping to a range, or a division by a norm "
        "or a maximum",
    ),
    Property(
        _odd,
        "f(−u) and −f(u) differ by {:.2g} of their norm",
        "f(−u) = −f(u)",
        "positive and negative values are treated differently: an absolute value, a ReLU, or clamping at zero",
    ),
    Property(
        _additive,
        "f(u + v) and f(u) + f(v) differ by {:.2g} of their norm",
        "f(u + v) = f(u) + f(v)",
        "a nonlinearity that keeps scales: a median, a maximum, or weights that depend on the image",
    ),
)
OVER_COMPLEX = Property(
    _turned,
    "f(i u) and i f(u) differ by {:.2g} of their norm",
    "f(i u) = i f(u)",
    "it is linear over the real numbers alone: the input is conjugated, or its real part or magnitude is taken",
)
