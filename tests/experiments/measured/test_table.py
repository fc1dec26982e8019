"""The table of an experiment: a row on each line, with errors where they are known."""

from dataclasses import asdict

from ddgp_lib.experiments.measured.records import Row
from ddgp_lib.experiments.measured.table import table_of


def test_every_row_is_a_line_of_one_width():
    first = Row("R = 4", "FISTA", 20, 0.0123, 0.0456, 0.0004, 1.5, 84)
    second = Row("R = 4", "other", 20, 0.0123, 0.0456, 0.0004, 1.5, 84, 2.345, 0.1)
    lines = table_of({"title": "t", "data": "d", "rows": [asdict(first), asdict(second)]}).splitlines()
    assert lines[0] == "t (d)"
    assert len({len(line) for line in lines[1:]}) == 1
    assert "+2.35 ± 0.10" in lines[3]
    assert "dB" in lines[1]
    assert "±" in lines[2]
    assert lines[2].split()[-2:] == ["1.50", "84"]


def test_choices_at_an_edge_stand_below():
    shown = table_of({"title": "t", "data": "d", "rows": [], "edges": ["R = 4, TV: 50 iterations"]})
    assert shown.splitlines()[-1] == "at an edge: R = 4, TV: 50 iterations"
