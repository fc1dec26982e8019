"""Put the JavaScript that the site serves itself into ``_vendor``, whose content goes to the site's root.

Four pinned npm packages, of which only these files are copied: MathJax with its fonts, its TeX
extensions and its accessible explorer in English; RequireJS; the manager that shows Jupyter
widgets without a kernel; and ONNX Runtime, which runs networks on the page with a camera. Archives
are checked against ``package-lock.json``. One file is changed: the manager of widgets compiles a
check of their state from text, which the policy of the pages forbids.
"""

import fnmatch
import json
import shutil
import tarfile
from pathlib import Path

from book._tools import npm
from book._tools.repository import ROOT

VENDOR = ROOT / "_vendor"
MANIFEST = VENDOR.with_name("_build") / "vendor.json"

# package: (pattern inside the archive, folder under _vendor, prefix that is dropped)
FILES: dict[str, list[tuple[str, str, str]]] = {
    "mathjax": [
        ("package/LICENSE", "vendor/mathjax", "package/"),
        ("package/es5/tex-chtml.js", "vendor/mathjax", "package/es5/"),
        ("package/es5/output/chtml/fonts/woff-v2/*", "vendor/mathjax", "package/es5/"),
        ("package/es5/input/tex/extensions/*", "vendor/mathjax", "package/es5/"),
        ("package/es5/a11y/*", "vendor/mathjax", "package/es5/"),
        ("package/es5/sre/mathmaps/base.json", "vendor/mathjax", "package/es5/"),
        ("package/es5/sre/mathmaps/en.json", "vendor/mathjax", "package/es5/"),
    ],
    "onnxruntime-web": [
        ("package/dist/ort.wasm.min.mjs", "vendor/onnxruntime", "package/dist/"),
        ("package/dist/ort-wasm-simd-threaded.mjs", "vendor/onnxruntime", "package/dist/"),
        ("package/dist/ort-wasm-simd-threaded.wasm", "vendor/onnxruntime", "package/dist/"),
    ],
    "requirejs": [("package/require.js", "vendor/jupyter", "package/")],
    "@jupyter-widgets/html-manager": [
        ("package/dist/embed-amd.js", "vendor/jupyter", "package/dist/"),
        # The bundle looks for the fonts of its icons beside the page, and all pages with widgets are in book/.
        ("package/dist/*.woff2", "book/@jupyter-widgets/html-manager/dist", "package/dist/"),
    ],
}

# A file's end: (text that occurs once, what takes its place). The state of our widgets is not checked in the browser.
EDITS: dict[str, list[tuple[bytes, bytes]]] = {
    "embed-amd.js": [
        (b"gt.compile(At),gt.compile(pt);", b""),
        (b"E=k.compile(y),$=k.compile(v);", b"E=()=>!0,$=()=>!0;"),
    ],
}


def destination(member: str, rules: list[tuple[str, str, str]]) -> Path | None:
    """Return where a file of an archive goes, relative to the vendor folder, or None."""
    for pattern, folder, prefix in rules:
        if fnmatch.fnmatchcase(member, pattern):
            return Path(folder) / member.removeprefix(prefix)
    return None


def edited(name: str, content: bytes) -> bytes:
    """Return a file's content with its edits.

    Raises
    ------
    ValueError
        If what is edited does not occur exactly once.
    """
    for old, new in EDITS.get(name, []):
        if content.count(old) != 1:
            raise ValueError(f"name={name!r}: {old!r} must occur once, and occurs {content.count(old)} times")
        content = content.replace(old, new)
    return content


def unpack(archive: Path, rules: list[tuple[str, str, str]], target: Path) -> int:
    """Copy the wanted files of an archive and return how many they were."""
    copied = 0
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            place = destination(member.name, rules)
            stream = tar.extractfile(member) if place and member.isfile() else None
            if place is None or stream is None:
                continue
            path = target / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(edited(path.name, stream.read()))
            copied += 1
    return copied


def wanted() -> dict[str, list[str]]:
    """Describe what the vendor folder should hold: packages by hash, the rules, and the edits."""
    edits = repr(sorted(EDITS.items()))
    return {name: [*npm.locked(name), json.dumps(rules), edits] for name, rules in FILES.items()}


def ensure(target: Path = VENDOR, manifest: Path = MANIFEST) -> bool:
    """Make the vendor folder if it does not hold what is wanted; say whether it was made.

    Raises
    ------
    ValueError
        If an archive is not the locked one, or holds none of the files of a rule.
    """
    if target.exists() and manifest.exists() and json.loads(manifest.read_text()) == wanted():
        return False
    shutil.rmtree(target, ignore_errors=True)
    for name, rules in FILES.items():
        archive = npm.fetch(name)
        for rule in rules:
            if unpack(archive, [rule], target) == 0:
                raise ValueError(f"rule={rule!r}: {archive.name} holds no such file")
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps(wanted(), indent=1))
    return True


if __name__ == "__main__":
    ensure()
