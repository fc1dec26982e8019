"""The registry: what is needed to find, check and credit every measured set."""

import re
import tomllib
from pathlib import Path

import pytest

from ddgp_lib.data.measured import MEASURED
from ddgp_lib.data.measured.readers import READERS

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", MEASURED)
def test_a_set_is_described_in_full(name):
    card = MEASURED[name]
    assert card.name == name
    for text in (card.title, card.licence, card.credit, card.privacy, *card.known, *card.unknown):
        assert len(text) > 2
    assert card.known
    assert card.unknown
    files = {file.name for file in card.files}
    assert {spec.file for spec in card.arrays.values()} == files
    for file in card.files:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert re.fullmatch(r"[0-9a-f]{40}", file.commit)
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", file.repository)
        assert file.size > 0
        assert Path(file.name).suffix in READERS
        assert file.repacked or Path(file.path).suffix == Path(file.name).suffix


def test_no_file_is_registered_twice():
    names = [file.name for card in MEASURED.values() for file in card.files]
    addresses = [file.url for card in MEASURED.values() for file in card.files]
    assert len(set(names)) == len(names) == len(set(addresses)) == 10


def test_no_registered_file_is_in_the_repository():
    names = {file.name for card in MEASURED.values() for file in card.files}
    sizes = {file.size for card in MEASURED.values() for file in card.files}
    found = [path for path in (ROOT / "ddgp_lib").rglob("*") if path.name in names]
    assert found == []
    data = [path for path in (ROOT / "ddgp_lib" / "data").rglob("*") if path.is_file()]
    assert [path for path in data if path.stat().st_size in sizes] == []


def test_what_fetches_is_an_extra():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert any(requirement.startswith("pooch") for requirement in extras["measured"])
