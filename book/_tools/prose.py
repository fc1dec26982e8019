"""Bring the prose of ``book/NAME.ipynb`` up to date with ``book/NAME.py``, where the code is the same.

This needs the small environment of the site alone: a typo is mended without PyTorch. Where code, tags or the order of
cells changed, the notebook must be executed, which ``book._tools.notebooks`` does; this says of which.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from book._tools import percent
from book._tools.repository import ROOT

BOOK = ROOT / "book"
NOTED = "lines_to_next_cell"
"""What jupytext notes of blank lines; it says nothing of the notebook."""


def identifiers(cells: list[percent.Cell]) -> list[str]:
    """Return the identifier of each cell, made from its content; equal cells are counted."""
    seen: dict[str, int] = {}
    found = []
    for cell in cells:
        digest = hashlib.sha256(f"{cell.kind}\0{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        found.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return found


def is_same_code(cell: percent.Cell, old: dict[str, Any]) -> bool:
    """Say whether a cell of a source is that of a notebook, but for the words of prose."""
    metadata = {key: value for key, value in old["metadata"].items() if key != NOTED}
    if cell.kind != old["cell_type"] or cell.metadata != metadata:
        return False
    if cell.kind == "markdown":
        return True
    executed = old["execution_count"] is not None or not cell.source
    return executed and cell.source == "".join(old["source"])


def synced(source: str, notebook: str) -> str | None:
    """Return the text of a notebook with the prose of a source; None if it must be executed."""
    cells, content = percent.cells(source), json.loads(notebook)
    if len(cells) != len(content["cells"]) or not all(map(is_same_code, cells, content["cells"])):
        return None
    for cell, ident, old in zip(cells, identifiers(cells), content["cells"], strict=True):
        old["id"] = ident
        old["source"] = cell.source.splitlines(keepends=True)
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def sync(source: Path) -> bool:
    """Bring one notebook up to date; say whether that was possible."""
    target = source.with_suffix(".ipynb")
    old = target.read_text(encoding="utf-8") if target.exists() else ""
    new = synced(source.read_text(encoding="utf-8"), old) if old else None
    if new is None:
        print(f"{source.name}: its code changed, so it must be executed")
        return False
    if new != old:
        target.write_text(new, encoding="utf-8")
        print(f"{source.name}: text updated")
    return True


def main() -> None:
    """Bring all notebooks up to date, or those named; fail if one must be executed."""
    parser = argparse.ArgumentParser(description="Bring the prose of notebooks up to date.")
    parser.add_argument("sources", nargs="*", type=Path, help="chapters (all by default)")
    sources = parser.parse_args().sources or sorted(BOOK.glob("*.py"))
    if not all([sync(source) for source in sources]):
        sys.exit(1)


if __name__ == "__main__":
    main()
