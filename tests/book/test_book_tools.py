"""The tools that make notebooks, fetch packages and set up environments."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from book._tools import env, notebooks, npm, vendor
from book._tools.address import PLACEHOLDER, colab_cell
from book._tools.repository import ROOT

WIDGETS = """\
# %% [markdown]
# # Title

# %%
import ipywidgets

a, b = ipywidgets.IntSlider(), ipywidgets.IntSlider()
link = ipywidgets.jslink((a, "value"), (b, "value"))
ipywidgets.VBox([a, b])

# %%
1 + 1
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "01_widgets.py"
    path.write_text(WIDGETS)
    return path


def test_two_executions_give_the_same_bytes(source: Path) -> None:
    notebooks.make(source, always=True)
    first = source.with_suffix(".ipynb").read_bytes()
    assert "byte for byte the same" in notebooks.make(source, always=True)
    assert source.with_suffix(".ipynb").read_bytes() == first
    assert notebooks.make(source, always=False) == "unchanged"
    state = json.loads(first)["metadata"]["widgets"][notebooks.WIDGET_STATE]["state"]
    assert len(state) >= 6


def test_only_changed_code_is_executed_again(source: Path) -> None:
    notebooks.make(source, always=True)
    source.write_text(WIDGETS.replace("# Title", "# Another title"))
    assert notebooks.make(source, always=False) == "text updated"
    source.write_text(WIDGETS.replace("1 + 1", "1 + 2"))
    assert notebooks.make(source, always=False).startswith("executed")
    result = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    assert result.cells[-1].outputs[0].data["text/plain"] == "3"


def test_the_address_is_written_into_the_colab_cell(tmp_path: Path) -> None:
    path = tmp_path / "01_colab.py"
    cell = colab_cell("https://example.org/old")
    path.write_text(f'# %% tags=["remove-cell", "colab-install"]\n{cell}\n\n# %%\n1\n')
    assert notebooks.fill_colab_cell(path, "https://example.org/new")
    assert colab_cell("https://example.org/new") in path.read_text()
    assert not notebooks.fill_colab_cell(path, "https://example.org/new")


def test_nothing_is_installed_from_an_address_that_anybody_may_own() -> None:
    cell = colab_cell(f"https://github.com/{PLACEHOLDER}")
    assert "install(" not in cell
    assert PLACEHOLDER not in cell
    assert all(line.startswith("#") for line in cell.splitlines())


def test_colab_cell_does_nothing_elsewhere() -> None:
    run = subprocess.run([sys.executable, "-c", colab_cell("https://example.org/none")], check=False)
    assert run.returncode == 0


def test_lock_file_has_hashes_and_no_addresses() -> None:
    packages = json.loads(npm.LOCK.read_text())["packages"]
    assert all("resolved" not in entry for entry in packages.values())
    assert all(entry["integrity"].startswith("sha512-") for name, entry in packages.items() if name)
    declared = json.loads((ROOT / "package.json").read_text())
    for name, version in {**declared["dependencies"], **declared["devDependencies"]}.items():
        assert npm.locked(name)[0] == version


def test_an_archive_with_another_hash_is_removed(tmp_path: Path) -> None:
    version, _ = npm.locked("mathjax")
    archive = npm.archive_path("mathjax", version, tmp_path)
    archive.write_bytes(b"not mathjax")
    with pytest.raises(ValueError, match=r"mathjax-3\.2\.2\.tgz: its hash is sha512-"):
        npm.fetch("mathjax", tmp_path)
    assert not archive.exists()


def test_a_package_that_is_not_locked_is_refused() -> None:
    with pytest.raises(ValueError, match="name='left-pad'"):
        npm.fetch("left-pad")


def test_only_what_the_site_needs_is_copied() -> None:
    rules = vendor.FILES["mathjax"]
    fonts = "output/chtml/fonts/woff-v2/MathJax_Zero.woff"
    assert vendor.destination("package/es5/tex-chtml.js", rules) == Path("vendor/mathjax/tex-chtml.js")
    assert vendor.destination(f"package/es5/{fonts}", rules) == Path("vendor/mathjax") / fonts
    assert vendor.destination("package/es5/tex-svg.js", rules) is None


def test_what_is_edited_must_be_there_once() -> None:
    old, new = vendor.EDITS["embed-amd.js"][1]
    text = b"a " + vendor.EDITS["embed-amd.js"][0][0] + b" b " + old
    assert vendor.edited("embed-amd.js", text) == b"a  b " + new
    assert vendor.edited("other.js", old) == old
    with pytest.raises(ValueError, match="must occur once, and occurs 0 times"):
        vendor.edited("embed-amd.js", b"")


def test_an_environment_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("kept")
    with pytest.raises(SystemExit, match="was not made by this Makefile"):
        env.make(tmp_path / "mine", [requirements], "")
    assert (tmp_path / "mine" / "file").read_text() == "kept"


def test_an_environment_is_made_again_only_when_requirements_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = []
    monkeypatch.setattr(env, "install", lambda directory, requirements, index: installed.append(index))
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# one\n")
    for _ in range(2):
        env.make(tmp_path / "env", [requirements], "")
    assert len(installed) == 1
    requirements.write_text("# two\n")
    env.make(tmp_path / "env", [requirements], "")
    assert len(installed) == 2
    for _ in range(2):
        env.make(tmp_path / "env", [requirements], "", "https://example.org/cpu")
    assert installed == ["", "", "https://example.org/cpu"]
