"""The instructor's guide: its commands run as printed, and its tables state what the sets say."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from assignments.answers import collect
from assignments.masters import ROOT, all_sets, course_key, questions

GUIDE = ROOT / "assignments" / "README.md"
TEACHING = ROOT / "book" / "teaching.md"
LINKED = (
    "ddgp_lib",
    "book",
    "_config.yml",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    ".binder",
    "requirements-course.txt",
)


def commands() -> list[str]:
    """Return the guide's commands but for those of make, which have tests of their own, and the activation."""
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(("make ", "source "))]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out a copy of the course beside links to the rest, with one submission in a folder."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copytree(
        ROOT / "assignments", folder / "assignments", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    (folder / "submissions").mkdir()
    return folder


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the guide as in the activated environment."""
    environment = dict(os.environ)
    environment.pop("PYTHONPATH", None)
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    environment["PYTHONPATH"] = str(folder)
    return subprocess.run(
        line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_guide_has_the_commands_of_its_sections() -> None:
    words = "\n".join(commands())
    for command in ("new-year 2027", "assignments grade", "otter run", "assignments prove"):
        assert command in words


def test_the_commands_run_as_printed(workplace: Path) -> None:
    for line in commands():
        if line.startswith(("python -m assignments grade", "otter run")):
            name = re.search(r"set\d_\w+", line)[0]
            shutil.copy(
                workplace / "dist" / "solutions" / f"{name}.ipynb", workplace / "submissions" / "ada.ipynb"
            )
        done = run(line, workplace)
        assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    assert course_key(workplace / "assignments" / "course.toml") == "2027"
    with (workplace / "grades" / "grades.csv").open() as stream:
        (row,) = csv.DictReader(stream)
    assert row["tests"] == row["of"]
    handout = (workplace / "dist" / "student" / "set1_conditioning.ipynb").read_text()
    assert 'key, student = \\"2027\\"' in handout


def points() -> dict[int, tuple[str, str, float, float, int, str]]:
    """Return title, chapters, points by tests and to be read, minutes and forms of each set."""
    found = {}
    for problem in all_sets():
        if problem.form == "torch":
            stated = questions(problem.notebook(course_key())).values()
            by_hand = sum(one["points"] for one in stated if one.get("manual"))
            by_tests = sum(one["points"] for one in stated) - by_hand
            facts = problem.facts
            forms = "PyTorch, NumPy" if "numpy" in facts["form"] else "PyTorch"
            chapters = ", ".join(map(str, facts["chapters"]))
            found[problem.number] = (facts["title"], chapters, by_tests, by_hand, facts["minutes"], forms)
    return found


def test_the_tables_state_what_the_sets_say() -> None:
    for number, (title, chapters, by_tests, by_hand, minutes, forms) in points().items():
        row = f"| {number} | {title} | {chapters} | {by_tests:g} / {by_hand:g} | {minutes} | {forms} |"
        assert row in GUIDE.read_text()
        row = f"| {number} | {title} | {chapters} | {by_tests:g} | {by_hand:g} | {minutes} |"
        assert row in TEACHING.read_text()


def test_all_answers_to_the_chapters_exercises_are_in_one_notebook() -> None:
    notebook = collect()
    text = "\n".join(cell.source for cell in notebook.cells)
    asked = sum(path.read_text().count("```{exercise}") for path in (ROOT / "book").glob("[0-9]*.py"))
    assert text.count("\n### ") + text.startswith("### ") == asked == text.count("**Solution.**")
    assert "```{" not in text
    assert any(cell.get("outputs") for cell in notebook.cells)
    nbformat.validate(notebook)


def test_the_answers_are_not_on_the_site() -> None:
    assert "answers" not in (ROOT / "_toc.yml").read_text()
    assert "dist/**" in (ROOT / "_config.yml").read_text()


def test_the_courses_pins_agree_with_the_books() -> None:
    def pins(*names: str) -> dict[str, str]:
        lines = [line for name in names for line in (ROOT / name).read_text().splitlines()]
        return {
            line.split("==")[0].lower(): line.split("==")[1] for line in lines if re.match(r"[\w.-]+==", line)
        }

    book, course = pins("requirements.txt", "requirements-book.txt"), pins("requirements-course.txt")
    assert {name: version for name, version in course.items() if book.get(name, version) != version} == {}
    assert course["otter-grader"] == "7.0.0"
    assert "torch" in course
