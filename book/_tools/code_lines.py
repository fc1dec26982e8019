"""Sphinx extension: long lines of code wrap with a hanging indent, and wide outputs say how wide they are.

Pygments closes what it opens within each line, so a line can be put into an element of its own. The newline stays
outside of it: what a reader copies is what was written. ``book.css`` does the rest.
"""

import html
import re
from typing import Any

BLOCK = re.compile(r"<pre>(<span></span>)?(.*?)</pre>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")
NARROW = 32
"""Characters that fit on a telephone; shorter lines need no wrapping."""
HANG = 4
"""Further characters by which the rest of a wrapped line is indented."""


def text_of(line: str) -> str:
    """Return the characters of a line of HTML."""
    return html.unescape(TAG.sub("", line))


def hanging(line: str) -> str:
    """Put a long line into an element that knows its indent."""
    text = text_of(line)
    if len(text) <= NARROW:
        return line
    indent = len(text) - len(text.lstrip()) + HANG
    return f'<span class="ddgp-line" style="--indent:{indent}">{line}</span>'


def block(match: re.Match[str]) -> str:
    """Return a block of code or output with its lines wrapped and its width in characters, if it is wide."""
    lines = match[2].split("\n")
    columns = max(len(text_of(line)) for line in lines)
    if columns <= NARROW:
        return match[0]
    return f'<pre style="--columns:{columns}">{match[1] or ""}' + "\n".join(map(hanging, lines)) + "</pre>"


def wrap(body: str) -> str:
    """Prepare all blocks of code and output of a page."""
    return BLOCK.sub(block, body)


def prepare_body(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Wrap the lines of a page before it is written."""
    if "body" in context:
        context["body"] = wrap(context["body"])


def setup(app: Any) -> dict[str, bool]:
    """Register the extension with Sphinx."""
    app.connect("html-page-context", prepare_body, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
