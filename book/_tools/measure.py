"""Measure every chapter: words, code, cells, and, with ``--execute``, seconds and peak memory, against their limits.

Words are those of the prose outside code and formulas; lines of code are those that are neither blank nor comments,
without the cell that installs the library in Colab.
"""

import argparse
import ast
import json
import re
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from book._tools import measured_data, notebooks
from book._tools.address import COLAB_TAG
from book._tools.repository import ROOT

SECONDS, GIGABYTES = 60.0, 1.5
MEDIAN_CELL, LONG_CELL, LONGEST_CELL = 8, 20, 30
LONG_SHARE = 0.1
"""Share of the cells that may be longer than ``LONG_CELL`` lines."""
WORDS_PER_LINE = (8.0, 12.0)
FRONT = "index"
"""The title page, which is not a chapter."""


@dataclass(frozen=True)
class Measures:
    """What is measured of a chapter.

    Attributes
    ----------
    words, lines, cells : int
        Words of prose, lines of code, code cells.
    median_cell, longest_cell : float
        Lines of code of a cell.
    long_cells : float
        Share of the cells that are longer than ``LONG_CELL`` lines.
    controls : int
        Controls that work without a kernel.
    exercises : int
        Exercises with a solution.
    """

    words: int
    lines: int
    cells: int
    median_cell: float
    longest_cell: int
    long_cells: float
    controls: int
    exercises: int

    @property
    def words_per_line(self) -> float:
        """Words of prose for each line of code."""
        return self.words / self.lines


def words_of(text: str) -> int:
    """Count the words of a Markdown cell, without formulas, code, roles' names, directive lines and labels."""
    text = re.sub(r"\$\$.*?\$\$(\s*\([\w-]+\))?", " ", text, flags=re.DOTALL)
    text = re.sub(r"(?m)^(`{3,}.*|:[\w-]+:.*|\([\w-]+\)=)$", " ", text)
    text = re.sub(r"\{[\w:]+\}`[^`]*`|`[^`]*`|\$[^$]*\$", " x ", text)
    return len(re.findall(r"[A-Za-z][\w'’-]*", text))


def lines_of(source: str) -> int:
    """Count the lines of code that are neither blank nor comments."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in source.splitlines())


def measure(source: Path) -> Measures:
    """Measure a chapter's source."""
    cells = notebooks.read_source(source).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = [
        cell.source
        for cell in cells
        if cell.cell_type == "code" and COLAB_TAG not in cell.metadata.get("tags", [])
    ]
    lines = [count for cell in code if (count := lines_of(cell))]
    return Measures(
        words=sum(words_of(cell.source) for cell in cells if cell.cell_type == "markdown"),
        lines=sum(lines),
        cells=len(lines),
        median_cell=statistics.median(lines),
        longest_cell=max(lines),
        long_cells=sum(count > LONG_CELL for count in lines) / len(lines),
        controls=sum(calls(cell, "frames") + calls(cell, "continuous") for cell in code),
        exercises=len(re.findall(r"`{3,}\{solution(?:-start)?\}", prose)),
    )


def calls(source: str, name: str) -> int:
    """Count the calls of ``widgets.NAME`` in a cell."""
    return sum(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name
        for node in ast.walk(ast.parse(source))
    )


def broken(found: Measures) -> list[str]:
    """Name the limits that a chapter exceeds."""
    low, high = WORDS_PER_LINE
    limits = {
        f"words per line of code from {low:g} to {high:g}": low <= round(found.words_per_line, 1) <= high,
        f"a median cell of at most {MEDIAN_CELL} lines": found.median_cell <= MEDIAN_CELL,
        f"{1 - LONG_SHARE:.0%} of the cells of at most {LONG_CELL} lines": found.long_cells <= LONG_SHARE,
        f"no cell above {LONGEST_CELL} lines": found.longest_cell <= LONGEST_CELL,
        "a control that works without a kernel": found.controls >= 1,
        "two exercises with solutions": found.exercises >= 2,
    }
    return [limit for limit, kept in limits.items() if not kept]


def chapters() -> list[Path]:
    """Return the sources of the chapters."""
    return [source for source in notebooks.sources() if source.stem != FRONT]


def executed(source: Path) -> tuple[float, float]:
    """Execute a chapter in a process of its own; return its seconds and its peak memory in GB."""
    code = (
        "import json, sys; from pathlib import Path; from book._tools import notebooks;"
        "source = Path(sys.argv[1]);"
        "print(json.dumps(notebooks.measured(notebooks.read_source(source), source.parent)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(source)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, peak = json.loads(run.stdout.splitlines()[-1])
    return seconds, peak


def main() -> None:
    """Print the table, and fail if a chapter exceeds a limit."""
    parser = argparse.ArgumentParser(description="Measure every chapter against its limits.")
    parser.add_argument("sources", nargs="*", type=Path, help="chapters (all by default)")
    parser.add_argument("--execute", action="store_true", help="execute them too, for seconds and memory")
    arguments = parser.parse_args()
    print(
        f"{'chapter':26s}{'words':>7s}{'lines':>7s}{'w/line':>8s}{'cells':>7s}{'median':>8s}{'longest':>9s}",
        end="",
    )
    print(f"{'controls':>10s}{'exercises':>11s}" + f"{'s':>8s}{'GB':>7s}" * arguments.execute)
    failed = False
    for source in arguments.sources or chapters():
        found = measure(source)
        wrong = broken(found)
        values = asdict(found)
        row = f"{source.stem:26s}{values['words']:7d}{values['lines']:7d}{found.words_per_line:8.1f}{found.cells:7d}"
        row += f"{found.median_cell:8.1f}{found.longest_cell:9d}{found.controls:10d}{found.exercises:11d}"
        if arguments.execute and (lacking := measured_data.left_out([source])):
            row += f"  {measured_data.words(source, lacking[source])}"
        elif arguments.execute:
            seconds, peak = executed(source.resolve())
            row += f"{seconds:8.0f}{peak:7.2f}"
            wrong += ["a minute"] * (seconds > SECONDS) + ["1.5 GB"] * (peak > GIGABYTES)
        print(row + ("  exceeds: " + "; ".join(wrong) if wrong else ""), flush=True)
        failed = failed or bool(wrong)
    sys.exit(failed)


if __name__ == "__main__":
    main()
