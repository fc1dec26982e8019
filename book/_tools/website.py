"""Build the site into ``_build/html``, with every warning an error, unless it is up to date.

A build starts from nothing whenever an input changed: an incremental build does not repeat the
warnings of unchanged pages and keeps pages that are gone.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from book._tools import camera_site, vendor
from book._tools.repository import ROOT

BUILD = ROOT / "_build"
HTML = BUILD / "html"
STAMP = BUILD / "inputs.sha256"
REDIRECT = "index.html"
SOURCES = "_modules"
INPUTS = (
    "_config.yml",
    "_toc.yml",
    "CHANGELOG.md",
    "LICENSE",
    "THIRD_PARTY_LICENSES.md",
    "assignments/README.md",
    "requirements-book.txt",
    "package-lock.json",
    "tests/proof.json",
    "book/**/*.md",
    "book/**/*.ipynb",
    "book/**/*.bib",
    "book/quizzes/*.yml",
    "book/**/*.css",
    "book/**/*.js",
    "book/camera/*.html",
    "book/camera/files/*",
    "book/**/*.svg",
    "book/**/*.png",
    "book/**/*.woff",
    "pyproject.toml",
    "book/_tools/*.py",
    "ddgp_lib/**/*.py",
    "ddgp_lib/**/*.md",
)


def inputs(root: Path = ROOT) -> Iterator[Path]:
    """Yield every file that the site is made from."""
    for pattern in INPUTS:
        yield from sorted(path for path in root.glob(pattern) if ".ipynb_checkpoints" not in path.parts)


def site_pages() -> list[str]:
    """Return the pages of the built site, without the one that only leads to the title page.

    Of the pages that hold the source of the library, which are all alike, it is the first.
    """
    names = sorted(path.relative_to(HTML) for path in HTML.rglob("*.html"))
    pages = [name for name in names if not {"_static", SOURCES} & set(name.parts)]
    found = pages + [name for name in names if SOURCES in name.parts and name.name != REDIRECT][:1]
    return sorted(name.as_posix() for name in found if name.as_posix() != REDIRECT)


def digest_of_inputs(root: Path = ROOT) -> str:
    """Hash the names and contents of all inputs."""
    digest = hashlib.sha256()
    for path in inputs(root):
        digest.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def build() -> None:
    """Build from nothing; leave no stamp if it fails."""
    STAMP.unlink(missing_ok=True)
    for folder in (HTML, BUILD / ".doctrees", BUILD / ".jupyter_cache"):
        shutil.rmtree(folder, ignore_errors=True)
    builder = str(Path(sys.executable).with_name("jupyter-book"))
    command = [builder, "build", str(ROOT), "-W", "-n", "--keep-going", "--all", "-q"]
    status = subprocess.call(command, cwd=ROOT, stdin=subprocess.DEVNULL)
    if status != 0:
        sys.exit(f"The site was not built (status {status}): see the warnings above.")


def main() -> None:
    """Build the site if needed and say where it is."""
    parser = argparse.ArgumentParser(description="Build the site into _build/html.")
    parser.add_argument("--force", action="store_true", help="build even if nothing changed")
    arguments = parser.parse_args()
    start = time.monotonic()
    vendor.ensure()
    camera_site.place()
    digest = digest_of_inputs()
    if arguments.force or not STAMP.exists() or STAMP.read_text() != digest:
        build()
        STAMP.write_text(digest)
        print(f"\nThe site was built in {time.monotonic() - start:.0f} s.")
    else:
        print("The site is up to date.")
    print(f"Open {(HTML / 'index.html').as_uri()}")
    print("or serve it: python3 -m http.server --directory _build/html")


if __name__ == "__main__":
    main()
