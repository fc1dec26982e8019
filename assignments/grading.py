"""Grade submissions with otter, and go on where otter would stop: cells that kill the kernel or never end."""

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import psutil

from assignments.masters import ROOT, STARTUP, Notebook

PROCESSOR_SECONDS = 300
"""Processor time that a notebook may take; after that the cell that does not end is looked for."""
SECONDS = 1800.0
"""How long a notebook may take by the clock, on however busy a machine: it may wait instead of computing."""
CELL_SECONDS = 120.0
"""How long one cell may take, by the clock, in the search for the one that does not end."""
REMOVED = "# This cell was taken out by the grader: {reason}."
ANSWER_TAG = "otter_answer_cell"
EMPTY = "_Type your answer here, replacing this text._"
ATTEMPTS = 4
ACCIDENTS = 1
"""How often grading starts anew where it failed and no cell is to blame: a kernel's port can be taken by another."""

UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,  # of an encrypted archive, one that is compressed in another way, and JSON that is too deep
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    nbformat.ValidationError,
)
"""What reading a damaged file raises."""

Runner = Callable[[Path, Path, float, int], dict[str, Any] | str]
"""What grades a notebook with an autograder within seconds and processor seconds, and returns what it found, or in
words why it found nothing."""


@dataclass
class Grade:
    """What grading a submission gave.

    Attributes
    ----------
    name : str
        The submission's name.
    questions : dict
        Points, possible points and failed tests by question.
    errors : list
        Cells that raised, with the error.
    removed : list of str
        What was taken out of the notebook to be able to grade the rest, in words.
    failure : str
        Why nothing could be graded; "" where something could.
    student : str
        What the notebook's variable ``student`` says.
    answers : dict
        Answers in text by the heading above them.
    seconds, gigabytes : float
        Processor time and memory that the notebook took.
    """

    name: str
    questions: dict[str, Any] = field(default_factory=dict)
    errors: list[dict[str, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failure: str = ""
    student: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    gigabytes: float = 0.0

    @property
    def score(self) -> float:
        """Points of the questions that are graded by tests."""
        return sum(found["score"] for found in self.questions.values())

    @property
    def possible(self) -> float:
        """What these questions can give."""
        return sum(found["possible"] for found in self.questions.values())


def environment() -> dict[str, str]:
    """Return the environment of a grading process: the library and this package, one thread, no screen."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}


def run_otter(
    submission: Path, archive: Path, seconds: float, processor_seconds: int
) -> dict[str, Any] | str:
    """Grade in a process of its own; return what it found, or in words why it found nothing."""
    command = [sys.executable, "-m", "assignments.otter_child", str(submission), str(archive)]
    command.append(str(processor_seconds))
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, said = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        end(child.pid)
        child.communicate()
        return f"grading did not end within {seconds:g} s"
    if child.returncode == 0 and out.strip():
        return json.loads(out.splitlines()[-1])
    return last_line(said) or f"the grader ended with status {child.returncode}"


def last_line(text: str) -> str:
    """Return the last line of a text that is not blank, without its colours; "" if there is none."""
    lines = [line for line in text.splitlines() if line.strip()]
    return re.sub(r"\x1b\[[0-9;]*m", "", lines[-1]) if lines else ""


def end(pid: int) -> None:
    """End a process and the kernels that it has started: a kernel in an endless cell outlives its parent."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (*process.children(recursive=True), process):
            with suppress(psutil.NoSuchProcess):
                one.kill()


def fatal_cell(notebook: Notebook, seconds: float) -> tuple[int, str] | None:
    """Execute a notebook; return the index of the cell that kills the kernel or does not end, and which of both."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    current = [0]
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            nbformat.from_dict(notebook),
            timeout=seconds,
            startup_timeout=STARTUP,
            allow_errors=True,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            on_cell_start=lambda cell, cell_index: current.__setitem__(0, cell_index),
        )
        try:
            client.execute(env=environment())
        except DeadKernelError:
            return current[0], "the kernel died in it"
        except CellTimeoutError:
            return current[0], f"it did not end within {seconds:g} s"
        except RuntimeError:
            return None  # the kernel did not start: no cell is to blame
    return None


def read_submission(path: Path) -> Notebook:
    """Read a notebook, or the one notebook in a zip file.

    Raises
    ------
    ValueError
        If it is neither, or cannot be read: damaged, encrypted, a folder, or a link that leads nowhere.
    """
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if is_notebook(name)]
                if len(names) != 1:
                    raise ValueError(f"it holds {len(names)} notebooks, expected one")
                text = archive.read(names[0]).decode("utf-8")
        else:
            text = path.read_text(encoding="utf-8")
        notebook = nbformat.reads(text, as_version=4)
        for cell in notebook.cells:
            if not (isinstance(cell.source, str) and isinstance(cell.metadata, dict)):
                raise ValueError("it has a cell without text")
        return notebook
    except UNREADABLE as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ValueError(f"not a notebook that can be read ({reason})") from error


def is_notebook(name: str) -> bool:
    """Say whether a name is that of a notebook, and not of a copy that an editor or system made."""
    return name.endswith(".ipynb") and not re.search(r"(^|/)(\.|__MACOSX)", name)


def grade(
    path: Path,
    archive: Path,
    *,
    seconds: float = SECONDS,
    processor_seconds: int = PROCESSOR_SECONDS,
    cell_seconds: float = CELL_SECONDS,
    run: Runner = run_otter,
) -> Grade:
    """Grade one submission; where a cell kills the kernel or does not end, grade what is left without it.

    Where grading failed and no cell is to blame, it is done once more.

    Parameters
    ----------
    path : Path
        A notebook, or a zip file that holds one.
    archive : Path
        The autograder of its set.
    seconds, processor_seconds, cell_seconds : float
        Limits for the whole notebook, by the clock and of processor time, and for one cell once these are passed or
        the kernel died.
    run : callable
        What grades; by default a process that is started for it, as what students hand in demands.
    """
    result = Grade(path.stem)
    try:
        notebook = read_submission(path)
    except ValueError as error:
        result.failure = str(error)
        return result
    result.student, result.answers = student_of(notebook), answers_of(notebook)
    accidents = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"{archive.stem}.ipynb"
        for _ in range(ATTEMPTS):
            nbformat.write(notebook, copy)
            found = run(copy, archive, seconds, processor_seconds)
            if isinstance(found, dict):
                result.failure = ""
                for name in ("questions", "errors", "seconds", "gigabytes"):
                    setattr(result, name, found[name])
                break
            result.failure = found
            fatal = fatal_cell(notebook, cell_seconds)
            if fatal is None:
                if accidents == ACCIDENTS:
                    break
                accidents += 1
                continue
            index, reason = fatal
            result.removed.append(f"cell {index + 1} ({first_line(notebook.cells[index].source)}): {reason}")
            notebook.cells[index].source = REMOVED.format(reason=reason)
    return result


def first_line(source: str) -> str:
    """Return the first line of a cell, shortened."""
    return (source.strip().splitlines() or [""])[0][:60]


def student_of(notebook: Notebook) -> str:
    """Return what the notebook assigns to ``student``."""
    for cell in notebook.cells:
        found = re.search(r"""(?m)^key, student = "[^"]*", ["']([^"']*)["']""", cell.source)
        if cell.cell_type == "code" and found:
            return found[1]
    return ""


def answers_of(notebook: Notebook) -> dict[str, str]:
    """Return the answers in text, by the heading above each."""
    heading, found = "", {}
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        if ANSWER_TAG in cell.metadata.get("tags", []):
            found[heading] = "" if cell.source.strip() == EMPTY else cell.source.strip()
        elif title := re.search(r"(?m)^#+ (.+)$", cell.source):
            heading = title[1]
    return found


def message_of(failed: dict[str, Any]) -> str:
    """Return the sentence of a failed test that is written for the student, without otter's frame."""
    lines = failed["message"].splitlines()
    start = next(
        (i for i, line in enumerate(lines) if re.match(r"\w+(Error|Failed|Exception)\b: ", line)), None
    )
    if start is None:
        return failed["message"].strip()
    return "\n".join([lines[start].split(": ", 1)[1], *lines[start + 1 :]]).strip()


def report(result: Grade) -> str:
    """Return a submission's report in Markdown."""
    lines = [f"# {result.name}", "", f"Points by tests: {result.score:g} of {result.possible:g}."]
    if result.student:
        lines.append(f"Student as the notebook says: {result.student}.")
    if result.failure:
        lines += ["", f"**Not graded:** {result.failure}."]
    for words in result.removed:
        lines += ["", f"**Taken out before grading:** {words}."]
    for name, found in result.questions.items():
        lines += ["", f"## {name}: {found['score']:g} of {found['possible']:g}"]
        lines += [f"- −{failed['points']:g}: {message_of(failed)}" for failed in found["failed"]]
    if result.errors:
        lines += ["", "## Cells that raised", ""]
        lines += [f"- `{first_line(error['source'])}`: {error['error']}" for error in result.errors]
    for heading, answer in result.answers.items():
        lines += ["", f"## To be read: {heading}", "", answer or "(no answer)", "", "Points: ____"]
    return "\n".join(lines) + "\n"


def names_of(paths: list[Path]) -> list[str]:
    """Return what submissions are called: by their files, with the ending where two differ in nothing else."""
    stems = [path.stem.casefold() for path in paths]
    return [
        path.stem if stems.count(stem) == 1 else path.name for path, stem in zip(paths, stems, strict=True)
    ]


def submissions(folder: Path) -> Iterator[Path]:
    """Yield the notebooks and zip files of a folder in order."""
    for path in sorted(folder.iterdir()):
        if is_notebook(path.name) or (path.suffix == ".zip" and not path.name.startswith(".")):
            yield path


def table(results: list[Grade]) -> list[list[str]]:
    """Return the rows of ``grades.csv``, with a header: a column for each question and one for what went wrong."""
    names = sorted({name for result in results for name in result.questions})
    manual = sorted({heading.split(":")[0] for result in results for heading in result.answers})
    rows = [
        [
            "submission",
            "student",
            *names,
            "tests",
            "of",
            *(f"{name} (to be read)" for name in manual),
            "remarks",
        ]
    ]
    for result in results:
        points = [
            f"{result.questions[name]['score']:g}" if name in result.questions else "0" for name in names
        ]
        remarks = "; ".join([*([result.failure] if result.failure else []), *result.removed])
        rows.append(
            [result.name, result.student, *points, f"{result.score:g}", f"{result.possible:g}"]
            + ["" for _ in manual]
            + [remarks]
        )
    return rows
