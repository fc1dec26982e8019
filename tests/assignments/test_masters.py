"""What every master of a problem set has, whoever wrote it."""

import re
import sys
import types
from pathlib import Path

import pytest

from assignments import course
from assignments.masters import ProblemSet, all_sets, course_key, questions, set_course_key

SETS = all_sets()
KEY = course_key()


def by_name(problem: ProblemSet) -> str:
    return problem.name


def graded_tests(problem: ProblemSet) -> dict[str, list[dict]]:
    """Return points and visibility of each test by question."""
    found: dict[str, list[dict]] = {}
    name = ""
    for cell in problem.notebook(KEY).cells:
        if cell.cell_type == "raw" and cell.source.startswith("# BEGIN QUESTION"):
            name = re.search(r"name: (\S+)", cell.source)[1]
        if cell.cell_type == "code" and "# BEGIN TEST CONFIG" in cell.source:
            points = re.search(r"(?m)^points: ([\d.]+)$", cell.source)
            assert points, f"{name}: a test without points"
            hidden = bool(re.search(r"(?m)^hidden: true$", cell.source))
            found.setdefault(name, []).append({"points": float(points[1]), "hidden": hidden})
    return found


def test_there_are_seven_sets_and_three_of_them_need_numpy_alone() -> None:
    assert sorted({one.number for one in SETS}) == [1, 2, 3, 4, 5, 6, 7]
    assert [one.number for one in SETS if one.form == "numpy"] == [1, 2, 3]
    assert [one.number for one in SETS if one.form == "torch"] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("problem", SETS, ids=by_name)
def test_five_to_eight_questions_of_theory_and_code(problem: ProblemSet) -> None:
    stated = questions(problem.notebook(KEY))
    assert 5 <= len(stated) <= 8
    assert any(one.get("manual") for one in stated.values())
    assert sum(not one.get("manual") for one in stated.values()) >= 3
    assert all(one["points"] > 0 for one in stated.values())


@pytest.mark.parametrize("problem", SETS, ids=by_name)
def test_each_graded_question_has_public_and_hidden_tests_worth_its_points(problem: ProblemSet) -> None:
    tests = graded_tests(problem)
    for name, stated in questions(problem.notebook(KEY)).items():
        if stated.get("manual"):
            assert name not in tests
            continue
        own = tests[name]
        assert sum(one["points"] for one in own) == stated["points"], name
        assert {one["hidden"] for one in own} == {True, False}, name
        assert sum(one["points"] for one in own if one["hidden"]) >= stated["points"] / 2, name


@pytest.mark.parametrize("problem", SETS, ids=by_name)
def test_goals_cover_all_questions_and_name_no_others(problem: ProblemSet) -> None:
    named = {name for goal in problem.facts["goals"] for name in goal["questions"]}
    assert named == set(questions(problem.notebook(KEY)))


@pytest.mark.parametrize("problem", SETS, ids=by_name)
def test_the_text_states_points_time_and_chapters(problem: ProblemSet) -> None:
    cells = problem.notebook(KEY).cells
    title = next(cell.source for cell in cells if cell.cell_type == "markdown")
    stated = questions(problem.notebook(KEY))
    points = sum(one["points"] for one in stated.values())
    assert re.search(rf"\*Points:\* {points}\b", title)
    for word in ("*Needed before:*", "*Time:*"):
        assert word in title
    for chapter in problem.facts["chapters"]:
        assert re.search(rf"\b{chapter}\b", title), f"chapter {chapter}"
    headings = [line for cell in cells for line in cell.source.splitlines() if line.startswith("## Question")]
    assert len(headings) == len(stated)
    minutes = [int(re.search(r"(\d+) minutes\)", heading)[1]) for heading in headings]
    assert sum(minutes) == problem.facts["minutes"]
    for heading, one in zip(headings, stated.values(), strict=True):
        assert re.search(rf"\({one['points']} points?, \d+ minutes\)", heading), heading


@pytest.mark.parametrize("problem", SETS, ids=by_name)
def test_questions_to_be_read_have_a_rubric_with_typical_answers(problem: ProblemSet) -> None:
    inside, text, manual = False, "", 0
    for cell in problem.notebook(KEY).cells:
        if cell.cell_type == "raw" and cell.source.startswith("# BEGIN QUESTION"):
            inside, text = "manual: true" in cell.source, ""
        elif cell.cell_type == "raw" and cell.source.startswith("# END QUESTION") and inside:
            manual += 1
            assert "*Rubric.*" in text, text[:80]
            assert re.search(r"\*Typical (answers|weaknesses)\.\*", text), text[:80]
        else:
            text += cell.source + "\n"
    assert manual


@pytest.mark.parametrize("problem", SETS, ids=by_name)
def test_at_least_four_wrong_answers_over_several_questions(problem: ProblemSet) -> None:
    entries = problem.wrong_answers()
    assert len(entries) >= 4
    assert len({name for entry in entries for name in entry["loses"]}) >= 3
    assert len({entry["name"] for entry in entries}) == len(entries)


@pytest.mark.parametrize("problem", [one for one in SETS if one.form == "numpy"], ids=by_name)
def test_the_numpy_form_needs_numpy_and_matplotlib_alone(problem: ProblemSet) -> None:
    text = "\n".join(
        [problem.given, *(c.source for c in problem.notebook(KEY).cells if c.cell_type == "code")]
    )
    assert "__import__" not in text
    imported = set(re.findall(r"(?m)^\s*(?:import|from) (\w+)", text))
    assert imported <= {
        "numpy",
        "matplotlib",
        "math",
        "dataclasses",
        "collections",
        "itertools",
        "functools",
        "typing",
    } | {
        "course",
        problem.module,
    }


@pytest.mark.parametrize("problem", [one for one in SETS if one.number < 7], ids=by_name)
def test_last_years_numbers_are_among_the_wrong_answers(problem: ProblemSet) -> None:
    assert any(entry.get("last_year") for entry in problem.wrong_answers())


def test_numbers_change_with_the_year_and_with_the_student() -> None:
    def numbers(key: str, student: str) -> list[int]:
        return course.draw(key, student, "label").integers(1000, size=8).tolist()

    assert numbers("2026", "") == numbers("2026", "")
    assert numbers("2026", "") != numbers("2027", "")
    assert numbers("2026", "17") != numbers("2026", "18")
    assert numbers("2026", " Ada ") == numbers("2026", "ada")


@pytest.mark.parametrize("problem", SETS, ids=by_name)
def test_the_parameters_of_a_set_change_with_the_key(
    problem: ProblemSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = types.ModuleType(problem.module)
    monkeypatch.setitem(sys.modules, "course", course)
    monkeypatch.setitem(sys.modules, problem.module, given)
    exec(compile(problem.given, problem.module, "exec"), given.__dict__)
    drawn = {repr(given.parameters(f"year {year}", "")) for year in range(20)}
    assert len(drawn) >= 15
    assert repr(given.parameters("2026", "a")) != repr(given.parameters("2026", "b"))


def test_the_placeholder_of_the_key_is_replaced_everywhere() -> None:
    for problem in SETS:
        text = "\n".join(cell.source for cell in problem.notebook("another-year").cells)
        assert "COURSE_KEY" not in text
        assert 'key, student = "another-year", ""' in text


def test_a_key_that_is_no_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "course.toml"
    path.write_text('key = "2026"\n')
    with pytest.raises(ValueError, match="key='20 27'"):
        set_course_key("20 27", path)
    set_course_key("2027", path)
    assert course_key(path) == "2027"
