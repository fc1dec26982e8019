"""Two pictures and the border between them: what a notebook holds, and what a reader can do in a browser."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image

from ddgp_lib import wipes

LEFT = np.linspace(0, 1, 24).reshape(4, 6)
RIGHT = 1 - LEFT


def wiped(**options) -> wipes.Wipe:
    given = {
        "names": ("no P, 20.0 dB", "P, 23.0 dB"),
        "alt": ("A blurred digit.", "A sharp digit."),
    } | options
    return wipes.wipe(LEFT, RIGHT, **given)


class Elements(HTMLParser):
    """Collects start tags."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def pixels(source: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/png;base64,")))))


def test_both_pictures_are_whole_and_their_pixels_are_squares():
    images = Elements(wiped()._repr_html_()).all("img")
    assert [image["alt"] for image in images] == ["A blurred digit.", "A sharp digit."]
    for image, array in zip(images, (LEFT, RIGHT), strict=True):
        shown = pixels(image["src"])
        assert shown.shape == (int(image["height"]), int(image["width"]))
        times = shown.shape[0] // 4
        assert max(shown.shape) >= wipes.SIDE
        expected = np.round(255 * array).repeat(times, axis=0).repeat(times, axis=1)
        np.testing.assert_array_equal(shown, expected)


def test_levels_are_those_asked_for_and_colours_stay():
    source = wipes.wipe(LEFT, RIGHT, names=("a", "b"), alt=("a", "b"), vmin=0.5, vmax=1.5)._repr_html_()
    left = pixels(Elements(source).all("img")[0]["src"])
    assert left.max() == 128
    assert left.min() == 0
    colour = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    made = wipes.wipe(colour, colour, names=("a", "b"), alt=("a", "b")).pictures[0]
    small = np.asarray(Image.open(io.BytesIO(made)))[::128, ::128]
    np.testing.assert_allclose(small / 255, colour.movedim(0, -1), atol=1 / 255)
    complex_ones = wipes.wipe(2j * LEFT, -LEFT + 0j, names=("a", "b"), alt=("a", "b"))
    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO(complex_ones.pictures[1])))[0, -1], np.round(255 * LEFT[0, -1])
    )


def test_estimates_are_named_with_their_psnr_and_are_what_is_shown():
    made = wipes.wipe_estimates(LEFT, {"a": LEFT + 0.1, "b": LEFT}, what="A ramp", caption="c")
    assert made.names == ("a, 20.0 dB", "b, inf dB")
    assert made.alts == ("A ramp, reconstructed by a, 20.0 dB.", "A ramp, reconstructed by b, inf dB.")
    assert made.caption == "c"
    shown = [np.asarray(Image.open(io.BytesIO(picture)))[::86, ::86] for picture in made.pictures]
    np.testing.assert_array_equal(shown[1], np.round(255 * LEFT))
    np.testing.assert_array_equal(shown[0], np.round(255 * np.clip(LEFT + 0.1, 0, 1)))


def test_the_slider_has_a_name_and_nothing_comes_from_elsewhere():
    source = wiped(caption="A < B")._repr_html_()
    (control,) = Elements(source).all("input")
    assert control["type"] == "range"
    assert "no P" in control["aria-label"]
    assert (control["min"], control["max"], control["value"]) == ("0", "100", "50")
    assert "http" not in source
    assert "A &lt; B" in source
    assert repr(wiped()) == "Wipe('no P, 20.0 dB', 'P, 23.0 dB')"


def test_identifiers_are_repeatable_and_of_the_words():
    assert wiped().ident == wiped().ident != wiped(caption="c").ident
    assert wiped()._repr_html_() == wiped()._repr_html_()


def test_text_cannot_leave_its_place():
    nasty = '</script><b>"'
    source = wiped(names=(nasty, "b"), alt=(nasty, nasty), caption=nasty)._repr_html_()
    assert "b" not in [tag for tag, _ in Elements(source).tags]
    assert source.count("</script>") == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wipes.wipe(LEFT, RIGHT[:3], names=("a", "b"), alt=("a", "b")), "after has shape (3, 6)"),
        (lambda: wipes.wipe(np.ones(3), LEFT, names=("a", "b"), alt=("a", "b")), "before has shape (3,)"),
        (lambda: wiped(names=("a", "a")), "names=('a', 'a')"),
        (lambda: wiped(names=("a", " ")), "names=('a', ' ')"),
        (lambda: wiped(alt=("a",)), "alt=('a',)"),
        (lambda: wiped(vmin=1.0), "vmin=1.0"),
        (lambda: wiped(caption=3), "caption=3"),
        (lambda: wipes.wipe_estimates(LEFT, {"a": LEFT}, what="a"), "estimates=['a']"),
        (
            lambda: wipes.wipe_estimates(LEFT, {"a": LEFT, "b": LEFT[:3]}, what="a"),
            "estimates['b'] has shape (3, 6): expected (4, 6), as truth",
        ),
        (lambda: wipes.wipe_estimates(LEFT, {"a": LEFT, "b": LEFT}, what=" "), "what=' '"),
        (lambda: wipes.Wipe(("a", "b"), ("a", "b"), (b"",)), "pictures=(b'',)"),
        (lambda: wipes.Wipe(("a", "b"), ("a", ""), (b"", b"")), "alts=('a', '')"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
