"""Spread what is shown of a chapter over slides, and give each slide what is said to it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from book._tools.slides.choose import Piece, pieces, with_context
from book._tools.slides.markup import (
    Block,
    Control,
    Equation,
    Exercise,
    Figure,
    Heading,
    Listing,
    Paragraph,
    Question,
    Snippet,
    Table,
    sentences,
)
from book._tools.slides.parts import HEIGHT, Choices, Code, Output, Part, Picture, Text, chunks, height
from book._tools.slides.references import Chapter, References

GAP = 18
"""Space between two parts, in pixels."""
GOALS = "After this chapter you can"
"""How the paragraph before the learning goals begins."""
GOALS_IN_NOTE = re.compile(r"\*\*After it\*\*\s+you\s+can\s*$")
"""How it ends where it is the note at the head of a chapter, which names time and prerequisites first."""
TASK = re.compile(r"\([a-z]\)")
"""How a part of an exercise begins."""


@dataclass
class Slide:
    """A slide.

    Attributes
    ----------
    kind : str
        "title", "goals", "content", "question" or "exercise".
    heading : str
        Its heading, as inline Markdown.
    parts : list of Part
        What it shows.
    notes : list of Block
        What is said.
    opens : bool
        Whether it opens a section.
    """

    kind: str
    heading: str
    parts: list[Part] = field(default_factory=list)
    notes: list[Block] = field(default_factory=list)
    opens: bool = False


@dataclass(frozen=True)
class Section:
    """A heading with the blocks up to the next one."""

    heading: Heading
    blocks: Sequence[Block]


def plan(chapter: Chapter, references: References) -> list[Slide]:
    """Return the slides of a chapter."""
    first, *others = sections(chapter.blocks)
    slides = _opening(first, references)
    for section in others:
        if section.heading.text.lower().startswith("further reading"):
            slides[-1].notes += [section.heading, *section.blocks]
        else:
            slides += _section(section, references)
    return slides


def sections(blocks: Sequence[Block]) -> list[Section]:
    """Cut a chapter at its headings."""
    headings = [(place, block) for place, block in enumerate(blocks) if isinstance(block, Heading)]
    ends = [*(place for place, _ in headings[1:]), len(blocks)]
    return [
        Section(heading, blocks[start + 1 : end])
        for (start, heading), end in zip(headings, ends, strict=True)
    ]


def _opening(section: Section, references: References) -> list[Slide]:
    """Make the title, the slide of the learning goals, and slides of what else stands before the first section."""
    blocks = list(section.blocks)
    cut = next((place for place, block in enumerate(blocks) if _leads_to_goals(block)), len(blocks))
    title = Slide("title", section.heading.text, [Text((lead(blocks[:cut]),))], blocks[:cut], opens=True)
    goals, rest = Slide("goals", GOALS), blocks[cut + 1 :]
    title.notes += [block for block in blocks[cut : cut + 1] if not _begins_with_goals(block)]
    if rest and isinstance(first := rest[0], Listing):
        goals.parts.append(first)
        rest = rest[1:]
    more: list[Slide] = []
    if any(isinstance(block, Equation | Figure | Control) for block in rest):
        more = _content(section.heading.text, rest, references)
    else:
        goals.notes += rest
    return [title, *([goals] if goals.parts else []), *more]


def _leads_to_goals(block: Block) -> bool:
    in_note = isinstance(block, Paragraph) and bool(GOALS_IN_NOTE.search(block.text))
    return in_note or _begins_with_goals(block)


def _begins_with_goals(block: Block) -> bool:
    return isinstance(block, Paragraph) and block.text.startswith(GOALS)


def lead(blocks: Sequence[Block]) -> str:
    """Return the sentence of an introduction that says what the chapter does.

    That is the first one with a part in bold or that begins with "This chapter", or else the last of the first
    paragraph.
    """
    paragraphs = [sentences(block.text) for block in blocks if isinstance(block, Paragraph)]
    for paragraph in paragraphs:
        for sentence in paragraph:
            if "**" in sentence or sentence.startswith("This chapter"):
                return sentence
    said = paragraphs[0] if paragraphs else []
    return " ".join(said[index] for index in sorted(with_context(said, len(said) - 1))) if said else ""


def _section(section: Section, references: References) -> list[Slide]:
    """Make the slides of a section: its content, then its questions and exercises."""
    blocks, heading = section.blocks, section.heading.text
    starts = [place for place, block in enumerate(blocks) if isinstance(block, Exercise | Question)]
    before = blocks[: starts[0]] if starts else blocks
    silent = starts and not any(pieces(before, references))
    slides = [] if silent else _content(heading, before, references)
    for number, start in enumerate(starts, start=1):
        block, after = blocks[start], blocks[start + 1 : (*starts, len(blocks))[number]]
        if isinstance(block, Exercise):
            slides += _exercise(block, after, references)
        elif isinstance(block, Question):
            slides += _question(f"{heading}: question {number}", block, references)
    slides[0].notes[:0] = before if silent else []
    slides[0].opens = section.heading.level <= 2
    return slides


def _exercise(exercise: Exercise, after: Sequence[Block], references: References) -> list[Slide]:
    """Make the slides of an exercise, whose solution goes into the notes."""
    number = references.name_of(exercise.label) if exercise.label else ""
    heading = ": ".join(filter(None, (number, exercise.title))) or "Exercise"
    parts = [part for block in exercise.blocks for part in _whole(block, references)]
    slides = _plain(heading, "exercise", parts, references)
    slides[-1].notes += after
    return slides


def _question(heading: str, question: Question, references: References) -> list[Slide]:
    """Make the slides of a question, whose answer goes into the notes."""
    parts: list[Part] = [Text((question.text,))]
    if question.choices:
        parts.append(Choices(question.choices))
    slides = _plain(heading, "question", parts, references)
    slides[-1].notes.append(question)
    return slides


def _plain(heading: str, kind: str, parts: Sequence[Part], references: References) -> list[Slide]:
    """Make slides that show some parts."""
    packed = _pack([Piece(part, 0) for part in parts], references)
    return [Slide(kind, heading, [piece.part for piece in group]) for group in packed] or [
        Slide(kind, heading)
    ]


def _whole(block: Block, references: References) -> Iterator[Part]:
    """Yield the parts that show all of a block; each task of an exercise is a paragraph."""
    match block:
        case Paragraph():
            paragraphs: list[str] = []
            for sentence in sentences(block.text):
                if paragraphs and not TASK.match(sentence):
                    paragraphs[-1] += f" {sentence}"
                else:
                    paragraphs.append(sentence)
            yield Text(tuple(paragraphs))
        case Listing():
            yield from chunks(block, references)
        case Equation() | Table():
            yield block
        case Snippet():
            yield Code(block.source, block.language)


def _content(heading: str, blocks: Sequence[Block], references: References) -> list[Slide]:
    """Make the slides of a section without exercises."""
    groups = _pack(list(pieces(blocks, references)) or _beginnings(blocks, references), references)
    if not groups:
        return [Slide("content", heading, notes=list(blocks))]
    starts = [0, *(_start(blocks, *pair) for pair in pairwise(groups))]
    shown = {piece.place for group in groups for piece in group if isinstance(piece.part, Output)}
    slides = []
    for group, start, end in zip(groups, starts, [*starts[1:], len(blocks)], strict=True):
        notes = [blocks[place] for place in range(start, end) if place not in shown]
        slides.append(Slide("content", heading, [piece.part for piece in group], notes))
    return slides


def _start(blocks: Sequence[Block], before: Sequence[Piece], group: Sequence[Piece]) -> int:
    """Return the place of the first block that is said to a slide: an introduction belongs to what it introduces."""
    first, last = group[0].place, before[-1].place
    between = [place for place in range(last + 1, first) if isinstance(blocks[place], Paragraph)]
    return between[-1] if len(between) > 1 else max(first, last + 1)


def _beginnings(blocks: Sequence[Block], references: References) -> list[Piece]:
    """Show how each paragraph begins, for want of anything else."""
    said = [sentences(block.text)[0] for block in blocks if isinstance(block, Paragraph)]
    return [Piece(part, 0) for part in chunks(Listing(tuple(said)), references)] if said else []


def _pack(found: Sequence[Piece], references: References) -> list[list[Piece]]:
    """Spread pieces over slides: glued ones stay together where they fit, and a picture has a slide for itself."""
    slides: list[list[Piece]] = []
    filled = 0.0
    for group in _groups(found, references):
        high = _height(group, references)
        alone = isinstance(group[0].part, Picture) or (slides and isinstance(slides[-1][-1].part, Picture))
        if not slides or alone or filled + GAP + high > HEIGHT:
            slides.append([])
            filled = 0.0
        slides[-1] += group
        filled += GAP + high
    return slides


def _height(group: Sequence[Piece], references: References) -> float:
    """Estimate the height of pieces below each other."""
    return sum(height(piece.part, references) for piece in group) + GAP * (len(group) - 1)


def _groups(found: Sequence[Piece], references: References) -> list[list[Piece]]:
    """Put glued pieces together; where they are too high together, what leads to a piece goes with it."""
    groups: list[list[Piece]] = []
    for piece in found:
        if not (piece.glued and groups):
            groups.append([piece])
        elif _height([*groups[-1], piece], references) <= HEIGHT:
            groups[-1].append(piece)
        elif len(groups[-1]) > 1 and isinstance(groups[-1][-1].part, Text):
            groups.append([groups[-1].pop(), piece])
        else:
            groups.append([piece])
    return groups
