"""Find which chapters use an object of the library, from the code of their notebooks."""

import ast
import json
from collections.abc import Collection, Iterable
from pathlib import Path

from book._tools.code_links import Links, imported
from book._tools.contents import Chapter
from book._tools.repository import ROOT


def parsed(source: str) -> str:
    """Return a cell, or nothing if it is more than Python, as a cell of commands is."""
    try:
        ast.parse(source)
    except SyntaxError:
        return ""
    return source


def program(notebook: Path) -> str:
    """Return the code of all cells of a notebook, which is one program."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join(parsed("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code")


def used(source: str, known: Collection[str]) -> set[str]:
    """Return the documented objects that a program names, by the rule that links names in code.

    Parameters
    ----------
    source : str
        A program.
    known : collection of str
        Full names of the documented objects.
    """
    links = Links(*imported(source), {name: name for name in known})
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            found.add(links.address(None, node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(links.address(node.value.id, node.attr))
    return {name for name in found if name is not None}


def uses(chapters: Iterable[Chapter], known: Collection[str], root: Path = ROOT) -> dict[str, list[Chapter]]:
    """Return the chapters that use each object, in their order; objects that none uses are left out."""
    found: dict[str, list[Chapter]] = {}
    for chapter in chapters:
        for name in used(program(root / f"{chapter.page}.ipynb"), known):
            found.setdefault(name, []).append(chapter)
    return found


def sentence(chapters: Iterable[Chapter]) -> str:
    """Say in reStructuredText which chapters use an object, with a link to each."""
    links = [f":doc:`{chapter.number} </{chapter.page}>`" for chapter in chapters]
    *most, last = links
    noun = "chapters" if most else "chapter"
    return f"Used in {noun} {', '.join(most)}{' and ' if most else ''}{last}."
