"""The proof that sets grade as they should: what goes wrong stays in its row, and what is left out is not needed."""

import json
import re
from pathlib import Path

import nbformat
import pytest

from assignments.grading import grade, report
from assignments.masters import ProblemSet, all_sets
from assignments.prove import Bench, guarded, last_assigned, lines, prove, without_studies, wrong

SETS = all_sets()
WITH_STUDIES = [problem for problem in SETS if problem.studies()]
(QUICK,) = all_sets(1, "numpy")
"""The set that these tests grade: it needs no PyTorch."""


def by_name(problem: ProblemSet) -> str:
    return problem.name


def reference(problem: ProblemSet, dist: Path) -> nbformat.NotebookNode:
    return nbformat.read(dist / "solutions" / f"{problem.name}.ipynb", as_version=4)


@pytest.mark.parametrize("problem", WITH_STUDIES, ids=by_name)
def test_each_study_is_one_cell_of_the_reference_and_asks_nothing(problem: ProblemSet, dist: Path) -> None:
    whole = reference(problem, dist)
    shorter = without_studies(problem, whole)
    assert len(whole.cells) - len(shorter.cells) == len(problem.studies())
    assert not any("grader.check" in source for source in problem.studies())


def test_no_answer_that_is_changed_stands_in_a_study() -> None:
    assert len(WITH_STUDIES) >= 5
    for problem in WITH_STUDIES:
        studies = problem.studies()
        for entry in problem.wrong_answers():
            for old in entry.get("change", {}):
                assert not any(old in source for source in studies), (problem.name, old)


def test_the_cell_that_assigns_last_is_found_and_a_missing_one_is_named() -> None:
    cells = [nbformat.v4.new_code_cell(text) for text in ("a = 1", "b = 2\na = 3", "aa = 4", "print(b)")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    assert last_assigned(notebook, ["a", "b", "aa"]) == [1, 1, 2]
    with pytest.raises(ValueError, match=r"last_year='c'"):
        last_assigned(notebook, ["c"])


def test_a_proof_that_raises_is_a_row_with_a_fault() -> None:
    def proof() -> list:
        raise RuntimeError("Kernel died before replying to kernel_info")

    (row,) = guarded(QUICK, ["reference"], proof)
    assert (row.submission, row.score, row.possible) == ("reference", 0, 0)
    assert row.faults == ["could not be proved, RuntimeError: Kernel died before replying to kernel_info"]
    assert any("FAULT: could not be proved" in line for line in lines([row]))


def test_a_wrong_answer_that_cannot_be_made_is_a_fault_of_its_row_alone(dist: Path, tmp_path: Path) -> None:
    good = next(entry for entry in QUICK.wrong_answers() if entry["name"] == "step of 2/L")
    bad = {"name": "absent", "change": {"no such text": ""}, "loses": {"q1": 1}, "says": "nothing"}
    with Bench(dist, tmp_path) as bench:
        first, second = wrong(QUICK, [good, bad], bench, whole=True)
    assert (first.submission, first.faults, first.score) == ("step of 2/L", [], 24)
    assert "'no such text' occurs 0 times" in second.faults[0]


def test_a_wrong_answer_that_loses_other_points_than_stated_is_a_fault(dist: Path, tmp_path: Path) -> None:
    entry = {
        "name": "2/L",
        "change": {"return 1 / L": "return 2 / L"},
        "loses": {"q3": 2},
        "says": "norm of A",
    }
    with Bench(dist, tmp_path) as bench:
        (row,) = wrong(QUICK, [entry], bench, whole=True)
    assert row.faults[0] == "loses {'q3': 1}, expected {'q3': 2}"
    assert row.faults[1].startswith("no message says 'norm of A'")


def test_a_grader_that_died_is_replaced(dist: Path, tmp_path: Path) -> None:
    with Bench(dist, tmp_path) as bench:
        first = bench.warm("numpy")
        assert bench.warm("numpy") is first
        first.process.kill()
        first.process.wait()
        assert bench.warm("numpy") is not first
        assert bench.warm("numpy").lives()


def test_a_kernel_that_does_not_start_is_one_failed_row(
    dist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    spec = {"argv": ["false", "{connection_file}"], "display_name": "dies", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    archive = dist / "autograder" / f"{QUICK.name}.zip"
    result = grade(dist / "solutions" / f"{QUICK.name}.ipynb", archive)
    assert re.search("[Kk]ernel died", result.failure)
    assert result.removed == []
    assert "**Not graded:**" in report(result)
    (row,) = prove([QUICK], tmp_path, dist, workers=1, only="reference")
    assert row.faults == [result.failure]
