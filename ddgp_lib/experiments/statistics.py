"""Means and their standard errors, as JSON can hold them."""

import math
from collections.abc import Sequence
from typing import Any

import torch


def mean_and_error(values: torch.Tensor) -> list[float | None]:
    """Mean over images (N,) and its standard error, s / √N; None where a value is not finite."""
    return [as_number(values.mean()), as_number(values.std() / math.sqrt(len(values)))]


def mean_or_none(values: Sequence[float | None]) -> float | None:
    """Mean of numbers, None where one of them is missing."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def as_number(value: torch.Tensor) -> float | None:
    """Round a number to six digits; JSON has none that are not finite."""
    return float(f"{value.item():.6g}") if torch.isfinite(value) else None


def without_nan(value: Any) -> Any:
    """Return dicts and lists of values with None in the place of numbers that JSON has not: NaN and infinities."""
    if isinstance(value, dict):
        return {key: without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
