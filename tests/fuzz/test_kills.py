"""Work that is killed at random moments and started again ends as undisturbed work does."""

import json

import pytest

from book._tools import kills


def test_killed_work_ends_as_undisturbed_work_does():
    found = kills.kill_all(6)
    assert {name: result["same"] for name, result in found.items()} == dict.fromkeys(kills.JOBS, True)
    assert sum(result["kills"] for result in found.values()) >= 6


def test_a_job_that_counts_twice_what_was_killed_is_noticed(tmp_path, monkeypatch):
    def counts(weights, output):
        path = output / "count.json"
        path.write_text(json.dumps(1 + (json.loads(path.read_text()) if path.exists() else 0)))

    def late(job, weights, output, seconds):
        kills.finish(job, weights, output)
        return True

    monkeypatch.setitem(kills.JOBS, "counts", counts)
    monkeypatch.setattr(kills, "kill", late)
    assert not kills.disturb("counts", 2, tmp_path, tmp_path)["same"]


def test_a_job_that_fails_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="status 1"):
        kills.finish(lambda weights, output: 1 / 0, tmp_path, tmp_path)


def test_the_clock_is_not_compared(tmp_path):
    (tmp_path / "a.json").write_text('{"seconds": 3.2, "rows": [{"training_seconds": 1, "psnr": 2}]}')
    (tmp_path / ".a.json.lock").write_text("")
    assert kills.content(tmp_path) == {"a.json": {"rows": [{"psnr": 2}]}}
