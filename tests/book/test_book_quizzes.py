"""Quizzes: each chapter has one, and every answer in it is explained."""

import re
from pathlib import Path

import pytest

from book._tools.measure import chapters
from book._tools.quiz import QUIZZES, fault_of, questions

NAMES = sorted(path.stem for path in QUIZZES.glob("*.yml"))
EXTRA = {"start": "quiz_start.md", "end": "quiz_end.md"}


def test_each_chapter_has_a_quiz_and_each_quiz_a_page() -> None:
    assert sorted(NAMES) == sorted([*(path.stem for path in chapters()), *EXTRA])
    for path in chapters():
        assert path.read_text().count(f"```{{quiz}} {path.stem}\n") == 1
    for name, page in EXTRA.items():
        assert f"```{{quiz}} {name}\n" in (QUIZZES.parent / page).read_text()


@pytest.mark.parametrize("name", NAMES)
def test_five_questions_a_chapter_of_both_kinds(name: str) -> None:
    _, stated = questions(name)
    assert len(stated) == (10 if name in EXTRA else 5)
    assert {question["kind"] for question in stated} == {"choice", "number"}
    assert len({question["id"] for question in stated}) == len(stated)


@pytest.mark.parametrize("name", NAMES)
def test_the_right_choice_is_not_always_at_one_place(name: str) -> None:
    _, stated = questions(name)
    places = {
        next(i for i, choice in enumerate(question["choices"]) if choice.get("right"))
        for question in stated
        if question["kind"] == "choice"
    }
    assert len(places) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_numbers_that_are_wrong_are_outside_the_tolerance(name: str) -> None:
    for question in questions(name)[1]:
        if question["kind"] == "number":
            limit = question.get("absolute", question.get("tolerance", 0) * abs(question["answer"]))
            wrong = [entry["value"] for entry in question["wrong"]]
            assert wrong
            assert all(abs(value - question["answer"]) > limit for value in wrong), question["id"]
            assert len(set(wrong)) == len(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_no_hint_states_the_number(name: str) -> None:
    for question in questions(name)[1]:
        if question["kind"] == "number":
            found = {float(n) for n in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", question["otherwise"])}
            assert float(question["answer"]) not in found, question["id"]


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        ({"id": "a", "question": "?", "kind": "choice", "choices": []}, "exactly one right choice"),
        (
            {
                "id": "a",
                "question": "?",
                "kind": "choice",
                "choices": [{"text": "x", "right": True, "because": "y"}],
            },
            "at least three choices",
        ),
        ({"id": "a", "question": "?", "kind": "number", "answer": "x"}, "a number as the answer"),
        ({"id": "a", "question": "?", "kind": "number", "answer": 1, "because": "x"}, "because, otherwise"),
        ({"id": "a", "question": "?", "kind": "text"}, "kind='text'"),
        ({"question": "?"}, "an id"),
    ],
)
def test_faults_are_named(question: dict, fault: str) -> None:
    assert fault in fault_of(question)


def test_a_fault_names_file_and_question(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text("title: X\nquestions:\n- {id: one, question: a, kind: text}\n")
    with pytest.raises(ValueError, match=r"x\.yml, question 'one': kind='text'"):
        questions("x", tmp_path)
