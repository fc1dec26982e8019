"""Number what can be referred to, as the site does, and shorten citations to names and a year."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pybtex.database import Entry, parse_file
from pybtex.richtext import Text

from book._tools.repository import ROOT
from book._tools.slides import cells
from book._tools.slides.markup import Block, Equation, Exercise, Figure, Heading

TOC = ROOT / "_toc.yml"
BIBLIOGRAPHY = ROOT / "book" / "references.bib"


@dataclass(frozen=True)
class Chapter:
    """A chapter.

    Attributes
    ----------
    name : str
        The name of its file without suffix, and of its deck.
    number : int
        Its number.
    short : str
        Its title in the contents.
    part : str
        The caption of its part.
    blocks : list of Block
        What it consists of.
    """

    name: str
    number: int
    short: str
    part: str
    blocks: Sequence[Block]

    @property
    def title(self) -> str:
        """The title, as inline Markdown."""
        titles = [block.text for block in self.blocks if isinstance(block, Heading) and block.level == 1]
        return titles[0] if titles else self.short


@dataclass
class References:
    """What labels and keys stand for.

    Attributes
    ----------
    numbers : dict of str
        Number of each labelled equation, figure and exercise.
    kinds : dict of str
        The word before a number: "Fig." or "Exercise", or nothing.
    sections : dict of str
        Title of each labelled section.
    decks : dict of str
        Name of the deck of each chapter, by its label.
    citations : dict of str
        Names and year of each entry of the bibliography.
    """

    numbers: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)
    decks: dict[str, str] = field(default_factory=dict)
    citations: dict[str, str] = field(default_factory=dict)

    def add(self, chapter: Chapter) -> None:
        """Give numbers to the equations, figures and exercises of a chapter."""
        counts = dict.fromkeys((Equation, Figure, Exercise), 0)
        words = {Equation: "", Figure: "Fig.", Exercise: "Exercise"}
        for block in _with_inner(chapter.blocks):
            if isinstance(block, Heading) and block.label:
                self._add_heading(block, chapter)
            elif isinstance(block, Equation | Figure | Exercise):
                label = block.name if isinstance(block, Figure) else block.label
                if label:
                    counts[type(block)] += 1
                    self.numbers[label] = f"{chapter.number}.{counts[type(block)]}"
                    self.kinds[label] = words[type(block)]

    def _add_heading(self, heading: Heading, chapter: Chapter) -> None:
        self.sections[heading.label] = heading.text
        if heading.level == 1:
            self.decks[heading.label] = chapter.name

    def name_of(self, label: str) -> str:
        """Return how a label is called in a sentence, as inline Markdown."""
        if label in self.numbers:
            return f"{self.kinds[label]} {self.numbers[label]}".strip()
        return self.sections.get(label, label)

    def cite(self, keys: Iterable[str]) -> str:
        """Return names and years, without brackets, of some entries of the bibliography."""
        return "; ".join(self.citations.get(key.strip(), key.strip()) for key in keys)


def _with_inner(blocks: Iterable[Block]) -> Iterable[Block]:
    """Yield blocks and those inside of exercises."""
    for block in blocks:
        yield block
        if isinstance(block, Exercise):
            yield from _with_inner(block.blocks)


def chapters(toc: Path = TOC) -> list[Chapter]:
    """Read the chapters that the contents number, in their order."""
    parts = [part for part in yaml.safe_load(toc.read_text())["parts"] if part.get("numbered")]
    entries = [(part["caption"], entry) for part in parts for entry in part["chapters"]]
    return [
        chapter(toc.parent / f"{entry['file']}.ipynb", number, caption, entry.get("title", ""))
        for number, (caption, entry) in enumerate(entries, start=1)
    ]


def chapter(path: Path, number: int, part: str = "", short: str = "") -> Chapter:
    """Read one chapter from its notebook."""
    return Chapter(path.stem, number, short, part, cells.read(path))


def references(read: Iterable[Chapter], bibliography: Path = BIBLIOGRAPHY) -> References:
    """Give numbers to everything in some chapters, and read the bibliography."""
    found = References(citations=citations(bibliography))
    for one in read:
        found.add(one)
    return found


def citations(bibliography: Path = BIBLIOGRAPHY) -> dict[str, str]:
    """Return names and year of every entry of a bibliography."""
    entries = parse_file(bibliography).entries
    return {key: f"{_names(entry)} {entry.fields.get('year', '')}".strip() for key, entry in entries.items()}


def _names(entry: Entry) -> str:
    """Name one or two authors, or the first of more; an entry without authors has its title."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [
        " ".join(str(part) for part in (*person.rich_prelast_names, *person.rich_last_names))
        for person in people
    ]
    match names:
        case []:
            return str(Text.from_latex(entry.fields["title"])).split(":")[0]
        case [one]:
            return one
        case [one, other]:
            return f"{one} and {other}"
        case _:
            return f"{names[0]} et al."
