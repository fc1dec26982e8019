"""Write the icons that the site uses, ``book/_static/icons``: two small fonts and their style.

The theme brings all of Font Awesome, 1.6 MB of script and 0.4 MB of fonts, for some thirty icons. Here those are
taken out of its fonts, with fontTools, which is not needed to build the site. A test says when one is missing.
"""

import importlib.util
import re
from pathlib import Path

from book._tools.repository import ROOT

FOLDER = ROOT / "book" / "_static" / "icons"
NAMES = (
    "angle-left", "angle-right", "arrow-up", "bars", "chevron-down", "circle-half-stroke", "download", "expand",
    "file", "file-pdf", "github", "lightbulb", "list", "magnifying-glass", "moon", "rocket", "sun", "xmark",
)  # fmt: skip
"""Icons that pages name by a class, ``fa-NAME``."""
PRIVATE = re.compile(r"[\ue000-\uf8ff]|\\([ef][0-9a-f]{3})\b")
"""An icon in a style, as a character or by its number."""
FONTS = {"solid": "fa-solid-900", "brands": "fa-brands-400"}

STYLE = """\
/* Icons of Font Awesome Free 6.5.2, those in use: fonts SIL OFL 1.1, icons CC BY 4.0, Fonticons, Inc.
   Written by book/_tools/icons.py. */
@font-face {
  font-family: "Font Awesome 6 Free";
  font-weight: 900;
  font-display: block;
  src: url("solid.woff") format("woff");
}

@font-face {
  font-family: "Font Awesome 5 Free";
  font-weight: 900;
  font-display: block;
  src: url("solid.woff") format("woff");
}

@font-face {
  font-family: "Font Awesome 6 Brands";
  font-display: block;
  src: url("brands.woff") format("woff");
}

:root {
  --fa-font-brands: normal 400 1em/1 "Font Awesome 6 Brands";
  --fa-font-solid: normal 900 1em/1 "Font Awesome 6 Free";
}

:is(.fa-solid, .fas, .fa-brands, .fab) {
  display: inline-block;
  font: var(--fa-font-solid);
  -webkit-font-smoothing: antialiased;
}

:is(.fa-brands, .fab) {
  font: var(--fa-font-brands);
}

.fa-lg {
  font-size: 1.25em;
  line-height: 0.05em;
  vertical-align: -0.075em;
}
"""


def theme() -> Path:
    """Return the folder of the theme's static files.

    Raises
    ------
    FileNotFoundError
        If the theme is not installed.
    """
    found = importlib.util.find_spec("pydata_sphinx_theme")
    if found is None or found.origin is None:
        raise FileNotFoundError("pydata_sphinx_theme is not installed")
    return Path(found.origin).parent / "theme" / "pydata_sphinx_theme" / "static"


def numbers(style: str) -> dict[str, int]:
    """Return the number of every icon that Font Awesome's style names."""
    found = {}
    for selectors, number in re.findall(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}', style):
        for name in re.findall(r"\.fa-([\w-]+):before", selectors):
            found[name] = int(number, 16)
    return found


def icons_in(style: str) -> set[int]:
    """Return the icons that a style writes itself, before or after elements."""
    return {int(match[1], 16) if match[1] else ord(match[0]) for match in PRIVATE.finditer(style)}


def subset(font: Path, wanted: set[int], target: Path) -> None:
    """Write those glyphs of a font that are wanted; the bytes depend on nothing else."""
    from fontTools import subset as fonttools

    options = fonttools.Options(
        flavor="woff", layout_features=[], notdef_outline=True, recalc_timestamp=False
    )
    read = fonttools.load_font(str(font), options)
    subsetter = fonttools.Subsetter(options)
    subsetter.populate(unicodes=sorted(wanted))
    subsetter.subset(read)
    fonttools.save_font(read, str(target), options)


def main() -> None:
    """Write the fonts and the style."""
    awesome = theme() / "vendor" / "fontawesome" / "6.5.2"
    number = numbers((awesome / "css" / "all.min.css").read_text(encoding="utf-8"))
    wanted = {number[name] for name in NAMES}
    for style in (*theme().rglob("styles/*.css"), *_other_styles()):
        wanted |= icons_in(style.read_text(encoding="utf-8"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, file in FONTS.items():
        subset(awesome / "webfonts" / f"{file}.ttf", wanted, FOLDER / f"{name}.woff")
    rules = [f'.fa-{name}::before {{\n  content: "\\{number[name]:x}";\n}}\n' for name in NAMES]
    (FOLDER / "icons.css").write_text("\n".join([STYLE, *rules]), encoding="utf-8")


def _other_styles() -> list[Path]:
    """Return the styles of the other packages that draw icons."""
    folders = [Path(str(importlib.util.find_spec(name).origin)).parent for name in _DRAW_ICONS]  # type: ignore[union-attr]
    return [style for folder in folders for style in folder.rglob("*.css")]


_DRAW_ICONS = ("sphinx_book_theme", "sphinx_exercise", "sphinx_proof", "sphinx_togglebutton")


if __name__ == "__main__":
    main()
