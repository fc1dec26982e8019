"""Collect the answers to the exercises of all chapters into one notebook, for instructors."""

import re
from pathlib import Path

import nbformat

from assignments.masters import ROOT, Notebook

FENCE = re.compile(r"(?ms)^```\{(exercise|solution|solution-start|solution-end)\} ?([^\n]*)\n(.*?)^```$")
OPTION = re.compile(r"(?m)^:(\w+): (.*)\n")


def plain(text: str) -> str:
    """Return MyST Markdown as a notebook shows it: without labels, options and the names of roles."""
    text = OPTION.sub("", text)
    text = re.sub(r"\{(?:eq|numref|ref|cite|cite:t)\}`([^`]*)`", r"[\1]", text)
    return re.sub(r"(\$\$)\s*\(([\w-]+)\)", r"\1", text).strip()


def prose(text: str, place: str) -> tuple[list[str], str]:
    """Return the exercises and solutions in a cell of prose, and the place where the cell ends.

    Parameters
    ----------
    text : str
        The cell.
    place : str
        Where it begins: "exercise" after the text of one, "solution" in one, "" elsewhere.
    """
    found, position = [], 0
    for fence in FENCE.finditer(text):
        if place == "solution" and (between := plain(text[position : fence.start()])):
            found.append(between)
        kind, title, body = fence.groups()
        if kind == "exercise":
            found.append(f"### {title}\n\n{plain(body)}")
        elif kind != "solution-end":
            found.append(f"**Solution.** {plain(body)}".strip())
        place = {"exercise": "exercise", "solution-start": "solution"}.get(kind, "")
        position = fence.end()
    if place == "solution" and (rest := plain(text[position:])):
        found.append(rest)
    return found, place


def pieces(notebook: Notebook) -> list[Notebook]:
    """Return the cells of a chapter's exercises and solutions; the code between them keeps its outputs."""
    found: list[Notebook] = []
    place = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            texts, place = prose(cell.source, place)
            found += [nbformat.v4.new_markdown_cell(text) for text in texts]
        elif place and cell.source.strip():
            found.append(nbformat.from_dict(cell))
    return found


def collect(book: Path = ROOT / "book") -> Notebook:
    """Return one notebook with the exercises and solutions of all chapters."""
    cells = [
        nbformat.v4.new_markdown_cell(
            "# Answers to the exercises\n\nFor instructors. Each cell runs in its chapter."
        )
    ]
    for path in sorted(book.glob("[0-9]*.ipynb")):
        chapter = nbformat.read(path, as_version=4)
        title = next(m[1] for c in chapter.cells if (m := re.search(r"(?m)^# (.+)$", c.source)))
        cells += [nbformat.v4.new_markdown_cell(f"## {title}"), *pieces(chapter)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    for index, cell in enumerate(notebook.cells):
        cell.id = f"cell-{index}"
        cell.metadata.pop("mystnb", None)
    nbformat.validate(notebook)
    return notebook


def write(dist: Path) -> Path:
    """Write the notebook to ``instructor/answers.ipynb``."""
    path = dist / "instructor" / "answers.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(collect(), path)
    return path
