"""What a student gets: complete in itself, and without a solution, a hidden test or an answer."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from assignments.masters import ProblemSet, all_sets, course_key

SETS = all_sets()
KEY = course_key()
LONG = 12
"""Shortest line, without blanks, that is looked for: shorter ones occur everywhere."""
COMMON = re.compile(r"(import|from|except|super\.)")
"""Beginnings of lines, without blanks, that tell nothing."""


def by_name(problem: ProblemSet) -> str:
    return problem.name


def strings(value: Any) -> Iterator[str]:
    """Yield every text in a notebook: sources, metadata, attachments, outputs, keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def handout(problem: ProblemSet, dist: Path) -> str:
    """Return all that a hand-out says, as one text; what its first cell writes to files is part of it."""
    notebook = json.loads((dist / "student" / f"{problem.name}.ipynb").read_text())
    said = list(strings(notebook))
    return "\n".join(said).replace('\\"', '"').replace("\\\\", "\\")


def squeeze(line: str) -> str:
    """Return a line without blanks and quotes, which otter's rewriting changes."""
    return re.sub(r"[\s'\"()]", "", line)


def sections(problem: ProblemSet) -> Iterator[tuple[str, str]]:
    """Yield the cells of a master with the kind of place they are in: "solution", "hidden test" or "shown"."""
    place = "shown"
    for cell in problem.notebook(KEY).cells:
        if cell.cell_type == "raw":
            for kind in ("SOLUTION", "TESTS"):
                if cell.source.startswith(f"# BEGIN {kind}"):
                    place = kind.lower()
                elif cell.source.startswith(f"# END {kind}"):
                    place = "shown"
        elif place == "tests":
            yield ("hidden test" if re.search(r"(?m)^hidden: true$", cell.source) else "shown"), cell.source
        elif place == "solution" and cell.cell_type == "markdown":
            yield "solution", cell.source
        elif place == "solution":
            kept, cut = [], []
            inside = False
            for line in cell.source.splitlines():
                if line.strip().startswith("# BEGIN SOLUTION"):
                    inside = True
                elif line.strip().startswith("# END SOLUTION"):
                    inside = False
                else:
                    (cut if inside or line.rstrip().endswith(("# SOLUTION", "NO PROMPT")) else kept).append(
                        line
                    )
            yield "solution", "\n".join(line.split("# SOLUTION")[0] for line in cut)
            yield "shown", "\n".join(kept)
        else:
            yield "shown", cell.source


def lines_of(problem: ProblemSet, kind: str) -> set[str]:
    """Return the squeezed lines of one kind that are not shown as well; the beginnings of calls are left out."""
    texts = [text for place, text in sections(problem) if place == kind]
    own = {squeeze(line) for text in texts for line in text.splitlines() if not line.rstrip().endswith("(")}
    shown = {
        squeeze(line) for place, text in sections(problem) if place == "shown" for line in text.splitlines()
    }
    shown |= {squeeze(line) for line in problem.given.splitlines()}
    return {line for line in own - shown if len(line) >= LONG and not COMMON.match(line)}


@pytest.mark.parametrize("kind", ["solution", "hidden test"])
@pytest.mark.parametrize("problem", SETS, ids=by_name)
def test_no_line_of_a_solution_or_hidden_test_is_handed_out(
    problem: ProblemSet, kind: str, dist: Path
) -> None:
    said = squeeze(handout(problem, dist))
    secret = lines_of(problem, kind)
    assert len(secret) > 15
    assert [line for line in secret if line in said] == []


@pytest.mark.parametrize("problem", SETS, ids=by_name)
def test_nothing_of_the_machinery_is_handed_out(problem: ProblemSet, dist: Path) -> None:
    notebook = nbformat.read(dist / "student" / f"{problem.name}.ipynb", as_version=4)
    said = handout(problem, dist)
    for words in ("hidden=True", "BEGIN SOLUTION", "# SOLUTION", "Rubric", "ASSIGNMENT CONFIG", "COURSE_KEY"):
        assert words not in said, words
    assert not any(cell.get("attachments") for cell in notebook.cells)
    assert not any(cell.get("outputs") for cell in notebook.cells if cell.cell_type == "code")
    assert set(notebook.metadata) == {"kernelspec", "otter"}
    assert set(notebook.metadata["otter"]) == {"assignment_name"}


@pytest.mark.parametrize("problem", SETS, ids=by_name)
def test_the_names_of_hidden_tests_are_not_handed_out(problem: ProblemSet, dist: Path) -> None:
    hidden = {
        node.name
        for place, text in sections(problem)
        if place == "hidden test"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
    }
    said = handout(problem, dist)
    shown = "\n".join(text for place, text in sections(problem) if place == "shown")
    assert [name for name in hidden if name in said and name not in shown] == []


@pytest.mark.parametrize("problem", SETS, ids=by_name)
def test_public_tests_do_not_hold_the_numbers_of_a_solution(problem: ProblemSet, dist: Path) -> None:
    def telling(text: str) -> set[float]:
        found = {float(number) for number in re.findall(r"(?<![\w.])\d+\.\d+(?:e-?\d+)?(?![\w.])", text)}
        return {number for number in found if len(f"{number:g}".strip("0.").replace(".", "")) >= 3}

    cells = list(sections(problem))
    solutions = {
        n for place, text in cells if place == "solution" and "*Rubric" not in text for n in telling(text)
    }
    statements = "\n".join(text for place, text in cells if place == "shown" and "BEGIN TEST" not in text)
    public = {n for place, text in cells if place == "shown" and "BEGIN TEST" in text for n in telling(text)}
    assert (solutions & public) - telling(statements) == set()


@pytest.mark.parametrize("problem", SETS, ids=by_name)
def test_the_handout_is_one_file_that_writes_what_it_needs(
    problem: ProblemSet, dist: Path, tmp_path: Path
) -> None:
    notebook = nbformat.read(dist / "student" / f"{problem.name}.ipynb", as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    tree = ast.parse(first.source)
    files = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "files"
    )
    assert files[f"{problem.module}.py"] == problem.given
    graded = [name for name in files if name.startswith(f"tests_{problem.module}/")]
    checks = [cell.source for cell in notebook.cells if cell.source.startswith("grader.check(")]
    assert {Path(name).stem for name in graded} == set(re.findall(r'check\("(\w+)"\)', "\n".join(checks)))
    for name, text in files.items():
        compile(text, name, "exec")
    assert "google.colab" in first.source
    assert "emscripten" in first.source
    assert len((dist / "student" / f"{problem.name}.ipynb").read_bytes()) < 200_000


@pytest.mark.parametrize("problem", SETS, ids=by_name)
def test_solutions_hold_what_handouts_lack(problem: ProblemSet, dist: Path) -> None:
    said = squeeze("\n".join(strings(json.loads((dist / "solutions" / f"{problem.name}.ipynb").read_text()))))
    missing = [line for line in lines_of(problem, "solution") if line not in said]
    assert missing == []
