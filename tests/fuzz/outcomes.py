"""What became of a hostile input, in the five columns of the reliability table."""

import inspect
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from ddgp_lib.checks import CheckFailed

CORRECT, CLEAR, NAMELESS, SILENT, HANG = COLUMNS = (
    "correct",
    "clear error",
    "error without argument or file",
    "silent",
    "hang or memory",
)


def unfinite(result: Any) -> bool:
    """Say whether a result holds a number that is not finite."""
    return not all(map(_is_finite, _numbers(result)))


def answered(result: Any) -> bool:
    """Say that there should have been no result."""
    return True


@dataclass(frozen=True)
class Case:
    """One hostile input.

    Attributes
    ----------
    family : str
        The row of the table.
    label : str
        What is done, in a line from which the case can be repeated.
    run : callable
        Does it.
    names : tuple of str
        What a clear error must name, one of them: the argument, or the file.
    silent : callable
        Says of a result whether it is a silent fault: by default one that is not finite; :func:`answered` where the
        input is outside what is documented.
    """

    family: str
    label: str
    run: Callable[[], Any]
    names: tuple[str, ...]
    silent: Callable[[Any], bool] = unfinite


def classify(case: Case) -> tuple[str, str]:
    """Run a case; return its column, and what was said or returned, in a line."""
    try:
        result = case.run()
        if inspect.isgenerator(result):
            result = list(itertools.islice(result, 3))
    except MemoryError as error:
        return HANG, _said(error)
    except Exception as error:
        if "not enough memory" in str(error):
            return HANG, _said(error)
        return (CLEAR if _is_clear(error, case.names) else NAMELESS), _said(error)
    return (SILENT if case.silent(result) else CORRECT), type(result).__name__


def _is_clear(error: Exception, names: tuple[str, ...]) -> bool:
    """Say whether an error names an argument with its value, or a file, or is one that the library raises."""
    if isinstance(error, CheckFailed):
        return True  # it says what was found, what was expected, and the likeliest cause
    marks = ("{}",) if isinstance(error, ValueError | FileNotFoundError | ImportError) else ("{}=",)
    if isinstance(error, ValueError | FileNotFoundError) and "path='" in str(error):
        return True
    return any(mark.format(name) in str(error) for mark in marks for name in names)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _numbers(result: Any) -> Iterator[Any]:
    """Yield the tensors and floats that a result holds."""
    if isinstance(result, torch.Tensor | float):
        yield result
    elif isinstance(result, list | tuple):
        for part in result:
            yield from _numbers(part)


def _is_finite(value: torch.Tensor | float) -> bool:
    return bool(torch.isfinite(value).all()) if isinstance(value, torch.Tensor) else math.isfinite(value)
