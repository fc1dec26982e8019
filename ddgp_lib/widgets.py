"""Controls for the book: they need no kernel and no network, and one drawing function also serves a live kernel.

`frames` calls the drawing function once for each value and returns a slider over the pictures. It needs no
kernel and no network: it works on the built site, in a saved notebook, with a keyboard and with a screen
reader. `live` is its twin for a running kernel, made of ipywidgets: it calls the same function again at each
move, so that a reader who edits the function or the values sees the change. The cell of a twin carries the
tags ``remove-output`` (the site shows its code but no slider that nothing answers) and
``nbval-ignore-output``.

`continuous` stands for a control that the site itself draws from closed forms, and that moves without steps.
A notebook shows a figure in its place.
"""

import base64
import hashlib
import html
import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from matplotlib.figure import Figure

from ddgp_lib.arguments import (
    require,
    require_callable,
    require_choice,
    require_instance,
    require_integer,
    require_number,
)
from ddgp_lib.figures import png
from ddgp_lib.figures.style import LARGEST_DPI

if TYPE_CHECKING:
    import ipywidgets

T = TypeVar("T")

FRAME_DPI = 110
"""Resolution of a frame in dots per inch: lower than a single figure's, since a page carries many frames."""

TRACK = 1000
"""Places on the track of a slider over frames, from 0 to this."""

CLOSEST = 0.02
"""Share of the track that two frames are apart at least, where their values decide it."""

_PHONE = 320
"""Pixels of a track on a telephone."""

CONTROLS: dict[str, dict[str, tuple[float, float]]] = {
    "momentum": {"step": (0.05, 2.2), "momentum": (0.0, 0.999), "kappa": (1.0, 1000.0)},
    "polynomial": {"degree": (0, 8), "damping": (1e-4, 1.0), "lower": (1e-3, 0.1)},
    "fading": {"gain": (-0.5, 3.0), "start": (1, 50), "plain": (1e-5, 0.1)},
}
"""Continuous controls of the site by name: the lowest and the highest value of each slider. What they draw stands in
``book/_static/controls``."""

_CSS = """
.ddgp-frames{margin:1em 0;max-width:572px;color:inherit}
.ddgp-frames label{display:block;font-size:1rem;line-height:1.5;padding:0 .75rem}
.ddgp-frames output{font-weight:700;font-variant-numeric:tabular-nums}
.ddgp-frames input{display:block;width:100%;min-height:2rem;margin:0;accent-color:#0072B2}
.ddgp-frames>button{font:inherit;font-size:.9rem;min-width:4.5rem;min-height:2rem;margin-left:.75rem;padding:0 .75rem;
color:inherit;background:none;border:1px solid currentcolor;border-radius:.25rem;cursor:pointer}
.ddgp-frames>button:focus-visible{outline:3px solid #0072B2;outline-offset:2px}
.ddgp-frames .ddgp-ticks{display:block;position:relative;height:1.4rem;margin:0 .5rem;font-size:.75rem;
line-height:1.2}
.ddgp-frames .ddgp-ticks span{position:absolute;left:calc(var(--at)*100%);padding-top:.35rem;min-height:.35rem;
transform:translateX(-50%)}
.ddgp-frames .ddgp-ticks span::before{content:"";position:absolute;top:0;left:50%;height:.35rem;
border-left:1px solid currentcolor}
.ddgp-frames input:focus-visible{outline:3px solid #0072B2;outline-offset:2px}
.ddgp-frames img{display:block;max-width:100%;height:auto;background:#fff;filter:none;margin:0}
.ddgp-frames figure{margin:0}
.ddgp-frames figcaption{font-size:.95rem;margin-top:.4em;color:inherit}
.ddgp-frames .ddgp-said{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;
clip-path:inset(50%);white-space:nowrap}
"""

# While a pointer holds the thumb, the nearest frame is shown. A key, or whatever else moves the thumb, goes on by a
# frame at least. "Play" shows the frames that follow, or all from the first one, until the thumb is moved by hand.
_SCRIPT = """
document.querySelectorAll('#%(ident)s:not([data-ready])').forEach(function (root) {
  root.setAttribute('data-ready', '');
  var frames = %(frames)s;
  var places = %(places)s, at = %(start)d, held = false, timer = 0, playing = 0;
  var input = root.querySelector('input'), image = root.querySelector('img'), button = root.querySelector('button');
  var shown = root.querySelector('output'), said = root.querySelector('.ddgp-said');
  function nearest(value) {
    return places.reduce(function (best, place, i) {
      return Math.abs(place - value) < Math.abs(places[best] - value) ? i : best;
    }, 0);
  }
  function show(next) {
    at = next;
    if (!held) input.value = places[at];
    var frame = frames[at];
    image.src = frame[2];
    image.alt = frame[1];
    shown.textContent = frame[0];
    input.setAttribute('aria-valuetext', frame[0]);
    clearTimeout(timer);
    timer = setTimeout(function () { if (!playing) said.textContent = frame[1]; }, 600);
  }
  function play(on) {
    clearInterval(playing);
    playing = on && setInterval(function () {
      show(at + 1);
      if (at === frames.length - 1) play(0);
    }, 600);
    button.textContent = playing ? 'Pause' : 'Play';
  }
  input.disabled = button.hidden = false;
  button.addEventListener('click', function () {
    if (!playing && at === frames.length - 1) show(0);
    play(!playing);
  });
  input.addEventListener('pointerdown', function () { held = true; });
  ['pointerup', 'pointercancel', 'change'].forEach(function (name) {
    input.addEventListener(name, function () { held = false; input.value = places[at]; });
  });
  input.addEventListener('input', function () {
    var value = Number(input.value), next = nearest(value);
    if (!held && next === at) next += Math.sign(value - places[at]);
    play(0);
    show(next);
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
    places : tuple of float
        Where each frame stands on the track, rising from 0 to 1; evenly where it is empty.
    ticks : tuple of str
        What stands below the track for each frame, "" for a mark alone; marks alone where it is empty.
    """

    label: str
    texts: tuple[str, ...]
    alts: tuple[str, ...]
    pictures: tuple[bytes, ...]
    start: int = 0
    caption: str | None = None
    places: tuple[float, ...] = ()
    ticks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse frames without a picture, or with another number of texts or places."""
        require_instance("label", self.label, str, "a text")
        require_instance("caption", self.caption, str, "a text", none=True)
        for name in ("texts", "alts", "pictures"):
            entries = getattr(self, name)
            fits = isinstance(entries, tuple) and len(entries) == len(self.pictures) >= 1
            require(fits, name, entries, "a tuple with an entry for each picture")
        require_integer("start", self.start, lowest=0, highest=len(self.pictures) - 1)
        for name in ("places", "ticks"):
            entries = getattr(self, name)
            fits = isinstance(entries, tuple) and len(entries) in (0, len(self.pictures))
            require(fits, name, entries, "an empty tuple, or one with an entry for each picture")
        rising = all(first < second for first, second in pairwise(self.places))
        whole = not self.places or (rising and self.places[0] >= 0 and self.places[-1] <= 1)
        require(whole, "places", self.places, "rising numbers from 0 to 1")

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
        places = [round(TRACK * place) for place in self.places or _evenly(len(self))]
        script = _SCRIPT % {
            "ident": self.ident,
            "frames": frames.replace("<", "\\u003c"),
            "places": places,
            "start": self.start,
        }
        text, alt = html.escape(self.texts[self.start]), html.escape(self.alts[self.start])
        caption = "" if self.caption is None else f"<figcaption>{html.escape(self.caption)}</figcaption>"
        return (
            f'<div class="ddgp-frames" id="{self.ident}"><style>{_CSS}</style>'
            f"<label>{html.escape(self.label)}: "
            f'<output aria-live="off">{text}</output>'
            f'<input type="range" min="0" max="{TRACK}" step="1" value="{places[self.start]}" '
            f'aria-label="{html.escape(self.label)}" aria-valuetext="{text}" autocomplete="off" disabled>'
            f'<span class="ddgp-ticks" aria-hidden="true">{self._ticks(places)}</span></label>'
            f'<button type="button" aria-label="Play or pause: {html.escape(self.label)}" hidden>Play</button>'
            f'<figure><img class="dark-light" alt="{alt}" width="{width}" height="{height}" '
            f'src="{coded[self.start]}">{caption}</figure>'
            f'<p class="ddgp-said" aria-live="polite"></p>'
            f"<script>{script}</script></div>"
        )

    def _ticks(self, places: Sequence[int]) -> str:
        words = self.ticks or ("",) * len(self)
        return "".join(
            f'<span style="--at:{place / TRACK:g}">{html.escape(word)}</span>'
            for place, word in zip(places, words, strict=True)
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
        Two values or more, in the order of the slider. Numbers that rise stand on its track in proportion to
        themselves or to their logarithms, whichever keeps them further apart; other values stand evenly.
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
    places = _places(values)
    sizes = {_size(picture) for picture in pictures}
    if len(sizes) > 1:
        raise ValueError(
            f"draw returned figures of sizes {sorted(sizes)} pixels: expected one size for all values"
        )
    ticks = _tick_words(values, texts, places)
    return Frames(label, texts, tuple(alts), tuple(pictures), start % len(values), caption, places, ticks)


@dataclass(frozen=True)
class Continuous:
    """A control that the site draws from closed forms; a notebook shows the figure that stands for it.

    Attributes
    ----------
    kind : str
        A key of :data:`CONTROLS`.
    values : dict of str to float
        Where each slider starts.
    picture : bytes
        The PNG file of the figure.
    alt : str
        Alternative text of the figure.
    caption : str or None
        Caption below the control.
    """

    kind: str
    values: Mapping[str, float]
    picture: bytes
    alt: str
    caption: str | None = None

    def __post_init__(self) -> None:
        """Refuse a control that the site does not have, and values that it does not take."""
        require_choice("kind", self.kind, CONTROLS)
        ranges = CONTROLS[self.kind]
        named = isinstance(self.values, Mapping) and set(self.values) == set(ranges)
        require(named, "values", self.values, f"a value for each of {sorted(ranges)}")
        for name, (lowest, highest) in ranges.items():
            require_number(f"values[{name!r}]", self.values[name], lowest=lowest, highest=highest)
        require_instance("picture", self.picture, bytes, "the bytes of a PNG file")
        require(isinstance(self.alt, str) and bool(self.alt.strip()), "alt", self.alt, "a text")
        require_instance("caption", self.caption, str, "a text", none=True)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value:g}" for name, value in self.values.items())
        return f"Continuous({self.kind!r}, {values})"

    def _repr_html_(self) -> str:
        width, height = _size(self.picture)
        source = "data:image/png;base64," + base64.b64encode(self.picture).decode("ascii")
        caption = "" if self.caption is None else f"<figcaption>{html.escape(self.caption)}</figcaption>"
        return (
            f'<figure class="ddgp-control" data-control="{self.kind}" '
            f'data-values="{html.escape(json.dumps(dict(self.values)))}">'
            f'<img class="dark-light" alt="{html.escape(self.alt)}" width="{width}" height="{height}" '
            f'style="max-width:100%;height:auto;background:#fff" src="{source}">{caption}</figure>'
        )


def continuous(
    kind: str,
    figure: Figure,
    values: Mapping[str, float],
    *,
    alt: str,
    caption: str | None = None,
    dpi: int = FRAME_DPI,
) -> Continuous:
    """Return a control that moves without steps on the site, and is a figure elsewhere.

    Parameters
    ----------
    kind : str
        A key of :data:`CONTROLS`: ``"momentum"`` shows gradient descent with momentum mode by mode,
        ``"polynomial"`` what polynomials and Newton's step make of a spectrum, and ``"fading"`` what a correction
        that fades leaves of the error in one mode.
    figure : Figure
        What a notebook shows, and the site without a script: the control as it starts.
    values : dict of str to float
        Where each slider starts, between its ends in :data:`CONTROLS`.
    alt : str
        Alternative text of the figure. The control on the site says its state itself.
    caption : str, optional
        Caption below the control.
    dpi : int
        Dots per inch of the figure.

    Returns
    -------
    Continuous
        An object with ``_repr_html_``.

    Raises
    ------
    ValueError
        If the site has no such control, a value is missing, unknown or out of range, or ``alt`` is empty.

    Examples
    --------
    >>> from ddgp_lib import figures, widgets
    >>> figure = figures.curves([0, 1], {"a": [0, 1]}, xlabel="t", ylabel="r")
    >>> start = {"degree": 4, "damping": 0.01, "lower": 0.03}
    >>> widgets.continuous("polynomial", figure, start, alt="A rising line.")
    Continuous('polynomial', degree=4, damping=0.01, lower=0.03)
    """
    require_instance("values", values, Mapping, "values by the names of the sliders")
    return Continuous(kind, dict(values), png(figure, dpi=dpi), alt, caption)


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


def _evenly(count: int) -> tuple[float, ...]:
    """Return places on the track that are equally far apart."""
    return tuple(index / max(1, count - 1) for index in range(count))


def _places(values: Sequence[Any]) -> tuple[float, ...]:
    """Return where values stand on the track: by value or logarithm if they are rising numbers, else evenly."""
    numbers = all(isinstance(value, int | float) and math.isfinite(value) for value in values)
    if not numbers or any(first >= second for first, second in pairwise(values)):
        return _evenly(len(values))
    scales: list[Callable[[float], float]] = [float]
    if values[0] >= 0:
        scales.append(math.log if values[0] > 0 else math.log1p)
    found = [_scaled([scale(value) for value in values]) for scale in scales]
    best = max(found, key=_closest)
    return best if _closest(best) >= CLOSEST else _evenly(len(values))


def _scaled(values: Sequence[float]) -> tuple[float, ...]:
    """Return values moved and stretched so that they begin with 0 and end with 1."""
    return tuple((value - values[0]) / (values[-1] - values[0]) for value in values)


def _closest(places: Sequence[float]) -> float:
    """Return the smallest distance of two neighbours, to nine decimals, so that rounding decides nothing."""
    return round(min(second - first for first, second in pairwise(places)), ndigits=9)


def _tick_words(values: Sequence[Any], texts: Sequence[str], places: Sequence[float]) -> tuple[str, ...]:
    """Return what stands below the track: short words, and none where they would touch on a telephone."""
    words = [
        text if len(text) <= 5 else f"{value:g}" if isinstance(value, int | float) else ""
        for text, value in zip(texts, values, strict=True)
    ]
    halves = [(3.5 * len(word) + 3) / _PHONE for word in words]
    last = len(words) - 1
    kept, right = [], -1.0
    for index, (word, place, half) in enumerate(zip(words, places, halves, strict=True)):
        room = index == last or place + half <= places[last] - halves[last]
        kept.append(word if word and room and place - half >= right else "")
        right = place + half if kept[-1] else right
    return tuple(kept)


def _size(picture: bytes) -> tuple[int, int]:
    """Return the width and height in pixels that a PNG file declares in its header."""
    width, height = struct.unpack(">II", picture[16:24])
    return width, height
