"""Links that the site makes by itself: from code to the reference, from words to the glossary."""

import pytest
from docutils import nodes

from book._tools.code_links import Links, imported, nearest
from book._tools.glossary_links import definitions, plain, with_tooltips

KNOWN = {
    "ddgp_lib.presets.load_task": "api_tasks.html#a",
    "ddgp_lib.operators.algebra.gradient": "api_operators.html#b",
    "ddgp_lib.figures.plots.curves": "api_data.html#c",
    "ddgp_lib.one.step": "x",
    "ddgp_lib.two.step": "y",
}
SOURCE = "import ddgp_lib\nfrom ddgp_lib import figures\nfrom ddgp_lib.operators import gradient as g\nimport torch"


def word(name: str) -> str:
    return f'<span class="n">{name}</span>'


DOT = '<span class="o">.</span>'


def test_imports_of_the_library_are_read() -> None:
    objects, modules = imported(SOURCE)
    assert objects == {"figures": "ddgp_lib.figures", "g": "ddgp_lib.operators.gradient"}
    assert modules == {"ddgp_lib"}
    assert imported("not Python") == ({}, set())


def test_the_nearest_object_is_meant_and_an_unclear_name_is_none() -> None:
    assert nearest("ddgp_lib.load_task", KNOWN) == "ddgp_lib.presets.load_task"
    assert nearest("ddgp_lib.two.step", KNOWN) == "ddgp_lib.two.step"
    assert nearest("ddgp_lib.step", KNOWN) is None
    assert nearest("ddgp_lib.nothing", KNOWN) is None


@pytest.mark.parametrize(
    ("code", "address"),
    [
        (word("ddgp_lib") + DOT + word("load_task"), "api_tasks.html#a"),
        (word("figures") + DOT + word("curves"), "api_data.html#c"),
        (word("g"), "api_operators.html#b"),
        (word("task") + DOT + word("load_task"), None),
        (word("load_task"), None),
        (word("ddgp_lib") + DOT + word("step"), None),
    ],
)
def test_names_in_code_are_linked_and_nothing_else(code: str, address: str | None) -> None:
    links = Links(*imported(SOURCE), KNOWN)
    found = links.link_all(f"<p>{code}</p><pre>{code}</pre>")
    assert found.startswith(f"<p>{code}</p><pre>")
    if address is None:
        assert "<a" not in found
    else:
        assert found.count("<a ") == 1
        assert f'href="{address}"' in found


def test_definitions_of_the_glossary_are_read_without_formulas() -> None:
    glossary = nodes.document(None, None)  # type: ignore[arg-type]
    item = nodes.definition_list_item()
    item += nodes.term("", "adjoint", ids=["term-adjoint"])
    item += nodes.definition("", nodes.paragraph("", r"A^\top, for \lVert x \rVert."))
    glossary += nodes.definition_list("", item)
    assert definitions(glossary) == {"adjoint": ("term-adjoint", "Aᵀ, for ‖ x ‖.")}
    assert len(plain("word " * 100)) <= 220
    assert plain("An inverse; see .") == "An inverse."


def test_links_say_what_they_lead_to() -> None:
    texts = {"id1": 'A "title"'}
    link = '<a class="x" href="bibliography.html#id1">A</a>'
    assert with_tooltips(link, "bibliography.html", texts) == link.replace(
        '#id1"', '#id1" title="A &quot;title&quot;"'
    )
    for kept in ('<a href="bibliography.html#id2">A</a>', '<a title="b" href="bibliography.html#id1">A</a>'):
        assert with_tooltips(kept, "bibliography.html", texts) == kept
