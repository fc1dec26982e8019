"""Execute the notebooks many times, on several numbers of threads and with less of the processor, and count failures.

A cell that fails in one run and not in another is flaky; one that fails in all runs of a setting depends on it.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy._core._multiarray_umath import (  # type: ignore[import-not-found]
    __cpu_dispatch__,
    __cpu_features__,
)

from book._tools.proof import proofs, record
from book._tools.repository import ROOT


def without_avx_512() -> dict[str, str]:
    """Return what tells NumPy to use no AVX-512; empty where it uses none."""
    names = [
        name for name in __cpu_dispatch__ if name.startswith(("AVX512", "X86_V4")) and __cpu_features__[name]
    ]
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(names)} if names else {}


AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
ISA = {"all": {}, "AVX2": AVX2 | without_avx_512()}
"""What PyTorch and NumPy may use of the processor: all that it has, or nothing newer than AVX2."""


@dataclass(frozen=True)
class Setting:
    """How the notebooks are executed."""

    threads: int
    isa: str

    @property
    def name(self) -> str:
        """What it is called in the table."""
        return f"{self.threads} thread{'s' * (self.threads > 1)}, {self.isa}"


def failures(junit: Path) -> tuple[int, list[str]]:
    """Return how many cells were executed, and the names of those that failed."""
    cases = list(ElementTree.parse(junit).getroot().iter("testcase"))
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    return len(cases), [f"{case.get('classname')}::{case.get('name')}" for case in bad]


def run(setting: Setting, notebooks: list[Path], workers: int) -> tuple[int, list[str]]:
    """Execute the notebooks once, as `make nbval` does."""
    environment = (
        os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(setting.threads)} | ISA[setting.isa]
    )
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder, "cells.xml")
        command = [
            sys.executable,
            "-m",
            "pytest",
            *map(str, notebooks),
            "--nbval",
            "--nbval-current-env",
            "-q",
        ]
        command += ["-n", str(workers), "--dist", "loadscope", f"--junitxml={junit}"]
        subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=False)
        return failures(junit)


def repeat(setting: Setting, times: int, notebooks: list[Path], workers: int) -> dict[str, Any]:
    """Execute the notebooks so many times; count the runs in which each cell failed."""
    cells, failed = 0, Counter[str]()
    for _ in range(times):
        cells, bad = run(setting, notebooks, workers)
        failed.update(bad)
    flaky = sum(count < times for count in failed.values())
    return {"runs": times, "cells": cells, "flaky": flaky, "failed": dict(failed)}


def main() -> int:
    """Execute, print and record; fail where a cell did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, default=[ROOT / "book"])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--isa", nargs="+", choices=ISA, default=list(ISA))
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    results = proofs().get("flaky", {}).get("settings", {})
    bad = False
    for threads, isa in itertools.product(arguments.threads, arguments.isa):
        setting = Setting(threads, isa)
        found = repeat(setting, arguments.times, arguments.notebooks, arguments.workers)
        sys.stdout.write(
            f"{setting.name:18s}{found['runs']:4d} runs of {found['cells']} cells, {found['flaky']} flaky, "
            f"failed: {found['failed'] or 'none'}\n"
        )
        sys.stdout.flush()
        results[setting.name] = found
        record("flaky", settings=results)
        bad |= bool(found["failed"])
    return int(bad)


if __name__ == "__main__":
    raise SystemExit(main())
