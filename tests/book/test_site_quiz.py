"""Quizzes on the built site, as a reader uses them: by mouse and keyboard, without a kernel."""

import json

import pytest

from book._tools.browser import Browser
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
def test_right_and_wrong_answers_get_their_explanations(browser: Browser, address: str, name: str) -> None:
    with browser.page() as page:
        page.open(f"{address}/book/{PAGES.get(name, name)}.html")
        for right, word in ((True, "Right."), (False, "Not yet.")):
            said = page.evaluate(f"{SUBMIT_ALL}({json.dumps(answers(name, right))})")
            assert len(said) == len(questions(name)[1])
            assert all(text.startswith(word) and len(text) > len(word) + 20 for text in said), said
            score = page.evaluate("document.querySelector('.ddgp-quiz-score').textContent")
            assert score == f"{len(said) if right else 0} of {len(said)} right"
        assert page.problems() == []


def test_numbers_are_read_as_people_write_them(browser: Browser, address: str) -> None:
    with browser.page() as page:
        page.open(f"{address}/book/02_conditioning.html")
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


def test_a_quiz_works_by_keyboard(browser: Browser, address: str) -> None:
    with browser.page() as page:
        page.open(f"{address}/book/quiz_start.html")
        kinds = [question["kind"] for question in questions("start")[1]]
        first = kinds.index("choice")
        page.evaluate(f"document.querySelectorAll('.ddgp-question')[{first}].querySelector('input').focus()")
        for key, code, text in (("ArrowDown", 40, ""), ("Enter", 13, "\r")):
            for kind in ("rawKeyDown", "char", "keyUp"):
                if kind != "char" or text:
                    page.command(
                        "Input.dispatchKeyEvent",
                        type=kind,
                        key=key,
                        code=key,
                        windowsVirtualKeyCode=code,
                        text=text,
                    )
        verdict = (
            f"document.querySelectorAll('.ddgp-question')[{first}].querySelector('.ddgp-verdict').textContent"
        )
        assert page.wait_for(f"/^(Right|Not yet)\\./.test({verdict}.trim())")


def test_nothing_is_given_away_before_a_question_is_answered(browser: Browser, address: str) -> None:
    with browser.page() as page:
        page.open(f"{address}/book/02_conditioning.html")
        visible = "[...document.querySelectorAll('.ddgp-because')].filter(e => e.checkVisibility()).length"
        assert page.evaluate(visible) == 0
        choose = "document.querySelector('.ddgp-question').requestSubmit()"
        page.evaluate(choose)
        said = page.evaluate("document.querySelector('.ddgp-verdict').textContent")
        assert said == "Choose an answer first."
