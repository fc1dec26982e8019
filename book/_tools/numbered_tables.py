"""Sphinx extension: a table that a cell shows gets a number, as the tables of the text have.

``ddgp_lib.tables`` writes ``<table class="ddgp-table">`` with a caption. It becomes a part of the page that Sphinx
counts; a cell that gives it a name, ``mystnb={"figure": {"name": "tab-…"}}``, can be referred to by ``{numref}``.
"""

import hashlib
import re
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform

TABLE = re.compile(r'<table class="ddgp-table"><caption>(.*?)</caption>', re.DOTALL)


class ResultTable(nodes.General, nodes.Element):
    """A table of results, around the HTML of it."""


def caption_of(node: nodes.Node) -> str:
    """Return the caption of a table, by which Sphinx names it where it is referred to."""
    return str(node["caption"])


class NumberTables(SphinxTransform):
    """Find the tables of results in the outputs of a page."""

    default_priority = 800

    def apply(self, **_: Any) -> None:
        """Put each into a node that is counted."""
        for raw in list(self.document.findall(nodes.raw)):
            match = TABLE.search(raw.astext()) if "html" in raw.get("format", "") else None
            if match is None or isinstance(raw.parent, ResultTable):
                continue
            node = ResultTable(caption=match[1])
            node["ids"] = ["table-" + hashlib.sha256(raw.astext().encode()).hexdigest()[:8]]
            raw.replace_self(node)
            node += raw


def visit(translator: Any, node: ResultTable) -> None:
    """Write the number before the caption."""
    raw = node.children[0]
    number = _numbers(translator).get(node["ids"][0])
    label = f'<span class="caption-number">Table {".".join(map(str, number))} </span>' if number else ""
    written = TABLE.sub(
        lambda m: f'<table class="ddgp-table"><caption>{label}{m[1]}</caption>', raw.astext(), count=1
    )
    translator.body.append(f'<div class="ddgp-table-frame" id="{node["ids"][0]}">{written}</div>')
    raise nodes.SkipNode


def _numbers(translator: Any) -> dict[str, tuple[int, ...]]:
    """Return the numbers of the tables of the page that is being written."""
    by_kind = translator.builder.env.toc_fignumbers.get(translator.builder.current_docname, {})
    return by_kind.get("table", {})


def setup(app: Any) -> dict[str, bool]:
    """Register the node and the transform with Sphinx."""
    app.add_enumerable_node(ResultTable, "table", caption_of, html=(visit, None))
    app.add_transform(NumberTables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
