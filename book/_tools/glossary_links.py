"""Sphinx extension: a word of the glossary leads there where a page first uses it, with its meaning as a tooltip.

Words that are common in another sense are linked only where a page does so itself. Citations have tooltips from
sphinxcontrib-bibtex, and ``book.js`` shows equations.
"""

import re
from html import escape
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

GLOSSARY = "book/glossary"
COMMON = {"baseline", "form", "match", "mode", "nested", "prior", "product", "range", "worker"}
"""Words of the glossary that a page may well use in another sense."""
APART = (
    nodes.title,
    nodes.reference,
    nodes.literal,
    nodes.math,
    nodes.caption,
    nodes.rubric,
    addnodes.pending_xref,
)
"""Parts of a page in which no word is linked."""
UNNAMED = re.compile(r"[;.,]? (?:see|are in|is in) \.")
"""What is left of a reference whose words Sphinx has not filled in."""
LONGEST = 220
"""Characters of a tooltip."""
SIGNS = {
    r"^\top": "ᵀ", r"^+": "⁺", r"\lVert": "‖", r"\rVert": "‖", r"\langle": "⟨", r"\rangle": "⟩", r"\nabla": "∇",
    r"\kappa": "κ", r"\lambda": "λ", r"\sigma": "σ", r"\alpha": "α", r"\theta": "θ", r"\beta": "β", r"\gamma": "γ",
    r"\perp": "⊥", r"\times": "×", r"\,": " ", r"\|": "‖", "{": "", "}": "",
}  # fmt: skip
"""What stands for a command of a formula in a text without formulas."""


def plain(text: str) -> str:
    """Return a text with its formulas in plain characters, in one line, cut at a word."""
    for command, sign in SIGNS.items():
        text = text.replace(command, sign)
    line = UNNAMED.sub(".", " ".join(text.split()))
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rsplit(" ", 1)[0] + "…"


def definitions(glossary: nodes.document) -> dict[str, tuple[str, str]]:
    """Return the anchor and the definition of every word of the glossary."""
    found = {}
    for item in glossary.findall(nodes.definition_list_item):
        for term in item.findall(nodes.term):
            (meaning,) = item.findall(nodes.definition)
            found[term.astext()] = (term["ids"][0], plain(meaning.astext()))
    return found


class LinkWords(SphinxPostTransform):
    """Link the first use of each word of the glossary in a chapter."""

    default_priority = 6
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Go through the paragraphs of a page once."""
        if not self.env.doc2path(self.env.docname).endswith(".ipynb") or GLOSSARY not in self.env.found_docs:
            return
        words = {w: to for w, to in definitions(self.env.get_doctree(GLOSSARY)).items() if w not in COMMON}
        uri = self.app.builder.get_relative_uri(self.env.docname, GLOSSARY)
        for paragraph in list(self.document.findall(nodes.paragraph)):
            for text in list(paragraph.findall(nodes.Text)):
                if words and not _is_apart(text):
                    _link_first(text, words, uri)


def _is_apart(text: nodes.Text) -> bool:
    """Say whether a text stands where no word is linked."""
    parent = text.parent
    while parent is not None and not isinstance(parent, nodes.section):
        if isinstance(parent, APART):
            return True
        parent = parent.parent
    return False


def _link_first(text: nodes.Text, words: dict[str, tuple[str, str]], uri: str) -> None:
    """Link the first word of the glossary that a text has, if it has one, and take it out of the list."""
    longest = sorted(words, key=len, reverse=True)
    match = re.search(rf"\b({'|'.join(map(re.escape, longest))})(?=s?\b)(?!-)", str(text))
    if match is None:
        return
    anchor, meaning = words.pop(match[1])
    start, end = match.span(1)
    link = nodes.reference("", match[1], refuri=f"{uri}#{anchor}", internal=True, classes=["ddgp-term"])
    link["reftitle"] = meaning
    parts = [nodes.Text(str(text)[:start]), link, nodes.Text(str(text)[end:])]
    text.parent.replace(text, [part for part in parts if part.astext()])


def with_tooltips(body: str, file: str, texts: dict[str, str]) -> str:
    """Give every link to a file, which has no tooltip, the text of what it leads to."""

    def add(match: re.Match[str]) -> str:
        text = texts.get(match[2])
        return match[0] if text is None or "title=" in match[0] else f'{match[1]} title="{escape(text)}">'

    return re.sub(rf'(<a\b[^>]*href="{re.escape(file)}#([^"]*)"[^>]*)>', add, body)


def prepare_page(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Add the tooltips of a page before it is written."""
    if doctree is None or "body" not in context or not hasattr(app.builder, "get_relative_uri"):
        return
    if GLOSSARY in app.env.found_docs and name != GLOSSARY:
        meanings = dict(definitions(app.env.get_doctree(GLOSSARY)).values())
        context["body"] = with_tooltips(
            context["body"], app.builder.get_relative_uri(name, GLOSSARY), meanings
        )


def setup(app: Any) -> dict[str, bool]:
    """Register the extension with Sphinx."""
    app.add_post_transform(LinkWords)
    app.connect("html-page-context", prepare_page, priority=760)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
