"""Pytest plugin: nbval with the comparison of :mod:`book._tools.nbval_tolerance`, and a count of what it compared.

nbval compares text by characters and images not at all. Here its comparison of a cell is preceded by
one of the images, and then told that texts which agree within the tolerance are the same; everything
else, the report of a difference included, stays nbval's. A vector graphic counts as the PNG beside it. A run with
``--nbval`` that compared no cell fails, because an unexecuted notebook would pass otherwise. Notebooks of
measured data that are absent are left out, and named at the end.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbval.plugin
import pytest

from book._tools import measured_data
from book._tools.fingerprint import fingerprint
from book._tools.nbval_tolerance import images_in, same_image, same_text
from book._tools.repository import ROOT

COMPARED = "nbval_compared"
IMAGES = ("image/png", "image/jpeg")
VECTOR = "image/svg+xml"

compare_exactly = nbval.plugin.IPyNbCell.compare_outputs


def slots(outputs: list[Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield every text of a cell's outputs as (kind, where it stands, its key there)."""
    for output in outputs:
        if output["output_type"] == "stream":
            yield output["name"], output, "text"
        for mime in output.get("data", {}):
            yield mime, output["data"], mime


def by_kind(outputs: list[Any]) -> dict[str, list[tuple[dict[str, Any], str]]]:
    """Group the texts of a cell's outputs by kind, in order."""
    groups: dict[str, list[tuple[dict[str, Any], str]]] = {}
    for kind, place, key in slots(outputs):
        if isinstance(place[key], str):
            groups.setdefault(kind, []).append((place, key))
    return groups


def images(outputs: list[Any]) -> list[str]:
    """Return all images of a cell's outputs: displayed ones, and those embedded in HTML."""
    found: list[str] = []
    for kind, place, key in slots(outputs):
        if kind in IMAGES:
            found.append(place[key])
        elif isinstance(place[key], str):
            found += images_in(place[key])
    return found


def adopt_equal_texts(found: list[Any], reference: list[Any]) -> None:
    """Put the reference's text in place of every text of ``found`` that agrees with it, or whose PNG was compared."""
    wanted = by_kind(reference)
    for kind, places in by_kind(found).items():
        for (place, key), (twin, twin_key) in zip(places, wanted.get(kind, []), strict=False):
            compared = kind == VECTOR and IMAGES[0] in place and IMAGES[0] in twin
            if kind not in IMAGES and (compared or same_text(twin[twin_key], place[key])):
                place[key] = twin[twin_key]


def compare_outputs(cell: Any, test: Any, ref: Any, skip_compare: Any = None) -> bool:
    """Compare a cell's images, then its texts; stands in for the method of nbval's cell."""
    cell.user_properties.append((COMPARED, len(ref)))
    exactly = cell.parent.nb.metadata.get("ddgp", {}).get("fingerprint") == fingerprint()
    found, wanted = images(test), images(ref)
    cell.comparison_traceback = []
    if len(found) != len(wanted):
        cell.comparison_traceback.append(f"{len(found)} images, and {len(wanted)} in the notebook")
        return False
    for number, (new, old) in enumerate(zip(found, wanted, strict=True), start=1):
        if not same_image(old, new, exactly):
            cell.comparison_traceback.append(f"image {number} differs (compared exactly: {exactly})")
            return False
    adopt_equal_texts(test, ref)
    return compare_exactly(cell, test, ref, skip_compare)


class Counter:
    """Counts compared cells over all workers, and fails a run that compared none."""

    def __init__(self, left_out: dict[Path, tuple[str, ...]]) -> None:
        self.left_out = left_out
        self.cells = 0
        self.with_outputs = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Read the count that travels with a cell's report."""
        if report.when == "call":
            counts = [value for name, value in report.user_properties if name == COMPARED]
            self.cells += len(counts)
            self.with_outputs += sum(value != 0 for value in counts)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail if nothing was compared."""
        if self.with_outputs == 0 and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say how much was compared."""
        terminalreporter.write_sep("-", "notebooks")
        terminalreporter.write_line(
            f"{self.cells} executed cells compared with the committed notebooks, "
            f"{self.with_outputs} of them with outputs"
        )
        for path, lacking in self.left_out.items():
            terminalreporter.write_line(measured_data.words(path, lacking), yellow=True)
        if self.with_outputs == 0:
            terminalreporter.write_line("FAILED: no output was compared; run `make notebooks`", red=True)


class LeavesOut:
    """Runs no cell of some notebooks, also where they are asked for by their paths."""

    def __init__(self, paths: dict[Path, tuple[str, ...]]) -> None:
        self.paths = paths

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Take out the cells of the notebooks that are left out."""
        out = [item for item in items if item.path.resolve() in self.paths]
        items[:] = [item for item in items if item not in out]
        if out:
            config.hook.pytest_deselected(items=out)


def notebooks_of(config: pytest.Config) -> list[Path]:
    """Return the notebooks that a run is asked for."""
    asked = [config.invocation_params.dir / str(argument).split("::")[0] for argument in config.args]
    found = [path for place in asked for path in (place.rglob("*.ipynb") if place.is_dir() else [place])]
    return sorted({path.resolve() for path in found if path.suffix == ".ipynb" and path.is_file()})


def pytest_configure(config: pytest.Config) -> None:
    """Replace nbval's comparison, and count in the process that reports."""
    if not config.getoption("nbval", False):
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # Kernels start beside their notebook, where a path relative to this folder leads elsewhere.
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    nbval.plugin.IPyNbCell.compare_outputs = compare_outputs
    left_out = measured_data.left_out(notebooks_of(config))
    config.pluginmanager.register(LeavesOut(left_out), "nbval-left-out")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Counter(left_out), "nbval-counter")
