"""Give the library thousands of hostile inputs, and print what became of them: the table of reliability.

hypothesis draws the inputs, ``tests/fuzz`` says what they are and how an outcome is judged. They run in processes
of their own, with a limit on memory and on the processor's time of each, so that a hang is counted and not suffered:
time that other work takes does not count.
"""

import argparse
import contextlib
import json
import os
import queue
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from book._tools.proof import record
from book._tools.repository import ROOT

CASES = 5000
SECONDS = 30
"""Processor's time of one case."""
STILL = 600
"""Seconds without a word after which a process hangs: it may wait for something, and machines can be busy."""
MEMORY = 4 << 30
"""Bytes that a process may take on top of what its imports take."""


@dataclass
class Table:
    """What became of hostile inputs.

    Attributes
    ----------
    counts : dict
        Number of cases by family and column.
    faults : list of str
        A line for each case that was silent, hung or named nothing.
    """

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, family: str, label: str, column: str, said: str) -> None:
        """Count a case."""
        self.counts.setdefault(family, Counter())[column] += 1
        if column not in ("correct", "clear error"):
            self.faults.append(f"{column}: {label}: {said}")

    def total(self, column: str | None = None) -> int:
        """Count the cases of a column, or all."""
        return sum(sum(row.values()) if column is None else row[column] for row in self.counts.values())

    def rows(self) -> dict[str, dict[str, int]]:
        """Return the counts by family, as JSON values."""
        return {family: dict(row) for family, row in sorted(self.counts.items())}


def child(cases: int, seed: int, words: IO[str]) -> None:
    """Run cases, and say of each what it is before it runs and what became of it."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    from tests.fuzz.cases import families
    from tests.fuzz.outcomes import Case, classify

    taken = Path("/proc/self/statm")
    if taken.exists():  # on Linux, where the limit holds
        limit = int(taken.read_text().split()[0]) * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    def say(**facts: Any) -> None:
        words.write(json.dumps(facts) + "\n")
        words.flush()

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for share, family in families(Path(folder)):

            @seeded(seed)
            @settings(
                max_examples=max(1, share * cases // 100),
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(family)
            def run(case: Case) -> None:
                say(family=case.family, label=case.label)
                signal.setitimer(signal.ITIMER_PROF, SECONDS)
                column, said = classify(case)
                signal.setitimer(signal.ITIMER_PROF, 0)
                say(column=column, said=said)

            run()


def _pass_on(stream: IO[str], lines: "queue.Queue[str]") -> None:
    """Put every line of a stream into a queue, and an empty one at its end."""
    for line in stream:
        lines.put(line)
    lines.put("")


def outcomes(cases: int, seed: int) -> Iterator[dict[str, str]]:
    """Run cases in a process, and yield each with what became of it; the last one may have ended the process."""
    command = [
        sys.executable,
        "-m",
        "book._tools.fuzz",
        "--child",
        "--cases",
        str(cases),
        "--seed",
        str(seed),
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_pass_on, args=(process.stdout, lines), daemon=True).start()
    case: dict[str, str] = {}
    try:
        while line := lines.get(timeout=STILL):
            case |= json.loads(line)
            if "column" in case:
                yield case
                case = {}
    except queue.Empty:
        process.kill()
    finally:
        status = process.wait()
    if case:
        yield case | {"column": "hang or memory", "said": f"the process ended with status {status}"}


def fuzz(cases: int = CASES, seed: int = 0) -> Table:
    """Run cases, in a new process whenever one was ended by its case."""
    table = Table()
    while cases - table.total() >= 100 or not table.counts:  # fewer do not reach all families
        before = table.total()
        for case in outcomes(cases - before, seed):
            table.add(**case)
        if table.total() == before:
            sys.exit("no case was run: see above")
        seed += 1
    return table


def report(table: Table) -> str:
    """Write a family on each line, and then each fault."""
    from tests.fuzz.outcomes import COLUMNS

    lines = [f"{'family':52s} inputs" + "".join(f"{column:>33s}" for column in COLUMNS)]
    for family, row in sorted(table.counts.items()):
        lines.append(
            f"{family:52s}{sum(row.values()):7d}" + "".join(f"{row[column]:33d}" for column in COLUMNS)
        )
    lines.append(f"{'together':52s}{table.total():7d}" + "".join(f"{table.total(c):33d}" for c in COLUMNS))
    return "\n".join([*lines, *sorted(table.faults)])


def main() -> int:
    """Run, print and record; fail where anything was silent or hung, or a hundredth named nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        words = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # what a case prints is no outcome
        child(arguments.cases, arguments.seed, words)
        return 0
    table = fuzz(arguments.cases, arguments.seed)
    sys.stdout.write(report(table) + "\n")
    record("fuzz", seed=arguments.seed, cases=table.total(), rows=table.rows())
    silent, hung, nameless = map(table.total, ("silent", "hang or memory", "error without argument or file"))
    return int(silent + hung > 0 or nameless >= 0.01 * table.total())


if __name__ == "__main__":
    raise SystemExit(main())
