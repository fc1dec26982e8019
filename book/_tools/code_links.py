"""Sphinx extension: names of the library in a chapter's code lead to their page in the reference.

What a name means is read from the imports of the page itself, and where it is documented from Sphinx, so that nothing
is imported. A name that two objects share is not linked. Where a link to a page of the reference shows the name of
an object, it leads to the object.
"""

import ast
import re
from collections.abc import Collection, Mapping
from typing import Any

from docutils import nodes

from book._tools.contents import REFERENCE
from book._tools.library import LIBRARY

BLOCK = re.compile(r"<pre\b.*?</pre>", re.DOTALL)
WORD = r'<span class="n">(\w+)</span>'
NAME = re.compile(rf'(?:{WORD}<span class="o">\.</span>)?{WORD}(?!<span class="o">\.|</a>)')
LINKED = {"function", "class"}
NAMED = re.compile(
    r'href="([^"#]+)"(?=>(?:<span class="std std-doc">)?<code\b[^>]*><span class="pre">(\w+)</span></code>)'
)
"""A link to a page that shows one name."""


def imported(source: str) -> tuple[dict[str, str], set[str]]:
    """Return what code imports of the library: objects with the module that they come from, and modules."""
    objects, modules = {}, set()
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {a.asname or a.name for a in node.names if a.name.split(".")[0] == LIBRARY}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == LIBRARY:
            for alias in node.names:
                objects[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return objects, modules


def nearest(full: str, known: Mapping[str, str]) -> str | None:
    """Return the documented object that an import means: the only one of that name within the package."""
    package, _, name = full.rpartition(".")
    same = [one for one in known if one.rpartition(".")[2] == name]
    inside = [one for one in same if one.startswith(package + ".")] or same
    return inside[0] if len(inside) == 1 else None


class Links:
    """Turns names in the code of one page into links.

    Parameters
    ----------
    objects : mapping of name to full name
        What the page imports of the library.
    modules : set of str
        Modules of the library by their names in the page.
    known : mapping of full name to address
        Where each object is documented.
    """

    def __init__(self, objects: Mapping[str, str], modules: set[str], known: Mapping[str, str]) -> None:
        self.objects, self.modules, self.known = objects, modules, known
        self.found: dict[str, str | None] = {}

    def address(self, before: str | None, name: str) -> str | None:
        """Return where a name leads, or None."""
        if before is None:
            full = self.objects.get(name)
        elif before in self.modules:
            full = f"{LIBRARY}.{name}"
        else:
            full = f"{self.objects[before]}.{name}" if before in self.objects else None
        if full is None:
            return None
        if full not in self.found:
            self.found[full] = nearest(full, self.known)
        target = self.found[full]
        return None if target is None else self.known[target]

    def link(self, match: re.Match[str]) -> str:
        """Return a name as a link, if it is known."""
        address = self.address(match[1], match[2])
        if address is None:
            return match[0]
        start = match[0].rindex('<span class="n">')
        return f'{match[0][:start]}<a class="ddgp-code-link" href="{address}">{match[0][start:]}</a>'

    def link_all(self, body: str) -> str:
        """Return a page with the names in its code linked."""
        return BLOCK.sub(lambda block: NAME.sub(self.link, block[0]), body)


def to_objects(body: str, known: Mapping[str, str], pages: Collection[str]) -> str:
    """Return a page whose links to pages of the reference lead to the objects that they name."""

    def lead(match: re.Match[str]) -> str:
        full = nearest(f"{LIBRARY}.{match[2]}", known) if match[1] in pages else None
        return match[0] if full is None else f'href="{known[full]}"'

    return NAMED.sub(lead, body)


def pages_of_reference(app: Any, page: str) -> set[str]:
    """Return the addresses of the pages of the reference, seen from a page."""
    names = [name for name in app.env.found_docs if name.startswith(REFERENCE)]
    return {app.builder.get_relative_uri(page, name) for name in names}


def documented(app: Any, page: str) -> dict[str, str]:
    """Return the address, seen from a page, of every function and class of the library."""
    found = {}
    for full, _, kind, document, anchor, _ in app.env.get_domain("py").get_objects():
        if kind in LINKED and full.startswith(LIBRARY + "."):
            uri = app.builder.get_relative_uri(page, document)
            found[full] = f"{uri}#{anchor}"
    return found


def importing_cells(doctree: Any) -> str:
    """Return the cells of a page that import from the library."""
    blocks = [node for node in doctree.findall(nodes.literal_block) if "python" in str(node.get("language"))]
    return "\n".join(part for node in blocks if (part := node.astext()) and imported(part) != ({}, set()))


def prepare_page(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Link the names of a page before it is written."""
    if doctree is None or "body" not in context:
        return
    objects, modules = imported(importing_cells(doctree))
    if objects or modules:
        known = documented(app, name)
        body = to_objects(context["body"], known, pages_of_reference(app, name))
        context["body"] = Links(objects, modules, known).link_all(body)


def setup(app: Any) -> dict[str, bool]:
    """Register the extension with Sphinx."""
    app.connect("html-page-context", prepare_page, priority=750)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
