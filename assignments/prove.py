"""Prove that a problem set grades as it should.

The reference gets all points; the hand-out as given runs without an error and gets none; each plausible wrong answer
loses exactly the points that ``wrong.yml`` says, with a message that names the idea. Other right answers, where
a set has a ``right.yml``, get all points too.

The reference is graded as a student's notebook is, in new processes. All others are graded in forks of a process that
has imported what they import. The cells tagged ``study`` are left out of most notebooks with wrong answers: no test
needs them, for the reference without them gets all points, too.
"""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

import nbformat
from tqdm import tqdm

from assignments.build import DIST
from assignments.grading import Grade, Runner, grade, message_of, run_otter
from assignments.masters import Notebook, ProblemSet
from assignments.warm import WarmGrader

Entry = dict[str, Any]
"""A plausible wrong answer, or another right one, as ``wrong.yml`` and ``right.yml`` state them."""

SECONDS, GIGABYTES = 90.0, 1.5
LEAST_WRONG = 4
SHORTER = "reference without studies"


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
        Processor time and memory that the notebook took; but for the reference, without the time of its imports.
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


class Bench:
    """Where notebooks are proved: what was built, a folder for what is written, and graders that are warm.

    Use it as a context manager: the graders end with the block.

    Parameters
    ----------
    dist : Path
        Where the sets were built.
    folder : Path
        Where changed notebooks are written.
    whole : bool
        Whether all wrong answers are graded with the studies; by default those of the first group alone.
    """

    def __init__(self, dist: Path, folder: Path, whole: bool = False) -> None:
        self.dist, self.folder, self.whole = dist, folder, whole
        self._stack, self._lock = ExitStack(), Lock()
        self._graders: dict[str, WarmGrader] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def warm(self, form: str) -> WarmGrader:
        """Return the warm grader of a form; it is started with its first notebook, and again if it died."""
        with self._lock:
            if form not in self._graders or not self._graders[form].lives():
                self._graders[form] = self._stack.enter_context(WarmGrader(form))
            return self._graders[form]

    def built(self, problem: ProblemSet, part: str) -> Path:
        """Return the path of a notebook that was built: "solutions" or "student"."""
        return self.dist / part / f"{problem.name}.ipynb"

    def write(self, problem: ProblemSet, notebook: Notebook, name: str) -> Path:
        """Write a notebook under a name made of words; return its path."""
        words = re.sub(r"\W+", "-", name)[:100]
        path = self.folder / f"{problem.name}-{words}.ipynb"
        nbformat.write(notebook, path)
        return path

    def grade(self, problem: ProblemSet, path: Path, run: Runner | None = None) -> Grade:
        """Grade a notebook of a set, in a fork of the warm grader unless a runner is given."""
        return grade(
            path,
            self.dist / "autograder" / f"{problem.name}.zip",
            run=run or self.warm(problem.form).grade,
        )


def without_studies(problem: ProblemSet, notebook: Notebook) -> Notebook:
    """Return a copy of a set's reference without the cells that no test needs."""
    shorter = nbformat.from_dict(notebook)
    for source in problem.studies():
        found = [cell for cell in shorter.cells if cell.source.strip() == source]
        if len(found) != 1:
            raise ValueError(
                f"{source[:60]!r}: {len(found)} cells of the reference are this study, expected one"
            )
        shorter.cells.remove(found[0])
    return shorter


def last_assigned(notebook: Notebook, names: list[str]) -> list[int]:
    """Return the index of the last cell that assigns each name at the beginning of a line."""
    found = []
    for name in names:
        cells = enumerate(notebook.cells)
        held = [
            i for i, cell in cells if cell.cell_type == "code" and re.search(rf"(?m)^{name} = ", cell.source)
        ]
        if not held:
            raise ValueError(f"wrong.yml: no cell of the reference assigns last_year={name!r}")
        found.append(held[-1])
    return found


def values_of(problem: ProblemSet, notebook: Notebook, names: list[str], bench: Bench) -> list[float]:
    """Return the values of some answers in the reference when it is executed with another year's key.

    The notebook is executed up to the last cell that assigns one of them, without the cells that check.
    """
    other = nbformat.from_dict(notebook)
    kept = other.cells[: max(last_assigned(notebook, names)) + 1]
    other.cells = [cell for cell in kept if not cell.source.startswith("grader.check(")]
    for cell in other.cells:
        cell.source = re.sub(r'(?m)^key, student = "([^"]*)"', r'key, student = "\1-last-year"', cell.source)
    other.cells.append(nbformat.v4.new_code_cell(f"print([float(value) for value in ({', '.join(names)},)])"))
    path = bench.write(problem, other, "last year " + " ".join(names))
    return json.loads(bench.warm(problem.form).output(path))


def type_values(notebook: Notebook, names: list[str], values: list[float]) -> Notebook:
    """Return a copy of a notebook in which some answers are numbers, typed after they were computed."""
    changed = nbformat.from_dict(notebook)
    for name, value, index in zip(names, values, last_assigned(notebook, names), strict=True):
        changed.cells[index].source += f"\n{name} = {value!r}"
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
    if not result.possible and not result.failure:
        row.faults.append("no points at all")
    return row


def reference(problem: ProblemSet, bench: Bench) -> list[Row]:
    """Prove that the reference gets all points, graded as a student's notebook is."""
    result = bench.grade(problem, bench.built(problem, "solutions"), run_otter)
    return [perfect(problem, "reference", result)]


def shorter(problem: ProblemSet, bench: Bench) -> list[Row]:
    """Prove that the reference gets all points without its studies, so that no test needs them."""
    return [perfect(problem, SHORTER, changed(problem, [], bench, whole=False))]


def blank(problem: ProblemSet, bench: Bench) -> list[Row]:
    """Prove that the hand-out runs to its end, gets nothing, and says why in a sentence."""
    result = bench.grade(problem, bench.built(problem, "student"))
    row = row_of(problem, "as handed out", result)
    row.faults += raised(result)
    row.faults += [
        f"{name} gives {q['score']:g} points" for name, q in result.questions.items() if q["score"]
    ]
    messages = [message_of(failed) for q in result.questions.values() for failed in q["failed"]]
    row.message = first_of(messages)
    return [row]


def changed(problem: ProblemSet, entries: list[Entry], bench: Bench, whole: bool = True) -> Grade:
    """Grade the reference, whole or without its studies, with none of its answers changed, or one, or several."""
    reference = nbformat.read(bench.built(problem, "solutions"), as_version=4)
    if not whole:
        reference = without_studies(problem, reference)
    notebook = reference
    for entry in entries:
        if names := entry.get("last_year"):
            notebook = type_values(notebook, names, values_of(problem, reference, names, bench))
        else:
            notebook = replace_once(notebook, entry["change"])
    name = " and ".join(entry["name"] for entry in entries) or "reference"
    return bench.grade(problem, bench.write(problem, notebook, name))


def right(problem: ProblemSet, entry: Entry, bench: Bench) -> list[Row]:
    """Prove that another right answer than the reference gets all points."""
    return [perfect(problem, entry["name"], changed(problem, [entry], bench))]


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


def wrong(problem: ProblemSet, entries: list[Entry], bench: Bench, whole: bool) -> list[Row]:
    """Prove that wrong answers lose what they should, and that the message says the idea and not the value.

    The answers of one group concern different questions. Where something is not as it should be, each is graded by
    itself, so that a fault is that of one answer.
    """
    names = [entry["name"] for entry in entries]
    rows = guarded(problem, names, partial(wrong_rows, problem, entries, bench, whole))
    if len(entries) > 1 and any(row.faults for row in rows):
        return [row for entry in entries for row in wrong(problem, [entry], bench, whole)]
    return rows


def wrong_rows(problem: ProblemSet, entries: list[Entry], bench: Bench, whole: bool) -> list[Row]:
    """Grade wrong answers to different questions in one notebook; return a row for each."""
    result = changed(problem, entries, bench, whole)
    lost = {q: found["possible"] - found["score"] for q, found in result.questions.items()}
    others = {
        q: points
        for q, points in lost.items()
        if points and not any(q in entry["loses"] for entry in entries)
    }
    return [wrong_row(problem, entry, result, others) for entry in entries]


def wrong_row(problem: ProblemSet, entry: Entry, result: Grade, others: dict[str, float]) -> Row:
    """Compare what one wrong answer lost, and what was said, with what is expected."""
    row = row_of(problem, entry["name"], result)
    if result.failure:
        return row
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


def guarded(problem: ProblemSet, names: list[str], proof: Callable[[], list[Row]]) -> list[Row]:
    """Carry out a proof; where it raises, return a row for each submission that says so, and let the others go on."""
    try:
        return proof()
    except Exception as error:
        fault = f"could not be proved, {type(error).__name__}: {error}"
        return [Row(problem.name, name, 0, 0, faults=[fault]) for name in names]


def proofs(problem: ProblemSet, bench: Bench, only: str | None) -> Iterator[Callable[[], list[Row]]]:
    """Yield what carries out each proof of a set, or those whose names contain ``only``."""

    def wanted(name: str) -> bool:
        return only is None or only in name

    single = [
        ("reference", partial(reference, problem, bench)),
        ("as handed out", partial(blank, problem, bench)),
    ]
    if problem.studies():
        single.append((SHORTER, partial(shorter, problem, bench)))
    single += [(entry["name"], partial(right, problem, entry, bench)) for entry in problem.right_answers()]
    for name, proof in single:
        if wanted(name):
            yield partial(guarded, problem, [name], proof)
    entries = [entry for entry in problem.wrong_answers() if wanted(entry["name"])]
    for number, group in enumerate(groups(entries)):
        yield partial(wrong, problem, group, bench, whole=bench.whole or number == 0)


def prove(
    problems: list[ProblemSet],
    folder: Path,
    dist: Path = DIST,
    workers: int = 2,
    only: str | None = None,
    whole: bool = False,
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
    whole : bool
        Whether all wrong answers are graded with the studies; by default those of each set's first group alone.
    """
    with Bench(dist, folder, whole) as bench, ThreadPoolExecutor(workers) as pool:
        wanted = [proof for problem in problems for proof in proofs(problem, bench, only)]
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
