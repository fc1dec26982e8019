"""Write slides as HTML files that need nothing but what lies beside them."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from book._tools import npm, vendor
from book._tools.address import CONFIG
from book._tools.repository import ROOT
from book._tools.slides import render
from book._tools.slides.markup import Equation, Figure, Listing, Table
from book._tools.slides.parts import (
    CONTROL,
    Choices,
    Code,
    Output,
    Part,
    Picture,
    Text,
    size,
    stands_beside,
    text_height,
)
from book._tools.slides.plan import Slide, plan
from book._tools.slides.references import Chapter, References

HERE = Path(__file__).parent
OUTPUT = ROOT / "dist" / "slides"
OWN = ("slides.css", "slides.js")

# As in book/_tools/vendor.py. Formulas are drawn as SVG: a page that is opened as a file needs no fonts for them.
FILES: dict[str, list[tuple[str, str, str]]] = {
    "mathjax": [
        ("package/LICENSE", "vendor/mathjax", "package/"),
        ("package/es5/tex-svg.js", "vendor/mathjax", "package/es5/"),
        ("package/es5/input/tex/extensions/*", "vendor/mathjax", "package/es5/"),
    ],
    "reveal.js": [
        ("package/LICENSE", "vendor/reveal", "package/"),
        ("package/dist/reveal.js", "vendor/reveal", "package/dist/"),
        ("package/dist/reveal.css", "vendor/reveal", "package/dist/"),
        ("package/dist/plugin/notes.js", "vendor/reveal", "package/dist/plugin/"),
        ("package/css/theme/fonts/source-sans-pro/*", "vendor/reveal", "package/css/theme/"),
    ],
}

FRAME_SIZE = re.compile(r'<img [^>]*?width="(\d+)" height="(\d+)"')
CAPTION = re.compile(r"<figcaption>(.*?)</figcaption>", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """What a slide consists of, as HTML."""

    kind: str
    heading: Markup
    subtitle: Markup
    parts: list[Markup]
    notes: Markup


@dataclass(frozen=True)
class Deck:
    """A deck that was written: its chapter, its file and its number of slides."""

    chapter: Chapter
    path: Path
    slides: int


def build(chosen: Sequence[Chapter], known: References, output: Path = OUTPUT) -> list[Deck]:
    """Write the decks of some chapters, and a page that lists them.

    Parameters
    ----------
    chosen : sequence of Chapter
        The chapters.
    known : References
        What labels stand for, in these chapters and in those that they refer to.
    output : Path
        The folder; decks of other chapters are removed from it.

    Returns
    -------
    list of Deck
        What was written.
    """
    output.mkdir(parents=True, exist_ok=True)
    for old in output.glob("[0-9][0-9]_*.html"):
        old.unlink()
    for name in OWN:
        shutil.copyfile(HERE / name, output / name)
    copy_vendor(output)
    decks = [write(chapter, known, output) for chapter in chosen]
    write_index(decks, known, output)
    return decks


def copy_vendor(output: Path) -> None:
    """Copy what the pages need of reveal.js and MathJax, from archives whose hashes are locked.

    Raises
    ------
    ValueError
        If an archive is not the locked one, or holds none of the files of a rule.
    """
    for name, rules in FILES.items():
        archive = npm.fetch(name)
        for rule in rules:
            if vendor.unpack(archive, [rule], output) == 0:
                raise ValueError(f"rule={rule!r}: {archive.name} holds no such file")


def write(chapter: Chapter, known: References, output: Path) -> Deck:
    """Write the deck of a chapter."""
    slides = plan(chapter, known)
    stacks: list[list[Page]] = []
    for slide in slides:
        if slide.opens or not stacks:
            stacks.append([])
        stacks[-1].append(page(slide, known))
    path = output / f"{chapter.name}.html"
    title = render.plain(chapter.title, known)
    fill("deck.html.j2", path, chapter=chapter, title=title, stacks=stacks)
    return Deck(chapter, path, len(slides))


def write_index(decks: Sequence[Deck], known: References, output: Path) -> None:
    """Write the page that lists the decks by the parts of the book."""
    parts: dict[str, list[tuple[Deck, str]]] = {}
    for deck in decks:
        title = render.plain(deck.chapter.title, known)
        parts.setdefault(deck.chapter.part, []).append((deck, title))
    fill("index.html.j2", output / "index.html", parts=parts)


def fill(template: str, path: Path, **values: Any) -> None:
    """Fill a template and write it; every template knows the title of the book."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    book = yaml.safe_load(CONFIG.read_text())["title"]
    path.write_text(environment.get_template(template).render(book=book, **values) + "\n")


def page(slide: Slide, known: References) -> Page:
    """Write what is on a slide, and its notes."""
    heading, _, subtitle = slide.heading.partition(": ") if slide.kind == "title" else (slide.heading, "", "")
    return Page(
        kind=slide.kind,
        heading=Markup(render.inline(heading, known)),
        subtitle=Markup(render.inline(subtitle[:1].upper() + subtitle[1:], known)),
        parts=[Markup(show(part, known)) for part in slide.parts],
        notes=Markup(render.spoken(slide.notes, known, solutions=slide.kind == "exercise")),
    )


def show(part: Part, known: References) -> str:
    """Write a part of a slide."""
    match part:
        case Text():
            return "".join(f"<p>{render.inline(text, known)}</p>" for text in part.paragraphs)
        case Choices():
            return f'<ol class="choices">{render.items(part.texts, known)}</ol>'
        case Equation():
            return render.equation(part, known)
        case Listing():
            return render.listing(part, known)
        case Table():
            return render.flow(part.source, known)
        case Code():
            return render.code(part.source, part.language)
        case Output():
            return render.output(part.text)
        case Picture():
            return picture(part, known)


def picture(part: Picture, known: References) -> str:
    """Write a figure or a slider below its question; its caption stands where the picture is larger."""
    if isinstance(part.block, Figure):
        width, high = size(part.block.picture)
        content, caption, control = render.figure(part.block, known), part.block.caption, 0
    else:
        content, control = part.block.html, CONTROL
        width, high = (int(number) for number in _first(FRAME_SIZE, content) or ("1", "1"))
        caption = "".join(_first(CAPTION, content))
    above = text_height(part.question, known) if part.question else 0
    place = "beside" if stands_beside(width, high, caption, above, control) else "below"
    question = f"<p>{render.inline(part.question, known)}</p>" if part.question else ""
    return f'{question}<div class="picture {place}">{content}</div>'


def _first(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    """Return the groups of the first match of a pattern, or nothing."""
    found = pattern.search(text)
    return found.groups() if found else ()
