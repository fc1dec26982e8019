"""Prove that a problem set grades as it should.

The reference gets all points; the hand-out as given runs without an error and gets none; each plausible wrong answer
loses exactly the points that ``wrong.yml`` says, with a message that names the idea. Other right answers, where
a set has a ``right.yml``, get all points too.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from tqdm import tqdm

from assignments.build import DIST
from assignments.grading import Grade, environment, grade, message_of
from assignments.masters import Notebook, ProblemSet

Entry = dict[str, Any]
"""A plausible wrong answer, or another right one, as ``wrong.yml`` and ``right.yml`` state them."""

SECONDS, GIGABYTES = 90.0, 1.5
LEAST_WRONG = 4


@dataclass
class Row:
    """One proof: a submission, its points, what the student reads, and what is not as it should be.

    Attributes
    ----------
    set, submission : str
        Names.
    score, possible : float
        Points.
    message : str
        First line of the first message that the wrong answer causes.
    faults : list of str
        What contradicts the expectation, in words; empty if all is well.
    seconds, gigabytes : float
        Processor time and memory that the notebook took.
    """

    set: str
    submission: str
    score: float
    possible: float
    message: str = ""
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    gigabytes: float = 0.0


def replace_once(notebook: Notebook, changes: dict[str, str]) -> Notebook:
    """Return a copy of a notebook in which each text, which must occur in one cell and once, is changed."""
    changed = nbformat.from_dict(notebook)
    for old, new in changes.items():
        holders = [cell for cell in changed.cells[2:] if cell.cell_type == "code" and old in cell.source]
        count = sum(cell.source.count(old) for cell in holders)
        if count != 1:
            raise ValueError(f"wrong.yml: {old!r} occurs {count} times in the reference, expected once")
        holders[0].source = holders[0].source.replace(old, new)
    return changed


def values_of(notebook: Notebook, names: list[str]) -> list[float]:
    """Return the values of some answers in the reference when it is executed with another year's key."""
    from nbclient import NotebookClient

    other = nbformat.from_dict(notebook)
    for cell in other.cells:
        cell.source = re.sub(r'(?m)^key, student = "([^"]*)"', r'key, student = "\1-last-year"', cell.source)
    other.cells.append(nbformat.v4.new_code_cell(f"print([float(value) for value in ({', '.join(names)},)])"))
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(other, timeout=None, kernel_name="python3", resources=resources)
        client.execute(env=environment())
    return json.loads(other.cells[-1].outputs[-1].text)


def type_values(notebook: Notebook, names: list[str], values: list[float]) -> Notebook:
    """Return a copy of a notebook in which some answers are numbers, typed after they were computed."""
    changed = nbformat.from_dict(notebook)
    for name, value in zip(names, values, strict=True):
        cells = [cell for cell in changed.cells[2:] if cell.cell_type == "code"]
        holder = [cell for cell in cells if re.search(rf"(?m)^{name} = ", cell.source)][-1]
        holder.source += f"\n{name} = {value!r}"
    return changed


def row_of(problem: ProblemSet, submission: str, result: Grade) -> Row:
    """Start a row from a grading, with the faults that any grading may have."""
    row = Row(problem.name, submission, result.score, result.possible)
    row.seconds, row.gigabytes = result.seconds, result.gigabytes
    if result.failure or result.removed:
        row.faults.append(result.failure or "; ".join(result.removed))
    if result.seconds > SECONDS:
        row.faults.append(f"the notebook took {result.seconds:.0f} s, more than {SECONDS:.0f}")
    if result.gigabytes > GIGABYTES:
        row.faults.append(f"the notebook took {result.gigabytes:.2f} GB, more than {GIGABYTES}")
    return row


def raised(result: Grade) -> list[str]:
    """Name the cells that raised an error."""
    return [f"a cell raises {error['error'][:120]}" for error in result.errors]


def perfect(problem: ProblemSet, submission: str, result: Grade) -> Row:
    """Return the row of a submission that must get all points, without a cell that raises."""
    row = row_of(problem, submission, result)
    row.faults += raised(result)
    for name, found in result.questions.items():
        row.faults += [f"{name}: {message_of(failed)}" for failed in found["failed"]]
    if not result.possible:
        row.faults.append("no points at all")
    return row


def reference(problem: ProblemSet, dist: Path) -> Row:
    """Prove that the reference gets all points."""
    return perfect(problem, "reference", grade_file(problem, "solutions", dist))


def blank(problem: ProblemSet, dist: Path) -> Row:
    """Prove that the hand-out runs to its end, gets nothing, and says why in a sentence."""
    result = grade_file(problem, "student", dist)
    row = row_of(problem, "as handed out", result)
    row.faults += raised(result)
    row.faults += [
        f"{name} gives {q['score']:g} points" for name, q in result.questions.items() if q["score"]
    ]
    messages = [message_of(failed) for q in result.questions.values() for failed in q["failed"]]
    row.message = first_of(messages)
    return row


def changed(problem: ProblemSet, entries: list[Entry], dist: Path, folder: Path) -> Grade:
    """Grade the reference with one answer or several changed."""
    reference = nbformat.read(dist / "solutions" / f"{problem.name}.ipynb", as_version=4)
    notebook = reference
    for entry in entries:
        if names := entry.get("last_year"):
            notebook = type_values(notebook, names, values_of(reference, names))
        else:
            notebook = replace_once(notebook, entry["change"])
    name = re.sub(r"\W+", "-", " and ".join(entry["name"] for entry in entries))[:100]
    path = folder / f"{problem.name}-{name}.ipynb"
    nbformat.write(notebook, path)
    return grade(path, dist / "autograder" / f"{problem.name}.zip")


def right(problem: ProblemSet, entry: Entry, dist: Path, folder: Path) -> list[Row]:
    """Prove that another right answer than the reference gets all points."""
    return [perfect(problem, entry["name"], changed(problem, [entry], dist, folder))]


def groups(entries: list[Entry]) -> list[list[Entry]]:
    """Put wrong answers to different questions together: they are graded in one notebook."""
    found: list[list[Entry]] = []
    for entry in entries:
        for group in found:
            if not any(set(entry["loses"]) & set(other["loses"]) for other in group):
                group.append(entry)
                break
        else:
            found.append([entry])
    return found


def wrong(problem: ProblemSet, entries: list[Entry], dist: Path, folder: Path) -> list[Row]:
    """Prove that wrong answers lose what they should, and that the message says the idea and not the value.

    The answers of one group concern different questions. Where something is not as it should be, each is graded by
    itself, so that a fault is that of one answer.
    """
    result = changed(problem, entries, dist, folder)
    lost = {q: found["possible"] - found["score"] for q, found in result.questions.items()}
    others = {
        q: points
        for q, points in lost.items()
        if points and not any(q in entry["loses"] for entry in entries)
    }
    rows = [wrong_row(problem, entry, result, others) for entry in entries]
    if len(entries) > 1 and any(row.faults for row in rows):
        return [row for entry in entries for row in wrong(problem, [entry], dist, folder)]
    return rows


def wrong_row(problem: ProblemSet, entry: Entry, result: Grade, others: dict[str, float]) -> Row:
    """Compare what one wrong answer lost, and what was said, with what is expected."""
    row = row_of(problem, entry["name"], result)
    own = {
        q: found["possible"] - found["score"] for q, found in result.questions.items() if q in entry["loses"]
    }
    row.score = row.possible - sum(own.values())
    if own | others != entry["loses"]:
        row.faults.append(f"loses {own | others}, expected {entry['loses']}")
    messages = [message_of(failed) for q in own for failed in result.questions[q]["failed"]]
    said = [message for message in messages if entry["says"].lower() in message.lower()]
    row.message = first_of(said or messages)
    if not said:
        row.faults.append(f"no message says {entry['says']!r}: {messages}")
    return row


def first_of(messages: list[str]) -> str:
    """Return the first line of the first message."""
    return messages[0].splitlines()[0] if messages else ""


def grade_file(problem: ProblemSet, part: str, dist: Path) -> Grade:
    """Grade a notebook that was built."""
    return grade(dist / part / f"{problem.name}.ipynb", dist / "autograder" / f"{problem.name}.zip")


def proofs(
    problem: ProblemSet, dist: Path, folder: Path, only: str | None
) -> Iterator[Callable[[], list[Row]]]:
    """Yield what carries out each proof of a set, or those whose names contain ``only``."""

    def wanted(name: str) -> bool:
        return only is None or only in name

    if wanted("reference"):
        yield lambda: [reference(problem, dist)]
    if wanted("as handed out"):
        yield lambda: [blank(problem, dist)]
    for entry in filter(lambda entry: wanted(entry["name"]), problem.right_answers()):
        yield partial(right, problem, entry, dist, folder)
    for group in groups([entry for entry in problem.wrong_answers() if wanted(entry["name"])]):
        yield partial(wrong, problem, group, dist, folder)


def prove(
    problems: list[ProblemSet], folder: Path, dist: Path = DIST, workers: int = 2, only: str | None = None
) -> list[Row]:
    """Carry out the proofs of sets that were built; return a row for each.

    Parameters
    ----------
    problems : list of ProblemSet
        The sets.
    folder : Path
        Where wrong submissions are written.
    dist : Path
        Where the sets were built.
    workers : int
        Gradings at a time.
    only : str or None
        A part of the names of the proofs to carry out; all by default.
    """
    wanted = [proof for problem in problems for proof in proofs(problem, dist, folder, only)]
    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(proof) for proof in wanted]
        rows = [row for job in tqdm(jobs, unit="grading", disable=None) for row in job.result()]
    for problem in problems:
        count = len(problem.wrong_answers())
        if only is None and count < LEAST_WRONG:
            next(row for row in rows if row.set == problem.name).faults.append(
                f"{count} wrong answers, expected at least {LEAST_WRONG}"
            )
    return rows


def lines(rows: list[Row]) -> list[str]:
    """Return the table of proofs, a line a row, and the faults below."""
    shown = [f"{'set':34s}{'submission':48s}{'points':>8s}{'s':>6s}{'GB':>6s}  first line of the message"]
    for row in rows:
        points = f"{row.score:g}/{row.possible:g}"
        shown.append(
            f"{row.set:34s}{row.submission[:46]:48s}{points:>8s}{row.seconds:6.0f}{row.gigabytes:6.2f}"
            f"  {row.message[:120]}"
        )
        shown += [f"    FAULT: {fault}" for fault in row.faults]
    return shown
