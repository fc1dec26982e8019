"""Every chapter: its notebook is its source, executed, and fit to be published."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest

from book._tools import notebooks
from book._tools.address import COLAB_TAG, colab_cell, repository_url
from book._tools.repository import ROOT

SOURCES = notebooks.sources()
MAX_BYTES = 1_500_000
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|Users|tmp|usr|opt|mnt|srv|var)/\w")

chapters = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def read(source: Path) -> nbformat.NotebookNode:
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def code_cells(source: Path) -> list[Any]:
    return [cell for cell in read(source).cells if cell.cell_type == "code" and cell.source.strip()]


def texts(cell: Any) -> list[str]:
    """Return the texts of a cell's outputs; images are not text."""
    found = []
    for output in cell.outputs:
        found += [output[key] for key in ("text", "evalue") if key in output]
        found += [value for mime, value in output.get("data", {}).items() if not mime.startswith("image/")]
    return [text for text in found if isinstance(text, str)]


class Images(HTMLParser):
    """Collects the attributes of all images of an HTML text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append(dict(attrs))


def test_every_notebook_has_a_source() -> None:
    assert SOURCES
    executed = {path.stem for path in notebooks.BOOK.glob("*.ipynb")}
    assert executed == {path.stem for path in SOURCES}


@chapters
def test_notebook_has_the_cells_of_its_source(source: Path) -> None:
    wanted = [(c.cell_type, c.source, dict(c.metadata)) for c in notebooks.read_source(source).cells]
    found = [(c.cell_type, c.source, dict(c.metadata)) for c in read(source).cells]
    assert found == wanted, "run `make notebooks`"


@chapters
def test_notebook_was_executed_once_from_top_to_bottom(source: Path) -> None:
    counts = [cell.execution_count for cell in code_cells(source)]
    assert counts == list(range(1, len(counts) + 1)), "run `make notebooks`"


@chapters
def test_no_errors_and_no_warnings(source: Path) -> None:
    for cell in code_cells(source):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", output.text


@chapters
def test_notebook_is_small(source: Path) -> None:
    assert source.with_suffix(".ipynb").stat().st_size < MAX_BYTES


@chapters
def test_figures_have_a_caption_and_alternative_text(source: Path) -> None:
    for cell in code_cells(source):
        if not any("image/png" in output.get("data", {}) for output in cell.outputs):
            continue
        settings = cell.metadata.get("mystnb", {})
        assert settings.get("image", {}).get("alt", "").strip(), cell.source
        assert settings.get("figure", {}).get("caption", "").strip(), cell.source
        assert settings.get("figure", {}).get("name", "").strip(), cell.source


@chapters
def test_images_in_html_have_alternative_text(source: Path) -> None:
    for cell in code_cells(source):
        for text in texts(cell):
            for image in Images(text).found if "<img" in text else []:
                assert (image.get("alt") or "").strip(), cell.source


@chapters
def test_no_absolute_paths(source: Path) -> None:
    for cell in code_cells(source):
        for text in texts(cell):
            assert str(ROOT) not in text
            assert sys.prefix not in text
            assert not ABSOLUTE_PATH.search(text), text[:500]


@chapters
def test_colab_cell_names_the_repository(source: Path) -> None:
    tagged = [cell for cell in read(source).cells if COLAB_TAG in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert tagged[0].source == colab_cell(repository_url()), "run `make notebooks`"
    assert "remove-cell" in tagged[0].metadata["tags"]


@chapters
def test_figures_were_made_by_a_known_machine(source: Path) -> None:
    assert re.fullmatch("[0-9a-f]{16}", read(source).metadata["ddgp"]["fingerprint"])
