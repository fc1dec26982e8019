"""The rows of an experiment on measured data as lines of text."""

from typing import Any

LEAST = 8
"""Characters of the first column at least."""
HEAD = f"{'method':36s}{'iter.':>6s}{'residual':>11s}{'held-out error':>21s}{'gain (dB)':>16s}"
QUALITY = f"{'PSNR':>8s}{'simulated':>11s}"
COST = f"{'seconds':>9s}{'transforms':>12s}"


def table_of(result: dict[str, Any]) -> str:
    """Write what :func:`~ddgp_lib.experiments.measured.run_measured` returns as a table, a row on each line.

    Where there is a full measurement, the PSNR against it and that in simulation are there too.

    Examples
    --------
    >>> from ddgp_lib.experiments.measured.table import table_of
    >>> table_of({"title": "a camera", "data": "car", "rows": []}).splitlines()[0]
    'a camera (car)'
    """
    rows = result["rows"]
    width = max([LEAST, *(len(row["condition"]) + 2 for row in rows)])
    quality = any(row["psnr"] is not None for row in rows)
    head = " " * width + HEAD + (QUALITY if quality else "") + COST
    notes = [f"at an edge: {edge}" for edge in result.get("edges", ())]
    notes += [f"left out: {note}" for note in result.get("left_out", ())]
    notes += [f"off: {note}" for note in result.get("off", ())]
    lines = [f"{result['title']} ({result['data']})", head]
    return "\n".join([*lines, *(line_of(row, width, quality=quality) for row in rows), *notes])


def line_of(row: dict[str, Any], width: int = LEAST, *, quality: bool = False) -> str:
    """Write a row, its condition in a number of characters, perhaps with the PSNR."""
    gain = "" if row["gain"] is None else f"{row['gain']:+.2f} ± {row['gain_error']:.2f}"
    error = f"{row['error']:.3g} ± {row['standard_error']:.1g}"
    shown = f"{row['condition']:{width}s}{row['method']:36s}{row['iteration']:6d}{row['residual']:11.3g}"
    decibels = f"{_decibels(row['psnr']):>8s}{_decibels(row['simulated']):>11s}" if quality else ""
    return f"{shown}{error:>21s}{gain:>16s}{decibels}{row['seconds']:9.2f}{row['transforms']:12d}"


def _decibels(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
