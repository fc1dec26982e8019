"""Change the library in thousands of small ways, one at a time, and see whether the tests notice.

mutmut makes the mutants, runs the tests that reach each, and keeps what it has found in the folder ``mutants``, so
that a run can be stopped and goes on where it stopped; ``[tool.mutmut]`` in ``pyproject.toml`` says what is mutated.
This script draws a sample of each module where all would take too long, and reports: how many were killed in each
module, and which survived. A survivor that no test can tell from the original has its reason in
``tests/survivors.yml``; one that changes the words of a message alone is counted with these, as tests look for the
argument and its value, and not for each word. What was found is recorded for the page about testing.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from book._tools.proof import record
from book._tools.repository import ROOT

FOLDER = ROOT / "mutants"
REASONS = ROOT / "tests" / "survivors.yml"
WANTED = 0.9
"""Share of the mutants of each package that the tests must kill."""

SURVIVED, NO_TEST = 0, (5, 33)
TEXT = re.compile(r"""[frb]*"[^"]*"|[frb]*'[^']*'|\bNone\b""")
"""A text, or what may take its place."""


@dataclass
class Module:
    """What became of the mutants of one module.

    Attributes
    ----------
    name : str
        Its path.
    killed : int
        Mutants that a test noticed, those that ran out of time included.
    explained, survivors : list of str
        Mutants that no test noticed, with a reason and without.
    unchecked : int
        Mutants that have not been run.
    """

    name: str
    killed: int = 0
    explained: list[str] = field(default_factory=list)
    survivors: list[str] = field(default_factory=list)
    unchecked: int = 0

    @property
    def checked(self) -> int:
        """The number of mutants that were run."""
        return self.killed + len(self.explained) + len(self.survivors)

    @property
    def share(self) -> float:
        """Share that was killed of those that were run and can be told from the original; 1 where there is none."""
        distinct = self.killed + len(self.survivors)
        return self.killed / distinct if distinct else 1.0


def exit_codes(folder: Path = FOLDER) -> Iterator[tuple[str, dict[str, int | None]]]:
    """Yield each mutated module with the exit code of the tests by mutant, None where they have not been run."""
    for path in sorted(folder.rglob("*.py.meta")):
        codes = json.loads(path.read_text())["exit_code_by_key"]
        if codes:
            yield str(path.relative_to(folder)).removesuffix(".meta"), codes


def sample(names: list[str], count: int, skip: int = 0) -> list[str]:
    """Draw mutants that any machine draws alike: those whose names have the lowest SHA-256, after the first ones."""
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[skip : skip + count]


def change(mutant: str) -> str:
    """Return the lines that a mutant takes away and puts in, without their place."""
    shown = subprocess.run(
        [sys.executable, "-m", "mutmut", "show", mutant], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    lines = [line for line in shown.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return " ".join(f"{line[0]} {line[1:].strip()}" for line in lines)


def _without_sentences(line: str) -> str:
    """Put one word in the place of every text of several, and of None."""
    return TEXT.sub(lambda found: "text" if " " in found[0] or found[0] == "None" else found[0], line)


def is_wording(changed: str) -> bool:
    """Say whether a change is one of sentences alone: other words, other letters, or none."""
    before, _, after = changed.removeprefix("- ").partition(" + ")
    while after:
        if before != after and _without_sentences(before) == _without_sentences(after):
            return '"' in before or "'" in before
        more, _, after = after.partition(" + ")
        before += f" + {more}"
    return False


def reasons(path: Path = REASONS) -> dict[str, str]:
    """Read the reasons why mutants may survive, by function and change."""
    return yaml.safe_load(path.read_text()) or {} if path.is_file() else {}


def function_of(mutant: str) -> str:
    """Return the function that a mutant is of: ``module.Class.method``."""
    module, _, mangled = mutant.rpartition(".")
    name = mangled.rpartition("__mutmut_")[0]
    return f"{module}." + (
        name.replace("xǁ", "").replace("ǁ", ".") if "ǁ" in name else name.removeprefix("x_")
    )


def modules(folder: Path = FOLDER) -> list[Module]:
    """Sort the mutants of each module by what became of them."""
    known, found = reasons(), []
    for name, codes in exit_codes(folder):
        module = Module(name)
        for mutant, code in codes.items():
            if code is None:
                module.unchecked += 1
            elif code == SURVIVED or code in NO_TEST:
                changed = change(mutant)
                explained = f"{function_of(mutant)}: {changed}" in known or is_wording(changed)
                (module.explained if explained else module.survivors).append(mutant)
            else:
                module.killed += 1
        found.append(module)
    return found


def report(found: list[Module]) -> str:
    """Write a module on each line, and then each survivor with its change."""
    lines = [f"{'module':48s} checked  killed  explained  survived  not run"]
    for module in found:
        lines.append(
            f"{module.name:48s} {module.checked:7d} {module.share:7.1%} {len(module.explained):10d} "
            f"{len(module.survivors):9d} {module.unchecked:8d}"
        )
    for module in found:
        lines += [f"{function_of(mutant)}: {change(mutant)}" for mutant in module.survivors]
    return "\n".join(lines)


def facts(found: list[Module]) -> dict[str, Any]:
    """Return what the page about testing shows: numbers of mutants, and the share killed in each package."""
    packages: dict[str, list[Module]] = {}
    for module in found:
        place = Path(module.name).parent
        packages.setdefault(place.name if place.name != "ddgp_lib" else Path(module.name).stem, []).append(
            module
        )
    killed = {name: sum(module.killed for module in part) for name, part in packages.items()}
    distinct = {name: killed[name] + sum(len(m.survivors) for m in part) for name, part in packages.items()}
    return {
        "mutants": sum(module.checked + module.unchecked for module in found),
        "tried": sum(module.checked for module in found),
        "killed": sum(module.killed for module in found),
        "explained": sum(len(module.explained) for module in found),
        "survived": sum(len(module.survivors) for module in found),
        "shares": {name: round(killed[name] / distinct[name], 3) for name in packages if distinct[name]},
    }


def run(names: list[str], children: int) -> None:
    """Run the mutants that have not been run, all or those that are named."""
    subprocess.run(
        [sys.executable, "-m", "mutmut", "run", "--max-children", str(children), *names],
        cwd=ROOT,
        check=False,
    )


def main() -> int:
    """Run the mutants and report; fail where the tests of a package kill too few."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="run so many mutants of each module; by default all")
    parser.add_argument("--skip", type=int, default=0, help="pass over so many, which an earlier sample held")
    parser.add_argument("--children", type=int, default=2, help="processes")
    parser.add_argument("--report", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    if not arguments.report and arguments.sample is None:
        run([], arguments.children)
    elif not arguments.report:
        if not FOLDER.is_dir():
            run(["none"], arguments.children)  # makes the mutants
        names = [
            name
            for _, codes in exit_codes()
            for name in sample(list(codes), arguments.sample, arguments.skip)
        ]
        run(names, arguments.children)
    found = modules()
    sys.stdout.write(report(found) + "\n")
    shown = facts(found)
    if not arguments.report:
        record("mutation", **shown)
    return int(any(share < WANTED for share in shown["shares"].values()))


if __name__ == "__main__":
    raise SystemExit(main())
