"""Tables as text and as HTML."""

import doctest
import pickle
from html.parser import HTMLParser

import pytest

from ddgp_lib import tables
from ddgp_lib.tables import Column, Table, table

COLUMNS = (Column("gain", "dB", best="high", signed=True), Column("time", "s", digits=1, best="low"), "kind")
ROWS = {"no P": [None, 1.25, "a"], "P": [(5.251, 0.104), 10.0, "b"], "rival": [-0.5, 1.25, "a<b"]}


class Cells(HTMLParser):
    """Collects (tag, text, whether it is bold, its style) of the cells of a table."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.cells: list[list[object]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("td", "th", "caption"):
            self.cells.append([tag, "", False, dict(attrs).get("style", "")])
        elif tag == "strong":
            self.cells[-1][2] = True

    def handle_data(self, data: str) -> None:
        self.cells[-1][1] = f"{self.cells[-1][1]}{data}"


def test_text_is_aligned_at_the_right() -> None:
    assert table("Over 2 images.", COLUMNS, ROWS, corner="method").splitlines() == [
        "Over 2 images.",
        "method     gain (dB)  time (s)  kind",
        "no P                       1.2     a",
        "P       +5.25 ± 0.10      10.0     b",
        "rival          -0.50       1.2   a<b",
    ]


def test_html_has_a_caption_heads_and_the_best_in_bold() -> None:
    cells = Cells(table("Over < 3 images.", COLUMNS, ROWS)._repr_html_()).cells
    assert cells[0][:2] == ["caption", "Over < 3 images."]
    assert [cell[1] for cell in cells if cell[0] == "th"] == [
        "gain (dB)",
        "time (s)",
        "kind",
        *ROWS,
    ]
    assert [cell[1] for cell in cells if cell[2]] == ["1.2", "+5.25 ± 0.10", "1.2"]
    assert "−0.50" in [cell[1] for cell in cells]
    assert "a<b" in [cell[1] for cell in cells]
    assert all("right" in str(cell[3]) for cell in cells if cell[0] == "td" and cell[1])


def test_what_rounds_to_zero_has_no_minus() -> None:
    assert Column("change", signed=True).written(-0.001) == "+0.00"
    assert Column("change").written((-0.004, 0.1)) == "0.00 ± 0.10"
    assert Column("change").written(-0.006) == "-0.01"


def test_a_notebook_compares_the_text_and_shows_the_html() -> None:
    made = table("Title.", ["a"], {"x": [1.0]})
    assert isinstance(made, str)
    assert repr(made) == str(made) == "Title.\n      a\nx  1.00"
    assert table("Title.", ["a"], {"x": [1.0]}, text="other") == "other"
    again = pickle.loads(pickle.dumps(made))
    assert (again, again.html) == (made, made.html)
    assert Table("a < b")._repr_html_() == "<pre>a &lt; b</pre>"


def test_the_examples_of_the_docstrings_are_true() -> None:
    assert doctest.testmod(tables) == (0, 3)


def test_one_number_is_not_the_best_of_its_column() -> None:
    assert "<strong>" not in table("", [Column("a", best="high")], {"x": [1.0], "y": [None]}).html


@pytest.mark.parametrize(
    ("changed", "argument"),
    [
        ({"caption": None}, "caption"),
        ({"columns": []}, "columns"),
        ({"columns": "ab"}, "columns"),
        ({"columns": [1]}, "columns"),
        ({"rows": {}}, "rows"),
        ({"rows": {"x": [1.0, 2.0]}}, "rows\\['x'\\]"),
        ({"rows": {"x": "1"}}, "rows\\['x'\\]"),
        ({"rows": {"x": [(1.0, "a")]}}, "rows\\['x'\\]"),
        ({"rows": {"x": [True]}}, "rows\\['x'\\]"),
        ({"corner": 1}, "corner"),
        ({"text": 1}, "text"),
    ],
)
def test_what_is_no_table_is_refused(changed: dict[str, object], argument: str) -> None:
    good: dict[str, object] = {"caption": "", "columns": ["a"], "rows": {"x": [1.0]}}
    with pytest.raises(ValueError, match=f"^{argument}.*expected"):
        table(**good | changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("field", [{"head": 1}, {"unit": 1}, {"digits": -1}, {"best": "most"}, {"signed": 1}])
def test_a_column_that_cannot_be_written_is_refused(field: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(field))}=.*expected"):
        Column(**{"head": "a"} | field)  # type: ignore[arg-type]
