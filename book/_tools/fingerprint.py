"""Hash what decides whether two executions draw the same bytes: the processor and the packages."""

import hashlib
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("deepinv", "matplotlib", "numpy", "pillow", "torch")


def processor() -> str:
    """Describe the processor: its model and what it can do, where the system says so."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return f"{platform.machine()} {platform.processor()}"
    lines = cpuinfo.read_text().splitlines()
    facts = {line.split(":")[0].strip(): line.split(":", 1)[-1].strip() for line in lines if ":" in line}
    return " ".join([platform.machine(), facts.get("model name", ""), facts.get("flags", "")])


def installed(package: str) -> str:
    """Return the version of a package, or nothing if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def fingerprint() -> str:
    """Return a short hash of the processor, the packages, and the number of threads."""
    facts = [
        sys.version.split()[0],
        processor(),
        os.environ.get("OMP_NUM_THREADS", ""),
        *(installed(name) for name in PACKAGES),
    ]
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]
