"""What every problem set uses: numbers drawn for a course, and tests whose messages teach.

A student's notebook carries this file and writes it beside itself. It needs NumPy alone, so that it
works where PyTorch does not, in JupyterLite for example.
"""

import hashlib
from typing import Any

import numpy as np


def draw(key: str, student: str, label: str) -> np.random.Generator:
    """Return a generator of random numbers that depends on the course, the student and the problem set.

    Parameters
    ----------
    key : str
        The course's key, which changes each year.
    student : str
        The student's number or name as the course knows it; "" for the numbers that all share.
    label : str
        What the numbers are for.
    """
    words = "\0".join((key, str(student).strip().lower(), label))
    return np.random.default_rng(list(hashlib.sha256(words.encode()).digest()))


def is_open(answer: Any) -> bool:
    """Say whether an answer is still missing: None, or the three dots of the hand-out."""
    return answer is None or answer is Ellipsis


def ensure(condition: Any, message: str) -> None:
    """Raise an ``AssertionError`` with the message unless the condition holds."""
    if not bool(condition):
        raise AssertionError(message)


def number(answer: Any, name: str) -> float:
    """Return an answer as a finite float, or say what is wrong with its kind."""
    ensure(not is_open(answer), f"`{name}` has no value yet.")
    try:
        found = float(answer)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"`{name}` should be one number, and is a {type(answer).__name__}.") from error
    ensure(np.isfinite(found), f"`{name}` is not a finite number.")
    return found


def array(answer: Any, name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return an answer as a finite NumPy array, of the given shape if one is given."""
    ensure(not is_open(answer), f"`{name}` has no value yet.")
    if hasattr(answer, "detach"):
        answer = answer.detach().cpu()
    found = np.asarray(answer)
    ensure(found.dtype.kind in "biufc", f"`{name}` should hold numbers.")
    if shape is not None:
        ensure(found.shape == tuple(shape), f"`{name}` has the shape {found.shape}, expected {tuple(shape)}.")
    ensure(np.isfinite(found).all(), f"`{name}` holds values that are not finite.")
    return found


def run(function: Any, *arguments: Any, name: str, **options: Any) -> Any:
    """Call a student's function; say in plain words if it is missing, unfinished or raises."""
    ensure(not is_open(function), f"`{name}` is not defined: run its cell first.")
    ensure(callable(function), f"`{name}` should be a function.")
    try:
        found = function(*arguments, **options)
    except Exception as error:
        raise AssertionError(f"`{name}` raised {type(error).__name__}: {error}") from error
    ensure(not is_open(found), f"`{name}` returns nothing yet.")
    return found


def distance(found: Any, wanted: Any) -> float:
    """Return the norm of the difference relative to the norm of what is wanted."""
    found, wanted = array(found, "result"), array(wanted, "reference")
    if found.shape != wanted.shape:
        return float("inf")
    return float(np.linalg.norm(found - wanted)) / max(float(np.linalg.norm(wanted)), 1e-30)


def close(found: Any, wanted: Any, rtol: float = 1e-3) -> bool:
    """Say whether an answer and the reference have one shape and differ by less than ``rtol`` of its norm."""
    return distance(found, wanted) < rtol
