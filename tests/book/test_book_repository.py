"""What the repository says of itself: pins, the address that stands in one place, the API page."""

import json
import re
import subprocess

import pytest

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


def test_every_public_module_is_on_an_api_page() -> None:
    page = "\n".join(path.read_text() for path in (ROOT / "book").glob("api_*.md"))
    documented = set(re.findall(r"autoapimodule:: (\S+)", page))
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "ddgp_lib").rglob("*.py")
        if not re.search(r"/_\w+\.py$", path.as_posix()) or path.name == "__init__.py"
    }
    empty = {
        name for name in modules if not re.search(r"^(def|class|async def) [a-zA-Z]", _source(name), re.M)
    }
    assert modules - empty - {"ddgp_lib"} <= documented


def _source(module: str) -> str:
    path = ROOT / module.replace(".", "/")
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()


def test_changelog_and_citation_name_the_version() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text()
    assert f"version: {version[1]}\n" in (ROOT / "CITATION.cff").read_text()
    assert f'__version__ = "{version[1]}"' in (ROOT / "ddgp_lib" / "__init__.py").read_text()
    assert json.loads((ROOT / "package.json").read_text())["version"] == version[1]
