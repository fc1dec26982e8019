"""Read the questions of a quiz, which stand in a file of their own, for slides and their notes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from book._tools import quiz
from book._tools.slides.markup import Question

LETTERS = "ABCDEFGH"


def questions(name: str, folder: Path = quiz.QUIZZES) -> list[Question]:
    """Return the questions of a quiz; none if there is no such file."""
    if not (folder / f"{name}.yml").exists():
        return []
    return [_question(stated) for stated in quiz.read(name, folder)["questions"]]


def _question(stated: dict[str, Any]) -> Question:
    choices = stated.get("choices", [])
    number = f"**{stated.get('answer')}.** {stated.get('because')}"
    answer = "\n\n".join(_reasons(choices)) if choices else number
    return Question(stated["question"].strip(), tuple(choice["text"] for choice in choices), answer)


def _reasons(choices: Iterable[dict[str, Any]]) -> Iterable[str]:
    """Yield the reason of each choice, the right one first."""
    lettered = list(zip(LETTERS, choices, strict=False))
    for letter, choice in sorted(lettered, key=lambda pair: not pair[1].get("right")):
        yield f"**{letter} is {'right' if choice.get('right') else 'wrong'}.** {choice['because']}"
