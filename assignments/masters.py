"""Read the masters of the problem sets: py:percent notebooks in otter's format, in one or two forms.

A cell tagged ``torch`` or ``numpy`` belongs to that form alone; all other cells belong to every form of the set. A
cell tagged ``study`` shows the reader what answers lead to: no test needs it, and no code but that of other studies.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SETS = HERE / "sets"
COURSE = HERE / "course.toml"
PLACEHOLDER = "COURSE_KEY"
"""What stands for the course's key in a master."""
FORMS = ("torch", "numpy")
STUDY = "study"
"""The tag of a cell that shows what answers lead to, and that no test needs."""
STARTUP = 600
"""Seconds that a kernel has to start: nbclient gives 60, and a busy machine takes more."""

Notebook = nbformat.NotebookNode


@dataclass(frozen=True)
class ProblemSet:
    """One problem set in one form.

    Attributes
    ----------
    folder : Path
        Where its files are: ``master.py``, ``set.yml``, ``wrong.yml`` and ``given_FORM.py``.
    form : str
        "torch" or "numpy".
    facts : dict
        What ``set.yml`` says: number, name, title, minutes, chapters, goals.
    """

    folder: Path
    form: str
    facts: dict[str, Any]

    @property
    def number(self) -> int:
        """The set's number in the course."""
        return int(self.facts["number"])

    @property
    def name(self) -> str:
        """The name of its files: ``set1_conditioning`` or ``set1_conditioning_numpy``."""
        return f"{self.module}_{self.facts['name']}" + ("" if self.form == "torch" else f"_{self.form}")

    @property
    def module(self) -> str:
        """The name under which a notebook imports what is given."""
        return f"set{self.number}"

    @property
    def given(self) -> str:
        """The text of the module that is given to students."""
        return (self.folder / f"given_{self.form}.py").read_text()

    def notebook(self, key: str) -> Notebook:
        """Return the master of this form with the course's key written into it."""
        notebook = self._master()
        for cell in notebook.cells:
            cell.metadata.pop("tags", None)
            cell.source = cell.source.replace(PLACEHOLDER, key)
        notebook.metadata = nbformat.from_dict(
            {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
        )
        return notebook

    def studies(self) -> list[str]:
        """Return the sources of the cells that no test needs."""
        cells = self._master().cells
        return [cell.source.strip() for cell in cells if STUDY in cell.metadata.get("tags", [])]

    def _master(self) -> Notebook:
        """Return the master of this form as it stands."""
        notebook = jupytext.read(self.folder / "master.py")
        others = set(FORMS) - {self.form}
        notebook.cells = [cell for cell in notebook.cells if not others & set(cell.metadata.get("tags", []))]
        return notebook

    def wrong_answers(self) -> list[dict[str, Any]]:
        """Return the plausible wrong answers of this form."""
        return self._answers("wrong.yml")

    def right_answers(self) -> list[dict[str, Any]]:
        """Return other right answers than the reference, where the set has some."""
        return self._answers("right.yml") if (self.folder / "right.yml").exists() else []

    def _answers(self, name: str) -> list[dict[str, Any]]:
        entries = yaml.safe_load((self.folder / name).read_text())
        return [entry for entry in entries if entry.get("form", self.form) == self.form]


def all_sets(only: int | None = None, form: str | None = None) -> list[ProblemSet]:
    """Return the problem sets in order, each form by itself."""
    found = []
    for path in sorted(SETS.glob("*/set.yml")):
        facts = yaml.safe_load(path.read_text())
        found += [ProblemSet(path.parent, name, facts) for name in facts["form"]]
    return [one for one in found if only in (None, one.number) and form in (None, one.form)]


def course_key(path: Path = COURSE) -> str:
    """Return the key of this year's course."""
    return str(tomllib.loads(path.read_text())["key"])


def set_course_key(key: str, path: Path = COURSE) -> None:
    """Write another key into the course's settings."""
    if not re.fullmatch(r"[\w.-]+", key):
        raise ValueError(f"key={key!r}: expected letters, digits, dots, hyphens and underscores")
    path.write_text(re.sub(r'(?m)^key = ".*"$', f'key = "{key}"', path.read_text()))


def questions(notebook: Notebook) -> dict[str, dict[str, Any]]:
    """Return the settings of a master's questions by name, as its raw cells state them."""
    found = {}
    for cell in notebook.cells:
        if cell.cell_type == "raw" and cell.source.startswith("# BEGIN QUESTION"):
            settings = yaml.safe_load(cell.source)
            found[settings["name"]] = settings
    return found
