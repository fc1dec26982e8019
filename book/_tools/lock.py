"""Write the exact versions of requirements*.txt from the names in requirements*.in, by uv.

All names are resolved together, so that a package which two files share has one version in both. What is frozen
stays as it is unless an upgrade is asked for or a name demands it. The versions are those for Linux and for the
lowest Python that the book supports. The packages of CUDA are left out: the default build of torch pins its own on
Linux, and other systems and the CPU builds have none.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from uv import find_uv_bin

from book._tools.env import LOWEST
from book._tools.repository import ROOT

BOOK, FULL, COURSE = "requirements-book", "requirements", "requirements-course"
FILES = (BOOK, FULL, COURSE)
PIN = re.compile(r"[\w.-]+==[\w.]+$")
LEFT_OUT = re.compile(r"nvidia-|cuda-|triton==")
HEADER = "# Exact versions, written by `make lock` from {name}.in: change that file and not this one.\n"
PLATFORM = "x86_64-manylinux_2_28"


def lines(path: Path) -> list[str]:
    """Return the lines of a requirement file without comments."""
    bare = (re.sub(r"(^|\s)#.*", "", line).strip() for line in path.read_text().splitlines())
    return [line for line in bare if line]


def included(path: Path) -> list[str]:
    """Return the lines of a requirement file and of the files that it names with ``-r``."""
    found = []
    for line in lines(path):
        found += included(path.with_name(line.split()[1])) if line.startswith("-r ") else [line]
    return found


def pins(path: Path) -> dict[str, str]:
    """Return the version of every package that a frozen file states, by its normalised name."""
    return {
        canonicalize_name(name): version for name, version in (line.split("==") for line in included(path))
    }


def unsatisfied(wanted: list[str], frozen: dict[str, str]) -> list[str]:
    """Return the requirements that a set of exact versions does not satisfy."""
    found = []
    for text in wanted:
        requirement = Requirement(text)
        version = frozen.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            found.append(text)
    return found


def resolve(sources: list[Path], *options: str) -> list[str]:
    """Let uv resolve loose requirements, and return the exact ones."""
    command = [find_uv_bin(), "pip", "compile", "--quiet", *map(str, sources)]
    command += ["--python-version", ".".join(map(str, LOWEST)), "--python-platform", PLATFORM]
    command += ["--no-header", "--no-annotate", *options]
    run = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=False)
    if run.returncode != 0:
        sys.exit("uv found no versions that agree: see what it says above")
    return [line for line in run.stdout.splitlines() if not LEFT_OUT.match(line)]


def lock(root: Path = ROOT, upgrade: tuple[str, ...] = ()) -> None:
    """Write the frozen files of a folder.

    Parameters
    ----------
    root : Path
        The folder with the loose files, and with frozen ones to start from.
    upgrade : tuple of str
        Packages that may change without need; ``"all"`` for all of them.
    """
    sources = [root / f"{name}.in" for name in FILES]
    options = ["--upgrade"] if "all" in upgrade else [f"--upgrade-package={name}" for name in upgrade]
    with tempfile.TemporaryDirectory() as folder:
        together = Path(folder, "together.txt")
        frozen = {line for name in FILES for line in lines(root / f"{name}.txt") if PIN.match(line)}
        together.write_text("\n".join(sorted(frozen)) + "\n")
        resolve(sources, f"--output-file={together}", *options)
        found = {
            name: resolve([source], f"--constraint={together}")
            for name, source in zip(FILES, sources, strict=True)
        }
    site = set(found[BOOK])
    found[FULL] = [f"-r {BOOK}.txt", *(line for line in found[FULL] if line not in site)]
    for name, content in found.items():
        (root / f"{name}.txt").write_text(HEADER.format(name=name) + "\n".join(content) + "\n")


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description="Write requirements*.txt from requirements*.in.")
    parser.add_argument("--upgrade", nargs="*", default=(), help="packages to upgrade, or all")
    lock(upgrade=tuple(parser.parse_args().upgrade))


if __name__ == "__main__":
    main()
