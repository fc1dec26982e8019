"""Choose what is shown of a section.

Shown are displayed equations, with the sentence that leads to them and the rest of a sentence that goes on behind
them; sentences with a term or a claim in bold; lists and small tables; figures and sliders, with the question that is
asked before; code that stands beside an equation; short printed results. A sentence that begins with a word for what
came before is shown together with the one before.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from book._tools.slides.markup import (
    Block,
    Control,
    Equation,
    Figure,
    Listing,
    Paragraph,
    Program,
    Snippet,
    Table,
    sentences,
)
from book._tools.slides.parts import (
    CODE_WIDTH,
    Code,
    Output,
    Part,
    Picture,
    Text,
    chunks,
    is_table,
    lines_of,
    rows_of,
    tighten,
    width_of,
)
from book._tools.slides.references import References

LONGEST_CODE, LONGEST_OUTPUT, LONGEST_TABLE = 12, 15, 8
"""Lines of code and of printed text, and rows of a table, that are shown at most."""
LOOKS_BACK = re.compile(
    r"\W*(?:It|Its|This|That|These|Those|They|Their|Then|There|Such|Both|Neither|"
    r"The (?:second|third|last|other|others|latter|former|rest))\b"
)
"""How a sentence begins that cannot be understood without the one before."""
PRONOUN = re.compile(r"\b(?:it|its|this|that|these|those|they|them|their|the one)\b")
SHORT = 50
"""Characters of a sentence that says too little alone."""
SETS_UP = re.compile(r"\bload(?:_\w+)?\(")
"""What code calls that prepares an experiment and is no mathematics."""


@dataclass(frozen=True)
class Piece:
    """A part, with the place of the block that it was taken from; a glued one stays with the one before."""

    part: Part
    place: int
    glued: bool = False


def pieces(blocks: Sequence[Block], references: References) -> Iterator[Piece]:
    """Yield what is shown of a section."""
    for place, block in enumerate(blocks):
        before = _neighbour(blocks, place, -1)
        led = before is not None and isinstance(blocks[before], Paragraph)
        match block:
            case Paragraph():
                yield from _said(blocks, place)
            case Program() if is_visible(blocks, place):
                yield from _computed(blocks, place, led)
            case Figure() | Control():
                question = _question(blocks[before]) if before is not None else ""
                yield Piece(Picture(block, question), before if before is not None and question else place)
            case Listing():
                for index, part in enumerate(chunks(block, references)):
                    yield Piece(part, place, glued=led and index == 0)
            case Snippet() if is_visible(blocks, place):
                yield Piece(Code(block.source, block.language), place, glued=led)
            case Equation() | Table() if is_visible(blocks, place):
                yield Piece(block, place, glued=led)


def is_visible(blocks: Sequence[Block], place: int) -> bool:
    """Say whether something of a block other than a paragraph is shown."""
    match blocks[place]:
        case Equation() | Listing() | Figure() | Control():
            return True
        case Table() as table:
            return rows_of(table) <= LONGEST_TABLE
        case Snippet() as snippet:
            return lines_of(snippet.source) <= LONGEST_CODE
        case Program():
            return shows_code(blocks, place) or shows_output(blocks, place)
        case _:
            return False


def shows_code(blocks: Sequence[Block], place: int) -> bool:
    """Say whether the code of a cell is shown: if it is short, and an equation is near or it defines a class."""
    block = blocks[place]
    if not isinstance(block, Program) or not block.code or lines_of(block.code) > LONGEST_CODE:
        return False
    if SETS_UP.search(block.code):
        return False
    return "class " in block.code or _near_equation(blocks, place)


def shows_output(blocks: Sequence[Block], place: int) -> bool:
    """Say whether what a cell printed is shown: if it is short, and does not repeat a picture in numbers."""
    block = blocks[place]
    if not isinstance(block, Program) or not block.printed or block.hidden:
        return False
    if place and isinstance(blocks[place - 1], Figure | Control):
        return False
    text = tighten(block.printed)
    return lines_of(text) <= LONGEST_OUTPUT and not (width_of(text) > CODE_WIDTH and is_table(text))


def _near_equation(blocks: Sequence[Block], place: int) -> bool:
    """Say whether an equation is displayed or named between the cell at a place and what was computed before it."""
    for block in reversed(blocks[:place]):
        if isinstance(block, Equation) or (isinstance(block, Paragraph) and "{eq}" in block.text):
            return True
        if isinstance(block, Program | Figure | Control):
            return False
    return False


def _neighbour(blocks: Sequence[Block], place: int, step: int) -> int | None:
    """Return the place of the next block in a direction that is a paragraph or is shown."""
    place += step
    while 0 <= place < len(blocks):
        if isinstance(blocks[place], Paragraph) or is_visible(blocks, place):
            return place
        place += step
    return None


def _computed(blocks: Sequence[Block], place: int, led: bool) -> Iterator[Piece]:
    """Yield what is shown of a cell: code beside an equation, and short printed results."""
    block = blocks[place]
    assert isinstance(block, Program)
    if shows_code(blocks, place):
        yield Piece(Code(block.code), place, glued=led)
        led = True
    if shows_output(blocks, place):
        yield Piece(Output(tighten(block.printed)), place, glued=led)


def _said(blocks: Sequence[Block], place: int) -> Iterator[Piece]:
    """Yield the sentences of a paragraph that are shown; neighbours stay together."""
    block, before = blocks[place], blocks[place - 1] if place else None
    assert isinstance(block, Paragraph)
    said = sentences(block.text)
    goes_on = isinstance(before, Equation) and block.text[:1].islower()
    chosen = {0} if goes_on else set()
    for index, sentence in enumerate(said):
        if "**" in sentence:
            chosen |= with_context(said, index)
            chosen |= {index + 1} if _announces(sentence, index) and index + 1 < len(said) else set()
    behind = _neighbour(blocks, place, 1)
    after = blocks[behind] if behind is not None else None
    if isinstance(after, Figure | Control):
        chosen -= {len(said) - 1} if _question(block) else set()
    elif not isinstance(after, Paragraph | None):
        chosen |= with_context(said, _leading(said, isinstance(after, Program)))
    for run in _runs(sorted(chosen)):
        text = " ".join(said[index] for index in run)
        yield Piece(Text((text,)), place, glued=goes_on and run[0] == 0)


def _leading(said: Sequence[str], to_cell: bool) -> int:
    """Return the index of the sentence that leads to what follows: to a cell, one that asks or names an equation."""
    last = max((index for index, sentence in enumerate(said) if sentence[0] != "("), default=len(said) - 1)
    if not to_cell or _asks(said[last]):
        return last
    named = [index for index, sentence in enumerate(said) if "{eq}" in sentence]
    return named[-1] if named else last


def with_context(said: Sequence[str], index: int) -> set[int]:
    """Return an index with those of up to two sentences before that are needed to understand it."""
    first = index
    while first and index - first < 2 and _looks_back(said[first]):
        first -= 1
    return set(range(first, index + 1))


def _looks_back(sentence: str) -> bool:
    """Say whether a sentence cannot be understood without the one before."""
    asks = sentence.endswith("?") and bool(PRONOUN.search(sentence))
    says_little = len(sentence) < SHORT and not sentence.startswith("**")
    return asks or says_little or bool(LOOKS_BACK.match(sentence))


def _announces(sentence: str, index: int) -> bool:
    """Say whether a sentence with a part in bold, such as one that heads a paragraph, says too little alone."""
    return len(sentence) < SHORT and (index == 0 or not sentence.endswith("**"))


def _question(block: Block) -> str:
    """Return the question, or the announcement, that a paragraph ends with, or nothing."""
    said = sentences(block.text) if isinstance(block, Paragraph) else [""]
    if not _asks(said[-1]):
        return ""
    return " ".join(said[index] for index in sorted(with_context(said, len(said) - 1)))


def _asks(sentence: str) -> bool:
    """Say whether a sentence asks or announces."""
    return sentence.rstrip(")*").endswith(("?", ":"))


def _runs(numbers: Sequence[int]) -> Iterator[list[int]]:
    """Cut increasing numbers into runs of consecutive ones."""
    run: list[int] = []
    for number in numbers:
        if run and number != run[-1] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run
