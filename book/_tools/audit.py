"""Ask a database of vulnerabilities about every exact version of the lock files.

pip-audit is fetched by uv for the moment, and is no part of any environment. Where the database, or pip-audit itself,
cannot be reached, this says so and is content: a machine without a network is no vulnerability.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from uv import find_uv_bin

from book._tools.lock import FILES, pins
from book._tools.proof import record
from book._tools.repository import ROOT

UNREACHABLE = "no database of vulnerabilities could be reached, so nothing was checked"


def locked() -> list[str]:
    """Return all exact versions of the lock files."""
    together = {name: version for file in FILES for name, version in pins(ROOT / f"{file}.txt").items()}
    return [f"{name}=={version}" for name, version in sorted(together.items())]


def ask(requirements: Path) -> str:
    """Run pip-audit; return what it prints as JSON, or "" if it could not run."""
    command = [find_uv_bin(), "tool", "run", "pip-audit", "--no-deps", "--disable-pip", "--format", "json"]
    run = subprocess.run(
        [*command, "-r", str(requirements)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    return run.stdout


def verdict(printed: str) -> tuple[int, str]:
    """Return the status and the words for what pip-audit printed: it skips what the database does not answer for."""
    try:
        packages = json.loads(printed)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return 0, UNREACHABLE
    checked = [package for package in packages if "vulns" in package]
    if not checked:
        return 0, UNREACHABLE
    found = [
        f"{package['name']} {package['version']}: {vulnerability['id']}"
        for package in checked
        for vulnerability in package["vulns"]
    ]
    words = f"{len(checked)} of {len(packages)} packages checked, {len(found)} known vulnerabilities"
    return int(bool(found)), "\n".join([words, *found])


def main() -> int:
    """Check the lock files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="keep the answer for the page about testing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text("\n".join(locked()) + "\n")
        status, words = verdict(ask(requirements))
    if arguments.record:
        record("audit", said=words.splitlines()[0])
    sys.stdout.write(words + "\n")
    return status


if __name__ == "__main__":
    raise SystemExit(main())
