"""Where results come from: versions as they are installed, and the commit of a checkout."""

import json
import platform
import subprocess

import deepinv
import pytest
import torch

from ddgp_lib.experiments import provenance as module
from ddgp_lib.experiments.provenance import provenance


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Make a checkout of one file, and let the package be in it; return a function that calls git there."""
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    (tmp_path / "__init__.py").touch()

    def git(*arguments):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        return subprocess.run(
            ["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init")
    return git


def test_versions_are_those_that_run():
    found = provenance()
    assert (found["torch"], found["deepinv"]) == (torch.__version__, deepinv.__version__)
    assert (found["python"], found["machine"]) == (platform.python_version(), platform.machine())
    assert found["threads"] == torch.get_num_threads()
    assert found["cores"] >= 1
    json.dumps(found, allow_nan=False)


def test_the_commit_is_that_of_the_checkout(checkout, tmp_path):
    checkout("add", "__init__.py")
    checkout("commit", "-m", "Begin")
    found = provenance()
    assert (found["commit"], found["modified"]) == (checkout("rev-parse", "HEAD"), False)
    (tmp_path / "notes").touch()
    assert provenance()["modified"] is False
    (tmp_path / "__init__.py").write_text("changed = True\n")
    assert provenance()["modified"] is True


def test_a_copy_that_a_repository_does_not_track_has_no_commit(checkout, tmp_path):
    (tmp_path / "other").touch()
    checkout("add", "other")
    checkout("commit", "-m", "Begin")
    assert (provenance()["commit"], provenance()["modified"]) == (None, None)


def test_without_git_there_is_no_commit(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance()["commit"] is None


def test_the_model_of_the_processor_is_what_linux_says(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "CPU_INFO", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Fast: 3 GHz\n")
    module._processor.cache_clear()
    assert provenance()["processor"] == "Fast: 3 GHz"
    (tmp_path / "cpuinfo").unlink()
    module._processor.cache_clear()
    assert provenance()["processor"] == (platform.processor() or None)
    module._processor.cache_clear()
