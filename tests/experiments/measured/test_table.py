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


def test_quality_is_shown_where_it_is_known_and_what_is_left_out_stands_below():
    first = Row("target, 10%", "TV", 20, 0.0123, 0.0456, 0.0004, 1.5, 84, psnr=23.456, simulated=24.5)
    second = Row("target, 10%", "P", 20, 0.0123, 0.0456, 0.0004, 1.5, 84, 0.1, 0.1)
    rows = [asdict(first), asdict(second)]
    lines = table_of({"title": "t", "data": "d", "rows": rows, "left_out": ["P: not trained"]}).splitlines()
    assert lines[-1] == "left out: P: not trained"
    assert len({len(line) for line in lines[1:-1]}) == 1
    assert "PSNR" in lines[1]
    assert lines[2].split()[-4:] == ["23.46", "24.50", "1.50", "84"]
    assert lines[3].startswith("target, 10%  P ")
