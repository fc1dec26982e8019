"""What the repository says of itself: pins, and the address that stands in one place."""

import json
import re
import subprocess

import pytest
import yaml

from book._tools.address import repository_url
from book._tools.notebooks import sources
from book._tools.repository import ROOT

GENERATED = {path.with_suffix(suffix) for path in sources() for suffix in (".py", ".ipynb")}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git clone, so its files cannot be listed")
def test_the_address_stands_in_one_place() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    address = repository_url().encode()
    holders = {
        ROOT / name for name in listed if (ROOT / name).is_file() and address in (ROOT / name).read_bytes()
    }
    assert holders - GENERATED == {ROOT / "_config.yml"}


def test_changelog_and_citation_name_the_version() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text()
    assert f"version: {version[1]}\n" in (ROOT / "CITATION.cff").read_text()
    assert f'__version__ = "{version[1]}"' in (ROOT / "ddgp_lib" / "__init__.py").read_text()
    assert json.loads((ROOT / "package.json").read_text())["version"] == version[1]


def test_every_path_that_contributors_are_sent_to_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    paths = set(re.findall(r"`([\w.]+/[\w./]*|\w+\.yml)`", text)) - {".venv/full"}
    assert len(paths) > 25
    assert {path for path in paths if not (ROOT / path).exists()} == set()
    assert "def weights_path(" in (ROOT / "ddgp_lib" / "checkpoints.py").read_text()


def test_the_commands_that_contributors_are_given_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    targets = set(re.findall(r"(?:^|`|=20 )make ([a-z-]+)", text, re.M))
    assert {"lint", "lock", "notebooks", "prove", "site-tests"} <= targets
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    commands = set(re.findall(r"python -m ddgp_lib ([a-z-]+)", text))
    assert {"train", "tune", "benchmark"} <= commands
    main = (ROOT / "ddgp_lib" / "__main__.py").read_text()
    assert {command for command in commands if f'"{command}"' not in main} == set()


def test_continuous_integration_runs_what_the_readme_says() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert {"push", "pull_request"} <= workflow["on"].keys()
    steps = workflow["jobs"]["test"]["steps"]
    assert steps[-1]["run"] == ".ci/run"
    script = (ROOT / ".ci" / "run").read_text()
    assert "make test " in script
    (cache,) = [step["with"] for step in steps if step.get("uses", "").startswith("actions/cache@")]
    folder = cache["path"].removeprefix("~/.cache/")
    assert f"$HOME/.cache}}/{folder}/$hash" in script
    assert "hashFiles('requirements*.txt')" in cache["key"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100


def test_the_hooks_before_a_commit_work_offline_with_the_pinned_ruff() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    commands = [hook["entry"].removesuffix(" --force-exclude") for hook in hooks]
    assert commands == [".venv/full/bin/ruff format", ".venv/full/bin/ruff check"]
