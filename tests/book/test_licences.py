"""What ships of other people's is listed with its version, its licence and its text, and nothing else is."""

import pytest

from book._tools import licences, vendor
from book._tools.licences import LIBRARY, OWN, SITE, SLIDES, matches
from book._tools.repository import ROOT
from book._tools.slides import deck
from book._tools.website import HTML

PARTS = (*SITE, *SLIDES, *LIBRARY)


@pytest.fixture(scope="module")
def files() -> list[str]:
    """List the files of the built site."""
    return [path.relative_to(HTML).as_posix() for path in HTML.rglob("*") if path.is_file()]


def test_the_page_is_what_the_tool_writes() -> None:
    assert licences.page() == licences.PAGE.read_text(), "run `python -m book._tools.licences`"


def test_every_file_of_the_site_is_our_own_or_of_one_part(files: list[str]) -> None:
    assert len(files) > 200
    covered = {name: [part.name for part in SITE if matches(name, part.files)] for name in files}
    assert [name for name in files if len(covered[name]) != 1 - matches(name, OWN)] == []


@pytest.mark.parametrize("part", SITE, ids=lambda part: part.name)
def test_every_part_of_the_site_is_in_it(part: licences.Part, files: list[str]) -> None:
    for pattern in part.files:
        assert [name for name in files if matches(name, (pattern,))], pattern


def test_every_package_that_is_unpacked_is_listed() -> None:
    listed = {part.package for part in PARTS if part.index == "npm"}
    assert set(vendor.FILES) | set(deck.FILES) == listed


def test_data_of_the_library_are_listed() -> None:
    shipped = {str(path.relative_to(ROOT)) for path in (ROOT / "ddgp_lib" / "data").glob("*.np*")}
    assert shipped == {name for part in LIBRARY for name in part.files}
    kinds = {path.suffix for path in (ROOT / "ddgp_lib").rglob("*") if path.is_file()} - {".py", ".pyc"}
    assert kinds == {".npz", ".md", ".safetensors", ".json"} | ({".typed"} & kinds)


@pytest.mark.parametrize("part", [*SITE, *SLIDES], ids=lambda part: part.name)
def test_every_part_of_a_package_has_a_version_and_a_text_of_its_licence(part: licences.Part) -> None:
    text = licences.text(part)
    assert licences.version(part) in licences.PAGE.read_text()
    words = {"MIT": "Permission is hereby granted", "BSD": "Redistribution", "Apache": "Apache License"}
    for name, sentence in words.items():
        if part.licence.startswith(name):
            assert sentence in text, part.name


def test_what_is_compiled_into_a_part_is_named_with_its_source_and_notice() -> None:
    (part,) = [part for part in PARTS if part.inner]
    page, text = licences.PAGE.read_text(), licences.text(part)
    for one in part.inner:
        assert f"- {one.name}, {one.licence}, {one.source}\n" in page
    for notice in (
        "Copyright 2008 Google Inc.",
        "2009 The RE2 Authors",
        "2013-2019 Niels Lohmann",
        "2018 Microsoft",
    ):
        assert notice in text
    assert "Mozilla Public License Version 2.0" in text
    assert "Apache License" in text
    named = {licence for one in part.inner for licence in one.licence.split(" WITH ")[:1]}
    assert named == set(part.licence.split(" AND "))


def test_the_page_of_the_book_names_the_same_versions() -> None:
    page = (ROOT / "book" / "licences.md").read_text()
    for part in SITE:
        if part.package not in ("myst-nb", "pygments"):
            assert licences.version(part) in page, part.name
