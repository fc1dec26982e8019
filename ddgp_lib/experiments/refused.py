"""What a command of an experiment refuses, under its name of before: see :func:`ddgp_lib.outputs.status_of`."""

from collections.abc import Callable

from .. import outputs


def status_of(work: Callable[[], object]) -> int:
    """Return :func:`~ddgp_lib.outputs.status_of` of a command's work."""
    return outputs.status_of(work)
