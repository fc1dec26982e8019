"""Sphinx extension: the pages of the reference, written from the names of the modules that they hold.

A page of ``book/api`` has a title, a sentence and a block ``{library-modules}`` with names of modules. In its place
come a table of all that they define, and a section on each. The block ``{library-contents}`` of the start page lists
all modules, and that of a part all names of its pages. Each object says which chapters use it.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from book._tools import library
from book._tools.chapter_uses import sentence, uses
from book._tools.contents import REFERENCE, chapters, reference
from book._tools.library import LIBRARY, Module
from book._tools.repository import ROOT

MODULES = re.compile(r"^```\{library-modules\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONTENTS = re.compile(r"^```\{library-contents\}\n```$", re.MULTILINE)
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
TABLE = re.compile(r'<table class="[^"]*\bddgp-names\b.*?</table>', re.DOTALL)
NAME = re.compile(r'(?<=<span class="pre">)[^<]+')
SEAM = re.compile(r"(?<=[_.])(?=\w)|(?<=[a-z])(?=[A-Z])")
"""Where a name may break: behind an underscore or a dot, and before a capital."""
USED = "ddgp-used"
"""Class of the line that says which chapters use an object."""


def named(text: str) -> list[str]:
    """Return the modules that a page names."""
    return [name for block in MODULES.findall(text) for name in block.split()]


def title_of(text: str) -> str:
    """Return the title of a page."""
    match = TITLE.search(text)
    if match is None:
        raise ValueError(f"text={text[:40]!r}: expected a line that begins with '# '")
    return match[1]


def rst(lines: Iterable[str]) -> str:
    """Return lines of reStructuredText as a part of a page in Markdown."""
    return "\n".join(["```{eval-rst}", *lines, "```", ""])


def rows(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return a table of two columns, the first of which names the row."""
    lines = [
        ".. list-table::",
        "   :class: ddgp-names",
        "   :stub-columns: 1",
        "   :widths: 35 65",
        "",
    ]
    for name, text in pairs:
        lines += [f"   * - {name}", f"     - {text}"]
    return [*lines, ""]


def within(name: str) -> str:
    """Return the name of a module without that of the library."""
    return name.removeprefix(f"{LIBRARY}.")


def module_link(module: Module) -> str:
    """Return a link to a module, with its name within the library."""
    return f":py:mod:`{within(module.name)} <{module.name}>`"


def summary(modules: Iterable[Module]) -> str:
    """Return what stands at the top of a page: its modules, and a table of what each defines."""
    lines: list[str] = []
    for module in modules:
        table = rows((f":py:obj:`~{one.name}`", one.sentence) for one in module.members)
        lines += [f"{module_link(module)}: {module.sentence}", "", *table]
    return rst(lines)


def section(module: Module) -> str:
    """Return the section of a page on a module."""
    directive = rst([f".. autoapimodule:: {module.name}", "   :members:", "   :member-order: bysource"])
    return f"## `{within(module.name)}`\n\n{directive}"


def with_modules(text: str, known: Mapping[str, Module]) -> str:
    """Return a page with the block of its modules replaced by what they define."""

    def expand(match: re.Match[str]) -> str:
        modules = [known[name] for name in match[1].split()]
        return "\n".join([summary(modules), *map(section, modules)])

    return MODULES.sub(expand, text)


def all_modules(parts: Mapping[str, list[str]], texts: Mapping[str, str], known: Mapping[str, Module]) -> str:
    """Return the list of all modules, part by part, with a sentence on each."""
    blocks = []
    for part, pages in parts.items():
        modules = [known[name] for page in pages for name in named(texts[page])]
        table = rst(rows((module_link(one), one.sentence) for one in modules))
        blocks.append(f"### [{title_of(texts[part])}](/{part}.md)\n\n{table}")
    return "\n".join(blocks)


def all_names(pages: Iterable[str], texts: Mapping[str, str], known: Mapping[str, Module]) -> str:
    """Return the pages of a part, each with its modules and the names that they define."""
    blocks = []
    for page in pages:
        modules = [known[name] for name in named(texts[page])]
        table = rst(
            rows(
                (module_link(module), ", ".join(f":py:obj:`~{one.name}`" for one in module.members))
                for module in modules
            )
        )
        blocks.append(f"## [{title_of(texts[page])}](/{page}.md)\n\n{table}")
    return "\n".join(blocks)


def page_texts(root: Path = ROOT) -> dict[str, str]:
    """Return the text of every page of the reference, its parts included, as it is written."""
    parts = reference(root / "_toc.yml")
    names = [*parts, *(page for pages in parts.values() for page in pages)]
    return {name: (root / f"{name}.md").read_text(encoding="utf-8") for name in names}


def expand_page(app: Any, name: str, source: list[str]) -> None:
    """Write a page of the reference before it is read."""
    parts, known = reference(), library.modules()
    source[0] = with_modules(source[0], known)
    if name == REFERENCE or name in parts:
        listed = (
            all_modules(parts, page_texts(), known)
            if name == REFERENCE
            else all_names(parts[name], page_texts(), known)
        )
        source[0] = CONTENTS.sub(lambda _: listed, source[0])


def prefer_modules(modules: Mapping[str, Any]) -> None:
    """Let a package hide no module behind a function of the same name that it imports.

    Parameters
    ----------
    modules : mapping of name to module
        Modules as sphinx-autoapi has read them; the children of a package are changed in place.
    """
    for module in modules.values():
        module.children[:] = [child for child in module.children if child.id not in modules]


def prepare_objects(app: Any) -> None:
    """Prepare what sphinx-autoapi has read: modules that can be found, and objects that say who uses them."""
    prefer_modules(app.env.autoapi_objects)
    app.env.autoapi_all_objects.update(app.env.autoapi_objects)
    say_uses(app)


def say_uses(app: Any) -> None:
    """Add to the docstring of each object which chapters use it."""
    objects = app.env.autoapi_all_objects
    for name, found in uses(chapters(), library.objects()).items():
        if name in objects:
            text = objects[name].docstring.rstrip()
            objects[name].docstring = f"{text}\n\n.. rst-class:: {USED}\n\n   {sentence(found)}\n"


def breakable(body: str) -> str:
    """Return a page in whose tables of names a long name breaks at its seams, and not within a word."""

    def table(match: re.Match[str]) -> str:
        return NAME.sub(lambda name: SEAM.sub("<wbr>", name[0]), match[0])

    return TABLE.sub(table, body)


def prepare_page(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Let the names in the tables of a page break before it is written."""
    if name.startswith(REFERENCE):
        context["body"] = breakable(context["body"])


def setup(app: Any) -> dict[str, bool]:
    """Register the extension with Sphinx; objects are prepared when sphinx-autoapi has read the library."""
    app.connect("builder-inited", prepare_objects, priority=900)
    app.connect("source-read", expand_page, priority=400)
    app.connect("html-page-context", prepare_page, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
