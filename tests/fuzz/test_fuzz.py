"""Hostile inputs end in a right answer or in an error that names the argument or the file."""

import pytest

from book._tools import fuzz
from tests.fuzz.damage import DAMAGE
from tests.fuzz.examples import left_out, public, targets
from tests.fuzz.outcomes import CLEAR, CORRECT, HANG, NAMELESS, SILENT, Case, answered, classify
from tests.fuzz.values import excluded

CASES = 300


@pytest.fixture(scope="module")
def table():
    return fuzz.fuzz(CASES, seed=0)


def test_nothing_hostile_is_silent_or_hangs(table):
    assert table.total() > 0.9 * CASES
    assert (table.total(SILENT), table.total(HANG)) == (0, 0), fuzz.report(table)


def test_errors_name_the_argument_or_the_file(table):
    assert table.total(NAMELESS) < 0.01 * table.total(), fuzz.report(table)


def test_every_public_callable_is_tried_or_left_out_for_a_reason():
    assert set(targets()) | left_out() == set(public()), "add it to tests/fuzz/examples.py"
    assert set(targets()) & left_out() == set()


@pytest.mark.parametrize("name", targets())
def test_what_hostile_values_replace_is_accepted(name):
    targets()[name].call(**targets()[name].good)


def _raise(error):
    raise error


@pytest.mark.parametrize(
    ("run", "column"),
    [
        (lambda: 1.0, CORRECT),
        (lambda: float("nan"), SILENT),
        (lambda: _raise(ValueError("size=0: expected more")), CLEAR),
        (lambda: _raise(ValueError("no")), NAMELESS),
        (lambda: _raise(TypeError("size: no")), NAMELESS),
        (lambda: _raise(MemoryError()), HANG),
    ],
)
def test_outcomes_are_told_apart(run, column):
    assert classify(Case("", "", run, ("size",)))[0] == column


def test_an_answer_to_what_should_be_refused_is_silent():
    assert classify(Case("", "", lambda: 1.0, ("size",), answered))[0] == SILENT


@pytest.mark.parametrize(
    ("name", "hint", "value", "expected"),
    [
        ("sigma", float, -0.5, True),
        ("sigma", float, 0.5, False),
        ("sigma", float, float("nan"), True),
        ("steps", int, 0.5, True),
        ("steps", int, 0, True),
        ("seed", int, 0, False),
        ("rank", int | None, None, False),
        ("size", int | tuple[int, int], "seven", True),
        ("flag", bool, "seven", False),
    ],
)
def test_values_outside_a_type_are_known(name, hint, value, expected):
    assert excluded(name, hint, value) == expected


def test_damage_changes_a_file():
    whole = b'{"number": 2, "text": "a file of some length"}'
    assert all(damage(whole, 77) != whole for damage in DAMAGE.values())


def test_a_case_that_ends_its_process_is_counted_and_the_others_go_on(monkeypatch):
    case = {"family": "f", "label": "l"}
    runs = iter([[case | {"column": CORRECT, "said": ""}, case | {"column": HANG, "said": "status -27"}]])
    rest = [case | {"column": CLEAR, "said": ""}] * 98
    monkeypatch.setattr(fuzz, "outcomes", lambda cases, seed: next(runs, rest))
    assert fuzz.fuzz(100).rows() == {"f": {CORRECT: 1, HANG: 1}}
    assert fuzz.fuzz(98).rows() == {"f": {CLEAR: 98}}
