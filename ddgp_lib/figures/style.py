"""The plotting style of the book: sizes, colours, dash patterns, and figures whose bytes repeat."""

import base64
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib
import matplotlib.style
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike
from PIL import Image

from ..arguments import require_flag, require_instance, require_integer, require_number

WIDTH = 5.2
"""Width of every figure in inches."""

LARGEST_HEIGHT = 100
"""Height of axes that is accepted, in inches."""

LARGEST_DPI = 2400
"""Resolution that is accepted, in dots per inch."""

DPI = 140
"""Resolution of a figure shown in a notebook, in dots per inch."""

LARGEST_SVG = 150_000
"""Length of a vector graphic up to which a notebook shows it, in characters: a longer one has thousands of marks."""

COLOURS: dict[str, str] = {
    "baseline": "#0072B2",
    "distilled": "#D55E00",
    "gradient_only": "#A8417A",
    "linear": "#B57C00",
    "newton": "#6A51A3",
    "rival": "#8C5A2B",
    "teacher": "#007A5A",
    "truth": "#000000",
    "other": "#6B6B6B",
    "range": "#0072B2",
    "null": "#D55E00",
    "guide": "#8A8A8A",
}
"""Colour of each role, one for each method: ``baseline`` is the solver without P, ``newton`` a Newton step, ``rival``
what one may pick instead, such as an unrolled network.  After Okabe and Ito's colour-blind-safe palette, darkened for
contrast on white."""


@dataclass(frozen=True)
class LineStyle:
    """How the curve of one role looks, apart from its colour."""

    dashes: str | tuple[int, tuple[float, ...]]
    marker: str


LINE_STYLES: dict[str, LineStyle] = {
    "baseline": LineStyle("-", "o"),
    "distilled": LineStyle("--", "s"),
    "gradient_only": LineStyle("-.", "^"),
    "linear": LineStyle((0, (5, 1, 1, 1, 1, 1)), "D"),
    "newton": LineStyle((0, (7, 2)), "P"),
    "rival": LineStyle((0, (4, 1, 1, 1)), "h"),
    "teacher": LineStyle((0, (1, 1)), "v"),
    "truth": LineStyle("-", "*"),
    "other": LineStyle((0, (3, 2)), "X"),
    "range": LineStyle("-", "o"),
    "null": LineStyle("--", "s"),
    "guide": LineStyle((0, (2, 2)), ""),
}
"""Dash pattern and marker of each role."""

CYCLE: tuple[str, ...] = ("baseline", "distilled", "teacher", "gradient_only", "linear", "other")
"""Roles given in turn to the curves of a figure that names none."""

STYLE: dict[str, Any] = {
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "legend.frameon": True,
    "legend.framealpha": 0.9,
    "legend.handlelength": 2.6,
    "lines.linewidth": 2.0,
    "lines.markersize": 6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.use_mathtext": True,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "image.cmap": "gray",
    "image.interpolation": "nearest",
    "figure.dpi": DPI,
}

LONG_NUMBER = re.compile(r"(scale\([^)]*\))|-?\d+\.\d{3,}")
"""Coordinates of a vector graphic with more digits than can be seen, and scales, whose digits count."""

P = ParamSpec("P")
R = TypeVar("R")
Scale = Literal["linear", "log", "symlog"]
Numbers = ArrayLike | torch.Tensor


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run ``draw`` under the book's style, whatever style its caller has set."""

    @wraps(draw)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.style.context(["default", STYLE]):
            return draw(*args, **kwargs)

    return wrapped


class BookFigure(Figure):
    """A matplotlib figure that a notebook shows as one deterministic picture, with or without pyplot.

    Curves are shown as a vector graphic, sharp at every size. The PNG stands beside it, for what shows no SVG.
    """

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        bundle = {"image/png": base64.b64encode(png(self)).decode("ascii"), "text/plain": repr(self)}
        if not self.findobj(lambda part: isinstance(part, (AxesImage, QuadMesh))):
            drawn = svg(self)
            if len(drawn) <= LARGEST_SVG:
                bundle["image/svg+xml"] = drawn
        return bundle


def _lay_out(figure: Figure) -> None:
    """Compute the layout once and keep it: computed twice, it may move by a pixel."""
    require_instance("figure", figure, Figure, "a matplotlib figure")
    if figure.canvas is None or not isinstance(figure.canvas, FigureCanvasAgg):
        FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


@styled
def png(figure: Figure, *, dpi: int = DPI, colours: int | None = 256) -> bytes:
    """Render a figure to PNG bytes that depend on its content alone.

    Parameters
    ----------
    figure : Figure
        Any matplotlib figure.
    dpi : int
        Dots per inch.
    colours : int or None
        Number of palette colours, 2 to 256; a palette makes the file three to five times smaller. None keeps
        full colour.

    Returns
    -------
    bytes
        The PNG file, without a time stamp or the name of the software.

    Raises
    ------
    ValueError
        If ``dpi`` is not positive or ``colours`` is outside 2 to 256.
    """
    require_number("dpi", dpi, above=0, highest=LARGEST_DPI)
    require_integer("colours", colours, lowest=2, highest=256, none=True)
    _lay_out(figure)
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=dpi, metadata={"Software": None})
    if colours is None:
        return raw.getvalue()
    picture = Image.open(raw).convert("RGB").quantize(colours, method=Image.Quantize.MAXCOVERAGE)
    small = io.BytesIO()
    picture.save(small, format="PNG", optimize=True)
    return small.getvalue()


@styled
def svg(figure: Figure) -> str:
    """Render a figure to a vector graphic that depends on its content alone.

    It is one line, as many pixels wide and high as the PNG. Letters are outlines, so that they look the same without
    our fonts. Coordinates are rounded to a hundredth of a point.

    Parameters
    ----------
    figure : Figure
        Any matplotlib figure.

    Returns
    -------
    str
        The SVG file, without a time stamp or the name of the software.

    Examples
    --------
    >>> from ddgp_lib import figures
    >>> drawn = figures.svg(figures.curves([1, 2, 3], {"a run": [3.0, 2.0, 1.5]}, xlabel="k", ylabel="error"))
    >>> drawn.startswith("<?xml"), "<image" in drawn
    (True, False)
    """
    _lay_out(figure)
    raw = io.StringIO()
    with matplotlib.rc_context(
        {"svg.fonttype": "path", "svg.hashsalt": "ddgp", "path.simplify_threshold": 0.1}
    ):
        figure.savefig(raw, format="svg", metadata={"Date": None, "Creator": None})
    width, height = (int(inches * DPI) for inches in figure.get_size_inches())
    drawn = LONG_NUMBER.sub(lambda found: found[1] or f"{float(found[0]):.2f}", raw.getvalue())
    drawn = re.sub(r'width="[^"]*" height="[^"]*"', f'width="{width}" height="{height}"', drawn, count=1)
    return re.sub(r"> <", "><", re.sub(r"\s+", " ", drawn)).strip()


@styled
def axes(rows: int = 1, *, height: float = 3.2, share_x: bool = False) -> tuple[BookFigure, list[Axes]]:
    """Return an empty figure with ``rows`` axes, one above the other.

    Axes are stacked, never side by side, so that they keep their width on a telephone.

    Parameters
    ----------
    rows : int
        Number of axes.
    height : float
        Height of each in inches.
    share_x : bool
        Whether they share their horizontal axis.

    Returns
    -------
    tuple of BookFigure and list of Axes

    Raises
    ------
    ValueError
        If ``rows`` or ``height`` is not positive.
    """
    require_integer("rows", rows, lowest=1, highest=100)
    require_number("height", height, above=0, highest=LARGEST_HEIGHT)
    require_flag("share_x", share_x)
    figure = BookFigure(figsize=(WIDTH, rows * height), layout="constrained")
    grid = figure.subplots(rows, 1, squeeze=False, sharex=share_x)
    return figure, list(grid[:, 0])
