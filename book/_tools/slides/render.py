"""Write blocks as HTML: formulas for MathJax, references as numbers, citations as names and years."""

import html
import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

from book._tools.slides.markup import (
    Block,
    Control,
    Equation,
    Exercise,
    Figure,
    Heading,
    Listing,
    Paragraph,
    Program,
    Question,
    Quiz,
    Snippet,
    Solution,
    Table,
    parser,
    sentences,
)
from book._tools.slides.references import References

TITLED = re.compile(r"(.*?)\s*<([^<>]+)>\s*", re.DOTALL)
"""The content of a role with a text of its own: ``text <target>``."""
ELSEWHERE = re.compile(r"https?://|mailto:")

Tokens = Sequence[Token]


class Html(RendererHTML):
    """Renders what MyST adds to Markdown; the environment holds the references."""

    def math_inline(self, tokens: Tokens, index: int, options: Any, env: Any) -> str:
        """Write a formula in a line."""
        return formula(tokens[index].content)

    def math_block(self, tokens: Tokens, index: int, options: Any, env: Any) -> str:
        """Write a displayed formula."""
        return equation(Equation(tokens[index].content.strip(), tokens[index].info), env["references"])

    math_block_label = amsmath = math_block

    def myst_target(self, tokens: Tokens, index: int, options: Any, env: Any) -> str:
        """Write nothing for a label."""
        return ""

    myst_line_comment = myst_block_break = myst_target

    def myst_role(self, tokens: Tokens, index: int, options: Any, env: Any) -> str:
        """Write a role as a reader would say it."""
        token = tokens[index]
        return role(token.meta["name"], token.content, env["references"])

    def link_open(self, tokens: Tokens, index: int, options: Any, env: Any) -> str:
        """Keep links to other sites; make those to other chapters lead to their slides; drop the rest."""
        target = str(tokens[index].attrGet("href") or "")
        deck = env["references"].decks.get(target)
        target = f"{deck}.html" if deck else target if ELSEWHERE.match(target) else ""
        env.setdefault("links", []).append(bool(target))
        return f'<a href="{html.escape(target)}">' if target else ""

    def link_close(self, tokens: Tokens, index: int, options: Any, env: Any) -> str:
        """Close a link that was kept."""
        return "</a>" if env["links"].pop() else ""


def _markdown() -> MarkdownIt:
    """Return the parser with these rules, which the parser's own extensions would replace."""
    markdown = parser(Html)
    for name in ("math_inline", "math_block", "math_block_label", "amsmath", "myst_role", "myst_target"):
        markdown.add_render_rule(name, getattr(Html, name))
    return markdown


_MARKDOWN = _markdown()


def formula(tex: str) -> str:
    """Write a formula in a line, to be typeset by MathJax."""
    return f'<span class="math">\\({html.escape(tex, quote=False)}\\)</span>'


def equation(block: Equation, references: References) -> str:
    """Write a displayed equation with its number."""
    number = references.numbers.get(block.label, "")
    said = f'<span class="number">({number})</span>' if number else ""
    tex = html.escape(block.tex, quote=False)
    return f'<div class="equation"><div class="tex math">\\[{tex}\\]</div>{said}</div>'


def role(name: str, content: str, references: References) -> str:
    """Write a role as a reader would say it."""
    titled = TITLED.fullmatch(content)
    text, target = titled.groups() if titled else ("", content)
    match name:
        case "eq":
            return f"({references.name_of(target)})"
        case "cite" | "cite:p" | "footcite":
            return f"({html.escape(references.cite(content.split(',')))})"
        case "cite:t" | "cite:author" | "cite:year":
            return html.escape(references.cite(content.split(",")))
        case "ref" | "numref":
            return inline(text or references.name_of(target), references)
        case "math":
            return formula(content)
        case _:
            return html.escape(text or content)


def inline(text: str, references: References) -> str:
    """Write inline Markdown."""
    return _MARKDOWN.renderInline(text, {"references": references})


def flow(text: str, references: References) -> str:
    """Write Markdown that may have several blocks."""
    return _MARKDOWN.render(text, {"references": references})


def plain(text: str, references: References) -> str:
    """Return inline Markdown as text without markup, formulas as TeX without its commands."""
    written = re.sub(r"<[^>]+>", "", inline(text, references))
    return html.unescape(re.sub(r"\\[(){}]|\\[a-zA-Z]+\s*|[{}^]", "", written)).replace("\n", " ").strip()


def listing(block: Listing, references: References) -> str:
    """Write a list."""
    tag = "ol" if block.ordered else "ul"
    return f"<{tag}>{items(block.items, references)}</{tag}>"


def items(texts: Sequence[str], references: References) -> str:
    """Write the items of a list."""
    return "".join(f"<li>{flow(text, references)}</li>" for text in texts)


def code(source: str, language: str = "python") -> str:
    """Write coloured code, each line in an element of its own that knows its indentation."""
    lexer = get_lexer_by_name(language or "text")
    coloured = highlight(source, lexer, HtmlFormatter(nowrap=True)).rstrip("\n").split("\n")
    lines = "".join(
        _line(line, original) for line, original in zip(coloured, source.split("\n"), strict=False)
    )
    return f'<pre class="code"><code>{lines}</code></pre>'


def _line(coloured: str, original: str) -> str:
    indent = len(original) - len(original.lstrip())
    return f'<span class="line" style="--indent:{indent + 4}ch">{coloured}\n</span>'


def output(text: str) -> str:
    """Write what a cell printed."""
    return f'<pre class="output"><samp>{html.escape(text, quote=False)}</samp></pre>'


def figure(block: Figure, references: References) -> str:
    """Write a figure with its caption."""
    number = references.numbers.get(block.name, "")
    said = f"<strong>Fig. {number}.</strong> " if number else ""
    return (
        f'<figure><img alt="{html.escape(block.alt)}" src="data:image/png;base64,{block.picture}">'
        f"<figcaption>{said}{inline(block.caption, references)}</figcaption></figure>"
    )


def spoken(blocks: Sequence[Block], references: References, solutions: bool) -> str:
    """Write blocks as a speaker's notes; with solutions, code is written out."""
    return "\n".join(filter(None, (_spoken(block, references, solutions) for block in blocks)))


def _spoken(block: Block, references: References, solutions: bool) -> str:
    """Write one block for the speaker."""
    match block:
        case Paragraph():
            first, *rest = sentences(block.text)
            return f"<p><b>{inline(first, references)}</b> {inline(' '.join(rest), references)}</p>"
        case Heading():
            return f"<h4>{inline(block.text, references)}</h4>"
        case Equation():
            return equation(block, references)
        case Listing():
            return listing(block, references)
        case Table():
            return flow(block.source, references)
        case Snippet():
            return code(block.source, block.language)
        case Program() if solutions:
            return code(block.source) + (output(block.printed) if block.printed else "")
        case Program():
            return output(block.printed) if block.printed else ""
        case Solution():
            return f"<p><b>Solution.</b></p>{spoken(block.blocks, references, solutions)}"
        case Exercise():
            return spoken(block.blocks, references, solutions)
        case Figure():
            return f"<p>{inline(block.caption, references)}</p>"
        case Question():
            return f"<p>{inline(block.text, references)}</p>{flow(block.answer, references)}"
        case Control() | Quiz():
            return ""
