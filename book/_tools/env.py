"""Make a virtual environment from requirement files, once for each content of them.

Only the standard library is used, and only syntax that an old Python still reads, so that a
machine with the wrong Python gets a sentence instead of a traceback.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

LOWEST = (3, 11)
MARKER = "made-by-ddgp-book"


def fingerprint(requirements: list[Path], index: str = "") -> str:
    """Hash the requirement files, the Python that will read them, and an index beside pip's own."""
    digest = hashlib.sha256(".".join(map(str, sys.version_info[:3])).encode())
    for path in requirements:
        digest.update(path.read_bytes())
    digest.update(index.encode())
    return digest.hexdigest()[:16]


def install(directory: Path, requirements: list[Path], index: str = "") -> None:
    """Make an environment and install the requirement files in it; show pip's words only if it fails."""
    if subprocess.call([sys.executable, "-m", "venv", str(directory)]) != 0:
        sys.exit(
            "Python could not make a virtual environment (on Debian and Ubuntu: apt install python3-venv)"
        )
    log = directory / "install.log"
    command = [str(directory / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    for path in requirements:
        command += ["-r", str(path)]
    if index:
        command += ["--extra-index-url", index]
    with log.open("wb") as stream:
        status = subprocess.call(command, stdout=stream, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    if status != 0:
        tail = log.read_text(errors="replace").splitlines()[-30:]
        sys.exit("\n".join([*tail, f"pip failed with status {status}; all it said is in {log}"]))


def make(directory: Path, requirements: list[Path], needs: str, index: str = "") -> None:
    """Bring ``directory`` to the state that ``requirements`` describe.

    An environment made from other requirements is removed first, so that what is installed is
    always what the files say. A folder that this script did not make is left alone.
    """
    marker = directory / MARKER
    wanted = fingerprint(requirements, index)
    if marker.exists() and marker.read_text().strip() == wanted:
        return
    if directory.exists() and any(directory.iterdir()) and not marker.exists():
        sys.exit(f"{directory} exists and was not made by this Makefile: delete it, or name another VENV=")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    marker.write_text("unfinished\n")
    names = " ".join(path.name for path in requirements)
    print(f"Installing {names} into {directory} ({needs}) ...", flush=True)
    start = time.monotonic()
    install(directory, requirements, index)
    marker.write_text(wanted + "\n")
    print(f"Installed in {time.monotonic() - start:.0f} s.", flush=True)


def main() -> None:
    """Read the command line."""
    if sys.version_info < LOWEST:
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(
            f"Python {LOWEST[0]}.{LOWEST[1]} or newer is needed, and this one is {found}: "
            "name another with `make ... PYTHON=python3.11`"
        )
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="where the environment stands")
    parser.add_argument("requirements", type=Path, nargs="+", help="requirement files")
    parser.add_argument("--hash", action="store_true", help="print the hash of the files, and do nothing")
    parser.add_argument("--index", default="", help="address of an index of packages beside pip's own")
    parser.add_argument("--needs", default="", help="what to tell the person who waits")
    arguments = parser.parse_args()
    if arguments.hash:
        print(fingerprint(arguments.requirements, arguments.index))
        return
    make(arguments.directory.absolute(), arguments.requirements, arguments.needs, arguments.index)


if __name__ == "__main__":
    main()
