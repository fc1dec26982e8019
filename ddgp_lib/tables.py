"""Tables of results: plain text where they are printed, and HTML where a notebook shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from .arguments import is_number, require, require_choice, require_flag, require_instance, require_integer

Value = float | str | tuple[float, float] | None
"""What a cell holds: a number, a text, a mean with its error, or nothing."""

_STYLE = "text-align:right;font-variant-numeric:tabular-nums"
"""How numbers stand in a notebook that knows nothing of the book's style."""


@dataclass(frozen=True)
class Column:
    """How the numbers of a column are written.

    Attributes
    ----------
    head : str
        What stands above them.
    unit : str
        Their unit, written after the head; "" for numbers without one.
    digits : int
        Digits after the decimal point, 0 to 12; whole numbers (Python's int) have none.
    best : {"high", "low"} or None
        Which number is set in bold: the highest, the lowest, or none.
    signed : bool
        Whether a positive number has its sign.

    Examples
    --------
    >>> Column("gain", "dB", digits=1, signed=True).title
    'gain (dB)'
    """

    head: str
    unit: str = ""
    digits: int = 2
    best: Literal["high", "low"] | None = None
    signed: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be written."""
        require_instance("head", self.head, str, "a text")
        require_instance("unit", self.unit, str, "a text")
        require_integer("digits", self.digits, lowest=0, highest=12)
        require_choice("best", self.best, ("high", "low"), none=True)
        require_flag("signed", self.signed)

    @property
    def title(self) -> str:
        """The head with its unit."""
        return f"{self.head} ({self.unit})" if self.unit else self.head

    def written(self, value: Value) -> str:
        """Write a value: nothing for None, a text as it is, a mean as ``1.20 ± 0.05``; no zero has a minus."""
        if value is None or isinstance(value, str):
            return value or ""
        if isinstance(value, tuple):
            mean, error = value
            return f"{self.written(mean)} ± {error:.{self.digits}f}"
        digits = 0 if isinstance(value, int) else self.digits
        return f"{value:{'+' if self.signed else ''}z.{digits}f}"


class Table(str):
    """A text that a notebook shows as a table: ``print`` writes the text, and the last line of a cell the HTML.

    Parameters
    ----------
    text : str
        The table in characters of one width.
    html : str
        The same in HTML.
    """

    html: str

    def __new__(cls, text: str, html: str = "") -> "Table":
        """Make the text, and keep the HTML beside it."""
        made = super().__new__(cls, text)
        made.html = html or f"<pre>{escape(text)}</pre>"
        return made

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.html


def table(
    caption: str,
    columns: Sequence[Column | str],
    rows: Mapping[str, Sequence[Value]],
    *,
    corner: str = "",
    text: str | None = None,
) -> Table:
    """Make a table with a row for each name and right-aligned numbers.

    Parameters
    ----------
    caption : str
        What the table shows, and over what its means are taken.
    columns : sequence of Column or str
        The columns after that of the names; a text is a column with two digits.
    rows : mapping of name to sequence of values
        Every row has one value for each column: a number, a text, a pair (mean, error), or None.
    corner : str
        Head of the column of names.
    text : str, optional
        The table in plain text, where it shall not be written from the values.

    Returns
    -------
    Table
        A text; a notebook shows it as HTML, with the best of a column in bold.

    Raises
    ------
    ValueError
        If there is no column or no row, or a row has another number of values.

    Examples
    --------
    >>> gain = Column("gain", "dB", best="high", signed=True)
    >>> print(table("Means over 64 digits.", [gain, "seconds"], {"no P": [None, 1.0], "P": [(5.25, 0.1), 1.5]}))
    Means over 64 digits.
             gain (dB)  seconds
    no P                   1.00
    P     +5.25 ± 0.10     1.50
    """
    require_instance("caption", caption, str, "a text")
    require_instance("corner", corner, str, "a text")
    require_instance("text", text, str, "a text", none=True)
    described = _columns(columns)
    _check_rows(rows, len(described))
    return Table(
        _as_text(caption, corner, described, rows) if text is None else text,
        _as_html(caption, corner, described, rows),
    )


def _columns(columns: Sequence[Column | str]) -> list[Column]:
    """Return columns by their descriptions."""
    listed = isinstance(columns, Sequence) and not isinstance(columns, str) and len(columns) > 0
    require(
        listed and all(isinstance(column, Column | str) for column in columns),
        "columns",
        columns,
        "a sequence of at least one Column or text",
    )
    return [Column(column) if isinstance(column, str) else column for column in columns]


def _check_rows(rows: Mapping[str, Sequence[Value]], count: int) -> None:
    """Refuse rows without names, of another length, or of something that is not written in a cell."""
    named = isinstance(rows, Mapping) and len(rows) > 0 and all(isinstance(name, str) for name in rows)
    require(named, "rows", rows, "a mapping of at least one name to a sequence of values")
    for name, values in rows.items():
        listed = isinstance(values, Sequence) and not isinstance(values, str) and len(values) == count
        require(listed, f"rows[{name!r}]", values, f"a sequence of {count} values")
        for value in values:
            require(
                _is_value(value), f"rows[{name!r}]", value, "a number, a text, a pair (mean, error), or None"
            )


def _is_value(value: object) -> bool:
    if isinstance(value, tuple):
        return len(value) == 2 and all(map(is_number, value))
    return value is None or isinstance(value, str) or is_number(value)


def _as_text(caption: str, corner: str, columns: list[Column], rows: Mapping[str, Sequence[Value]]) -> str:
    """Write a table in characters of one width: the caption, the heads, and a line for each row."""
    lines = [[corner, *(column.title for column in columns)]]
    for name, values in rows.items():
        lines.append([name, *(column.written(v) for column, v in zip(columns, values, strict=True))])
    widths = [max(map(len, parts)) for parts in zip(*lines, strict=True)]
    written = [
        "  ".join([first.ljust(widths[0]), *(p.rjust(w) for p, w in zip(others, widths[1:], strict=True))])
        for first, *others in lines
    ]
    return "\n".join([caption, *(line.rstrip() for line in written)])


def _as_html(caption: str, corner: str, columns: list[Column], rows: Mapping[str, Sequence[Value]]) -> str:
    """Write a table in HTML."""
    heads = "".join(
        f'<th scope="col" style="{_STYLE}">{escape(title)}</th>' for title in (c.title for c in columns)
    )
    first = f'<th scope="col">{escape(corner)}</th>' if corner else "<td></td>"
    cells = [_html_cells(column, [values[i] for values in rows.values()]) for i, column in enumerate(columns)]
    body = "".join(
        f'<tr><th scope="row" style="text-align:left">{escape(name)}</th>{"".join(parts)}</tr>'
        for name, *parts in zip(rows, *cells, strict=True)
    )
    return (
        f'<table class="ddgp-table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{first}{heads}</tr></thead><tbody>{body}</tbody></table>"
    )


def _html_cells(column: Column, values: list[Value]) -> list[str]:
    """Write the cells of a column, the best of them in bold."""
    means = [_mean(value) for value in values]
    known = [mean for mean in means if mean is not None]
    wanted = None
    if column.best is not None and len(known) > 1:
        wanted = column.written(max(known) if column.best == "high" else min(known))
    cells = []
    for value, mean in zip(values, means, strict=True):
        text = escape(column.written(value).replace("-", "−") if mean is not None else column.written(value))
        bold = mean is not None and column.written(mean) == wanted
        cells.append(f'<td style="{_STYLE}">{f"<strong>{text}</strong>" if bold else text}</td>')
    return cells


def _mean(value: Value) -> float | None:
    """Return the number that a cell is compared by."""
    if isinstance(value, tuple):
        return float(value[0])
    return None if value is None or isinstance(value, str) else float(value)
