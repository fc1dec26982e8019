"""Sphinx directive ``proof-tables``: what the long checks found when they were last run, from what they wrote.

The tools of the checks write it to ``tests/proof.json``. A check that has not been run has its row, too, and says so.
"""

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

TESTS = Path(__file__).resolve().parents[2] / "tests"
COLUMNS = ("correct", "clear error", "error without argument or file", "silent", "hang or memory")


def read(name: str) -> dict[str, Any]:
    """Return what a file of results holds; nothing if there is none."""
    path = TESTS / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def hostile(found: dict[str, Any]) -> str:
    """Say what became of the hostile inputs."""
    total = {column: sum(row.get(column, 0) for row in found["rows"].values()) for column in COLUMNS}
    share = total["error without argument or file"] / found["cases"]
    return (
        f"{found['cases']:,} inputs: {total['silent']} silent, {total['hang or memory']} hangs, {share:.1%} errors "
        "that name neither argument nor file"
    )


def kills(found: dict[str, Any]) -> str:
    """Say how much was killed and what came of it."""
    jobs = found["jobs"]
    same = sum(job["same"] for job in jobs.values())
    count = sum(job["kills"] for job in jobs.values())
    return f"{count} kills of {', '.join(jobs)}; {same} of {len(jobs)} end with the same result"


def flaky(found: dict[str, Any]) -> str:
    """Say which settings the notebooks were executed in."""
    settings = found["settings"]
    said = [
        f"{name}: {part['runs']} × {part['cells']} cells, {part['flaky']} flaky, {len(part['failed'])} failed"
        for name, part in settings.items()
    ]
    return "; ".join(said)


def matrix(found: dict[str, Any]) -> str:
    """Say under which Pythons the tests of the library were run."""
    said = []
    for name, part in found["settings"].items():
        bad = part.get("failed", 0) + part.get("errors", 0) + part.get("error", 0)
        said.append(f"{name}: {part.get('passed', 0)} passed, {bad} failed")
    return "; ".join(said)


def busy(found: dict[str, Any]) -> str:
    """Say how often a command ended well on a busy machine."""
    runs, loops = found["runs"], found["processes"]
    good = sum(run["status"] == 0 for run in runs)
    least = min(run["load"] for run in runs)
    return (
        f"`{found['command']}` ended well {good} of {len(runs)} times beside {loops} busy loops, "
        f"with a load of {least} at least on {found['machine']}"
    )


def mutation(found: dict[str, Any]) -> str:
    """Say how many mutants the tests killed, and where the fewest."""
    shares = found["shares"]
    least = min(shares, key=shares.get)
    return (
        f"{found['tried']:,} of {found['mutants']:,} tried: {found['killed']:,} killed, "
        f"{found['explained']} the same or other words, {found['survived']} survived; "
        f"of each package at least {shares[least]:.0%} killed (`{least}`)"
    )


ROWS = (
    ("hostile inputs, from `tests/fuzz`", "fuzz", hostile, "make fuzz"),
    ("kills at random moments", "kills", kills, "make kills"),
    ("mutation of the library", "mutation", mutation, "make mutants"),
    ("notebooks again and again", "flaky", flaky, "make flaky"),
    ("other Pythons, oldest packages", "matrix", matrix, "make matrix"),
    ("a busy machine", "busy", busy, "make busy"),
    ("known vulnerabilities", "audit", lambda found: found["said"], "make audit"),
)


def table(proof: dict[str, Any]) -> list[str]:
    """Return the lines of the table of figures."""
    lines = ["| what | last figure | when, and of which commit | command |", "|---|---|---|---|"]
    for what, name, say, command in ROWS:
        found = proof.get(name)
        said = say(found) if found else "not run yet"
        when = f"{found.get('date', '')} {found.get('commit', '')}".strip() if found else ""
        lines.append(f"| {what} | {said} | {when} | `{command}` |")
    return lines


def reliability(found: dict[str, Any]) -> list[str]:
    """Return the lines of the table of hostile inputs by family."""
    lines = [
        "| inputs | number |" + "".join(f" {column} |" for column in COLUMNS),
        "|---|--:|" + "--:|" * len(COLUMNS),
    ]
    for family, row in found["rows"].items():
        numbers = "".join(f" {row.get(column, 0):,} |" for column in COLUMNS)
        lines.append(f"| {family} | {sum(row.values()):,} |{numbers}")
    return lines


class ProofTables(Directive):
    """``{proof-tables}``: the table of figures, and that of hostile inputs."""

    def run(self) -> list[nodes.Node]:
        """Build the tables."""
        settings = self.state.document.settings
        settings.record_dependencies.add(str(TESTS / "proof.json"))
        proof = read("proof.json")
        lines = table(proof)
        if "fuzz" in proof:
            lines += ["", "What became of hostile inputs:", "", *reliability(proof["fuzz"])]
        holder = nodes.Element()
        self.state.nested_parse(StringList(lines, "proof.json"), self.content_offset, holder)
        return holder.children


def setup(app: Any) -> dict[str, bool]:
    """Register the directive with Sphinx."""
    app.add_directive("proof-tables", ProofTables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
