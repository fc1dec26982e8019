"""The limits of a chapter: what is counted, and that every chapter keeps them."""

from dataclasses import replace
from pathlib import Path

import pytest

from book._tools.measure import broken, chapters, lines_of, measure, words_of
from book._tools.pdf import pages

CHAPTER = """# %% [markdown]
# (label)=
# # Two words
#
# Three more words, $x + y$ and `code`.
#
# $$
# a = b
# $$ (eq-a)
#
# ```{solution} ex-a
# :class: dropdown
#
# Yes.
# ```

# %%
x = 1  # a remark

# nothing
widgets.frames(x)
"""


@pytest.mark.parametrize("source", chapters(), ids=lambda path: path.stem)
def test_chapter_keeps_the_limits(source: Path) -> None:
    assert broken(measure(source)) == []


def test_counts_are_those_of_a_chapter_that_one_can_count(tmp_path: Path) -> None:
    (tmp_path / "chapter.py").write_text(CHAPTER)
    found = measure(tmp_path / "chapter.py")
    assert (found.words, found.lines, found.cells, found.controls, found.exercises) == (9, 2, 1, 1, 1)
    assert broken(found) == ["words per line of code from 8 to 12", "two exercises with solutions"]


def test_a_continuous_control_counts_as_one(tmp_path: Path) -> None:
    (tmp_path / "chapter.py").write_text(CHAPTER + 'widgets.continuous("momentum", x)\n')
    assert measure(tmp_path / "chapter.py").controls == 2


def test_a_few_long_cells_are_allowed() -> None:
    found = measure(chapters()[0])
    rare, often = (replace(found, long_cells=share, longest_cell=30) for share in (0.1, 0.11))
    assert broken(rare) == []
    assert broken(often) == ["90% of the cells of at most 20 lines"]
    assert broken(replace(rare, longest_cell=31)) == ["no cell above 30 lines"]


def test_blank_lines_and_comments_are_not_code() -> None:
    assert lines_of("a = 1\n\n# b\nc = 2  # d\n") == 2
    assert words_of("{cite}`key` and [text](target)") == 4


def test_the_pdf_has_every_chapter() -> None:
    assert {source.stem for source in chapters()} <= {Path(name).stem for name in pages()}
