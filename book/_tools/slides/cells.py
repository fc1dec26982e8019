"""Read an executed notebook into blocks, and take from its code what a slide may show."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from book._tools.slides.markup import Block, Control, Figure, Program, Quiz, parse
from book._tools.slides.quiz import questions

SYMBOL = re.compile(r"\$(\w)\$")
SELF_CHECK = re.compile(r"^answer = None\b", re.MULTILINE)


def read(path: Path) -> list[Block]:
    """Return the blocks of a notebook."""
    blocks: list[Block] = []
    for cell in nbformat.read(path, as_version=4).cells:
        blocks += _text(cell.source) if cell.cell_type == "markdown" else _code(cell)
    return blocks


def _text(source: str) -> Iterator[Block]:
    """Yield the blocks of a Markdown cell, with the questions of a quiz in its place."""
    for block in parse(source):
        yield from questions(block.name) if isinstance(block, Quiz) else [block]


def _code(cell: Any) -> Iterator[Block]:
    """Yield what a code cell shows: code with what it printed, figures, sliders."""
    tags = set(cell.metadata.get("tags", []))
    if tags & {"remove-cell", "remove-output"} or SELF_CHECK.search(cell.source):
        return
    pictures = list(_pictures(cell))
    printed = _printed(cell)
    show = not pictures and not tags & {"hide-input", "hide-cell", "remove-input"}
    code = mathematics(cell.source) if show else ""
    if code or printed or "hide-cell" in tags:
        yield Program(code, printed, cell.source, "hide-cell" in tags)
    yield from pictures


def _printed(cell: Any) -> str:
    """Return what a cell printed; a symbol in it is no formula here and loses its dollars."""
    text = "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
    return SYMBOL.sub(r"\1", text.rstrip())


def _pictures(cell: Any) -> Iterator[Figure | Control]:
    """Yield the figures and the sliders of a cell.

    Raises
    ------
    ValueError
        If a figure has no alternative text.
    """
    settings = cell.metadata.get("mystnb", {})
    figure, alt = settings.get("figure", {}), settings.get("image", {}).get("alt", "")
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            if not alt.strip():
                raise ValueError(f"cell={cell.source[:60]!r}: its figure has no alternative text")
            picture = data["image/png"].replace("\n", "")
            yield Figure(figure.get("name", ""), figure.get("caption", ""), alt, picture)
        elif "<input" in data.get("text/html", ""):
            yield Control(data["text/html"])


def mathematics(source: str) -> str:
    """Return the code of a cell without imports, checks and printing."""
    lines = source.splitlines()
    for statement in _plumbing(ast.parse(source).body):
        for number in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1):
            lines[number - 1] = "\0"
    kept = "\n".join(line for line in lines if line != "\0")
    return re.sub(r"\n{3,}", "\n\n", kept).strip()


def _plumbing(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that are not mathematics, and blocks made of nothing else."""
    for statement in body:
        inner = [child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.stmt)]
        dropped = list(_plumbing(inner))
        if _is_plumbing(statement) or (inner and len(dropped) == len(inner)):
            yield statement
        else:
            yield from dropped


def _is_plumbing(statement: ast.stmt) -> bool:
    """Say whether a statement imports, checks or prints."""
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Assert):
        return True
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return False
    function = statement.value.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name == "print" or name.startswith("assert_")
