"""Read MyST Markdown into blocks, with the parser of the site."""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from book._tools.address import CONFIG


@dataclass(frozen=True)
class Heading:
    """A heading, with the label that stands before it."""

    level: int
    text: str
    label: str = ""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, as inline Markdown."""

    text: str


@dataclass(frozen=True)
class Equation:
    """A displayed equation, as TeX."""

    tex: str
    label: str = ""


@dataclass(frozen=True)
class Listing:
    """A list; each item is Markdown."""

    items: tuple[str, ...]
    ordered: bool = False


@dataclass(frozen=True)
class Table:
    """A table, as Markdown."""

    source: str


@dataclass(frozen=True)
class Snippet:
    """Code that stands in the text and is not executed."""

    source: str
    language: str = ""


@dataclass(frozen=True)
class Exercise:
    """An exercise."""

    title: str
    label: str
    blocks: tuple["Block", ...]


@dataclass(frozen=True)
class Solution:
    """The solution of an exercise, or the first part of one that goes on in the next cells."""

    blocks: tuple["Block", ...]


@dataclass(frozen=True)
class Quiz:
    """The place of a quiz, by the name of its file."""

    name: str


@dataclass(frozen=True)
class Question:
    """A question of a quiz.

    Attributes
    ----------
    text : str
        The question, as Markdown.
    choices : tuple of str
        The answers to choose from, as inline Markdown; none if a number is asked for.
    answer : str
        The right answer with its reason, and why others are wrong, as Markdown.
    """

    text: str
    choices: tuple[str, ...]
    answer: str


@dataclass(frozen=True)
class Program:
    """An executed cell: its code, and what it printed.

    Attributes
    ----------
    code : str
        The code that may be shown: without imports, checks and printing.
    printed : str
        The printed text.
    source : str
        The whole code.
    hidden : bool
        Whether the book folds the whole cell.
    """

    code: str
    printed: str
    source: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure that a cell drew; the picture is a PNG file in base 64."""

    name: str
    caption: str
    alt: str
    picture: str


@dataclass(frozen=True)
class Control:
    """A slider over pictures, as the HTML that a cell made."""

    html: str


Block = (
    Heading
    | Paragraph
    | Equation
    | Listing
    | Table
    | Snippet
    | Exercise
    | Solution
    | Quiz
    | Question
    | Program
    | Figure
    | Control
)

DIRECTIVE = re.compile(r"\{([\w:-]+)\}\s*(.*)")
OPTION = re.compile(r":([\w-]+):\s*(.*)")
UNIT = re.compile(
    r"\$[^$]+\$|\{[\w:+-]+\}`[^`]+`|`[^`]+`|\*\*.+?\*\*|\*[^*]+\*|\[[^\]]*\]\([^)]*\)|.", re.DOTALL
)
SENTENCE_END = re.compile(r"[.?!][)\"'*”]*$")
ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|cf|vs|al|Fig|Eq|No|approx))\.$")


@functools.cache
def extensions() -> frozenset[str]:
    """Return the Markdown extensions of the site, and typographic quotation marks, which Sphinx adds there."""
    settings = yaml.safe_load(CONFIG.read_text())["parse"]["myst_enable_extensions"]
    return frozenset({*settings, "smartquotes"})


def parser(renderer: type[RendererHTML] = RendererHTML) -> MarkdownIt:
    """Return the parser of the site with a renderer."""
    return create_md_parser(MdParserConfig(enable_extensions=set(extensions())), renderer)


@functools.cache
def _parser() -> MarkdownIt:
    return parser()


def parse(text: str) -> list[Block]:
    """Read Markdown into blocks.

    Raises
    ------
    ValueError
        If there is a kind of block that slides know nothing of.
    """
    lines, label = text.splitlines(), ""
    blocks: list[Block] = []
    for token, inside in _top_level(_parser().parse(text)):
        if token.type == "myst_target":
            label = token.content
            continue
        blocks += _read(token, inside, lines, label)
        label = ""
    return blocks


def _top_level(tokens: Sequence[Token]) -> Iterator[tuple[Token, list[Token]]]:
    """Yield each token of the outermost level with those that it encloses."""
    start = 0
    while start < len(tokens):
        end, depth = start, int(tokens[start].nesting)
        while depth > 0:
            end += 1
            depth += tokens[end].nesting
        yield tokens[start], list(tokens[start + 1 : end])
        start = end + 1


def _read(token: Token, inside: list[Token], lines: list[str], label: str) -> list[Block]:
    """Make blocks of one token of the outermost level."""
    match token.type:
        case "heading_open":
            return [Heading(int(token.tag[1:]), inside[0].content, label)]
        case "paragraph_open":
            return [Paragraph(inside[0].content)]
        case "math_block" | "math_block_label" | "amsmath":
            return [Equation(token.content.strip(), token.info)]
        case "bullet_list_open" | "ordered_list_open":
            items = tuple(_item(opening, lines) for opening, _ in _top_level(inside))
            return [Listing(items, token.type == "ordered_list_open")]
        case "table_open":
            return [Table("\n".join(_slice(token, lines)))]
        case "fence" | "colon_fence":
            return _fence(token)
        case "blockquote_open":
            return parse("\n".join(line.removeprefix(">").strip() for line in _slice(token, lines)))
        case "hr" | "myst_line_comment" | "myst_block_break" | "html_block":
            return []
        case _:
            raise ValueError(f"token={token.type!r}: slides know nothing of it")


def _slice(token: Token, lines: list[str]) -> list[str]:
    """Return the lines that a token was made of."""
    start, end = token.map or (0, 0)
    return lines[start:end]


def _item(token: Token, lines: list[str]) -> str:
    """Return the text of a list's item without its marker and without indentation."""
    first, *rest = _slice(token, lines)
    marker = re.match(r"\s*(?:[-*+]|\d+[.)])\s+", first)
    width = marker.end() if marker else 0
    return "\n".join([first[width:], *(line[min(width, len(line) - len(line.lstrip())) :] for line in rest)])


def _fence(token: Token) -> list[Block]:
    """Make blocks of a directive, or of a piece of code."""
    directive = DIRECTIVE.match(token.info.strip())
    if directive is None:
        return [Snippet(token.content.rstrip(), token.info.strip())]
    name, argument = directive.groups()
    options, body = _options(token.content)
    match name:
        case "exercise" | "exercise-start":
            return [Exercise(argument, options.get("label", ""), tuple(parse(body)))]
        case "solution" | "solution-start":
            return [Solution(tuple(parse(body)))]
        case "math":
            return [Equation(body.strip(), options.get("label", ""))]
        case "code" | "code-block":
            return [Snippet(body.rstrip(), argument)]
        case "solution-end" | "exercise-end" | "raw" | "tableofcontents" | "image" | "figure":
            return []
        case "quiz":
            return [Quiz(argument)]
        case _:
            title = [Paragraph(f"**{argument}**")] if argument and body else []
            return [*title, *parse(body)]


def _options(content: str) -> tuple[dict[str, str], str]:
    """Split the content of a directive into its options and its body."""
    lines, options = content.splitlines(), {}
    while lines and (option := OPTION.fullmatch(lines[0].strip())):
        options[option[1]] = option[2]
        lines.pop(0)
    return options, "\n".join(lines).strip("\n")


def sentences(text: str) -> list[str]:
    """Split a paragraph into sentences; formulas, code, brackets and emphasised parts are never cut."""
    text = text.strip()
    found, current, position, depth = [], "", 0, 0
    for unit in UNIT.findall(text):
        position += len(unit)
        depth += (unit == "(") - (unit == ")")
        if unit.isspace() and depth <= 0 and _ends(current) and not text[position : position + 1].islower():
            found.append(current.strip())
            current = ""
        else:
            current += unit
    return [*found, current.strip()] if current.strip() else found


def _ends(text: str) -> bool:
    """Say whether a piece of text ends as a sentence does."""
    return bool(SENTENCE_END.search(text)) and not ABBREVIATION.search(text)
