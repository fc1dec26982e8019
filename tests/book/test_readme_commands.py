"""The README's shell blocks: every command exists and takes what it is given; short ones are run as printed.

Run are the exports, followed by the printed command for notebooks on a small one, and the list of tasks. What
installs or takes long is looked up: targets of ``make``, options of the library's commands, tools, modules and files.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from book._tools.repository import ROOT
from ddgp_lib import __version__
from ddgp_lib.__main__ import _parser

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
BIN = Path(sys.executable).parent
FILES = re.compile(r"[\w.-]+\.(?:txt|in|toml)")


def commands() -> list[list[str]]:
    """Return the words of every command in the README."""
    lines = [line for block in BLOCKS for line in block.splitlines()]
    parts = [part for line in lines for part in line.split("&&")]
    return [words for part in parts if (words := shlex.split(part, comments=True))]


def of(*names: str) -> list[list[str]]:
    """Return the commands of programs, without the folder of their environment."""
    return [[Path(words[0]).name, *words[1:]] for words in commands() if Path(words[0]).name in names]


def test_every_block_is_shell_and_every_command_is_known() -> None:
    assert len(BLOCKS) >= 8
    for block in BLOCKS:
        subprocess.run(["bash", "-n"], input=block, text=True, check=True)
    known = {"make", "python", "python3", "pip", "torchrun", "export", "ruff", "mypy", "pytest"}
    assert {Path(words[0]).name for words in commands()} == known


def test_targets_of_make_exist() -> None:
    targets = [words[1] for words in of("make")]
    assert {"book", "test", "pdf"} <= set(targets)
    subprocess.run(["make", "-n", *targets], cwd=ROOT, check=True, capture_output=True)


def test_commands_of_the_library_take_what_they_are_given() -> None:
    lines = [
        words[words.index("ddgp_lib") + 1 :] for words in of("python", "torchrun") if "ddgp_lib" in words
    ]
    assert len(lines) >= 12
    for words in lines:
        _parser().parse_args(words)


def test_tools_and_modules_are_there() -> None:
    for name in ("ruff", "mypy", "pytest", "torchrun"):
        assert shutil.which(name, path=str(BIN)), name
    modules = {words[2] for words in of("python") if words[1] == "-m"} - {"ddgp_lib"}
    assert {"book._tools.website", "book._tools.npm", "assignments"} <= modules
    for name in modules:
        run = subprocess.run(
            [sys.executable, "-m", name, "--help"],
            cwd=ROOT,
            capture_output=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert run.returncode == 0, run.stderr


def test_files_that_are_installed_or_checked_exist() -> None:
    words = [word for line in of("pip", "pytest") for word in line]
    files = [word for word in words if FILES.fullmatch(word)]
    assert {"requirements-book.txt", "requirements.txt", "requirements-course.txt"} == set(files)
    places = [word.removeprefix("--ignore=") for line in of("pytest") for word in line[1:] if "tests" in word]
    assert [place for place in [*files, *places] if not (ROOT / place).exists()] == []


@pytest.fixture
def notebook() -> Iterator[Path]:
    """Write a notebook that needs the library, in a folder from which "." does not lead to it."""
    cell = nbformat.v4.new_code_cell("import ddgp_lib\nprint(ddgp_lib.__version__)", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"{__version__}\n")]
    made = nbformat.v4.new_notebook(cells=[cell])
    made.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    path = ROOT / "_build" / f"probe_{os.getpid()}.ipynb"
    path.parent.mkdir(exist_ok=True)
    nbformat.write(made, path)
    yield path
    path.unlink()


@pytest.mark.parametrize(
    "export", [*sorted({shlex.join(line) for line in of("export")}), "export PYTHONPATH=."]
)
def test_notebooks_find_the_library_by_the_printed_command(export: str, notebook: Path) -> None:
    (printed,) = (words for words in of("pytest") if "--nbval" in words)
    words = [str(notebook) if word == "book" else word for word in printed if word not in ("-n", "2")]
    line = f"{export.replace(chr(39), chr(34))}\n{BIN}/{shlex.join(words)} -n 0"
    run = subprocess.run(["bash", "-ec", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_tasks_are_listed_by_the_printed_command() -> None:
    (words,) = (words for words in of("python") if words[-2:] == ["ddgp_lib", "tasks"])
    run = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert "single_pixel" in run.stdout
