"""What ``_toc.yml`` says: the chapters with their numbers, and the pages of the reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from book._tools.repository import ROOT

TOC = ROOT / "_toc.yml"
REFERENCE = "book/api"
"""Start page of the reference of the library."""


@dataclass(frozen=True)
class Chapter:
    """A numbered chapter: its page, without an ending, and its number on the site."""

    page: str
    number: int


def chapters(toc: Path = TOC) -> list[Chapter]:
    """Return the numbered chapters in their order; the numbers run on through all parts."""
    contents = yaml.safe_load(toc.read_text(encoding="utf-8"))
    pages = [
        entry["file"] for part in contents["parts"] if part.get("numbered") for entry in part["chapters"]
    ]
    return [Chapter(page, number) for number, page in enumerate(pages, start=1)]


def reference(toc: Path = TOC) -> dict[str, list[str]]:
    """Return the parts of the reference, each with its pages."""
    contents = yaml.safe_load(toc.read_text(encoding="utf-8"))
    entries: list[Mapping[str, Any]] = [entry for part in contents["parts"] for entry in part["chapters"]]
    (start,) = [entry for entry in entries if entry["file"] == REFERENCE]
    return {part["file"]: [page["file"] for page in part["sections"]] for part in start["sections"]}
