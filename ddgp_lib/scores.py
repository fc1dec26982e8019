"""Scores of what is chosen between, such as PSNR: one that is not finite never wins."""

import math
from collections.abc import Mapping
from typing import TypeVar

import torch

Candidate = TypeVar("Candidate")


def score(value: float | torch.Tensor | None) -> float:
    """Return a value as a score, −∞ where it is NaN, infinite or None.

    Parameters
    ----------
    value : float, Tensor of one entry, or None
        The higher, the better; None where nothing was measured.

    Examples
    --------
    >>> score(float("nan")), score(25.0)
    (-inf, 25.0)
    """
    number = -math.inf if value is None else float(value)
    return number if math.isfinite(number) else -math.inf


def scored(values: torch.Tensor) -> torch.Tensor:
    """Return values as scores, entry by entry: −∞ where they are not finite."""
    return torch.where(torch.isfinite(values), values, -math.inf)


def best(scores: Mapping[Candidate, float | torch.Tensor | None], argument: str) -> Candidate:
    """Return the candidate of the highest score, the first of equal ones.

    Parameters
    ----------
    scores : mapping of candidate to float, Tensor or None
        What is chosen between.
    argument : str
        What is chosen, for the message.

    Raises
    ------
    ValueError
        If no score is finite.
    """
    found = max(scores, key=lambda candidate: score(scores[candidate]), default=None)
    if found is None or score(scores[found]) == -math.inf:
        tried = f"none of the {len(scores)} that were tried has one"
        raise ValueError(f"{argument}: expected a finite score, and {tried}")
    return found
