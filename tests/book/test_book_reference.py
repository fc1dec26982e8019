"""How the pages of the reference are written: from the text of the library and the code of the chapters."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document

from book._tools import library
from book._tools.api_pages import (
    all_modules,
    all_names,
    breakable,
    named,
    page_texts,
    prefer_modules,
    title_of,
    with_modules,
)
from book._tools.chapter_uses import parsed, sentence, used, uses
from book._tools.code_links import to_objects
from book._tools.contents import Chapter, chapters, reference
from book._tools.library import Member, Module, first_sentence
from book._tools.repository import ROOT
from book._tools.site_extension import escape_bars, keep_one_document

SOURCE = '''"""What it does. Then more."""
LIMIT = 3
"""The largest number. It is small."""
hidden = 4
_private = 5
"""Not shown."""
def run(x):
    """Run |x|, and
    return it.

    Longer.
    """
class Runner:
    """Runs."""
def _helper(): ...
'''
STEP = Module(
    "ddgp_lib.one.step",
    "Steps.",
    (
        Member("ddgp_lib.one.step.half", "function", "Half of it."),
        Member("ddgp_lib.one.step.SIZE", "data", "Its size."),
    ),
)
TEXTS = {
    "book/api_a": "# Part A\n",
    "book/api/step": "# Steps\n\nOf a walk.\n\n```{library-modules}\nddgp_lib.one.step\n```\n",
}
KNOWN = {STEP.name: STEP}


def test_names_in_the_tables_of_names_break_at_their_seams() -> None:
    name = '<span class="pre">kinds.fista.PolynomialFista_of_two_A</span>'
    made = breakable(f'<table class="ddgp-names table">{name}</table><p>{name}</p>')
    broken = "kinds.<wbr>fista.<wbr>Polynomial<wbr>Fista_<wbr>of_<wbr>two_<wbr>A"
    assert made == f'<table class="ddgp-names table"><span class="pre">{broken}</span></table><p>{name}</p>'


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("One thing. Another.", "One thing."),
        ("Reads .npy files, and\nmore of them.\n\nThen the rest.", "Reads .npy files, and more of them."),
        ("The norm |x|.", r"The norm \|x\|."),
        ("Bars of ``a | b`` stay.", "Bars of ``a | b`` stay."),
        (None, ""),
    ],
)
def test_the_first_sentence_of_a_docstring(docstring: str | None, expected: str) -> None:
    assert first_sentence(docstring) == expected


def test_a_module_is_read_without_being_imported(tmp_path: Path) -> None:
    folder = tmp_path / "ddgp_lib" / "tools"
    folder.mkdir(parents=True)
    (folder / "walk.py").write_text(SOURCE)
    (folder / "_hidden.py").write_text(SOURCE)
    (folder / "__init__.py").write_text("from ddgp_lib.tools.walk import run\n")
    found = library.modules(tmp_path)
    assert list(found) == ["ddgp_lib.tools.walk"]
    assert found["ddgp_lib.tools.walk"].sentence == "What it does."
    assert found["ddgp_lib.tools.walk"].members == (
        Member("ddgp_lib.tools.walk.LIMIT", "data", "The largest number."),
        Member("ddgp_lib.tools.walk.run", "function", r"Run \|x\|, and return it."),
        Member("ddgp_lib.tools.walk.Runner", "class", "Runs."),
    )
    assert set(library.objects(tmp_path)) == {"ddgp_lib.tools.walk.run", "ddgp_lib.tools.walk.Runner"}


def test_every_public_module_is_on_one_page_of_the_reference() -> None:
    held = [name for text in page_texts().values() for name in named(text)]
    assert sorted(held) == sorted(library.modules()), "put the module on a page of book/api"


def test_every_page_of_the_reference_is_in_the_contents() -> None:
    listed = {page for pages in reference().values() for page in pages}
    assert {f"book/api/{path.stem}" for path in (ROOT / "book" / "api").glob("*.md")} == listed
    assert {f"book/{path.stem}" for path in (ROOT / "book").glob("api_*.md")} == set(reference())


def test_every_module_and_every_name_has_a_sentence() -> None:
    said = {one.name: one.sentence for module in library.modules().values() for one in module.members}
    said |= {module.name: module.sentence for module in library.modules().values()}
    assert [name for name, text in said.items() if not text.endswith((".", "?", "!"))] == []


def test_a_page_has_a_table_first_and_then_a_section_for_each_module() -> None:
    page = with_modules(TEXTS["book/api/step"], KNOWN)
    places = [
        page.index(part)
        for part in (
            "# Steps",
            "Of a walk.",
            ":py:mod:`one.step <ddgp_lib.one.step>`: Steps.",
            "* - :py:obj:`~ddgp_lib.one.step.half`\n     - Half of it.",
            "* - :py:obj:`~ddgp_lib.one.step.SIZE`\n     - Its size.",
            "## `one.step`",
            ".. autoapimodule:: ddgp_lib.one.step\n   :members:\n   :member-order: bysource\n",
        )
    ]
    assert places == sorted(places)
    assert "library-modules" not in page
    with pytest.raises(KeyError, match="two"):
        with_modules("```{library-modules}\nddgp_lib.two\n```\n", KNOWN)


def test_lists_of_modules_and_of_names() -> None:
    listed = all_modules({"book/api_a": ["book/api/step"]}, TEXTS, KNOWN)
    assert "### [Part A](/book/api_a.md)" in listed
    assert "* - :py:mod:`one.step <ddgp_lib.one.step>`\n     - Steps." in listed
    listed = all_names(["book/api/step"], TEXTS, KNOWN)
    assert "## [Steps](/book/api/step.md)" in listed
    assert "- :py:obj:`~ddgp_lib.one.step.half`, :py:obj:`~ddgp_lib.one.step.SIZE`" in listed
    with pytest.raises(ValueError, match="text='no title'"):
        title_of("no title")


def test_uses_are_read_from_code_and_not_from_names_alone() -> None:
    known = ["ddgp_lib.one.step.half", "ddgp_lib.two.half_of", "ddgp_lib.two.turn", "ddgp_lib.three.other"]
    source = "\n".join(
        [
            "import ddgp_lib",
            "from ddgp_lib import two",
            "from ddgp_lib.one import half as h",
            "from ddgp_lib.three import other",  # imported and never used
            "x = h(1)",
            "y = two.turn(x)",
            "half_of = 3",
            "print(half_of, x.half_of)",
        ]
    )
    assert used(source, known) == {"ddgp_lib.one.step.half", "ddgp_lib.two.turn"}
    assert used("import ddgp_lib\nddgp_lib.half_of(1)", known) == {"ddgp_lib.two.half_of"}
    assert parsed("x = 1") == "x = 1"
    assert parsed("%load_ext x") == ""


def test_a_use_is_said_with_links_to_the_chapters() -> None:
    one, two, ten = Chapter("book/01_a", 1), Chapter("book/02_b", 2), Chapter("book/20_c", 10)
    assert sentence([one]) == "Used in chapter :doc:`1 </book/01_a>`."
    assert (
        sentence([one, two, ten])
        == "Used in chapters :doc:`1 </book/01_a>`, :doc:`2 </book/02_b>` and :doc:`10 </book/20_c>`."
    )


def test_uses_of_the_book() -> None:
    found = uses(chapters(), library.objects())
    assert set(found) <= set(library.objects())
    assert len(found) > 100
    assert len(found["ddgp_lib.presets.load_task"]) >= 10
    assert 3 in [chapter.number for chapter in found["ddgp_lib.solvers.fista.PreconditionedFISTA"]]
    assert all(
        [one.number for one in places] == sorted({one.number for one in places}) for places in found.values()
    )


def test_a_link_to_a_page_of_the_reference_leads_to_the_object_that_it_names() -> None:
    def link(name: str, page: str) -> str:
        code = f'<code class="docutils"><span class="pre">{name}</span></code>'
        return f'<a class="reference internal" href="{page}"><span class="std std-doc">{code}</span></a>'

    known = {"ddgp_lib.one.step.half": "api/step.html#half"}
    pages = {"api_solvers.html"}
    assert to_objects(link("half", "api_solvers.html"), known, pages) == link("half", "api/step.html#half")
    for kept in (link("half", "glossary.html"), link("other", "api_solvers.html")):
        assert to_objects(kept, known, pages) == kept


def test_every_node_of_a_page_knows_that_page_alone() -> None:
    page, part, section = new_document("page"), new_document("part"), nodes.section()
    part += section
    section += nodes.paragraph("", "Read apart.")
    page.extend(part.children)
    assert section.children[0].document is part
    keep_one_document(None, page)
    assert {id(node.document) for node in page.findall()} == {id(page)}


def test_a_package_does_not_hide_a_module_behind_a_function_of_its_name() -> None:
    function, other = SimpleNamespace(id="p.walk"), SimpleNamespace(id="p.run")
    package, module = SimpleNamespace(children=[function, other]), SimpleNamespace(children=[])
    prefer_modules({"p": package, "p.walk": module})
    assert package.children == [other]


def test_bars_are_escaped_once() -> None:
    lines = ["Of |x|.", r"   v / \|J v\|", ">>> a | b", "``a | b``"]
    escape_bars(None, "", "", None, None, lines)
    assert lines == [r"Of \|x\|.", r"   v / \|J v\|", ">>> a | b", "``a | b``"]
