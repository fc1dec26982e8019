"""Slides: of a small notebook made here, and of two chapters, as files and in a browser."""

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from PIL import Image
from playwright.sync_api import Browser, Page

from book._tools.browser import opened, watch
from book._tools.slides import cells, deck, render
from book._tools.slides.choose import LONGEST_CODE
from book._tools.slides.markup import (
    Equation,
    Exercise,
    Heading,
    Paragraph,
    Question,
    Quiz,
    Solution,
    parse,
    sentences,
)
from book._tools.slides.parts import CODE_WIDTH, tighten
from book._tools.slides.plan import plan
from book._tools.slides.quiz import questions
from book._tools.slides.references import Chapter, References, chapter, chapters, references
from ddgp_lib.widgets import Frames
from tests.book.test_site_files import Loads, css_references, from_elsewhere

SMALL = "99_small"
CHAPTERS = ("02_conditioning", "12_mri")
NAMES = (SMALL, *CHAPTERS)
SLIDES = range(20, 61)
"""Slides of a chapter that can be shown in an hour."""

RAW = re.compile(r"\{[\w:+-]+\}`|`{2,}|\*\*|^\([\w-]+\)=|\$|\((?:eq|fig|ex)-|\]\(|^:label:|%%", re.MULTILINE)
"""Marks of MyST that nobody should see."""

TEXT = """\
(small)=
# A small chapter: two lines

It has little to say. This chapter tests {cite}`beck2009fista`.

After this chapter you can

1. read $x$;
2. write.
"""
BODY = """\
## First section

Some words. Let $A$ be a matrix. It is called **large** if

$$ \\lVert A \\rVert > 1 , $$ (eq-large)

where the norm is any. Nothing else is said {cite}`goh2017momentum,fahy2024greedy`. Look at {eq}`eq-large`, at
{numref}`fig-small`, at {ref}`ex-small`, at [the start](small) and at [a site](https://example.org/). What is drawn?
"""
EXERCISE = """\
## Exercises

```{exercise} Easy
:label: ex-small

(a) Prove {eq}`eq-large`. (b) Compute it.
```
"""
SOLUTION = """\
```{solution-start} ex-small
:class: dropdown
```
Secretly it follows at once.
"""
RECAP = """\
```{solution-end}
```

## Recap

- Done.

```{note}
A noted word.
```

## Further reading

Everything by {cite:t}`goh2017momentum`.
"""


def picture(width: int = 728, height: int = 520) -> bytes:
    """Return a PNG file."""
    stream = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(stream, "PNG")
    return stream.getvalue()


def executed(source: str, *tags: str, printed: str = "", **data: str) -> nbformat.NotebookNode:
    """Return a code cell with outputs."""
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}, execution_count=1)
    if printed:
        cell.outputs.append(nbformat.v4.new_output("stream", name="stdout", text=printed))
    if data:
        bundle = {name.replace("_", "/"): value for name, value in data.items()}
        cell.outputs.append(nbformat.v4.new_output("execute_result", data=bundle, execution_count=1))
    return cell


def small(folder: Path) -> Path:
    """Write a small executed notebook that has everything a chapter has."""
    figure = executed("draw()", "hide-input", image_png=base64.b64encode(picture()).decode())
    figure.metadata["mystnb"] = {
        "figure": {"name": "fig-small", "caption": "A caption with $x$."},
        "image": {"alt": "Nothing but white."},
    }
    slider = Frames("Size", ("1", "2"), ("One.", "Two."), (picture(), picture()), caption="Move it.")
    code = 'import torch\n\nnorm = A.norm()\nassert norm > 1\nprint(f"norm {norm}")'
    markdown = nbformat.v4.new_markdown_cell
    notebook = nbformat.v4.new_notebook(
        cells=[
            markdown(TEXT),
            executed("import subprocess", "remove-cell"),
            markdown(BODY),
            figure,
            markdown("The cell is {eq}`eq-large` in code."),
            executed(code, printed="norm 2.0\n"),
            executed("hidden = 3", "hide-input", printed="and 3\n"),
            executed("frames()", "hide-input", text_html=slider._repr_html_()),
            executed("live()", "remove-output", printed="never shown\n"),
            markdown(EXERCISE),
            executed("answer = None\ncheck(answer)"),
            markdown(SOLUTION),
            executed("secret = 41 + 1", printed="it is 42\n"),
            markdown(RECAP),
        ]
    )
    path = folder / f"{SMALL}.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> list[Chapter]:
    return [chapter(small(tmp_path_factory.mktemp("small")), 99, "A part"), *chapters()]


@pytest.fixture(scope="module")
def chosen(every: list[Chapter]) -> dict[str, Chapter]:
    return {one.name: one for one in every if one.name in NAMES}


@pytest.fixture(scope="module")
def known(every: list[Chapter]) -> References:
    return references(every)


@pytest.fixture(scope="module")
def built(
    chosen: dict[str, Chapter], known: References, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, deck.Deck]:
    written = deck.build(list(chosen.values()), known, tmp_path_factory.mktemp("slides"))
    return {one.chapter.name: one for one in written}


@pytest.fixture(scope="module")
def soups(built: dict[str, deck.Deck]) -> dict[str, BeautifulSoup]:
    return {name: BeautifulSoup(one.path.read_text(), "html.parser") for name, one in built.items()}


def words(tags: list[Tag], without: str = "script, style") -> str:
    """Return the text of some elements, with spaces between words alone."""
    copies = [BeautifulSoup(str(tag), "html.parser") for tag in tags]
    for copy in copies:
        for element in copy.select(without):
            element.extract()
    return "\n".join(re.sub(r"\s+", " ", copy.get_text(" ")) for copy in copies)


def shown(soup: BeautifulSoup) -> str:
    return words(soup.select(".page"))


def said(soup: BeautifulSoup) -> str:
    return words(soup.select("aside.notes"))


# What is read


def test_sentences_are_cut_only_where_they_end() -> None:
    text = "One, e.g. this. **Two?** (Three. And more.) By {cite}`a.b` at $x. Y$ it ends. 4 is a number."
    assert sentences(text) == [
        "One, e.g. this.",
        "**Two?**",
        "(Three. And more.)",
        "By {cite}`a.b` at $x. Y$ it ends.",
        "4 is a number.",
    ]


def test_directives_become_blocks() -> None:
    blocks = parse(f"{BODY}\n{EXERCISE}\n```{{quiz}} some\n```\n\n:::{{tip}} Title\nA tip.\n:::")
    assert [type(block) for block in blocks] == [
        *(Heading, Paragraph, Equation, Paragraph),
        *(Heading, Exercise, Quiz, Paragraph, Paragraph),
    ]
    assert blocks[2].label == "eq-large"
    assert blocks[5].label == "ex-small"


def test_code_is_shown_without_imports_checks_and_printing() -> None:
    loop = "for i in b:\n    print(i)\n    assert i"
    source = f"import a\n\n\ndef f(x):\n    assert x\n    return x\n\n\n{loop}\ny = f(1)"
    assert cells.mathematics(source) == "def f(x):\n    return x\n\ny = f(1)"


def test_a_wide_table_loses_blanks_and_no_column() -> None:
    table = "\n".join(f"{name:40s}{1.5:10.2f}{20:10.2f}{3:30d}" for name in ("one name", "another"))
    narrow = tighten(table)
    assert max(map(len, narrow.splitlines())) <= CODE_WIDTH < max(map(len, table.splitlines()))
    assert narrow.split() == table.split()
    assert len({line.index("1.50") for line in narrow.splitlines()}) == 1
    assert tighten("short  one\nshort  two") == "short  one\nshort  two"


def test_a_quiz_keeps_its_answers_for_the_notes(tmp_path: Path) -> None:
    (tmp_path / "some.yml").write_text(
        "questions:\n"
        "- {id: a, kind: choice, question: 'Which?', choices: [{text: this, because: no}, {text: that, right: true,"
        " because: yes it is}]}\n"
        "- {id: b, kind: number, question: 'How many?', answer: 3, because: counted}\n"
    )
    one, other = questions("some", tmp_path)
    assert one.choices == ("this", "that")
    assert one.answer.startswith("**B is right.** yes it is")
    assert other.choices == ()
    assert "**3.** counted" in other.answer
    assert questions("none", tmp_path) == []


# What is written


def test_references_are_numbers_and_names(soups: dict[str, BeautifulSoup]) -> None:
    text = said(soups[SMALL])
    assert "Look at (99.1), at Fig. 99.1, at Exercise 99.1, at the start and at a site" in text
    assert "(Goh 2017; Fahy et al. 2024)" in text
    assert "(Beck and Teboulle 2009)" in shown(soups[SMALL])
    links = [link["href"] for link in soups[SMALL].select("aside.notes a")]
    assert links == [f"{SMALL}.html", "https://example.org/"]


def test_a_small_notebook_has_these_slides(chosen: dict[str, Chapter], known: References) -> None:
    slides = plan(chosen[SMALL], known)
    assert [(slide.kind, slide.heading) for slide in slides] == [
        ("title", "A small chapter: two lines"),
        ("goals", "After this chapter you can"),
        *[("content", "First section")] * 4,
        ("exercise", "Exercise 99.1: Easy"),
        ("content", "Recap"),
    ]
    assert [slide.opens for slide in slides] == [True, False, True, False, False, False, True, True]


def test_goals_may_stand_in_the_note_at_the_head(chosen: dict[str, Chapter], known: References) -> None:
    slides = plan(chosen["12_mri"], known)
    assert [slide.kind for slide in slides[:2]] == ["title", "goals"]
    (listing,) = slides[1].parts
    assert len(listing.items) == 6


def test_an_equation_comes_with_its_sentence_and_a_figure_with_its_question(
    soups: dict[str, BeautifulSoup],
) -> None:
    pages = [words([page]) for page in soups[SMALL].select(".page")]
    assert "It is called large if" in pages[2]
    assert "where the norm is any." in pages[2]
    assert "Nothing else is said" not in pages[2]
    assert "What is drawn?" in pages[3]
    assert "Fig. 99.1." in pages[3]
    assert [code.text.strip() for code in soups[SMALL].select(".page pre.code")] == ["norm = A.norm()"]
    assert "norm 2.0" in pages[4]
    assert "never shown" not in " ".join(pages)


@pytest.mark.parametrize("name", NAMES)
def test_no_markup_is_seen(soups: dict[str, BeautifulSoup], name: str) -> None:
    for tags in (soups[name].select(".page"), soups[name].select("aside.notes")):
        text = words(tags, "script, style, pre, .math")
        assert RAW.findall(text) == []


@pytest.mark.parametrize("name", NAMES)
def test_solutions_are_in_the_notes_alone(
    soups: dict[str, BeautifulSoup], chosen: dict[str, Chapter], known: References, name: str
) -> None:
    solutions = [block for block in chosen[name].blocks if isinstance(block, Solution)]
    exercises = [block for block in chosen[name].blocks if isinstance(block, Exercise)]
    assert len(solutions) == len(exercises) > 0
    answers = [
        block
        for question in chosen[name].blocks
        if isinstance(question, Question)
        for block in parse(question.answer)
    ]
    notes, slides = said(soups[name]), shown(soups[name])
    for phrase in phrases([*answers, *(block for solution in solutions for block in solution.blocks)], known):
        assert phrase in notes
        assert phrase not in slides


def test_a_solution_in_code_is_in_the_notes_alone(soups: dict[str, BeautifulSoup]) -> None:
    for text in ("secret = 41 + 1", "it is 42"):
        assert text in said(soups[SMALL])
        assert text not in shown(soups[SMALL])


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_prose_is_in_the_notes(
    soups: dict[str, BeautifulSoup], chosen: dict[str, Chapter], known: References, name: str
) -> None:
    text = said(soups[name])
    found = phrases(chosen[name].blocks, known)
    assert len(found) > (2 if name == SMALL else 30)
    missing = [phrase for phrase in found if phrase not in text and "After this chapter" not in phrase]
    assert missing == []


def phrases(blocks: list, known: References) -> list[str]:
    """Return the longest part without a formula of each paragraph, as it is written."""
    found = []
    for block in blocks:
        if isinstance(block, Paragraph):
            text = words([BeautifulSoup(render.inline(block.text, known), "html.parser")])
            found.append(max(re.split(r" ?\\\(.*?\\\) ?| \(| {2,}", text), key=len).strip())
    return [phrase for phrase in found if len(phrase) > 12]


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_has_an_alternative_text(soups: dict[str, BeautifulSoup], name: str) -> None:
    images, figures = soups[name].select("img"), soups[name].select("figure")
    assert all(image["alt"].strip() and image.find_parent("figure") in figures for image in images)
    assert len(figures) > 1
    assert all(len(figure.select("figcaption")) == 1 and figure.select("img") for figure in figures)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_fits_an_hour(
    soups: dict[str, BeautifulSoup], built: dict[str, deck.Deck], name: str
) -> None:
    slides = soups[name].select("section section")
    assert len(slides) == built[name].slides
    assert len(slides) in SLIDES
    assert slides[1].h2.text == "After this chapter you can"
    assert slides[-1].h2.text == "Recap"
    code = [block.text.count("\n") for block in soups[name].select(".page pre.code")]
    assert 0 < len(code) < len(slides)
    assert max(code) <= LONGEST_CODE


def test_nothing_is_loaded_from_elsewhere(built: dict[str, deck.Deck]) -> None:
    folder = built[SMALL].path.parent
    for page in sorted(folder.glob("*.html")):
        addresses = Loads(page.read_text()).addresses
        assert from_elsewhere(addresses) == []
        assert missing_files(folder, addresses) == []
    for style in sorted(folder.rglob("*.css")):
        addresses = css_references(style.read_text())
        assert from_elsewhere(addresses) == []
        assert missing_files(style.parent, addresses) == []


def missing_files(folder: Path, addresses: list[str]) -> list[str]:
    files = [address for address in addresses if address and not re.match(r"data:|#", address)]
    return [file for file in files if not (folder / file).exists()]


def test_the_first_page_lists_the_decks(built: dict[str, deck.Deck]) -> None:
    soup = BeautifulSoup((built[SMALL].path.parent / "index.html").read_text(), "html.parser")
    assert [link["href"] for link in soup.select("a")] == [f"{name}.html" for name in NAMES]
    assert soup.html["lang"] == "en-GB"
    assert soup.title.text


# What is seen

FAULTS = """[...document.querySelectorAll('.page')].flatMap((page, index) => {
  const frame = page.getBoundingClientRect();
  const parts = [...page.querySelectorAll('*')].filter(
    part => part.matches('mjx-container > svg') || !part.closest('mjx-container, .ddgp-said, style, script'));
  const sees = part => [...part.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const faults = parts.flatMap(part => {
    const box = part.getBoundingClientRect(), name = `${index + 1} ${part.tagName} ${part.className}`;
    const out = box.bottom > frame.bottom + 1 || box.right > frame.right + 1 || box.top < frame.top - 1;
    const small = sees(part) && parseFloat(getComputedStyle(part).fontSize) < 24;
    const shrunk = part.tagName === 'IMG' && Math.min(part.clientWidth, part.clientHeight) < 200;
    return [out && `${name} is cut off`, small && `${name} is small`, shrunk && `${name} is shrunk`];
  });
  const boxes = [page, page.querySelector('.body'), ...page.querySelectorAll('pre')];
  const full = boxes.filter(
    box => box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1);
  return [...faults, ...full.map(box => `${index + 1} ${box.tagName} ${box.className} is too full`)];
}).filter(text => text)"""
LAID_OUT = "document.querySelector('.reveal').classList.add('measured')"

SLIDER = """(() => {
  const frames = document.querySelector('.ddgp-frames'), image = frames.querySelector('img');
  const slider = frames.querySelector('input'), first = image.alt;
  slider.value = slider.value === slider.max ? slider.min : slider.max;
  slider.dispatchEvent(new Event('input', {bubbles: true}));
  return !slider.disabled && image.alt !== first;
})()"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened(browser, 1280, 720) as empty:
        yield empty


def open_deck(page: Page, path: Path, query: str = "") -> None:
    """Open a deck from the file system and wait until it can be shown."""
    page.goto(path.as_uri() + query)
    page.locator(".reveal.ready").wait_for(state="attached")


@pytest.mark.parametrize("name", NAMES)
def test_every_slide_fits_and_can_be_read(page: Page, built: dict[str, deck.Deck], name: str) -> None:
    problems = watch(page)
    open_deck(page, built[name].path)
    assert page.evaluate("Reveal.getTotalSlides()") == built[name].slides
    assert page.evaluate("[...document.querySelectorAll('mjx-merror')].map(error => error.textContent)") == []
    formulas = "document.querySelectorAll('.page .math').length"
    assert page.evaluate(f"document.querySelectorAll('.page .math mjx-container').length === {formulas}")
    assert page.evaluate("document.querySelectorAll('.notes .math:not(:has(math))').length") == 0
    assert page.evaluate("document.fonts.check('28px Slides')")
    page.evaluate(LAID_OUT)
    assert page.evaluate(FAULTS) == []
    assert problems == []


def test_a_slide_that_is_too_full_is_noticed(page: Page, built: dict[str, deck.Deck]) -> None:
    open_deck(page, built[SMALL].path)
    page.evaluate(
        "document.querySelector('.page.goals .body').insertAdjacentHTML('beforeend',"
        f" {json.dumps('<p style=flex:none;height:900px>high</p><p style=font-size:20px>small</p>')})"
    )
    page.evaluate(LAID_OUT)
    found = " ".join(page.evaluate(FAULTS))
    for fault in ("2 P  is cut off", "2 P  is small", "2 DIV body is too full"):
        assert fault in found


def test_sliders_and_keys_work(page: Page, built: dict[str, deck.Deck]) -> None:
    open_deck(page, built[SMALL].path)
    assert page.evaluate(SLIDER)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.keyboard.press("d")
    assert page.evaluate(ground) != light
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("Reveal.getCurrentSlide().querySelector('h2').textContent") == "First section"


def test_a_deck_is_printed_a_slide_on_a_page(page: Page, built: dict[str, deck.Deck]) -> None:
    open_deck(page, built[SMALL].path, "?print-pdf")
    page.locator(".pdf-page").first.wait_for(state="attached")
    printed = page.pdf(print_background=True, prefer_css_page_size=True)
    count = re.findall(rb"/Type /Pages\b.*?/Count (\d+)", printed, re.DOTALL)
    assert [int(number) for number in count] == [built[SMALL].slides]
