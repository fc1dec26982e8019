"""Run the library's tests under every Python that this machine has, and with the oldest packages that are allowed.

Each has an environment of its own, made by uv from what ``pyproject.toml`` states and not from the exact versions of
the lock: the newest versions, and for the lowest Python also the oldest. The oldest are tried without the extras that
ask for a newer PyTorch than the library does. An interpreter that is not here is named and left out.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uv import find_uv_bin

from book._tools.proof import proofs, record
from book._tools.repository import ROOT

TOOLS = (
    "pytest>=9",
    "pytest-xdist>=3.8",
    "hypothesis>=6.150",
    "mypy>=2",
    "pyyaml>=6",
    "jupytext>=1.19",
    "nbclient>=0.11",
)
NEWEST, OLDEST = "highest", "lowest-direct"


@dataclass(frozen=True)
class Setting:
    """A Python and how versions are chosen for it."""

    python: str
    resolution: str

    @property
    def name(self) -> str:
        """What it is called in the table."""
        return f"Python {self.python}, {'newest' if self.resolution == NEWEST else 'oldest'} packages"


def project(root: Path = ROOT) -> dict[str, Any]:
    """Read what ``pyproject.toml`` says of the package."""
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


def pythons() -> list[str]:
    """Return the versions of Python that the package says it runs under."""
    pattern = r"Programming Language :: Python :: (3\.\d+)"
    found = [re.fullmatch(pattern, line) for line in project()["classifiers"]]
    return [match[1] for match in found if match]


def extras(resolution: str) -> list[str]:
    """Return the extras that are installed: with the oldest packages none that asks for a PyTorch of its own."""
    return [
        name
        for name, packages in project()["optional-dependencies"].items()
        if resolution == NEWEST or not any(package.startswith("torch>=") for package in packages)
    ]


def settings() -> list[Setting]:
    """Return what is tried: every Python with the newest packages, and the lowest one with the oldest."""
    lowest, *_ = pythons()
    return [Setting(lowest, OLDEST), *(Setting(python, NEWEST) for python in pythons())]


def interpreter(python: str) -> str | None:
    """Return the path of an interpreter of this machine, on the path or among pyenv's, or None."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{python}"), *map(str, versions.glob(f"{python}.*/bin/python"))]
    for candidate in filter(None, candidates):
        asked = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False)
        if asked.stdout.startswith(f"Python {python}."):
            return candidate
    return None


def environment(setting: Setting, python: str, folder: Path) -> Path:
    """Make the environment of a setting unless it is there; return its Python."""
    place = folder / f"{setting.python}-{setting.resolution}"
    found = place / "bin" / "python"
    if not found.exists():
        subprocess.run([find_uv_bin(), "venv", "--quiet", "--python", python, str(place)], check=True)
    chosen = [f"--extra={name}" for name in extras(setting.resolution)]
    wanted = ["-r", str(ROOT / "pyproject.toml"), *chosen, *TOOLS]
    install = [find_uv_bin(), "pip", "install", "--quiet", "--python", str(found)]
    subprocess.run([*install, "--resolution", setting.resolution, *wanted], cwd=ROOT, check=True)
    return found


def tested(python: Path, workers: int) -> dict[str, int]:
    """Run the tests of the library; return how many passed, failed and were skipped."""
    command = [str(python), "-m", "pytest", "tests", "-q", "-n", str(workers), "--dist", "loadfile"]
    command += ["--ignore=tests/book", "--ignore=tests/assignments"]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    sys.stdout.write(run.stdout[-6000:])
    return counted(run.stdout)


def counted(printed: str) -> dict[str, int]:
    """Read the last line of pytest."""
    last = (printed.strip().splitlines() or [""])[-1]
    return {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|errors?)", last)}


def main() -> int:
    """Try all settings, or those of one Python; fail where a test does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the environments stand")
    parser.add_argument("--only", default="", help="settings whose name begins so, such as 'Python 3.12'")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    results = proofs().get("matrix", {}).get("settings", {})
    bad = False
    for setting in settings():
        if not setting.name.startswith(arguments.only):
            continue
        python = interpreter(setting.python)
        if python is None:
            sys.stdout.write(f"{setting.name}: there is no such interpreter here\n")
            continue
        found = tested(environment(setting, python, arguments.folder.absolute()), arguments.workers)
        sys.stdout.write(f"{setting.name}: {found}\n")
        bad |= not found.get("passed") or bool(found.get("failed", 0) + found.get("errors", 0))
        results[setting.name] = found
        record("matrix", settings=results)
    return int(bad)


if __name__ == "__main__":
    raise SystemExit(main())
