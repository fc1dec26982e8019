"""Sphinx extension: fold on the page what belongs to the notebook and not to the text.

The rules look at the code of a cell, so that no chapter states them:

- assertions that end a cell stand behind a small mark, "checked", that opens;
- imports that begin a cell, and cells that only define functions that draw or describe, are folded;
- the twin of a slider that needs a kernel is left out.

The notebooks stay as they are; only what Sphinx reads of them is changed.
"""

import ast
import json
from collections.abc import Iterator
from typing import Any

CHECKED = "checked"
"""Tag of a cell that holds assertions alone, and the word on its mark."""
OPEN_PROMPTS = {"imports": "Imports", "helpers": "Helper functions", CHECKED: "checked"}
"""What the bar says that opens a folded cell, by the tag of the cell."""
FOLDED = {"hide-cell", "hide-input", "remove-cell", "remove-input"}
"""Tags with which a chapter has decided itself."""
DRAWING = {"figures", "widgets", "wipes", "print", "HTML", "Table"}
"""Names by which a function is known to draw, print or describe."""

FEW = 2
"""Imports that begin a cell and stay with it."""

Cell = dict[str, Any]


def _asserts(node: ast.stmt) -> bool:
    """Say whether a statement does nothing but assert."""
    if isinstance(node, ast.For | ast.With):
        return all(map(_asserts, node.body))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ast.unparse(node.value.func).rsplit(".", 1)[-1].startswith("assert_")
    return isinstance(node, ast.Assert)


def _imports(body: list[ast.stmt]) -> bool:
    """Say whether statements do nothing but import, and set up what was imported by calls."""
    setting = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
    return len(setting) < len(body) and all(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in setting
    )


def _draws(node: ast.stmt) -> bool:
    """Say whether a statement defines a function that draws, prints or describes with a text."""
    if not isinstance(node, ast.FunctionDef):
        return False
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    says = any(
        isinstance(part, ast.Return) and isinstance(part.value, ast.JoinedStr) for part in ast.walk(node)
    )
    return bool(names & DRAWING) or says


def _is_live(body: list[ast.stmt]) -> bool:
    """Say whether the last statement makes a slider that needs a kernel."""
    return bool(body) and ast.unparse(body[-1]).startswith("widgets.live(")


def parsed(source: str) -> list[ast.stmt]:
    """Return the statements of a cell; none if it is not Python."""
    try:
        return ast.parse(source).body
    except SyntaxError:
        return []


def split(source: str) -> tuple[str, str]:
    """Split a cell's code into what it does and the assertions that end it; either may be empty."""
    body = parsed(source)
    tail = len(body)
    while tail and _asserts(body[tail - 1]):
        tail -= 1
    if tail == len(body):
        return source, ""
    lines = source.splitlines()
    first = body[tail].lineno - 1
    # A comment above the first assertion goes with it.
    floor = body[tail - 1].end_lineno or 0 if tail else 0
    while first > floor and lines[first - 1].startswith("#"):
        first -= 1
    if first < floor or (tail and body[tail].lineno == body[tail - 1].end_lineno):
        return source, ""
    return "\n".join(lines[:first]).rstrip(), "\n".join(lines[first:])


def split_imports(source: str) -> tuple[str, str]:
    """Split a cell's code into the imports that begin it and the rest, if there are more than :data:`FEW` of them."""
    body = parsed(source)
    count = 0
    while count < len(body) and isinstance(body[count], ast.Import | ast.ImportFrom):
        count += 1
    if count <= FEW or count == len(body):
        return "", source
    lines = source.splitlines()
    end = body[count - 1].end_lineno or 0
    if body[count].lineno <= end:
        return "", source
    return "\n".join(lines[:end]), "\n".join(lines[end:]).lstrip("\n")


def tag(cell: Cell, *names: str) -> Cell:
    """Return a cell with more tags, and the words of its bar if one of them has some."""
    metadata = dict(cell["metadata"])
    metadata["tags"] = [*metadata.get("tags", []), *names]
    for name in names:
        if name in OPEN_PROMPTS:
            words = {"code_prompt_show": OPEN_PROMPTS[name], "code_prompt_hide": OPEN_PROMPTS[name]}
            metadata["mystnb"] = metadata.get("mystnb", {}) | words
    return cell | {"metadata": metadata}


def staged(cell: Cell) -> Iterator[Cell]:
    """Yield what stands on the page for one cell of a notebook."""
    source = "".join(cell["source"])
    tags = set(cell["metadata"].get("tags", []))
    body = parsed(source) if cell["cell_type"] == "code" else []
    if _is_live(body):
        yield tag(cell, "remove-cell")
    elif not body or tags & FOLDED:
        yield cell
    elif _imports(body):
        yield tag(cell | {"outputs": []}, "hide-cell", "imports")
    elif all(map(_draws, body)):
        yield tag(cell, "hide-input", "helpers")
    else:
        heading, rest = split_imports(source)
        if heading:
            yield tag(_part(cell, "imports", heading, []), "hide-cell", "imports")
        yield from _with_checks(cell, *split(rest))


def _with_checks(cell: Cell, does: str, asserts: str) -> Iterator[Cell]:
    """Yield a cell, and its assertions as a second one behind their mark."""
    if does:
        yield cell | {"source": does}
    if asserts:
        yield tag(_part(cell, CHECKED, asserts, [] if does else cell["outputs"]), "hide-cell", CHECKED)


def _part(cell: Cell, name: str, source: str, outputs: list[Any]) -> Cell:
    """Return a part of a cell as a cell of its own, without what belongs to a figure."""
    tags = [known for known in cell["metadata"].get("tags", []) if known.startswith("nbval")]
    ident = f"{cell.get('id', 'cell')}-{name}"
    return cell | {"id": ident, "source": source, "metadata": {"tags": tags}, "outputs": outputs}


def stage(text: str) -> str:
    """Return the text of a notebook as Sphinx is to read it."""
    notebook = json.loads(text)
    notebook["cells"] = [part for cell in notebook["cells"] for part in staged(cell)]
    return json.dumps(notebook)


def read_source(app: Any, name: str, source: list[str]) -> None:
    """Change what Sphinx has read of a notebook, before it is parsed."""
    if str(app.env.doc2path(name)).endswith(".ipynb"):
        source[0] = stage(source[0])


def setup(app: Any) -> dict[str, bool]:
    """Register the extension with Sphinx."""
    app.connect("source-read", read_source)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
