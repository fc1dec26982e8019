"""The exact versions: that they satisfy the loose ones, agree with each other, and how they are written."""

import tomllib
import zipfile
from pathlib import Path

import pytest

from book._tools import lock
from book._tools.lock import BOOK, COURSE, FILES, FULL, PIN
from book._tools.repository import ROOT


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_pinned_exactly(name: str) -> None:
    for line in lock.lines(ROOT / f"{name}.txt"):
        assert line == "-r requirements-book.txt" or PIN.match(line), line


@pytest.mark.parametrize("name", FILES)
def test_the_exact_versions_satisfy_the_loose_ones(name: str) -> None:
    wanted = lock.included(ROOT / f"{name}.in")
    assert len(wanted) >= 7
    assert lock.unsatisfied(wanted, lock.pins(ROOT / f"{name}.txt")) == []


@pytest.mark.parametrize("name", [FULL, COURSE])
def test_the_exact_versions_satisfy_what_the_library_asks_for(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert lock.unsatisfied(project["dependencies"], lock.pins(ROOT / f"{name}.txt")) == []


def test_a_version_that_does_not_satisfy_is_noticed() -> None:
    frozen = {"numpy": "1.25.0", "ruff": "0.17.6", "typing-extensions": "4.16.0"}
    wanted = ["numpy>=1.26", "ruff", "tqdm>=4", "typing_extensions>=4"]
    assert lock.unsatisfied(wanted, frozen) == ["numpy>=1.26", "tqdm>=4"]


def test_shared_packages_have_one_version() -> None:
    full, course = lock.pins(ROOT / f"{FULL}.txt"), lock.pins(ROOT / f"{COURSE}.txt")
    shared = full.keys() & course.keys()
    assert {"torch", "deepinv", "numpy", "playwright", "greenlet"} <= shared
    assert {name for name in shared if full[name] != course[name]} == set()


def test_the_site_is_built_without_pytorch() -> None:
    names = lock.pins(ROOT / f"{BOOK}.txt").keys()
    assert "jupyter-book" in names
    assert not names & {"torch", "torchvision", "deepinv", "numpy", "matplotlib"}


def test_binder_uses_the_tested_versions() -> None:
    text = (ROOT / ".binder" / "requirements.txt").read_text().replace("+cpu", "")
    binder = {line for line in text.splitlines() if PIN.match(line)}
    assert len(binder) == 10
    assert binder <= set(lock.lines(ROOT / f"{FULL}.txt"))


# How they are written, from an index of small packages made here


def wheel(folder: Path, name: str, version: str, *needs: str) -> None:
    """Write a package of which only the name, the version and the needs count."""
    about = "".join(f"Requires-Dist: {need}\n" for need in needs)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{about}"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    packages = tmp_path / "packages"
    packages.mkdir()
    for version in ("1.0", "2.0"):
        for name in ("shared", "torch_like"):
            wheel(packages, name, version)
    wheel(packages, "course_tool", "1.0", "shared<2")
    wheel(packages, "nvidia_thing", "1.0")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(packages))
    monkeypatch.setenv("UV_NO_CACHE", "1")
    loose = {
        BOOK: "shared",
        FULL: f"-r {BOOK}.in\ntorch-like # the newest\nnvidia-thing",
        COURSE: "course-tool",
    }
    for name, text in loose.items():
        (tmp_path / f"{name}.in").write_text(text + "\n")
        (tmp_path / f"{name}.txt").write_text("")
    return tmp_path


def written(root: Path) -> dict[str, list[str]]:
    return {name: lock.lines(root / f"{name}.txt") for name in FILES}


def test_a_need_of_one_file_holds_in_all(root: Path) -> None:
    lock.lock(root)
    assert written(root) == {
        BOOK: ["shared==1.0"],
        FULL: ["-r requirements-book.txt", "torch-like==2.0"],
        COURSE: ["course-tool==1.0", "shared==1.0"],
    }


def test_a_frozen_version_stays_until_an_upgrade_is_asked_for(root: Path) -> None:
    (root / "requirements.txt").write_text("torch-like==1.0\n")
    lock.lock(root)
    assert lock.pins(root / "requirements.txt")["torch-like"] == "1.0"
    lock.lock(root, upgrade=("torch-like",))
    assert lock.pins(root / "requirements.txt")["torch-like"] == "2.0"


def test_needs_that_contradict_each_other_change_nothing(root: Path) -> None:
    (root / "requirements.in").write_text("shared>=2\n")
    with pytest.raises(SystemExit, match="no versions that agree"):
        lock.lock(root)
    assert written(root) == {name: [] for name in FILES}
