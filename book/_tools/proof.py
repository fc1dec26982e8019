"""Keep what the long checks found, in ``tests/proof.json``: with the day, the commit and the machine."""

import datetime
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from book._tools.repository import ROOT

PROOF = ROOT / "tests" / "proof.json"


def commit(root: Path = ROOT) -> str:
    """Return the short name of the present commit, marked where files differ from it, or "" outside a clone."""
    shown = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True, check=False
    )
    return shown.stdout.strip()


def proofs(path: Path = PROOF) -> dict[str, Any]:
    """Return what the checks found when each was last run, by the name of the check."""
    return json.loads(path.read_text()) if path.is_file() else {}


def record(check: str, path: Path = PROOF, **facts: Any) -> None:
    """Put what a check found in the place of what it found before."""
    where = {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }
    found = proofs(path) | {check: where | facts}
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
