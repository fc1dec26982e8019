"""Whether a chosen setting lies at an end of what was tried, where more would have to be tried."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ddgp_lib.kinds import Kind

FLAT = 0.03
"""dB: an end that is better by no more than the best of what was tried between the ends asks for no wider grid."""


def at_edge(kind: Kind, setting: Mapping[str, Any], sweep: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the arguments of a chosen setting that are at an end of their scale, and not at a limit by nature.

    A scale is an argument of which only numbers were tried.  Momentum rules have no order, and fading is on or off.
    Where the score hardly depends on an argument, see :data:`FLAT`, an end of its scale is as good as any.

    Parameters
    ----------
    kind : Kind
        What was tuned; it declares its limits.
    setting : mapping of str to Any
        What was chosen, by argument.
    sweep : sequence of mapping
        What was tried, with its ``"psnr_20"`` and ``"psnr_last"``, None for one that was not run to the end.
    """
    found = set()
    for name, value in setting.items():
        tried = [row[name] for row in sweep]
        if all(isinstance(number, int | float) for number in tried):
            ends = {"lowest": min(tried), "highest": max(tried)}
            open_ends = ends.keys() - kind.limits.get(name, {}).keys()
            if any(value == ends[end] for end in open_ends) and not _is_flat(name, setting, sweep):
                found.add(name)
    return found


def _is_flat(name: str, setting: Mapping[str, Any], sweep: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a setting is hardly better than the best between the ends of an argument."""
    chosen = next(row for row in sweep if setting.items() <= row.items())
    if chosen.get("psnr_20") is None:
        return False
    stopped = (
        chosen["psnr_20"] == chosen["psnr_last"]
    )  # then all runs end by then, and their scores are known

    def score(row: Mapping[str, Any]) -> float:
        values = (row["psnr_20"], row["psnr_20"] if stopped else row["psnr_last"])
        return -math.inf if None in values else min(values)

    ends = {min(row[name] for row in sweep), max(row[name] for row in sweep)}
    inside = [score(row) for row in sweep if row[name] not in ends]
    return max(inside, default=-math.inf) >= score(chosen) - FLAT
