"""Sphinx extension: the drawings of ``_static/drawings`` stand in the page itself and take its colours.

A chapter shows a drawing as it shows any picture, ``![what it says](_static/drawings/NAME.svg)``, so that a notebook
shows it, too. Where a picture has no alternative text, that of the drawing is kept.
"""

import html
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

DRAWINGS = "_static/drawings/"
LABEL = re.compile(r'aria-label="[^"]*"')


def inlined(svg: str, alt: str) -> str:
    """Return a drawing as a part of a page, with the alternative text that the page gives."""
    if alt:
        svg = LABEL.sub(lambda _: f'aria-label="{html.escape(alt)}"', svg, count=1)
    # A browser shows a title as a tooltip, which would hide the drawing.
    svg = re.sub(r"<title>.*?</title>\n", "", svg, count=1)
    return f'<div class="ddgp-drawing">{svg.strip()}</div>'


class InlineDrawings(SphinxPostTransform):
    """Put the text of a drawing in the place of its picture."""

    default_priority = 5
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Replace the pictures of a page."""
        for image in list(self.document.findall(nodes.image)):
            if DRAWINGS in image["uri"]:
                name = Path(image["uri"]).name
                svg = Path(self.app.srcdir, "book", DRAWINGS, name).read_text(encoding="utf-8")
                image.replace_self(nodes.raw("", inlined(svg, image.get("alt", "")), format="html"))


def setup(app: Any) -> dict[str, bool]:
    """Register the transform with Sphinx."""
    app.add_post_transform(InlineDrawings)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
