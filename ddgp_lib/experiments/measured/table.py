"""The rows of an experiment on measured data as lines of text."""

from typing import Any

HEAD = f"{'':8s}{'method':36s}{'iter.':>6s}{'residual':>11s}{'held-out error':>21s}{'gain (dB)':>16s}"
COST = f"{'seconds':>9s}{'transforms':>12s}"


def table_of(result: dict[str, Any]) -> str:
    """Write what :func:`~ddgp_lib.experiments.measured.run_measured` returns as a table, a row on each line.

    Examples
    --------
    >>> from ddgp_lib.experiments.measured.table import table_of
    >>> table_of({"title": "a camera", "data": "car", "rows": []}).splitlines()[0]
    'a camera (car)'
    """
    lines = [f"{result['title']} ({result['data']})", HEAD + COST]
    edges = [f"at an edge: {edge}" for edge in result.get("edges", ())]
    return "\n".join([*lines, *(line_of(row) for row in result["rows"]), *edges])


def line_of(row: dict[str, Any]) -> str:
    """Write a row."""
    gain = "" if row["gain"] is None else f"{row['gain']:+.2f} ± {row['gain_error']:.2f}"
    error = f"{row['error']:.3g} ± {row['standard_error']:.1g}"
    shown = (
        f"{row['condition']:8s}{row['method']:36s}{row['iteration']:6d}{row['residual']:11.3g}{error:>21s}"
    )
    return f"{shown}{gain:>16s}{row['seconds']:9.2f}{row['transforms']:12d}"
