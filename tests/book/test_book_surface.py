"""The small extensions of the site: code, icons, drawings, tables, heads of pages and the bibliography."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document
from pybtex.database import Entry, Person

from book._tools import address
from book._tools.author_year import labels
from book._tools.code_lines import text_of, wrap
from book._tools.drawings.__main__ import DRAWINGS, FOLDER
from book._tools.drawings.canvas import COLOURS, rich
from book._tools.icons import NAMES, numbers
from book._tools.inline_drawings import inlined
from book._tools.light_pages import WIDGET_STATE, WIDGET_VIEW, light, without_widgets
from book._tools.numbered_tables import NumberTables, ResultTable, caption_of
from book._tools.page_head import (
    PLACEHOLDER,
    description,
    shortened,
    site_map,
    tags,
    window_title,
    without_address,
)
from book._tools.pdf import PLACE, offer
from ddgp_lib.tables import table

LONG = "<span class='k'>return</span> " + "x" * 60


def test_a_long_line_hangs_and_its_text_stays() -> None:
    html = f"<pre><span></span>short\n    {LONG}\n\n</pre>"
    found = wrap(html)
    assert text_of(found) == text_of(html)
    assert found.startswith(
        '<pre style="--columns:71"><span></span>short\n<span class="ddgp-line" style="--indent:8">'
    )
    assert wrap("<pre>short</pre>") == "<pre>short</pre>"


def test_a_page_without_widgets_loads_none_of_their_scripts() -> None:
    def script(filename: str | None, **attributes: str) -> SimpleNamespace:
        return SimpleNamespace(filename=filename, attributes=attributes)

    kept = [script("book.js"), script(None, body="let a;")]
    widgets = [
        script("../vendor/jupyter/require.js"),
        script("x/embed-amd.js"),
        script(None, type=WIDGET_STATE),
    ]
    controls = [script("controls/forms.js")]
    assert without_widgets("", kept + widgets + controls) == kept
    assert without_widgets(f'<script type="{WIDGET_VIEW}">', kept + widgets + controls) == kept + widgets
    assert (
        without_widgets('<figure class="ddgp-control" id="a">', kept + widgets + controls) == kept + controls
    )


def test_scripts_wait_and_the_icons_of_the_theme_are_gone() -> None:
    html = (
        '<link href="../_static/vendor/fontawesome/6.5.2/css/all.min.css" rel="stylesheet" />\n'
        '<script src="../_static/vendor/fontawesome/6.5.2/js/all.min.js"></script>'
        '<script src="a.js"></script><script defer src="b.js"></script><script>c()</script>'
    )
    assert (
        light(html)
        == '<script defer src="a.js"></script><script defer src="b.js"></script><script>c()</script>'
    )


def test_a_script_in_the_page_waits_for_the_one_that_it_needs() -> None:
    html = '<script src="a.js"></script><script>DOCUMENTATION_OPTIONS.pagename = "book/index";</script>'
    assert light(html) == (
        '<script defer src="a.js"></script><script>addEventListener("DOMContentLoaded", () => '
        '{ DOCUMENTATION_OPTIONS.pagename = "book/index"; });</script>'
    )


def test_the_scripts_of_the_search_do_not_wait() -> None:
    html = '<script src="a.js"></script><script src="_static/searchtools.js"></script>'
    assert light(html) == html


def test_icons_have_numbers_and_rules() -> None:
    style = '.fa-adjust:before,.fa-half:before{content:"\\f042"}.fa-sun:before{content:"\\f185"}'
    assert numbers(style) == {"adjust": 0xF042, "half": 0xF042, "sun": 0xF185}
    written = (FOLDER.parent / "icons" / "icons.css").read_text()
    assert all(f".fa-{name}::before" in written for name in NAMES)


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_those_that_the_code_draws(name: str) -> None:
    svg = DRAWINGS[name]().svg()
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == svg, "run python -m book._tools.drawings"
    assert len(svg) < 32_000
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert "id=" not in svg  # two drawings on a page would share it


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_has_an_alternative_text_and_stays_within_its_frame(name: str) -> None:
    canvas = DRAWINGS[name]()
    assert len(canvas.description) > 80
    assert canvas.width <= 620
    svg = canvas.svg()
    for x, width in re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg):
        assert float(x) + float(width) <= canvas.width
    for y, height in re.findall(r'<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', svg):
        assert float(y) + float(height) <= canvas.height


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_colours_of_drawings_can_be_read_in_light_and_dark() -> None:
    for role, colour in COLOURS.items():
        assert role == "paper" or contrast(colour, COLOURS["paper"]) >= 4.5, role
    css = (FOLDER.parent / "book.css").read_text()
    dark = re.search(r'html\[data-theme="dark"\] \.ddgp-drawing \{(.*?)\}', css, re.DOTALL)
    assert dark is not None
    found = dict(re.findall(r"--ddgp-(\w+): (#[0-9a-f]{6});", dark[1]))
    assert set(found) == set(COLOURS) - {"paper"}
    assert all(contrast(colour, "#14181e") >= 4.5 for colour in found.values())


def test_subscripts_and_slanted_letters() -> None:
    assert text_of(rich("*x*_{k+1} < A^+")) == "xk+1\u200b < A+\u200b"
    assert 'font-style="italic">x<' in rich("*x*")


def test_a_drawing_in_a_page_says_what_the_page_says() -> None:
    svg = DRAWINGS["method"]().svg()
    assert 'aria-label="a &quot;loop&quot;"' in inlined(svg, 'a "loop"')
    assert DRAWINGS["method"]().description[:20] in inlined(svg, "")
    assert "<title>" not in inlined(svg, "")


def test_tables_of_results_are_counted_and_others_are_not() -> None:
    document = new_document("page")
    made = table("Means.", ["a"], {"x": [1.0]}).html
    for html in (made, "<table><caption>b</caption></table>"):
        document += nodes.raw("", html, format="html")
    NumberTables(document).apply()
    counted, other = document.children
    assert isinstance(counted, ResultTable)
    assert caption_of(counted) == "Means."
    assert counted["ids"]
    assert isinstance(other, nodes.raw)


def test_buttons_need_an_address() -> None:
    assert PLACEHOLDER == address.PLACEHOLDER
    launch = {"notebook_interface": "jupyterlab", "binderhub_url": "https://mybinder.org"}
    options = {"repository_url": f"https://github.com/{PLACEHOLDER}", "use_repository_button": True}
    hidden = without_address(options | {"launch_buttons": launch})
    assert hidden["launch_buttons"] == {"notebook_interface": "jupyterlab"}
    assert not hidden["use_repository_button"]
    public = options | {"repository_url": "https://github.com/a/b", "launch_buttons": launch}
    assert without_address(public) == public


def paragraph(*parts: nodes.Node) -> nodes.paragraph:
    made = nodes.paragraph()
    made += list(parts)
    return made


def test_a_page_is_described_by_its_first_plain_paragraph() -> None:
    page = nodes.section()
    page += paragraph(nodes.Text("Short."))
    page += paragraph(nodes.Text("A formula " * 9), nodes.math("", "x"))
    page += paragraph(nodes.Text("A camera that measures too little leaves much undetermined.\n" * 4))
    found = description(page)  # type: ignore[arg-type]
    assert found.startswith("A camera")
    assert len(found) <= 160
    assert found.endswith("…")
    assert shortened("a\n b") == "a b"
    assert description(None) == ""


def test_the_title_of_a_window_has_the_letters_of_a_formula() -> None:
    title = '3. One <span class="math notranslate nohighlight">\\(P\\)</span> for <em>all</em> &amp; one'
    assert window_title(title) == "3. One P for all &amp; one"


def test_the_head_escapes_and_leaves_out_what_is_not_known() -> None:
    head = tags('a "b"', "Book", "x < y", "")
    assert 'content="a &quot;b&quot;"' in head
    assert "og:url" not in head
    assert 'property="og:url" content="https://a.org/b.html"' in tags("a", "b", "c", "https://a.org/b.html")


def test_a_site_map_names_all_pages() -> None:
    text = site_map("https://a.org/", ["book/a.html", "b&c.html"])
    assert re.findall("<loc>(.*?)</loc>", text) == ["https://a.org/book/a.html", "https://a.org/b&amp;c.html"]


def entry(year: str, *names: str) -> Entry:
    return Entry("book", fields={"year": year}, persons={"author": [Person(name) for name in names]})


def test_labels_of_the_bibliography() -> None:
    found = labels(
        [
            entry("1998", "LeCun, Yann", "Bottou, L", "Haffner, P"),
            entry("1994", "Samaria, F", "Harter, A"),
            entry("2010", "{\\'A}vila, M"),
            entry("2010", "{\\'A}vila, M"),
            Entry("misc", fields={"title": "A report"}),
        ]
    )
    assert list(found) == [
        "LeCun et al., 1998",
        "Samaria and Harter, 1994",
        "Ávila, 2010a",
        "Ávila, 2010b",
        "A report, n.d.",
    ]


def test_a_pdf_is_offered_where_a_page_keeps_its_place(tmp_path: Path) -> None:
    assert PLACE in address.CONFIG.read_text(encoding="utf-8")
    site = tmp_path / "html"
    (site / "book").mkdir(parents=True)
    (site / "index.html").write_text("<p>none</p>")
    (site / "book" / "a.html").write_text(f"<footer>{PLACE}</footer>")
    (tmp_path / "book.pdf").write_bytes(b"%PDF")
    assert offer(tmp_path / "book.pdf", site) == 1
    assert 'href="../book.pdf"' in (site / "book" / "a.html").read_text()
    assert (site / "book.pdf").read_bytes() == b"%PDF"
    assert offer(tmp_path / "book.pdf", site) == 0


def test_the_site_is_built_without_fonttools() -> None:
    code = Path(sys.modules["book._tools.icons"].__file__ or "").read_text()
    assert not re.search(r"^(?:from|import) fontTools", code, re.MULTILINE)
