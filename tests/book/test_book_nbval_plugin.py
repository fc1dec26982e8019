"""The checks that notebooks run under: an altered output makes the run fail, and so does an empty run."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from book._tools import notebooks
from book._tools.repository import ROOT

SOURCE = """\
# %%
from ddgp_lib import figures

print(f"PSNR {24.3125:.4f} dB after {200} iterations")

# %%
figure, (panel,) = figures.axes(height=1)
panel.plot([0, 1])
figure
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    source = tmp_path_factory.mktemp("source") / "01_tiny.py"
    source.write_text(SOURCE)
    notebook = notebooks.read_source(source)
    notebooks.execute(notebook, source.parent)
    return notebooks.normalise(notebook, "01_tiny")


def nbval(folder: Path, notebook: nbformat.NotebookNode) -> subprocess.CompletedProcess[str]:
    path = folder / "01_tiny.ipynb"
    path.write_text(nbformat.writes(notebook))
    command = [sys.executable, "-m", "pytest", str(path), "--nbval", "--nbval-current-env"]
    options = [
        "-p",
        "book._tools.nbval_plugin",
        "-p",
        "no:cacheprovider",
        f"--rootdir={folder}",
        "--color=no",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    return subprocess.run(
        command + options, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def altered(notebook: nbformat.NotebookNode, old: str, new: str) -> nbformat.NotebookNode:
    text = nbformat.writes(notebook)
    assert old in text
    return nbformat.reads(text.replace(old, new), as_version=4)


def test_an_unaltered_notebook_passes_and_is_counted(executed: nbformat.NotebookNode, tmp_path: Path) -> None:
    run = nbval(tmp_path, executed)
    assert run.returncode == 0, run.stdout
    assert "2 executed cells compared" in run.stdout
    assert "2 of them with outputs" in run.stdout


@pytest.mark.parametrize("new", ["PSNR 24.4125 dB", "PSNR 24.3125 db", "PSNR dB"])
def test_an_altered_output_fails(executed: nbformat.NotebookNode, tmp_path: Path, new: str) -> None:
    run = nbval(tmp_path, altered(executed, "PSNR 24.3125 dB", new))
    assert run.returncode == 1
    assert "Cell outputs differ" in run.stdout


def test_a_difference_within_the_tolerance_passes(executed: nbformat.NotebookNode, tmp_path: Path) -> None:
    assert nbval(tmp_path, altered(executed, "PSNR 24.3125 dB", "PSNR 24.3130 dB")).returncode == 0


def test_another_figure_fails(executed: nbformat.NotebookNode, tmp_path: Path) -> None:
    notebook = nbformat.from_dict(executed)
    other = executed.cells[1].outputs[0].data["image/png"]
    changed = other[:-60] + ("A" if other[-60] != "A" else "B") + other[-59:]
    run = nbval(tmp_path, altered(notebook, other[-70:-50], changed[-70:-50]))
    assert run.returncode == 1
    assert "image 1 differs" in run.stdout


def test_a_vector_graphic_counts_as_the_picture_beside_it(
    executed: nbformat.NotebookNode, tmp_path: Path
) -> None:
    assert nbval(tmp_path, altered(executed, 'id=\\"figure_1', 'id=\\"figure_2')).returncode == 0
    alone = nbformat.reads(nbformat.writes(executed), as_version=4)
    del alone.cells[1].outputs[0].data["image/svg+xml"]
    assert nbval(tmp_path, alone).returncode == 1


def test_an_unexecuted_notebook_fails(executed: nbformat.NotebookNode, tmp_path: Path) -> None:
    notebook = nbformat.reads(nbformat.writes(executed), as_version=4)
    for cell in notebook.cells:
        cell.outputs, cell.execution_count = [], None
    run = nbval(tmp_path, notebook)
    assert run.returncode != 0
    assert "no output was compared" in run.stdout
