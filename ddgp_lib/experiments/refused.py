"""What a command of an experiment refuses, as one line on the standard error."""

import sys
from collections.abc import Callable


def status_of(work: Callable[[], object]) -> int:
    """Run a command's work and return its exit status: 2, and the message as one line, where it refuses something.

    Parameters
    ----------
    work : callable
        Takes nothing; what it returns is left out.

    Examples
    --------
    >>> from ddgp_lib.experiments.refused import status_of
    >>> status_of(lambda: None)
    0
    """
    try:
        work()
    except (ValueError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0
