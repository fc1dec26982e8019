"""Self-checks of the book's exercises: they know whether an answer is right, and do not show it.

The right answers, and the wrong ones that readers are likely to find, are kept as salted hashes. A number falls into
one of many intervals whose width is a share of it, and the hash is that of the interval.
"""

import hashlib
import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

from .arguments import require

FILE = Path(__file__).with_name("answers.json")


@lru_cache(maxsize=1)
def known() -> dict[str, dict[str, Any]]:
    """Return what is kept of each exercise, by its label."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def interval(value: float, width: float) -> str:
    """Name the interval that a number falls into: its sign, and its logarithm in units of ``width``.

    Parameters
    ----------
    value : float
        The number.
    width : float
        Ratio of an interval's length to the numbers in it; 0 for whole numbers, which stand for themselves.
    """
    if width == 0:
        return str(int(value)) if value == int(value) else "not whole"
    if value == 0:
        return "0"
    return f"{'-' if value < 0 else '+'}{round(math.log(abs(value)) / width)}"


def digest(label: str, salt: str, names: tuple[str, ...]) -> str:
    """Hash the intervals of an answer's numbers, for one exercise."""
    return hashlib.sha256("\0".join((label, salt, *names)).encode()).hexdigest()[:24]


def numbers(answer: Any) -> tuple[float, ...] | None:
    """Return an answer's numbers: one, or those of a sequence; None if it holds something else."""
    parts = answer if isinstance(answer, (tuple, list)) else (answer,)
    try:
        found = tuple(float(part) for part in parts)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if all(map(math.isfinite, found)) else None


def is_one_of(label: str, answer: tuple[float, ...], entry: dict[str, Any], hashes: list[str]) -> bool:
    """Say whether an answer's hash is among those of an exercise's right answer, or of a wrong one."""
    names = tuple(interval(value, entry["width"]) for value in answer)
    return digest(label, entry["salt"], names) in hashes


def judge(label: str, answer: Any) -> tuple[bool, str]:
    """Judge an answer to an exercise.

    Parameters
    ----------
    label : str
        The exercise's label, as in the book: ``"ex-scalar"``.
    answer : float, or sequence of float
        The answer.

    Returns
    -------
    right : bool
        Whether it is right, within the tolerance of the exercise.
    words : str
        What to tell the reader.

    Raises
    ------
    ValueError
        If there is no check of this name.

    Examples
    --------
    >>> judge("ex-pnp-window", 2)
    (False, 'That is the bound without momentum.')
    """
    require(
        isinstance(label, str) and label in known(), "label", label, f"one of {', '.join(sorted(known()))}"
    )
    entry, found = known()[label], numbers(answer)
    if found is None:
        return False, "The answer should be a finite number, or a tuple of numbers."
    if is_one_of(label, found, entry, entry["right"]):
        return True, "Right."
    for wrong in entry["wrong"]:
        if is_one_of(label, found, entry, wrong["hashes"]):
            return False, wrong["says"]
    return False, entry["hint"]


def check(label: str, answer: Any) -> None:
    """Print whether an answer is right, or a hint; print nothing while it is None.

    Parameters
    ----------
    label : str
        The exercise's label.
    answer : float, sequence of float, or None
        The answer.
    """
    if answer is not None:
        right, words = judge(label, answer)
        print(words if right else f"Not yet. {words}")
