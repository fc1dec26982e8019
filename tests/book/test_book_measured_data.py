"""Notebooks of measured data: which need some, and that what is absent is left out by name, or never."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from book._tools import measured_data, notebooks
from book._tools.repository import ROOT

PLAIN = "# %%\nprint(1)\n"
NEEDS = """\
# %% [markdown]
# `load_measured("head_7_coils")` in prose is no need.

# %%
from ddgp_lib import data
from ddgp_lib.data import load_measured

# %%
def of(name="car"):
    return load_measured("diffusercam"), data.load_measured("diffusercam"), load_measured(name)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name, text in (("01_plain", PLAIN), ("02_needs", NEEDS)):
        source = tmp_path / f"{name}.py"
        source.write_text(text)
        notebook = notebooks.read_source(source)
        if name == "01_plain":
            notebooks.execute(notebook, tmp_path)
        notebooks.write(notebook, source.with_suffix(".ipynb"))
    return tmp_path


@pytest.mark.parametrize("suffix", [".py", ".ipynb"])
def test_needs_are_read_off_the_code(place: Path, suffix: str) -> None:
    assert measured_data.needed(place / f"01_plain{suffix}") == ()
    assert measured_data.needed(place / f"02_needs{suffix}") == ("diffusercam",)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"CI": "true"}, False),
        ({"DDGP_DATA": "somewhere"}, False),
        ({"CI": "true", "DDGP_DATA": "somewhere"}, True),
    ],
)
def test_nothing_is_left_out_where_the_folder_is_named_for_a_check(
    environment: dict[str, str], expected: bool
) -> None:
    assert measured_data.promised(environment) is expected


def test_what_lacks_its_data_is_left_out_and_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("DDGP_DATA", str(place))
    paths = sorted(place.glob("*.py"))
    assert measured_data.left_out(paths) == {place / "02_needs.py": ("diffusercam",)}
    said = notebooks.make(place / "02_needs.py", always=True)
    assert said.startswith("not executed; 02_needs.py: left out, measured data are absent (diffusercam)")
    monkeypatch.setenv("CI", "true")
    assert measured_data.left_out(paths) == {}


@pytest.mark.parametrize("promised", [False, True])
def test_a_run_names_what_it_left_out_and_fails_where_that_was_promised(place: Path, promised: bool) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "CI"} | {
        "PYTHONPATH": str(ROOT),
        "PYTEST_ADDOPTS": "",
        "DDGP_DATA": str(place),
    }
    options = ["--nbval", "--nbval-current-env", "-p", "book._tools.nbval_plugin", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", str(place), *options, f"--rootdir={place}", "--color=no"],
        cwd=place,
        env=environment | ({"CI": "true"} if promised else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    named = "02_needs.ipynb: left out, measured data are absent (diffusercam): set DDGP_DATA"
    assert (named in run.stdout) is not promised, run.stdout + run.stderr
    assert "3 passed" in run.stdout if promised else "1 passed" in run.stdout
