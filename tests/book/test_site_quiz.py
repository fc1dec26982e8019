"""Quizzes on the built site, as a reader uses them: by mouse and keyboard, without a kernel."""

import json
import re

import pytest
from playwright.sync_api import Page

from book._tools.browser import watch
from book._tools.quiz import QUIZZES, questions

NAMES = sorted(path.stem for path in QUIZZES.glob("*.yml"))
PAGES = {"start": "quiz_start", "end": "quiz_end"}

SUBMIT_ALL = """
(wanted => [...document.querySelectorAll('.ddgp-question')].map((form, index) => {
  const answer = wanted[index];
  if (form.dataset.kind === 'choice') {
    form.querySelectorAll('input')[answer].checked = true;
  } else {
    form.querySelector('input').value = answer;
  }
  form.requestSubmit();
  return form.querySelector('.ddgp-verdict').textContent.trim().replace(/\\s+/g, ' ');
}))
"""


def answers(name: str, right: bool) -> list[int | str]:
    """Return a right answer to each question, or a wrong one."""
    found: list[int | str] = []
    for question in questions(name)[1]:
        if question["kind"] == "choice":
            found.append(next(i for i, c in enumerate(question["choices"]) if bool(c.get("right")) == right))
        else:
            found.append(str(question["answer"] if right else question["wrong"][0]["value"]))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_right_and_wrong_answers_get_their_explanations(page: Page, address: str, name: str) -> None:
    problems = watch(page)
    page.goto(f"{address}/book/{PAGES.get(name, name)}.html")
    for right, word in ((True, "Right."), (False, "Not yet.")):
        said = page.evaluate(f"{SUBMIT_ALL}({json.dumps(answers(name, right))})")
        assert len(said) == len(questions(name)[1])
        assert all(text.startswith(word) and len(text) > len(word) + 20 for text in said), said
        score = page.evaluate("document.querySelector('.ddgp-quiz-score').textContent")
        assert score == f"{len(said) if right else 0} of {len(said)} right"
    assert problems == []


def test_numbers_are_read_as_people_write_them(page: Page, address: str) -> None:
    page.goto(f"{address}/book/02_conditioning.html")
    index = [question["kind"] for question in questions("02_conditioning")[1]].index("number")
    answer = questions("02_conditioning")[1][index]["answer"]
    for text, word in (
        (f"{2 * answer}/2", "Right."),
        (f" {answer},0 ", "Right."),
        ("a", "Enter a number first"),
        ("", "Enter a number first"),
    ):
        said = page.evaluate(
            f"(() => {{ const form = document.querySelectorAll('.ddgp-question')[{index}];"
            f"form.querySelector('input').value = {json.dumps(text)}; form.requestSubmit();"
            "return form.querySelector('.ddgp-verdict').textContent.trim(); })()"
        )
        assert said.startswith(word), (text, said)


def test_a_quiz_works_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}/book/quiz_start.html")
    kinds = [question["kind"] for question in questions("start")[1]]
    first = kinds.index("choice")
    question = page.locator(".ddgp-question").nth(first)
    question.locator("input").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    question.locator(".ddgp-verdict", has_text=re.compile(r"^\s*(Right|Not yet)\.")).wait_for()


def test_nothing_is_given_away_before_a_question_is_answered(page: Page, address: str) -> None:
    page.goto(f"{address}/book/02_conditioning.html")
    visible = "[...document.querySelectorAll('.ddgp-because')].filter(e => e.checkVisibility()).length"
    assert page.evaluate(visible) == 0
    choose = "document.querySelector('.ddgp-question').requestSubmit()"
    page.evaluate(choose)
    said = page.evaluate("document.querySelector('.ddgp-verdict').textContent")
    assert said == "Choose an answer first."
