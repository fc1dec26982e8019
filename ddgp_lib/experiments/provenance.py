"""Where a result comes from: machine, versions and the commit of the code."""

import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

import torch

PACKAGE = Path(__file__).resolve().parents[1]
CPU_INFO = Path("/proc/cpuinfo")


def provenance() -> dict[str, str | int | bool | None]:
    """Describe what a measurement is made with.

    Returns
    -------
    dict
        ``"machine"``, the kind of processor, such as ``"x86_64"``; ``"processor"``, its model, None where the system
        does not tell; ``"cores"`` that the process may use, and ``"threads"`` that PyTorch does; versions of
        ``"python"``, ``"torch"`` and ``"deepinv"``; and the ``"commit"`` of the library's code, with ``"modified"``,
        whether tracked files differ from it.  Both are None where the code is in no git checkout.

    Examples
    --------
    >>> from ddgp_lib.experiments.provenance import provenance
    >>> sorted(provenance())[:5]
    ['commit', 'cores', 'deepinv', 'machine', 'modified']
    """
    commit, modified = _commit()
    return {
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": _cores(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "deepinv": metadata.version("deepinv"),
        "commit": commit,
        "modified": modified,
    }


def _cores() -> int | None:
    """Return how many cores this process may use, which can be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


@cache
def _processor() -> str | None:
    """Return the model of the processor, as Linux or Python tells it."""
    if CPU_INFO.is_file():
        for line in CPU_INFO.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or None


def _commit() -> tuple[str | None, bool | None]:
    """Return the commit of the checkout that holds the package, and whether tracked files differ from it."""
    found = _git(
        "ls-files", "--error-unmatch", "__init__.py"
    )  # an installed copy within another repository has none
    commit = None if found is None else _git("rev-parse", "HEAD")
    if commit is None:
        return None, None
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return commit, None if changes is None else changes != ""


def _git(*arguments: str) -> str | None:
    """Return what git answers in the package's folder, None where there is no git or it fails."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=PACKAGE, capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
