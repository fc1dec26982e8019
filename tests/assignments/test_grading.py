"""Grading a folder of submissions, as the guide says, two broken ones among them."""

import csv
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil
import pytest

from assignments import grading
from assignments.__main__ import grade_folder, main
from assignments.masters import ROOT
from assignments.prove import replace_once

NAME = "set1_conditioning_numpy"
"""The set that these tests grade: it needs no PyTorch, so that they are quick."""


def submission(dist: Path, path: Path, change: Callable[[nbformat.NotebookNode], None]) -> None:
    """Write the reference, changed, as a submission."""
    notebook = nbformat.read(dist / "solutions" / f"{NAME}.ipynb", as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def insert_before(text: str, code: str) -> Callable[[nbformat.NotebookNode], None]:
    """Return a change that puts a cell before the one that begins with ``text``."""

    def change(notebook: nbformat.NotebookNode) -> None:
        index = next(i for i, cell in enumerate(notebook.cells) if cell.source.startswith(text))
        notebook.cells.insert(index, nbformat.v4.new_code_cell(code))

    return change


def answer_in_text(notebook: nbformat.NotebookNode) -> None:
    """Put a student's number and an answer in words into a notebook."""
    cell = next(cell for cell in notebook.cells if cell.source.startswith("key, student ="))
    cell.source = cell.source.replace('""', '"s-17"')


@pytest.fixture(scope="module")
def graded(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """Grade five submissions by the guide's command; return rows and reports."""
    folder = tmp_path_factory.mktemp("submissions")
    submission(dist, folder / "ada.ipynb", answer_in_text)
    shutil.copy(dist / "student" / f"{NAME}.ipynb", folder / "blank.ipynb")
    notebook = nbformat.read(dist / "solutions" / f"{NAME}.ipynb", as_version=4)
    nbformat.write(replace_once(notebook, {"return 1 / L": "return 2 / L"}), folder / "two-over-l.ipynb")
    submission(dist, folder / "raises.ipynb", insert_before("def lipschitz", "1 / 0"))
    submission(dist, folder / "kernel-dies.ipynb", insert_before("def split", "import os\nos._exit(1)"))
    (folder / ".ipynb_checkpoints").mkdir()
    out = folder.parent / "grades"
    command = [
        sys.executable,
        "-m",
        "assignments",
        "--dist",
        str(dist),
        "grade",
        NAME,
        str(folder),
        "--out",
        str(out),
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    with (out / "grades.csv").open() as stream:
        rows = {row["submission"]: row for row in csv.DictReader(stream)}
    assert sorted(rows) == ["ada", "blank", "kernel-dies", "raises", "two-over-l"]
    assert "Traceback" not in run.stdout + run.stderr
    return {name: {**row, "report": (out / f"{name}.md").read_text()} for name, row in rows.items()}


def test_all_points_and_none(graded: dict[str, dict]) -> None:
    assert graded["ada"]["tests"] == graded["ada"]["of"] == "25"
    assert graded["ada"]["student"] == "s-17"
    assert graded["blank"]["tests"] == "0"
    assert "returns nothing yet" in graded["blank"]["report"]


def test_a_wrong_answer_loses_its_point_and_the_report_says_why(graded: dict[str, dict]) -> None:
    assert graded["two-over-l"]["q3"] == "3"
    assert graded["two-over-l"]["tests"] == "24"
    assert "At 2/L the error of the strongest mode" in graded["two-over-l"]["report"]


def test_a_cell_that_raises_costs_nothing_else(graded: dict[str, dict]) -> None:
    assert graded["raises"]["tests"] == "25"
    assert "`1 / 0`: ZeroDivisionError: division by zero" in graded["raises"]["report"]


def test_a_kernel_that_dies_costs_the_cell_and_no_more(graded: dict[str, dict]) -> None:
    assert graded["kernel-dies"]["tests"] == "25"
    assert "the kernel died in it" in graded["kernel-dies"]["remarks"]
    assert "**Taken out before grading:** cell" in graded["kernel-dies"]["report"]
    assert "(import os)" in graded["kernel-dies"]["report"]


def test_questions_to_be_read_have_a_column_and_a_place_in_the_report(graded: dict[str, dict]) -> None:
    assert "Question 7 (to be read)" in graded["ada"]
    assert "## To be read: Question 7" in graded["blank"]["report"]
    assert "(no answer)" in graded["blank"]["report"]


def test_a_cell_that_does_not_end_is_taken_out(dist: Path, tmp_path: Path) -> None:
    path = tmp_path / "endless.ipynb"
    submission(dist, path, insert_before("def cgls", "while True:\n    pass"))
    result = grading.grade(path, dist / "autograder" / f"{NAME}.zip", processor_seconds=20, cell_seconds=20)
    kernels = [
        one for one in psutil.Process().children(recursive=True) if "ipykernel" in " ".join(one.cmdline())
    ]
    assert kernels == []
    assert result.score == 25
    assert result.removed
    assert "did not end within 20 s" in result.removed[0]


@pytest.mark.parametrize("accidents", [1, 2])
def test_grading_that_fails_by_accident_is_done_once_more(accidents: int, dist: Path, tmp_path: Path) -> None:
    path = tmp_path / "good.ipynb"
    submission(dist, path, answer_in_text)
    answers = ["Kernel died before replying to kernel_info"] * accidents
    found = {"questions": {"q1": {"score": 1, "possible": 1, "failed": []}}, "errors": []}

    def run(*_: object) -> dict | str:
        return answers.pop() if answers else {**found, "seconds": 1.0, "gigabytes": 0.1}

    result = grading.grade(path, dist / "autograder" / f"{NAME}.zip", run=run)
    assert result.removed == []
    if accidents == 1:
        assert (result.score, result.failure) == (1, "")
    else:
        assert (result.score, result.failure) == (0, "Kernel died before replying to kernel_info")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("text.ipynb", b"not json", "not a notebook that can be read"),
        ("cut.ipynb", b'{"cells": [', "not a notebook that can be read"),
        ("other.ipynb", b'{"a": 1}', "not a notebook that can be read"),
        ("binary.ipynb", b"\xff\xfe\x00", "not a notebook that can be read"),
        ("file.zip", b"no zip", "not a notebook that can be read"),
    ],
)
def test_what_is_no_notebook_is_reported(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    result = grading.grade(tmp_path / name, tmp_path / "none.zip")
    assert words in result.failure
    assert result.score == 0
    assert "**Not graded:**" in grading.report(result)


def zipped(path: Path, places: dict[int, int], text: str = "{}") -> None:
    """Write a zip file with a notebook, and change bytes of its local header and of its directory alike."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.ipynb", text)
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    for place, value in places.items():
        content[place] = content[directory + place + 2] = value
    path.write_bytes(content)


@pytest.mark.parametrize(
    "kind", ["encrypted", "method", "stream", "folder", "link", "deep", "null cells", "no text"]
)
def test_what_cannot_be_read_does_not_end_the_grading_of_others(kind: str, tmp_path: Path) -> None:
    path = tmp_path / ("file.zip" if kind in ("encrypted", "method", "stream") else "file.ipynb")
    whole = '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": CELLS}'
    if kind == "encrypted":
        zipped(path, {6: 1})
    elif kind == "method":
        zipped(path, {8: 9})
    elif kind == "stream":
        zipped(path, {}, whole * 20)
        content = bytearray(path.read_bytes())
        content[50:80] = bytes(30)
        path.write_bytes(content)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(tmp_path / "nowhere")
    else:
        cells = {"null cells": "null", "no text": '[{"cell_type": "code", "source": 3, "metadata": {}}]'}
        path.write_text("[" * 100_000 if kind == "deep" else whole.replace("CELLS", cells[kind]))
    assert list(grading.submissions(tmp_path)) == [path]
    result = grading.grade(path, tmp_path / "none.zip")
    assert "not a notebook that can be read" in result.failure
    assert "**Not graded:**" in grading.report(result)


@pytest.fixture
def handed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with two submissions of one name, and a grader that takes no time."""
    folder = tmp_path / "handed_in"
    for place in (folder, tmp_path / "dist" / "autograder"):
        place.mkdir(parents=True)
    (tmp_path / "dist" / "autograder" / "set.zip").write_bytes(b"")
    for name in ("Ada.ipynb", "ada.zip", "bob.ipynb"):
        (folder / name).write_bytes(b"")
    monkeypatch.setattr(grading, "grade", lambda path, archive: grading.Grade(path.stem, failure=path.name))
    return folder


def test_each_submission_has_a_report_and_a_row_of_its_own(handed_in: Path, tmp_path: Path) -> None:
    out = tmp_path / "grades"
    grade_folder("set", handed_in, out, tmp_path / "dist")
    names = ["Ada.ipynb", "ada.zip", "bob"]
    assert sorted(path.name for path in out.iterdir()) == [
        *(f"{name}.md" for name in names[:2]),
        "bob.md",
        "grades.csv",
    ]
    with (out / "grades.csv").open(encoding="utf-8") as stream:
        assert [row["submission"] for row in csv.DictReader(stream)] == names
    assert all("**Not graded:**" in (out / f"{name}.md").read_text(encoding="utf-8") for name in names)


def test_points_that_were_filled_in_are_not_replaced(handed_in: Path, tmp_path: Path) -> None:
    out = tmp_path / "grades"
    out.mkdir()
    (out / "grades.csv").write_text("filled in")
    with pytest.raises(SystemExit, match=r"--out='.*grades': expected a folder without grades\.csv"):
        grade_folder("set", handed_in, out, tmp_path / "dist")
    assert [path.name for path in out.iterdir()] == ["grades.csv"]
    assert (out / "grades.csv").read_text() == "filled in"
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit, match=r"--out='.*file': expected a folder that can be written to"):
        grade_folder("set", handed_in, tmp_path / "file", tmp_path / "dist")


@pytest.mark.parametrize("workers", ["0", "-1", "two", "1.5"])
def test_workers_are_one_or_more(
    workers: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["assignments", "prove", f"--workers={workers}"])
    with pytest.raises(SystemExit):
        main()
    assert f"--workers: {workers!r}: expected an integer, 1 or above" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_to_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(
        sys, "argv", ["assignments", "--dist", str(tmp_path / "file"), "grade", "set", str(tmp_path)]
    )
    monkeypatch.setattr("assignments.__main__.grade_folder", lambda *_: (tmp_path / "file" / "x").mkdir())
    with pytest.raises(SystemExit, match=r"error: .*file"):
        main()


def test_a_zip_with_one_notebook_is_read_and_one_with_two_is_not(dist: Path, tmp_path: Path) -> None:
    text = (dist / "student" / f"{NAME}.ipynb").read_text()
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("folder/set.ipynb", text)
        archive.writestr("__MACOSX/._set.ipynb", "")
    assert len(grading.read_submission(tmp_path / "one.zip").cells) > 10
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.ipynb", text)
        archive.writestr("b.ipynb", text)
    with pytest.raises(ValueError, match="it holds 2 notebooks, expected one"):
        grading.read_submission(tmp_path / "two.zip")


def test_a_notebook_of_another_set_is_named_and_not_graded(dist: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.ipynb"
    notebook = json.loads((dist / "student" / f"{NAME}.ipynb").read_text())
    notebook["metadata"]["otter"]["assignment_name"] = "set9_other"
    path.write_text(json.dumps(notebook))
    result = grading.grade(path, dist / "autograder" / f"{NAME}.zip")
    assert "set9_other" in result.failure
    assert result.score == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["grade", "set99", "."], "set='set99': there is no"),
        (["build", "--set", "99"], "set=99"),
        (["new-year", "20 27"], "key='20 27': expected letters"),
    ],
)
def test_bad_arguments_are_named(arguments: list[str], words: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "assignments", "--dist", str(tmp_path), *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert words in run.stderr
    assert "Traceback" not in run.stderr


def test_a_folder_without_submissions_is_named(dist: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "assignments", "--dist", str(dist), "grade", NAME, str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "expected a folder with notebooks" in run.stderr
