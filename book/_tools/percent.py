"""Read a ``py:percent`` file without jupytext, so that a change of prose alone needs no large environment.

The files of this book are written by one rule: a cell begins with ``# %%``, then ``[markdown]`` for prose, or
``key=value`` with a JSON value; prose is commented; blank lines part the cells. jupytext reads them the same way, but
for what it notes of blank lines; a test says so of every chapter.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

MARK = re.compile(r"^# %%(?P<options>.*)$", re.MULTILINE)
KEY = re.compile(r"\s*([\w.-]+)=")


@dataclass(frozen=True)
class Cell:
    """A cell of a source: ``markdown`` or ``code``, its text, and its metadata."""

    kind: str
    source: str
    metadata: dict[str, Any] = field(default_factory=dict)


def options(line: str) -> tuple[str, dict[str, Any]]:
    """Return the kind of a cell and its metadata, from what follows its mark.

    Raises
    ------
    ValueError
        If the line is not written by the rule.
    """
    rest = line.strip()
    kind = "code"
    if rest.startswith("[markdown]"):
        kind, rest = "markdown", rest.removeprefix("[markdown]").strip()
    metadata: dict[str, Any] = {}
    decoder = json.JSONDecoder()
    while rest:
        key = KEY.match(rest)
        if key is None:
            raise ValueError(f"line={line!r}: expected [markdown], and key=value with a JSON value")
        metadata[key[1]], end = decoder.raw_decode(rest, key.end())
        rest = rest[end:].strip()
    return kind, metadata


def uncommented(text: str) -> str:
    """Return prose without the sign of a comment before each line."""
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in text.splitlines())


def cells(text: str) -> list[Cell]:
    """Return the cells of a source, in order."""
    marks = list(MARK.finditer(text))
    found = []
    for mark, end in zip(marks, [*(later.start() for later in marks[1:]), len(text)], strict=True):
        kind, metadata = options(mark["options"])
        source = text[mark.end() : end].removeprefix("\n").rstrip("\n")
        found.append(Cell(kind, uncommented(source) if kind == "markdown" else source, metadata))
    return found
