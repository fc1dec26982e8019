"""What the long checks record, and how their outcomes are counted and shown."""

import json
import sys
from pathlib import Path

import pytest

from book._tools import audit, busy, flaky, matrix, proof, proof_tables

JUNIT = """<testsuites><testsuite>
<testcase classname="a.ipynb" name="Cell 1"/>
<testcase classname="a.ipynb" name="Cell 2"><failure message="differs"/></testcase>
</testsuite></testsuites>"""


def test_a_check_takes_the_place_of_its_last_run(tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    proof.record("fuzz", path, cases=1)
    proof.record("kills", path, kills=2)
    proof.record("fuzz", path, cases=3)
    found = proof.proofs(path)
    assert (found["fuzz"]["cases"], found["kills"]["kills"]) == (3, 2)
    assert set(found["fuzz"]) == {"cases", "commit", "date", "machine"}


@pytest.mark.parametrize(
    ("printed", "status", "words"),
    [
        ("", 0, audit.UNREACHABLE),
        ("Traceback", 0, audit.UNREACHABLE),
        ('{"dependencies": [{"name": "a", "skip_reason": "not found"}]}', 0, audit.UNREACHABLE),
        (
            '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}',
            0,
            "1 of 1 packages checked, 0 known",
        ),
        ('{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]}]}', 1, "a 1: CVE-1"),
    ],
)
def test_an_audit_says_what_was_checked(printed: str, status: int, words: str) -> None:
    found, said = audit.verdict(printed)
    assert found == status
    assert words in said


def test_the_audit_asks_about_every_package_once() -> None:
    names = [line.split("==")[0] for line in audit.locked()]
    assert len(names) == len(set(names)) > 100


def test_failed_cells_are_named(tmp_path: Path) -> None:
    (tmp_path / "cells.xml").write_text(JUNIT)
    assert flaky.failures(tmp_path / "cells.xml") == (2, ["a.ipynb::Cell 2"])


def test_a_cell_that_fails_sometimes_is_flaky(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = iter([(5, ["always"]), (5, ["always", "sometimes"])])
    monkeypatch.setattr(flaky, "run", lambda *_: next(runs))
    found = flaky.repeat(flaky.Setting(1, "all"), 2, [], 1)
    assert found == {"runs": 2, "cells": 5, "flaky": 1, "failed": {"always": 2, "sometimes": 1}}


def test_the_last_line_of_pytest_is_read() -> None:
    assert matrix.counted("...\n1 failed, 1520 passed, 3 skipped, 2 warnings in 200.12s (0:03:20)") == {
        "failed": 1,
        "passed": 1520,
        "skipped": 3,
    }
    assert matrix.counted("") == {}


def test_the_matrix_tries_what_the_package_says_that_it_runs_under() -> None:
    assert [setting.name for setting in matrix.settings()] == [
        "Python 3.11, oldest packages",
        "Python 3.11, newest packages",
        "Python 3.12, newest packages",
        "Python 3.13, newest packages",
    ]
    assert matrix.interpreter("3.99") is None


def test_the_oldest_packages_are_tried_with_the_librarys_own_pytorch() -> None:
    every, oldest = matrix.extras(matrix.NEWEST), matrix.extras(matrix.OLDEST)
    assert set(every) == set(matrix.project()["optional-dependencies"])
    assert set(every) - set(oldest) == {"export"}


def test_busy_loops_end_with_what_they_disturb() -> None:
    with busy.load(1):
        pass


def test_a_command_that_fails_beside_others_is_counted(tmp_path: Path, monkeypatch) -> None:
    path, record = tmp_path / "proof.json", proof.record
    monkeypatch.setattr(busy, "record", lambda name, **found: record(name, path, **found))
    monkeypatch.setattr(sys, "argv", ["busy", "--times", "2", "--processes", "0", "--", "false"])
    assert busy.main() == 1
    found = proof.proofs(path)["busy"]
    assert [run["status"] for run in found["runs"]] == [1, 1]
    assert "`false` ended well 0 of 2 times beside 0 busy loops" in proof_tables.busy(found)


def test_the_tables_show_what_was_found_and_what_was_not_run() -> None:
    rows = {"arguments": {"correct": 1999, "clear error": 7990, "error without argument or file": 11}}
    found = {"fuzz": {"cases": 10_000, "rows": rows, "date": "2026-01-01", "commit": "abc"}}
    lines = proof_tables.table(found)
    assert len(lines) == 2 + len(proof_tables.ROWS)
    assert "10,000 inputs: 0 silent, 0 hangs, 0.1% errors" in lines[2]
    assert "2026-01-01 abc" in lines[2]
    assert all("not run yet" in line for line in lines[3:])
    assert "| arguments | 10,000 | 1,999 | 7,990 | 11 | 0 | 0 |" in proof_tables.reliability(found["fuzz"])


def test_what_is_recorded_can_be_shown() -> None:
    found = proof.proofs()
    assert len(proof_tables.table(found)) == 2 + len(proof_tables.ROWS)
    assert json.dumps(found, allow_nan=False)
