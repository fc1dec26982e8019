"""Controls for the book: one drawing function serves the static page and a live kernel.

`frames` calls the drawing function once for each value and returns a slider over the pictures. It needs no
kernel and no network: it works on the built site, in a saved notebook, with a keyboard and with a screen
reader. `live` is its twin for a running kernel, made of ipywidgets: it calls the same function again at each
move, so that a reader who edits the function or the values sees the change. The cell of a twin carries the
tags ``remove-output`` (the site shows its code but no slider that nothing answers) and
``nbval-ignore-output``.
"""

import base64
import hashlib
import html
import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from matplotlib.figure import Figure

from ddgp_lib.arguments import require, require_callable, require_instance, require_integer, require_number
from ddgp_lib.figures import png
from ddgp_lib.figures.style import LARGEST_DPI

if TYPE_CHECKING:
    import ipywidgets

T = TypeVar("T")

FRAME_DPI = 110
"""Resolution of a frame in dots per inch: lower than a single figure's, since a page carries many frames."""

_CSS = """
.ddgp-frames{margin:1em 0;max-width:572px;color:inherit}
.ddgp-frames label{display:block;font-size:1rem;line-height:1.5}
.ddgp-frames output{font-weight:700;font-variant-numeric:tabular-nums}
.ddgp-frames input{display:block;width:100%;min-height:2rem;margin:0;accent-color:#0072B2}
.ddgp-frames input:focus-visible{outline:3px solid #0072B2;outline-offset:2px}
.ddgp-frames img{display:block;max-width:100%;height:auto;background:#fff;filter:none;margin:0}
.ddgp-frames figure{margin:0}
.ddgp-frames figcaption{font-size:.95rem;margin-top:.4em;color:inherit}
.ddgp-frames .ddgp-said{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;
clip-path:inset(50%);white-space:nowrap}
"""

_SCRIPT = """
document.querySelectorAll('#%(ident)s:not([data-ready])').forEach(function (root) {
  root.setAttribute('data-ready', '');
  var frames = %(frames)s;
  var input = root.querySelector('input'), image = root.querySelector('img');
  var shown = root.querySelector('output'), said = root.querySelector('.ddgp-said'), timer = 0;
  input.disabled = false;
  input.addEventListener('input', function () {
    var frame = frames[Number(input.value)];
    image.src = frame[2];
    image.alt = frame[1];
    shown.textContent = frame[0];
    input.setAttribute('aria-valuetext', frame[0]);
    clearTimeout(timer);
    timer = setTimeout(function () { said.textContent = frame[1]; }, 600);
  });
});
"""


@dataclass(frozen=True)
class Frames:
    """A slider over pictures drawn beforehand; a notebook shows it as HTML.

    Attributes
    ----------
    label : str
        What the slider sets.
    texts : tuple of str
        The value of each frame in words.
    alts : tuple of str
        The alternative text of each frame.
    pictures : tuple of bytes
        The PNG file of each frame, all of one size.
    start : int
        Index of the frame shown first, and without JavaScript.
    caption : str or None
        Caption below the picture.
    """

    label: str
    texts: tuple[str, ...]
    alts: tuple[str, ...]
    pictures: tuple[bytes, ...]
    start: int = 0
    caption: str | None = None

    def __post_init__(self) -> None:
        """Refuse frames without a picture, or with another number of texts."""
        require_instance("label", self.label, str, "a text")
        require_instance("caption", self.caption, str, "a text", none=True)
        for name in ("texts", "alts", "pictures"):
            entries = getattr(self, name)
            fits = isinstance(entries, tuple) and len(entries) == len(self.pictures) >= 1
            require(fits, name, entries, "a tuple with an entry for each picture")
        require_integer("start", self.start, lowest=0, highest=len(self.pictures) - 1)

    def __repr__(self) -> str:
        return f"Frames({self.label!r}, {len(self)} frames, from {self.texts[0]} to {self.texts[-1]})"

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def ident(self) -> str:
        """Identifier of the HTML element, derived from its words, so it is the same on every machine."""
        words = "\n".join((self.label, self.caption or "", *self.texts, *self.alts))
        return f"ddgp-frames-{hashlib.sha256(words.encode()).hexdigest()[:12]}"

    def _repr_html_(self) -> str:
        start = "data:image/png;base64,"
        coded = [start + base64.b64encode(picture).decode("ascii") for picture in self.pictures]
        width, height = _size(self.pictures[self.start])
        frames = json.dumps([list(frame) for frame in zip(self.texts, self.alts, coded, strict=True)])
        script = _SCRIPT % {"ident": self.ident, "frames": frames.replace("<", "\\u003c")}
        text, alt = html.escape(self.texts[self.start]), html.escape(self.alts[self.start])
        caption = "" if self.caption is None else f"<figcaption>{html.escape(self.caption)}</figcaption>"
        return (
            f'<div class="ddgp-frames" id="{self.ident}"><style>{_CSS}</style>'
            f"<label>{html.escape(self.label)}: "
            f'<output aria-live="off">{text}</output>'
            f'<input type="range" min="0" max="{len(self) - 1}" step="1" value="{self.start}" '
            f'aria-label="{html.escape(self.label)}" aria-valuetext="{text}" autocomplete="off" disabled>'
            f"</label>"
            f'<figure><img class="dark-light" alt="{alt}" width="{width}" height="{height}" '
            f'src="{coded[self.start]}">{caption}</figure>'
            f'<p class="ddgp-said" aria-live="polite"></p>'
            f"<script>{script}</script></div>"
        )


def frames(
    draw: Callable[[T], Figure],
    values: Sequence[T],
    *,
    label: str,
    alt: Callable[[T], str] | Sequence[str],
    text: Callable[[T], str] | None = None,
    start: int = 0,
    caption: str | None = None,
    dpi: int = FRAME_DPI,
    colours: int = 64,
) -> Frames:
    """Draw one picture for each value and return a slider over them that needs no kernel.

    Parameters
    ----------
    draw : callable
        Takes one value and returns a matplotlib figure; all figures have the same size.
    values : sequence
        Two values or more, in the order of the slider.
    label : str
        What the slider sets, with its unit; read out by screen readers.
    alt : callable or sequence of str
        Alternative text of each frame: what it shows, not how it looks.
    text : callable, optional
        The value in words, shown beside the label; up to three significant digits by default.
    start : int
        Index of the frame shown first, and where there is no JavaScript; may be negative.
    caption : str, optional
        Caption below the picture.
    dpi : int
        Dots per inch.
    colours : int
        Palette size, 2 to 256: 64 suffices for curves and images on one grey scale.

    Returns
    -------
    Frames
        An object with ``_repr_html_``.

    Raises
    ------
    ValueError
        If there are fewer than two values, two have the same text, an alternative text is missing or empty,
        ``start`` is out of range, or the figures differ in size.
    """
    _check(draw, values, label, text, start, dpi)
    require_instance("caption", caption, str, "a text", none=True)
    require_integer("colours", colours, lowest=2, highest=256)
    listed = callable(alt) or (isinstance(alt, Sequence) and not isinstance(alt, str))
    require(listed, "alt", alt, "a function of the value, or a sequence of texts")
    alts = [alt(value) for value in values] if callable(alt) else list(alt)
    if len(alts) != len(values) or not all(isinstance(a, str) and a.strip() for a in alts):
        raise ValueError(
            f"alt gives {len(alts)} texts: expected {len(values)}, one for each value, none empty"
        )
    texts = tuple(_texts(values, text))
    pictures = [png(draw(value), dpi=dpi, colours=colours) for value in values]
    sizes = {_size(picture) for picture in pictures}
    if len(sizes) > 1:
        raise ValueError(
            f"draw returned figures of sizes {sorted(sizes)} pixels: expected one size for all values"
        )
    return Frames(label, texts, tuple(alts), tuple(pictures), start % len(values), caption)


def live(
    draw: Callable[[T], Figure],
    values: Sequence[T],
    *,
    label: str,
    text: Callable[[T], str] | None = None,
    start: int = 0,
    dpi: int = FRAME_DPI,
    **_: Any,
) -> "ipywidgets.VBox":
    """Return the ipywidgets twin of `frames`: the same slider, drawn again at each move by a running kernel.

    Parameters
    ----------
    draw, values, label, text, start, dpi
        As in `frames`; its other arguments are accepted and ignored, so that both can share one dictionary.

    Returns
    -------
    ipywidgets.VBox
        A slider above a picture.

    Raises
    ------
    ImportError
        If ipywidgets is not installed.
    ValueError
        As `frames`.
    """
    _check(draw, values, label, text, start, dpi)
    try:
        import ipywidgets
    except ImportError as error:
        raise ImportError(
            "widgets.live needs ipywidgets (pip install ipywidgets); widgets.frames shows the same without it"
        ) from error
    slider = ipywidgets.SelectionSlider(
        options=list(zip(_texts(values, text), range(len(values)), strict=True)),
        value=start % len(values),
        description=label,
        continuous_update=False,
        style={"description_width": "initial"},
        layout={"width": "100%", "max_width": "572px"},
    )
    picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})

    def redraw(change: dict[str, Any]) -> None:
        picture.value = png(draw(values[change["new"]]), dpi=dpi)

    slider.observe(redraw, names="value")
    redraw({"new": slider.value})
    return ipywidgets.VBox([slider, picture])


def _check(draw: Any, values: Sequence[Any], label: str, text: Any, start: int, dpi: int) -> None:
    """Refuse a slider without a range, without a name, or one that starts outside its range."""
    require_callable("draw", draw, "a function of the value that returns a figure")
    require_callable("text", text, "a function of the value that returns a text", none=True)
    sized = (
        hasattr(values, "__len__") and hasattr(values, "__getitem__") and not isinstance(values, dict | str)
    )
    require(sized, "values", values, "a sequence of at least 2")
    require_instance("label", label, str, "a name for the slider")
    require_integer("start", start)
    require_number("dpi", dpi, above=0, highest=LARGEST_DPI)
    if len(values) < 2:
        raise ValueError(f"values has {len(values)} elements: expected at least 2")
    require(bool(label.strip()), "label", label, "a name for the slider")
    last = len(values) - 1
    require(-last - 1 <= start <= last, "start", start, f"an index of values, from {-last - 1} to {last}")


def _texts(values: Sequence[T], text: Callable[[T], str] | None) -> list[str]:
    """Return each value in words; a number with up to three significant digits."""
    if text is None:
        return _texts(values, lambda value: f"{value:.3g}" if isinstance(value, float) else str(value))
    texts = [text(value) for value in values]
    if len(set(texts)) < len(texts):
        raise ValueError(f"text gives {texts}: expected a different text for each value")
    return texts


def _size(picture: bytes) -> tuple[int, int]:
    """Return the width and height in pixels that a PNG file declares in its header."""
    width, height = struct.unpack(">II", picture[16:24])
    return width, height
