"""Grading in forks of one process: the same results as in new processes, and nothing shared between notebooks."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
import pytest

from assignments.grading import PROCESSOR_SECONDS, SECONDS, grade
from assignments.prove import replace_once
from assignments.warm import WarmGrader

NAME = "set1_conditioning_numpy"
"""The set that these tests grade: it needs no PyTorch, so that they are quick."""


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmGrader]:
    with WarmGrader("numpy") as grader:
        yield grader


def reference(dist: Path) -> nbformat.NotebookNode:
    return nbformat.read(dist / "solutions" / f"{NAME}.ipynb", as_version=4)


def written(notebook: nbformat.NotebookNode, folder: Path, first: str = "") -> Path:
    """Write a notebook, with some code in a cell before all others, and return its path."""
    if first:
        notebook.cells.insert(1, nbformat.v4.new_code_cell(first))
    path = folder / "submission.ipynb"
    nbformat.write(notebook, path)
    return path


def archive(dist: Path) -> Path:
    return dist / "autograder" / f"{NAME}.zip"


def kernels(grader: WarmGrader) -> list[psutil.Process]:
    """Return the processes that still run under the one that forks, without those that have ended and wait for it."""
    found = []
    for process in psutil.Process(grader.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def test_a_fork_finds_what_a_new_process_finds(warm: WarmGrader, dist: Path, tmp_path: Path) -> None:
    path = written(replace_once(reference(dist), {"return 1 / L": "return 2 / L"}), tmp_path, "1 / 0")
    forked, new = grade(path, archive(dist), run=warm.grade), grade(path, archive(dist))
    assert forked.score == 24
    assert forked.questions == new.questions
    assert [error["error"] for error in forked.errors] == ["ZeroDivisionError: division by zero"]
    assert forked.errors == new.errors
    assert 0 < forked.seconds < new.seconds


def test_a_notebook_does_not_see_what_another_one_did(warm: WarmGrader, dist: Path, tmp_path: Path) -> None:
    path = written(reference(dist), tmp_path, "import numpy\nnumpy.conj = numpy.linalg.svd = None")
    assert grade(path, archive(dist), run=warm.grade).score < 25
    path = written(reference(dist), tmp_path)
    assert grade(path, archive(dist), run=warm.grade).score == 25


def test_a_kernel_that_dies_in_a_fork_costs_its_cell_and_no_more(
    warm: WarmGrader, dist: Path, tmp_path: Path
) -> None:
    path = written(reference(dist), tmp_path, "import os\nos._exit(1)")
    result = grade(path, archive(dist), run=warm.grade)
    assert result.score == 25
    assert "the kernel died in it" in result.removed[0]


def test_an_endless_notebook_is_ended_with_its_kernel(warm: WarmGrader, dist: Path, tmp_path: Path) -> None:
    path = written(reference(dist), tmp_path, "while True:\n    pass")
    said = warm.grade(path, archive(dist), 5.0, PROCESSOR_SECONDS)
    assert said == "grading did not end within 5 s"
    for _ in range(6000):
        if not kernels(warm):
            break
        time.sleep(0.1)
    assert kernels(warm) == []


def test_processor_time_is_limited_in_a_fork(warm: WarmGrader, dist: Path, tmp_path: Path) -> None:
    path = written(reference(dist), tmp_path, "while True:\n    pass")
    assert "died" in str(warm.grade(path, archive(dist), SECONDS, 4)).lower()


def test_what_the_last_cell_prints_is_returned(warm: WarmGrader, tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)")])
    assert warm.output(written(notebook, tmp_path)) == "42\n"


def test_a_cell_that_raises_is_named_where_a_value_is_asked_for(warm: WarmGrader, tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(1 / 0)")])
    with pytest.raises(RuntimeError, match="could not be executed: ZeroDivisionError: division by zero"):
        warm.output(written(notebook, tmp_path))


def test_a_process_that_has_died_is_reported_for_each_notebook(dist: Path, tmp_path: Path) -> None:
    path = written(reference(dist), tmp_path)
    with WarmGrader("numpy") as grader:
        grader.process.kill()
        grader.process.wait()
        assert not grader.lives()
        result = grade(path, archive(dist), run=grader.grade)
    assert result.failure == "the grader died before it answered: it left no message"
    assert result.score == 0


def test_a_form_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="form='jax': expected one of torch, numpy"):
        WarmGrader("jax")
