"""Whether a chosen setting lies at an end of what was tried, where more would have to be tried."""

from collections.abc import Mapping, Sequence
from typing import Any

from ddgp_lib.kinds import Kind


def at_edge(kind: Kind, setting: Mapping[str, Any], sweep: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the arguments of a chosen setting that are at an end of their scale, and not at a limit by nature.

    A scale is an argument of which only numbers were tried.  Momentum rules have no order, and fading is on or off.

    Parameters
    ----------
    kind : Kind
        What was tuned; it declares its limits.
    setting : mapping of str to Any
        What was chosen, by argument.
    sweep : sequence of mapping
        What was tried.
    """
    found = set()
    for name, value in setting.items():
        tried = [row[name] for row in sweep]
        if all(isinstance(number, int | float) for number in tried):
            ends = {"lowest": min(tried), "highest": max(tried)}
            open_ends = ends.keys() - kind.limits.get(name, {}).keys()
            found |= {name for end in open_ends if value == ends[end]}
    return found
