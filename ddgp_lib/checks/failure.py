"""What a failed check says: what was found, what was expected, and the likeliest cause."""

from collections.abc import Callable, Iterable


class CheckFailed(AssertionError):  # noqa: N818 (what it says, not what it is)
    """A check did not pass.

    Parameters
    ----------
    found : str
        What was computed, with the number.
    expected : str
        What it should be.
    cause : str
        The likeliest cause, and what to do about it.

    Examples
    --------
    >>> print(CheckFailed("2 + 2 is 5", "4", "one is counted twice"))
    Found: 2 + 2 is 5.
    Expected: 4.
    Likely cause: one is counted twice.
    """

    def __init__(self, found: str, expected: str, cause: str) -> None:
        super().__init__(found, expected, cause)
        self.found, self.expected, self.cause = found, expected, cause

    def __str__(self) -> str:
        return f"Found: {self.found}.\nExpected: {self.expected}.\nLikely cause: {self.cause}."


Diagnosis = Callable[[], str | None]
"""Looks for one cause, and says it if it is there."""


def likeliest(diagnoses: Iterable[Diagnosis], otherwise: str) -> str:
    """Return the first cause that is found; a diagnosis that itself fails has found none."""
    for diagnosis in diagnoses:
        try:
            cause = diagnosis()
        except CheckFailed:
            continue
        if cause is not None:
            return cause
    return otherwise
