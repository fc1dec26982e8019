"""Two pictures of one thing, laid over each other, and a slider that moves the border between them.

It needs no kernel and no network. Where no script runs, and on paper, the two pictures stand side by side.
"""

import base64
import hashlib
import html
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .arguments import require, require_instance, require_number
from .figures._common import as_picture, psnr_of, require_labelled
from .figures.style import Numbers

SIDE = 512
"""Pixels that the longer side of a picture has at least, so that it is not smoothed where styles are lost."""

STEPS = 100
"""Places of the border, from 0 to this: per cent of the width that the left picture takes."""

_CSS = """
.ddgp-wipe{margin:1em 0;max-width:572px;color:inherit}
.ddgp-wipe figure{margin:0}
.ddgp-wipe figcaption{font-size:.95rem;margin-top:.4em;color:inherit}
.ddgp-wipe .ddgp-pair{display:grid;grid-template-columns:1fr 1fr;gap:.2rem .5rem}
.ddgp-wipe .ddgp-name{grid-row:1;line-height:1.4}
.ddgp-wipe img{grid-row:2;display:block;width:100%;height:auto;margin:0;filter:none;image-rendering:pixelated}
.ddgp-wipe .ddgp-border{display:none}
.ddgp-wipe label{display:none;font-size:1rem;line-height:1.5;margin:0}
@media screen{
.ddgp-wipe[data-ready] .ddgp-pair{position:relative;gap:.2rem 0;cursor:ew-resize;touch-action:pan-y;
user-select:none}
.ddgp-wipe[data-ready] .ddgp-name:nth-of-type(2){text-align:right}
.ddgp-wipe[data-ready] img{grid-column:1/-1}
.ddgp-wipe[data-ready] img:nth-of-type(2){clip-path:inset(0 0 0 calc(var(--at)*1%))}
.ddgp-wipe[data-ready] .ddgp-border{display:block;grid-row:2;grid-column:1/-1;justify-self:start;
margin-left:calc(var(--at)*1%);width:4px;transform:translateX(-2px);background:#fff;
border:1px solid #000;pointer-events:none}
.ddgp-wipe[data-ready] label{display:block}
.ddgp-wipe input{display:block;width:100%;min-height:2rem;margin:0;accent-color:#0072B2}
.ddgp-wipe input:focus-visible{outline:3px solid #0072B2;outline-offset:2px}
}
"""

_SCRIPT = """
document.querySelectorAll('#%(ident)s:not([data-ready])').forEach(function (root) {
  var names = %(names)s;
  var input = root.querySelector('input'), pair = root.querySelector('.ddgp-pair');
  function show() {
    var left = Number(input.value);
    root.style.setProperty('--at', left);
    input.setAttribute('aria-valuetext', 'left ' + left + ' %%: ' + names[0] + '; right ' + (%(steps)d - left) +
      ' %%: ' + names[1]);
  }
  function follow(event) {
    if (event.type === 'pointermove' && !(event.buttons & 1)) return;
    var box = pair.getBoundingClientRect();
    input.value = Math.round(%(steps)d * (event.clientX - box.left) / box.width);
    show();
  }
  ['pointerdown', 'pointermove'].forEach(function (name) { pair.addEventListener(name, follow); });
  pair.addEventListener('dragstart', function (event) { event.preventDefault(); });
  input.addEventListener('input', show);
  root.setAttribute('data-ready', '');
  show();
});
"""


@dataclass(frozen=True)
class Wipe:
    """Two pictures and a border between them that can be moved; a notebook shows it as HTML.

    Attributes
    ----------
    names : (str, str)
        What stands above the left and the right picture.
    alts : (str, str)
        The alternative text of each.
    pictures : (bytes, bytes)
        The PNG file of each, of one size.
    caption : str or None
        Caption below them.
    """

    names: tuple[str, str]
    alts: tuple[str, str]
    pictures: tuple[bytes, bytes]
    caption: str | None = None

    def __post_init__(self) -> None:
        """Refuse what are not two pictures, each with a name of its own and a text."""
        _require_texts("names", self.names)
        _require_texts("alts", self.alts)
        require(self.names[0] != self.names[1], "names", self.names, "two texts that differ")
        fits = isinstance(self.pictures, tuple) and len(self.pictures) == 2
        files = fits and all(isinstance(picture, bytes) for picture in self.pictures)
        require(files, "pictures", self.pictures, "the bytes of two PNG files")
        require_instance("caption", self.caption, str, "a text", none=True)

    def __repr__(self) -> str:
        return f"Wipe({self.names[0]!r}, {self.names[1]!r})"

    @property
    def ident(self) -> str:
        """Identifier of the HTML element, derived from its words, so it is the same on every machine."""
        words = "\n".join((*self.names, *self.alts, self.caption or ""))
        return f"ddgp-wipe-{hashlib.sha256(words.encode()).hexdigest()[:12]}"

    def _repr_html_(self) -> str:
        names = json.dumps(self.names).replace("<", "\\u003c")
        script = _SCRIPT % {"ident": self.ident, "names": names, "steps": STEPS}
        left, right = (html.escape(name) for name in self.names)
        heads = "".join(f'<span class="ddgp-name">{name}</span>' for name in (left, right))
        images = "".join(map(_image, self.pictures, self.alts))
        caption = "" if self.caption is None else f"<figcaption>{html.escape(self.caption)}</figcaption>"
        return (
            f'<div class="ddgp-wipe" id="{self.ident}"><style>{_CSS}</style>'
            f'<figure><div class="ddgp-pair">{heads}{images}<i class="ddgp-border"></i></div>'
            f"<label>Border between the pictures"
            f'<input type="range" min="0" max="{STEPS}" step="1" value="{STEPS // 2}" '
            f'aria-label="Border between {left} on the left and {right} on the right" autocomplete="off"></label>'
            f"{caption}</figure><script>{script}</script></div>"
        )


def wipe(
    before: Numbers,
    after: Numbers,
    *,
    names: tuple[str, str],
    alt: tuple[str, str],
    caption: str | None = None,
    vmin: float = 0.0,
    vmax: float = 1.0,
) -> Wipe:
    """Return two images of one thing with a border between them that a reader moves.

    The border follows a slider, by keyboard too, and a pointer or a finger on the images. Every pixel of an image
    is a square: nothing is smoothed.

    Parameters
    ----------
    before, after : image
        Left and right image: (H, W), (1, H, W), (3, H, W) or (1, C, H, W), both of one shape; complex ones are
        shown by their magnitude.
    names : (str, str)
        What the images are called, such as the method and its PSNR; they stand above the images.
    alt : (str, str)
        Alternative text of each image: what it shows.
    caption : str, optional
        Caption below the images.
    vmin, vmax : float
        Values drawn black and white.

    Returns
    -------
    Wipe
        An object with ``_repr_html_``.

    Raises
    ------
    ValueError
        If the shapes differ or are no image's, ``vmin`` is not below ``vmax``, or a text is missing, empty or used
        for both.

    Examples
    --------
    >>> import numpy as np
    >>> from ddgp_lib import wipes
    >>> image = np.linspace(0, 1, 16).reshape(4, 4)
    >>> wipes.wipe(image, image.T, names=("rows", "columns"), alt=("Rows.", "Columns."))
    Wipe('rows', 'columns')
    """
    _require_texts("alt", alt)
    arrays = as_picture(before, "before"), as_picture(after, "after")
    if arrays[0].shape != arrays[1].shape:
        raise ValueError(f"after has shape {arrays[1].shape}: expected {arrays[0].shape}, as before")
    require_number("vmin", vmin)
    require_number("vmax", vmax)
    if not vmin < vmax:
        raise ValueError(f"vmin={vmin!r}, vmax={vmax!r}: expected vmin below vmax")
    before_png, after_png = (_png(array, vmin, vmax) for array in arrays)
    return Wipe(names, alt, (before_png, after_png), caption)


def wipe_estimates(
    truth: Numbers, estimates: Mapping[str, Numbers], *, what: str, caption: str | None = None
) -> Wipe:
    """Return two estimates of one image, named with their PSNR, with a border between them that a reader moves.

    Parameters
    ----------
    truth : image
        The true image on [0, 1], as in `wipe`.
    estimates : mapping of name to image
        Two images of the truth's shape: the left one and the right one.
    what : str
        What they show, as the alternative texts begin: ``"A face"``.
    caption : str, optional
        Caption below the images.

    Returns
    -------
    Wipe
        An object with ``_repr_html_``.

    Raises
    ------
    ValueError
        If there are not two estimates, a shape differs from the truth's, or ``what`` is empty.

    Examples
    --------
    >>> import numpy as np
    >>> from ddgp_lib import wipes
    >>> image = np.linspace(0, 1, 16).reshape(4, 4)
    >>> wipes.wipe_estimates(image, {"worse": image + 0.1, "better": image + 0.01}, what="A ramp")
    Wipe('worse, 20.0 dB', 'better, 40.0 dB')
    """
    require_labelled("estimates", estimates, "two named estimates")
    require(len(estimates) == 2, "estimates", list(estimates), "two named estimates")
    require(isinstance(what, str) and bool(what.strip()), "what", what, "a text")
    reference = as_picture(truth, "truth")
    arrays = [as_picture(image, f"estimates[{name!r}]") for name, image in estimates.items()]
    for name, array in zip(estimates, arrays, strict=True):
        if array.shape != reference.shape:
            shapes = f"{array.shape}: expected {reference.shape}, as truth"
            raise ValueError(f"estimates[{name!r}] has shape {shapes}")
    pairs = zip(estimates, arrays, strict=True)
    left, right = (f"{name}, {psnr_of(array, reference):.1f} dB" for name, array in pairs)
    alt = f"{what}, reconstructed by {left}.", f"{what}, reconstructed by {right}."
    images = estimates.values()
    return wipe(*images, names=(left, right), alt=alt, caption=caption)


def _require_texts(name: str, texts: object) -> None:
    """Refuse what is not a text for each picture."""
    pair = texts if isinstance(texts, tuple) and len(texts) == 2 else ("", "")
    full = all(isinstance(text, str) and text.strip() for text in pair)
    require(full, name, texts, "a tuple of two texts, one for each picture, none empty")


def _png(array: NDArray[np.float64], vmin: float, vmax: float) -> bytes:
    """Return an image as a PNG file in which each pixel is a square of several; what is no number is black."""
    levels = np.nan_to_num(np.clip((array - vmin) / (vmax - vmin), 0, 1))
    times = max(1, -(-SIDE // max(array.shape[:2])))
    pixels = np.round(255 * levels).astype(np.uint8).repeat(times, axis=0).repeat(times, axis=1)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", optimize=True)
    return file.getvalue()


def _image(picture: bytes, alt: str) -> str:
    """Return the HTML element of a picture."""
    width, height = Image.open(io.BytesIO(picture)).size
    source = base64.b64encode(picture).decode("ascii")
    return (
        f'<img class="dark-light" alt="{html.escape(alt)}" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{source}">'
    )
