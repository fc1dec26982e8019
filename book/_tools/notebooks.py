"""Make ``book/NAME.ipynb`` from ``book/NAME.py``: the same cells, executed.

A notebook is executed again if its code changed, or with ``--all``. What is written depends only
on the cells and their outputs: cell and widget identifiers are derived from content and order, and
nothing about the time or the place of the execution is kept. The one thing kept about the machine
is a hash, which tells whether figures made elsewhere can be expected to agree byte for byte.
"""

import argparse
import hashlib
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

from book._tools import measured_data
from book._tools.address import COLAB_TAG, colab_cell, repository_url
from book._tools.fingerprint import fingerprint
from book._tools.repository import ROOT

BOOK = ROOT / "book"
TIMEOUT = 600
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
METADATA = {
    "jupytext": {"formats": "ipynb,py:percent"},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}

Notebook = nbformat.NotebookNode


def sources(book: Path = BOOK) -> list[Path]:
    """Return the chapters' sources in order."""
    return sorted(book.glob("*.py"))


def fill_colab_cell(source: Path, url: str) -> bool:
    """Write the address of the repository into the chapter's Colab cell; say whether that changed it."""
    notebook = jupytext.read(source)
    wanted = colab_cell(url)
    stale = [
        cell
        for cell in notebook.cells
        if COLAB_TAG in cell.metadata.get("tags", []) and cell.source != wanted
    ]
    text = source.read_text()
    for cell in stale:
        if text.count(cell.source) != 1:
            raise ValueError(f"{source.name}: the text of the {COLAB_TAG} cell must occur once")
        text = text.replace(cell.source, wanted)
    if stale:
        source.write_text(text)
    return bool(stale)


def read_source(source: Path) -> Notebook:
    """Read a py:percent file as a notebook with fixed metadata and identifiers made from content."""
    notebook = jupytext.read(source)
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\0{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def code(notebook: Notebook) -> list[tuple[str, list[str]]]:
    """Return what decides a notebook's outputs: the source and tags of its code cells."""
    return [
        (cell.source, list(cell.metadata.get("tags", [])))
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def is_executed(notebook: Notebook) -> bool:
    """Say whether every code cell with a source has been executed."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return all(cell.execution_count is not None for cell in cells)


def keep_outputs(new: Notebook, old: Notebook) -> None:
    """Give the cells of ``new`` the outputs of ``old``, whose code is the same."""
    executed = [cell for cell in old.cells if cell.cell_type == "code"]
    for cell in new.cells:
        if cell.cell_type == "code":
            twin = executed.pop(0)
            cell.outputs, cell.execution_count = twin.outputs, twin.execution_count
    for key in ("widgets", "ddgp"):
        if key in old.metadata:
            new.metadata[key] = old.metadata[key]


def execute(notebook: Notebook, folder: Path) -> None:
    """Execute a notebook in place, as a reader's kernel would in its folder, on one thread."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        startup_timeout=TIMEOUT,  # a busy machine takes more than the 60 seconds of nbclient to start a kernel
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # how a stream is cut into pieces depends on timing
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    notebook.metadata.update(nbformat.from_dict(METADATA))
    notebook.metadata["ddgp"] = {"fingerprint": fingerprint()}


def measured(notebook: Notebook, folder: Path) -> tuple[float, float]:
    """Execute a notebook in place; return the seconds, and the peak memory in GB of this process's children."""
    start = time.monotonic()
    execute(notebook, folder)
    seconds = time.monotonic() - start
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20


def model_ids(value: Any) -> Iterator[str]:
    """Yield the widget models that a piece of widget state refers to, in order."""
    if isinstance(value, str):
        yield from re.findall(r"IPY_MODEL_([0-9a-f]{32})", value)
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from model_ids(value[key])
    elif isinstance(value, list):
        for item in value:
            yield from model_ids(item)


def widget_order(notebook: Notebook) -> list[str]:
    """List the notebook's widget models: displayed ones first, each followed by what it refers to."""
    state = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    waiting = [
        output["data"][WIDGET_VIEW]["model_id"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if WIDGET_VIEW in output.get("data", {})
    ]
    waiting += list(state)
    order: dict[str, None] = {}
    while waiting:
        model = waiting.pop(0)
        if model not in order:
            order[model] = None
            waiting = [*model_ids(state.get(model, {})), *waiting]
    return list(order)


def normalise(notebook: Notebook, name: str) -> Notebook:
    """Return the notebook with everything removed or renamed that differs between two executions."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("metadata", {}).pop("execution", None)
    order = widget_order(notebook)
    text = nbformat.writes(notebook)
    for index, model in enumerate(order):
        text = text.replace(model, hashlib.md5(f"{name} {index}".encode()).hexdigest())
    return nbformat.reads(text, as_version=4)


def write(notebook: Notebook, path: Path) -> bool:
    """Write a notebook if its text differs from what is there; say whether it did."""
    nbformat.validate(notebook)
    text = nbformat.writes(notebook) + "\n"
    if path.exists() and path.read_text() == text:
        return False
    path.write_text(text)
    return True


def make(source: Path, always: bool) -> str:
    """Bring one notebook up to date and say in a few words what was done."""
    target = source.with_suffix(".ipynb")
    fill_colab_cell(source, repository_url())
    notebook = read_source(source)
    old = nbformat.read(target, as_version=4) if target.exists() else None
    if not always and old is not None and is_executed(old) and code(old) == code(notebook):
        keep_outputs(notebook, old)
        return "text updated" if write(notebook, target) else "unchanged"
    if lacking := measured_data.left_out([source]):
        return f"not executed; {measured_data.words(source, lacking[source])}"
    seconds, peak = measured(notebook, source.parent)
    changed = write(normalise(notebook, source.stem), target)
    verdict = "changed" if changed else "byte for byte the same"
    return f"executed in {seconds:.0f} s, at most {peak:.2f} GB; {verdict}"


def main() -> None:
    """Make the notebooks named on the command line, or all chapters."""
    parser = argparse.ArgumentParser(description="Make book/NAME.ipynb from book/NAME.py.")
    parser.add_argument("sources", nargs="*", type=Path, help="chapters (all by default)")
    parser.add_argument("--all", action="store_true", help="execute even what did not change")
    arguments = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    if len(arguments.sources) == 1:
        # An error in a cell ends this process; its traceback is nbclient's own.
        source = arguments.sources[0].with_suffix(".py")
        print(f"{source.name}: {make(source.resolve(), arguments.all)}", flush=True)
        return
    failed = []
    for source in arguments.sources or sources():
        # One process for each, so that its peak memory is its own.
        command = [sys.executable, "-m", "book._tools.notebooks", str(source)]
        if subprocess.call(command + ["--all"] * arguments.all, cwd=ROOT) != 0:
            failed.append(source.name)
    if failed:
        sys.exit(f"Not executed, see above: {', '.join(failed)}")


if __name__ == "__main__":
    main()
