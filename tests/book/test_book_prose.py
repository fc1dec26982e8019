"""A change of prose alone is brought into a notebook without executing it."""

import json

import jupytext
import pytest

from book._tools import notebooks, percent, prose

SOURCES = notebooks.sources()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_sources_are_read_as_jupytext_reads_them(source):
    found = percent.cells(source.read_text(encoding="utf-8"))
    wanted = jupytext.read(source).cells
    for cell, twin in zip(found, wanted, strict=True):
        twin.metadata.pop(prose.NOTED, None)
        assert (cell.kind, cell.source, cell.metadata) == (twin.cell_type, twin.source, twin.metadata)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_notebook_that_is_up_to_date_keeps_its_bytes(source):
    old = source.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert prose.synced(source.read_text(encoding="utf-8"), old) == old


SOURCE = '# %% [markdown]\n# # Tilte\n#\n# Text.\n\n# %% tags=["a"]\nx = 1\n'


def notebook(**changes):
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Title"]},
        {
            "cell_type": "code",
            "execution_count": 1,
            "id": "b",
            "metadata": {"tags": ["a"]},
            "outputs": ["kept"],
        }
        | {"source": ["x = 1"]}
        | changes,
    ]
    return json.dumps({"cells": cells, "metadata": {}})


def test_prose_is_replaced_and_outputs_stay():
    found = json.loads(prose.synced(SOURCE, notebook()))["cells"]
    assert found[0]["source"] == ["# Tilte\n", "\n", "Text."]
    assert found[0]["id"] != "a"
    assert found[1]["outputs"] == ["kept"]


@pytest.mark.parametrize(
    "changes",
    [{"source": ["x = 2"]}, {"metadata": {}}, {"execution_count": None}, {"cell_type": "markdown"}],
)
def test_other_code_must_be_executed(changes):
    assert prose.synced(SOURCE, notebook(**changes)) is None
    assert prose.synced(SOURCE + "\n# %%\ny = 2\n", notebook()) is None


def test_a_line_that_is_not_understood_is_refused():
    with pytest.raises(ValueError, match="line="):
        percent.cells("# %% a title\nx = 1\n")


def test_it_says_which_notebook_must_be_executed(tmp_path, capsys):
    source = tmp_path / "a.py"
    source.write_text(SOURCE)
    assert not prose.sync(source)
    assert "must be executed" in capsys.readouterr().out
    source.with_suffix(".ipynb").write_text(notebook())
    assert prose.sync(source)
    assert "updated" in capsys.readouterr().out
    assert prose.sync(source)
    assert capsys.readouterr().out == ""
