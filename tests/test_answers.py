"""Self-checks of the exercises: right answers are accepted, typical wrong ones named, and nothing is shown."""

import re
from pathlib import Path

import pytest
import yaml

from book._tools import answers as tool
from book._tools.notebooks import sources
from ddgp_lib import answers

STATED = yaml.safe_load(tool.SOURCE.read_text(encoding="utf-8"))


def test_the_file_is_what_the_command_writes() -> None:
    assert answers.FILE.read_text(encoding="utf-8") == tool.text()


def scaled(answer: float | list[float], factor: float) -> float | list[float]:
    return [value * factor for value in answer] if isinstance(answer, list) else answer * factor


@pytest.mark.parametrize("label", sorted(STATED))
def test_right_answers_are_accepted_within_the_tolerance_and_no_further(label: str) -> None:
    stated = STATED[label]
    answer, width = stated["answer"], stated["width"]
    assert answers.judge(label, answer) == (True, "Right.")
    if width == 0:
        wrong = [value + 1 for value in answer] if isinstance(answer, list) else answer + 1
        assert not answers.judge(label, wrong)[0]
    else:
        for factor, right in ((1 + width, True), (1 - width, True), (1 + 2.6 * width, False), (-1, False)):
            assert answers.judge(label, scaled(answer, factor))[0] == right
        assert not answers.judge(label, scaled(answer, 1 - 2.6 * width))[0]


@pytest.mark.parametrize("label", sorted(STATED))
def test_typical_wrong_answers_are_named_and_others_get_a_hint(label: str) -> None:
    for wrong in STATED[label].get("wrong", []):
        assert answers.judge(label, wrong["answer"]) == (False, wrong["says"])
    assert answers.judge(label, 123456.0) == (False, STATED[label]["hint"])


@pytest.mark.parametrize("label", sorted(STATED))
def test_no_hint_states_the_answer(label: str) -> None:
    stated = STATED[label]
    words = [stated["hint"], *(wrong["says"] for wrong in stated.get("wrong", []))]
    numbers = stated["answer"] if isinstance(stated["answer"], list) else [stated["answer"]]
    for said in words:
        found = {float(number) for number in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", said)}
        assert not found & {float(number) for number in numbers}, said


@pytest.mark.parametrize("answer", ["text", float("nan"), float("inf"), object(), [1, "a"]])
def test_what_is_no_number_is_refused_kindly(answer: object) -> None:
    right, words = answers.judge("ex-scalar", answer)
    assert not right
    assert "finite number" in words


def test_an_unknown_exercise_is_named() -> None:
    with pytest.raises(ValueError, match=r"label='ex-none': expected one of ex-"):
        answers.judge("ex-none", 1)


def test_check_says_nothing_before_there_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    answers.check("ex-scalar", None)
    assert capsys.readouterr().out == ""
    answers.check("ex-pnp-window", 2)
    assert capsys.readouterr().out == "Not yet. That is the bound without momentum.\n"


def test_chapters_use_every_check_and_no_other() -> None:
    used = [
        label for path in sources() for label in re.findall(r'answers\.check\("([\w-]+)"', path.read_text())
    ]
    assert sorted(used) == sorted(STATED)
    for path in sources():
        for label in re.findall(r'answers\.check\("([\w-]+)"', path.read_text()):
            assert f":label: {label}\n" in path.read_text()


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.stem)
def test_no_chapter_compares_an_answer_in_the_open(source: Path) -> None:
    assert not re.search(r"assert (abs\()?answer\b|< answer <", source.read_text())
