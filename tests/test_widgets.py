"""The slider of pre-rendered frames and its twin in a live kernel."""

import base64
import io
import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from ddgp_lib import figures, widgets

X = np.arange(5)
VALUES = [0.5, 1.0, 2.0]


def draw(value: float) -> figures.BookFigure:
    return figures.curves(X, {"a": value * X}, xlabel="x", ylabel="y", ylim=(0, 8))


def slider(**options) -> widgets.Frames:
    return widgets.frames(
        draw, VALUES, **({"label": "Slope", "alt": lambda v: f"a line of slope {v}"} | options)
    )


class Elements(HTMLParser):
    """Collects start tags, and the text inside each kind of element."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags, self.text, self.open = [], {}, []
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("input", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in self.open:
            self.text[tag] = self.text.get(tag, "") + data

    def one(self, tag: str) -> dict[str, str]:
        (found,) = [attributes for name, attributes in self.tags if name == tag]
        return found


def test_the_chosen_frame_is_on_the_page_without_a_script():
    page = Elements(slider(start=1)._repr_html_())
    image = page.one("img")
    assert image["alt"] == "a line of slope 1.0"
    picture = Image.open(io.BytesIO(base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))))
    assert picture.size == (int(image["width"]), int(image["height"]))
    assert page.text["output"] == "1"
    assert page.open == []


def test_the_slider_has_a_name_a_range_and_a_value_in_words():
    page = Elements(slider(start=-1, text=lambda v: f"{v} m/s")._repr_html_())
    control = page.one("input")
    assert control["type"] == "range"
    assert (control["min"], control["max"], control["value"]) == ("0", "1000", "1000")
    assert control["aria-label"] == "Slope"
    assert control["aria-valuetext"] == "2.0 m/s"
    assert "Slope" in page.text["label"]
    # A slider that no script has taken over yet does nothing, so it is disabled until then.
    assert "disabled" in control


def test_the_script_holds_every_frame_and_no_network():
    found = slider(caption="A < B")
    source = found._repr_html_()
    frames = json.loads(re.search(r"var frames = (\[.*\]);", source).group(1))
    assert [f[:2] for f in frames] == [
        ["0.5", "a line of slope 0.5"],
        ["1", "a line of slope 1.0"],
        ["2", "a line of slope 2.0"],
    ]
    assert [base64.b64decode(f[2].removeprefix("data:image/png;base64,")) for f in frames] == list(
        found.pictures
    )
    assert "http" not in source
    assert "A &lt; B" in source


def test_identifiers_are_repeatable_and_differ_between_sliders():
    picture = figures.png(draw(1.0))

    def named(label: str, caption: str | None = None) -> widgets.Frames:
        return widgets.Frames(label, ("1", "2"), ("one", "two"), (picture, picture), caption=caption)

    assert named("Slope").ident == named("Slope").ident
    assert len({named("Slope").ident, named("Steepness").ident, named("Slope", "c").ident}) == 3
    assert named("Slope")._repr_html_() == named("Slope")._repr_html_()


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([0.0, 1.0, 1.5, 2.0], (0, 0.5, 0.75, 1)),
        ([1, 10, 100], (0, 0.5, 1)),
        ([1, 4, 16, 64], (0, 1 / 3, 2 / 3, 1)),
        ([0, 1, 3, 7], (0, 1 / 3, 2 / 3, 1)),
        ([-1, 0, 3], (0, 0.25, 1)),
        (["a", "b", "c"], (0, 0.5, 1)),
        ([3, 2, 0], (0, 0.5, 1)),
        ([1.0, 1.01, 2.0], (0, 0.5, 1)),
    ],
)
def test_frames_stand_where_their_values_belong(values: list, places: tuple[float, ...]) -> None:
    found = widgets.frames(lambda v: draw(1.0), values, label="a", alt=str)
    assert found.places == pytest.approx(places)
    marks = [a["style"] for tag, a in Elements(found._repr_html_()).tags if tag == "span" and "style" in a]
    assert [float(mark.removeprefix("--at:")) for mark in marks] == pytest.approx(places, abs=1e-3)
    script = json.loads(re.search(r"var places = (\[.*?\])", found._repr_html_()).group(1))
    assert script == pytest.approx([1000 * place for place in places], abs=0.5)


def test_words_below_the_track_are_short_and_do_not_touch() -> None:
    values = [1, 2, 30, 33, 37, 100]
    found = widgets.frames(
        lambda v: draw(1.0), values, label="a", alt=str, text=lambda v: f"{v}: a long word"
    )
    assert found.ticks[0] == "1"
    assert found.ticks[-1] == "100"
    assert found.ticks[2:5] == ("30", "", "")
    assert slider(text=lambda v: f"word {v}", alt=str).ticks == ("0.5", "1", "2")


def control(**options) -> widgets.Continuous:
    values = {"step": 1.0, "momentum": 0.6, "kappa": 100.0}
    given = {"kind": "momentum", "figure": draw(1.0), "values": values, "alt": "a line"} | options
    return widgets.continuous(**given)


def test_a_continuous_control_is_a_figure_until_the_site_draws_it() -> None:
    page = Elements(control(caption="A < B", alt='a "line"')._repr_html_())
    figure, image = page.one("figure"), page.one("img")
    assert (figure["class"], figure["data-control"]) == ("ddgp-control", "momentum")
    assert json.loads(figure["data-values"]) == {"step": 1.0, "momentum": 0.6, "kappa": 100.0}
    assert image["alt"] == 'a "line"'
    picture = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
    assert picture == figures.png(draw(1.0), dpi=widgets.FRAME_DPI)
    assert page.text["figcaption"] == "A < B"
    assert page.open == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "magic"}, "kind='magic'"),
        ({"values": {"step": 1.0}}, "values={'step': 1.0}"),
        ({"values": {"step": 9.0, "momentum": 0.6, "kappa": 100.0}}, "values['step']=9.0"),
        ({"alt": " "}, "alt=' '"),
        ({"values": {"step": "1", "momentum": 0.6, "kappa": 100.0}}, "values['step']='1'"),
    ],
)
def test_a_continuous_control_refuses_what_the_site_does_not_have(options, message) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        control(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"places": (0.0, 0.0)}, "places=(0.0, 0.0)"),
        ({"places": (0.0, 1.5)}, "places=(0.0, 1.5)"),
        ({"places": (0.0,)}, "places=(0.0,)"),
        ({"ticks": ("1",)}, "ticks=('1',)"),
    ],
)
def test_frames_refuse_places_that_are_none(options, message) -> None:
    picture = figures.png(draw(1.0))
    with pytest.raises(ValueError, match=re.escape(message)):
        widgets.Frames("a", ("1", "2"), ("one", "two"), (picture, picture), **options)


def test_text_cannot_leave_its_place():
    nasty = '</script><b>"'
    source = slider(label=nasty, alt=[nasty] * 3, caption=nasty, text=lambda v: f"{v}{nasty}")._repr_html_()
    page = Elements(source)
    assert page.open == []
    assert "b" not in [tag for tag, _ in page.tags]
    assert source.count("</script>") == 1


def test_the_size_suits_a_page():
    assert len(slider()._repr_html_()) < 3 * 40_000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: widgets.frames(draw, [1.0], label="a", alt=str), "values has 1"),
        (lambda: slider(label=" "), "label=' '"),
        (lambda: slider(start=3), "start=3"),
        (lambda: slider(alt=["one"]), "alt gives 1"),
        (lambda: slider(alt=lambda v: ""), "none empty"),
        (lambda: slider(text=lambda v: "same"), "text gives"),
        (
            lambda: widgets.frames(
                lambda v: figures.curves(X, {"a": X}, xlabel="x", ylabel="y", height=2 + v),
                VALUES,
                label="a",
                alt=str,
            ),
            "one size for all",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_the_twin_draws_the_same_and_follows_its_slider():
    pytest.importorskip("ipywidgets")
    twin = widgets.live(draw, VALUES, label="Slope", start=1, alt=str, caption="ignored")
    control, picture = twin.children
    assert control.description == "Slope"
    assert picture.value == figures.png(draw(1.0), dpi=widgets.FRAME_DPI)
    control.value = 2
    assert picture.value == figures.png(draw(2.0), dpi=widgets.FRAME_DPI)


def test_the_twin_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(ImportError, match="pip install ipywidgets"):
        widgets.live(draw, VALUES, label="Slope")
