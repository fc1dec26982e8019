"""Run a command again and again while other processes keep every core busy, and see whether it still ends well.

Loops keep the cores busy; ``--processes 0`` starts none, where other work does.  The load of the last quarter of an
hour, as the system tells it, is recorded with each run: the number of processes that run or wait for a core.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from book._tools.proof import record


@contextmanager
def load(processes: int) -> Iterator[None]:
    """Keep so many cores busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def main() -> int:
    """Run and record; fail where a run did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("command", nargs="+", help="after --: what to run")
    arguments = parser.parse_args()
    runs = []
    with load(arguments.processes):
        for _ in range(arguments.times):
            started = time.monotonic()
            status = subprocess.call(arguments.command, stdin=subprocess.DEVNULL)
            minutes = round((time.monotonic() - started) / 60, 1)
            runs.append({"status": status, "minutes": minutes, "load": round(os.getloadavg()[2], 1)})
            record("busy", command=" ".join(arguments.command), processes=arguments.processes, runs=runs)
    sys.stdout.write(f"{sum(run['status'] == 0 for run in runs)} of {len(runs)} runs ended well: {runs}\n")
    return int(any(run["status"] for run in runs))


if __name__ == "__main__":
    raise SystemExit(main())
