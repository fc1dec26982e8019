"""What the site folds of a notebook, by the rules of ``book/_tools/cells.py``."""

import json

import pytest

from book._tools.cells import Cell, split, stage, staged


def cell(source: str, *tags: str, kind: str = "code") -> Cell:
    return {
        "cell_type": kind,
        "source": source,
        "metadata": {"tags": list(tags)},
        "outputs": ["out"],
        "id": "a",
    }


@pytest.mark.parametrize(
    ("source", "does", "asserts"),
    [
        ("x = 1", "x = 1", ""),
        ("x = 1\nassert x\nassert x > 0", "x = 1", "assert x\nassert x > 0"),
        ("x = 1\n\n# Said in the text.\nassert x", "x = 1", "# Said in the text.\nassert x"),
        ("assert x\nx = 1", "assert x\nx = 1", ""),
        ("for x in y:\n    assert x", "", "for x in y:\n    assert x"),
        ("for x in y:\n    print(x)\n    assert x", "for x in y:\n    print(x)\n    assert x", ""),
        ("x = 1\ntorch.testing.assert_close(x, y)", "x = 1", "torch.testing.assert_close(x, y)"),
        ("x = 1; assert x", "x = 1; assert x", ""),
        ("not Python", "not Python", ""),
        ("", "", ""),
    ],
)
def test_assertions_that_end_a_cell_are_split_off(source: str, does: str, asserts: str) -> None:
    assert split(source) == (does, asserts)


def test_assertions_stand_behind_a_mark_below_the_output() -> None:
    shown, checked = staged(cell("print(x)\nassert x", "nbval-ignore-output"))
    assert (shown["source"], shown["outputs"]) == ("print(x)", ["out"])
    assert (checked["source"], checked["outputs"]) == ("assert x", [])
    assert checked["metadata"]["tags"] == ["nbval-ignore-output", "hide-cell", "checked"]
    assert checked["metadata"]["mystnb"] == {"code_prompt_show": "checked", "code_prompt_hide": "checked"}
    assert checked["id"] != shown["id"]


def test_many_imports_are_split_off() -> None:
    heading, rest = staged(cell("import a\nimport b\nfrom c import (\n    d,\n)\n\nx = 1"))
    assert heading["source"] == "import a\nimport b\nfrom c import (\n    d,\n)"
    assert heading["metadata"]["tags"] == ["hide-cell", "imports"]
    assert (rest["source"], rest["outputs"]) == ("x = 1", ["out"])
    assert len(list(staged(cell("import a\nx = 1")))) == 1
    assert len(list(staged(cell("import a\nimport b\nimport c; x = 1")))) == 1


def test_a_figure_keeps_its_name_and_its_checks_have_none() -> None:
    drawn = cell("figures.curves(x)\nassert x")
    drawn["metadata"]["mystnb"] = {"figure": {"name": "fig-a"}}
    shown, checked = staged(drawn)
    assert shown["metadata"]["mystnb"] == {"figure": {"name": "fig-a"}}
    assert "figure" not in checked["metadata"]["mystnb"]


@pytest.mark.parametrize(
    ("source", "tags"),
    [
        ("import a\nfrom b import c", ["hide-cell", "imports"]),
        ("import a\na.set(1)", ["hide-cell", "imports"]),
        ("def f(x):\n    return figures.curves(x)", ["hide-input", "helpers"]),
        ("def say(x):\n    return f'{x} dB'", ["hide-input", "helpers"]),
        ("def f(x):\n    return A.A(x)", []),
        ("a.set(1)", []),
        ("widgets.live(**slider)", ["remove-cell"]),
        ("# A twin.\nwidgets.live(**slider)", ["remove-cell"]),
        ("assert x", ["hide-cell", "checked"]),
    ],
)
def test_what_is_not_the_text_is_folded(source: str, tags: list[str]) -> None:
    (found,) = staged(cell(source))
    assert found["metadata"]["tags"] == tags


@pytest.mark.parametrize("tag", ["hide-cell", "hide-input", "remove-cell"])
def test_a_chapter_that_has_decided_is_followed(tag: str) -> None:
    given = cell("import a\nassert a", tag)
    assert list(staged(given)) == [given]


def test_a_notebook_keeps_its_text_and_all_its_code() -> None:
    text = cell("assert in words", kind="markdown")
    notebook = {"cells": [text, cell("x = 1\nassert x"), cell("x")], "metadata": {}}
    cells = json.loads(stage(json.dumps(notebook)))["cells"]
    assert cells[0] == text
    assert [part["source"] for part in cells[1:]] == ["x = 1", "assert x", "x"]
    assert len({part["id"] for part in cells[1:3]}) == 2
