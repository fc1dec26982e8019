"""What a slide can show, and about how high it is, in pixels of a slide of 1280 by 720.

The estimates decide how much comes on one slide. The page itself then takes the largest letters that fit.
"""

import math
import re
import struct
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass

from book._tools.slides.markup import Control, Equation, Figure, Listing, Table
from book._tools.slides.references import References
from book._tools.slides.render import plain

WIDTH, HEIGHT = 1168, 560
"""Room for the content of a slide, below its heading."""
TEXT_WIDTH, TEXT_LINE = 88, 38
"""Characters of a line of text, and its height."""
CODE_WIDTH, CODE_LINE = 77, 31
"""The same of code and printed text."""
CAPTION_WIDTH, CAPTION_LINE = 100, 32
"""The same of the caption below a picture."""
BESIDE = 780
"""Width of a picture with its caption beside it."""
CONTROL = 96
"""Height of a slider above its picture."""
TALL = (r"\frac", r"\sum", r"matrix}", r"\max", r"\min", r"\prod", r"\int", r"\begin{cases}")
"""Commands that make a line of an equation higher."""


@dataclass(frozen=True)
class Text:
    """Paragraphs, as inline Markdown."""

    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Choices:
    """Answers to choose from, as inline Markdown."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """Code."""

    source: str
    language: str = "python"


@dataclass(frozen=True)
class Output:
    """Printed text."""

    text: str


@dataclass(frozen=True)
class Picture:
    """A figure or a slider, with the question that is asked before."""

    block: Figure | Control
    question: str = ""


Part = Text | Choices | Equation | Listing | Table | Code | Output | Picture


def height(part: Part, references: References) -> float:
    """Estimate the height of a part."""
    match part:
        case Text():
            return sum(text_height(text, references) for text in part.paragraphs)
        case Choices():
            return sum(text_height(text, references, TEXT_WIDTH - 6) + 10 for text in part.texts)
        case Listing():
            return sum(text_height(item, references, TEXT_WIDTH - 4) + 10 for item in part.items)
        case Equation():
            rows = part.tex.count(r"\\") + 1
            return rows * (72 if any(name in part.tex for name in TALL) else 50) + 24
        case Table():
            return rows_of(part) * (TEXT_LINE + 20)
        case Code():
            return lines_of(part.source) * CODE_LINE + 28
        case Output():
            return lines_of(part.text) * CODE_LINE + 12
        case Picture():
            return HEIGHT


def text_height(text: str, references: References, width: int = TEXT_WIDTH) -> float:
    """Estimate the height of Markdown."""
    return math.ceil(max(1, len(plain(text, references))) / width) * TEXT_LINE


def rows_of(table: Table) -> int:
    """Count the rows of a table, that of its heads included."""
    return table.source.count("\n")


def lines_of(text: str) -> int:
    """Count the lines of code or of printed text after too long ones are broken."""
    return sum(math.ceil(max(1, len(line)) / CODE_WIDTH) for line in text.splitlines())


def is_table(text: str) -> bool:
    """Say whether printed text has columns."""
    return sum(bool(re.search(r"\S {2,}\S", line)) for line in text.splitlines()) > 1


def width_of(text: str) -> int:
    """Return the length of the longest line."""
    return max(map(len, text.splitlines()), default=0)


def tighten(text: str) -> str:
    """Narrow the gaps between the columns of a printed table that is too wide, as little as is needed."""
    if not is_table(text):
        return text
    found = (text, *(_narrowed(text, gap) for gap in (3, 2, 1)))
    return next((one for one in found if width_of(one) <= CODE_WIDTH), text)


def _narrowed(text: str, gap: int) -> str:
    """Leave only some of the blank columns in a gap between the columns of a printed table."""
    lines = [line.ljust(width_of(text)) for line in text.splitlines()]
    blanks, kept = 0, []
    for column in range(width_of(text)):
        blanks = blanks + 1 if all(line[column] == " " for line in lines) else 0
        if blanks <= gap:
            kept.append(column)
    return "\n".join("".join(line[column] for column in kept).rstrip() for line in lines)


def chunks(block: Listing, references: References) -> Iterator[Listing]:
    """Cut a list into pieces of about the same height, each of which fits a slide."""
    heights = [height(Listing((item,)), references) for item in block.items]
    target = sum(heights) / math.ceil(sum(heights) / HEIGHT)
    chunk: list[str] = []
    filled = 0.0
    for item, high in zip(block.items, heights, strict=True):
        if chunk and filled + high / 2 > target:
            yield Listing(tuple(chunk), block.ordered)
            chunk, filled = [], 0.0
        chunk.append(item)
        filled += high
    yield Listing(tuple(chunk), block.ordered)


def size(picture: str) -> tuple[int, int]:
    """Return width and height of a PNG file in base 64."""
    width, high = struct.unpack(">II", b64decode(picture[:40])[16:24])
    return width, high


def stands_beside(width: int, high: int, caption: str, above: float, below: float) -> bool:
    """Say whether a picture is larger with its caption beside it.

    Parameters
    ----------
    width, high : int
        Size of the picture.
    caption : str
        Its caption.
    above : float
        Height of what stands above it in either case.
    below : float
        Height of what stands above it only if the caption stands below.
    """
    lines = math.ceil(len(caption) / CAPTION_WIDTH)
    room = HEIGHT - above - below - lines * CAPTION_LINE
    return min(BESIDE / width, (HEIGHT - above) / high) > min(WIDTH / width, room / high)
