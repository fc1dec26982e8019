"""Sphinx directive ``quiz``: the questions of ``book/quizzes/NAME.yml``, answered on the page without a kernel.

Each question is a form of its own. The explanations are in the page, hidden; ``quiz.js`` shows the one that
belongs to what a reader chose. Without JavaScript the questions can be read, and nothing answers.
"""

from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

QUIZZES = Path(__file__).resolve().parents[1] / "quizzes"


def read(name: str, folder: Path = QUIZZES) -> dict[str, Any]:
    """Return what the file of a quiz states."""
    return yaml.safe_load((folder / f"{name}.yml").read_text(encoding="utf-8"))


def questions(name: str, folder: Path = QUIZZES) -> tuple[str, list[dict[str, Any]]]:
    """Read a quiz; return its title and its questions.

    Raises
    ------
    ValueError
        If a question is not as it should be; the message names the file and the question.
    """
    stated = read(name, folder)
    for question in stated["questions"]:
        fault = fault_of(question)
        if fault:
            raise ValueError(f"{name}.yml, question {question.get('id')!r}: {fault}")
    return stated["title"], stated["questions"]


def fault_of(question: dict[str, Any]) -> str:
    """Return what is wrong with a question in words, or "" if nothing is."""
    if not question.get("id") or not question.get("question"):
        return "expected an id and a question"
    if question.get("kind") == "choice":
        choices = question.get("choices", [])
        if sum(bool(choice.get("right")) for choice in choices) != 1:
            return "expected exactly one right choice"
        if len(choices) < 3 or not all(choice.get("text") and choice.get("because") for choice in choices):
            return "expected at least three choices, each with an explanation"
    elif question.get("kind") == "number":
        if not isinstance(question.get("answer"), (int, float)):
            return "expected a number as the answer"
        if not {"because", "otherwise"} <= set(question) or ("tolerance" in question) == (
            "absolute" in question
        ):
            return "expected because, otherwise, and either tolerance or absolute"
        if not all("value" in wrong and wrong.get("because") for wrong in question.get("wrong", [])):
            return "expected a value and an explanation of each wrong number"
    else:
        return f"kind={question.get('kind')!r}: expected 'choice' or 'number'"
    return ""


def html(text: str) -> nodes.raw:
    """Return a piece of HTML, which other builders leave out."""
    return nodes.raw("", text, format="html")


class Quiz(Directive):
    """``{quiz} NAME``: the quiz in ``book/quizzes/NAME.yml``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Build the quiz."""
        name = self.arguments[0]
        self.state.document.settings.record_dependencies.add(str(QUIZZES / f"{name}.yml"))
        title, stated = questions(name)
        found: list[nodes.Node] = [
            html(f'<section class="ddgp-quiz" aria-label="Quiz: {title}" data-count="{len(stated)}">')
        ]
        for index, question in enumerate(stated, 1):
            found += self.form(f"quiz-{name}-{question['id']}", index, question)
        return [*found, html('<p class="ddgp-quiz-score" role="status"></p></section>')]

    def blocks(self, text: str) -> list[nodes.Node]:
        """Parse MyST Markdown."""
        holder = nodes.Element()
        self.state.nested_parse(StringList(text.strip().splitlines(), self.src), self.content_offset, holder)
        return holder.children

    @property
    def src(self) -> str:
        """The source file, for messages."""
        return self.state_machine.get_source_and_line(self.lineno)[0] or ""

    def inline(self, text: str) -> list[nodes.Node]:
        """Parse MyST Markdown of one paragraph; return what is in it."""
        return [child for block in self.blocks(text) for child in block.children]

    def form(self, ident: str, index: int, question: dict[str, Any]) -> list[nodes.Node]:
        """Build the form of one question."""
        fields = self.choices if question["kind"] == "choice" else self.number
        return [
            html(
                f'<form class="ddgp-question" data-kind="{question["kind"]}" novalidate>'
                f'<fieldset aria-labelledby="{ident}-text"><div id="{ident}-text" class="ddgp-asked">'
                f'<span class="ddgp-index">{index}</span>'
            ),
            *self.blocks(question["question"]),
            html("</div>"),
            *fields(ident, question),
            html(
                '<button type="submit" hidden>Check</button>'
                '<div class="ddgp-verdict" role="status" aria-live="polite"></div></fieldset></form>'
            ),
        ]

    def choices(self, ident: str, question: dict[str, Any]) -> list[nodes.Node]:
        """Build the radio buttons of a question, each with its explanation."""
        found: list[nodes.Node] = []
        for index, choice in enumerate(question["choices"]):
            own = f"{ident}-{index}"
            found += [
                html(
                    f'<div class="ddgp-choice"><input type="radio" name="{ident}" id="{own}" value="{index}">'
                ),
                html(f'<label for="{own}"><span class="ddgp-letter">{chr(ord("a") + index)}</span> '),
                *self.inline(choice["text"]),
                html("</label></div>"),
                *self.explanation(choice["because"], right=bool(choice.get("right")), value=index),
            ]
        return found

    def number(self, ident: str, question: dict[str, Any]) -> list[nodes.Node]:
        """Build the field of a number, with the explanations of the numbers that are expected in it."""
        kind = "absolute" if "absolute" in question else "tolerance"
        found: list[nodes.Node] = [
            html(
                f'<div class="ddgp-number"><label for="{ident}-n">Your number:</label> '
                f'<input type="text" inputmode="decimal" autocomplete="off" id="{ident}-n" '
                f'data-{kind}="{question[kind]}"></div>'
            ),
            *self.explanation(question["because"], right=True, value=question["answer"]),
            *self.explanation(question["otherwise"], right=False, value="otherwise"),
        ]
        for wrong in question.get("wrong", []):
            found += self.explanation(wrong["because"], right=False, value=wrong["value"])
        return found

    def explanation(self, text: str, *, right: bool, value: Any) -> list[nodes.Node]:
        """Build a hidden explanation of a choice or number."""
        return [
            html(f'<div class="ddgp-because" hidden data-right="{str(right).lower()}" data-value="{value}">'),
            *self.blocks(text),
            html("</div>"),
        ]


def setup(app: Any) -> dict[str, bool]:
    """Register the directive with Sphinx."""
    app.add_directive("quiz", Quiz)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
