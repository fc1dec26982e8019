"""The eight networks, each as a sketch of what makes it different."""

from collections.abc import Callable
from itertools import pairwise

from .canvas import SMALL, Canvas

WIDTH, HEIGHT = 300, 132
Place = tuple[float, float]


def _layers(canvas: Canvas, x: float, y: float, heights: list[float], gap: float = 18) -> float:
    """Draw layers as thin boxes around the height y; return where they end."""
    for height in heights:
        canvas.box(x, y - height / 2, 10, height, role="distilled")
        x += gap
    return x


def _mlp(canvas: Canvas, x: float, y: float) -> None:
    """Every pixel is joined to every other."""
    columns = [(x + 50, 5), (x + 120, 3), (x + 190, 3), (x + 260, 5)]
    dots = [[(place, y + 16 * (i - (count - 1) / 2)) for i in range(count)] for place, count in columns]
    for left, right in pairwise(dots):
        for start in left:
            for end in right:
                canvas.line([start, end], "muted", width=0.7)
    for column in dots:
        for place in column:
            canvas.dot(*place, 4, "distilled")


def _cnn(canvas: Canvas, x: float, y: float) -> None:
    """One convolution after another."""
    _layers(canvas, x + 60, y, [62.0] * 10)


def _cbam(canvas: Canvas, x: float, y: float) -> None:
    """Convolutions, each followed by weights for channels and for places."""
    for start in (x + 22, x + 154):
        _layers(canvas, start, y, [62.0])
        canvas.box(start + 20, y - 31, 78, 26, "channels", "teacher")
        canvas.box(start + 20, y + 5, 78, 26, "places", "teacher")
        canvas.text(start + 114, y, "×", size=18)


def _u(canvas: Canvas, x: float, y: float) -> None:
    """Draw a U of three scales, with what passes across."""
    for place, depth, height in (
        (60, 0, 56.0),
        (100, 16, 38.0),
        (140, 28, 22.0),
        (190, 16, 38.0),
        (230, 0, 56.0),
    ):
        canvas.box(x + place, y - 24 + depth - height / 2 + 20, 12, height, role="distilled")
    canvas.arrow([(x + 76, y - 18), (x + 226, y - 18)], "muted", width=1.2)
    canvas.arrow([(x + 116, y + 6), (x + 186, y + 6)], "muted", width=1.2)


def _indi(canvas: Canvas, x: float, y: float) -> None:
    """Draw a U that is told the iteration."""
    _u(canvas, x, y)
    canvas.text(x + 30, y + 38, "*k*", "teacher")
    canvas.arrow([(x + 40, y + 38), (x + 134, y + 38)], "teacher", width=1.5)


def _mdcnn(canvas: Canvas, x: float, y: float) -> None:
    """Three branches side by side, whose results are added."""
    for row, (side, count) in enumerate(((3, 6), (5, 3), (7, 2))):
        height = y + 30 * (row - 1)
        canvas.text(x + 52, height, f"{side}×{side}", size=SMALL)
        end = _layers(canvas, x + 84, height, [22.0] * count)
        canvas.line([(end - 4, height), (x + 218, height), (x + 238, y)], "muted", width=1.2)
    canvas.text(x + 250, y, "+", size=20)


def _vit(canvas: Canvas, x: float, y: float) -> None:
    """Every patch looks at all others."""
    places = [(x + 90 + 40 * j, y - 30 + 30 * i) for i in range(3) for j in range(4)]
    centre = places[5]
    for place in places:
        if place != centre:
            canvas.line([centre, place], "teacher", width=1)
    for i, (left, top) in enumerate(places):
        canvas.box(left - 8, top - 8, 16, 16, role="distilled" if i != 5 else "teacher")


def _convnext(canvas: Canvas, x: float, y: float) -> None:
    """Convolve each channel widely by itself, mix the channels, and add what came in."""
    canvas.arrow([(x + 24, y + 8), (x + 60, y + 8)], "muted", width=1.5)
    canvas.box(x + 60, y - 14, 90, 44, "7×7 in each\nchannel", "distilled")
    canvas.arrow([(x + 150, y + 8), (x + 168, y + 8)], "muted", width=1.5)
    canvas.box(x + 168, y - 14, 76, 44, "mix the\nchannels", "distilled")
    canvas.arrow([(x + 244, y + 8), (x + 262, y + 8)], "muted", width=1.5)
    canvas.text(x + 272, y + 8, "+", size=20)
    canvas.line([(x + 36, y + 8), (x + 36, y - 30), (x + 272, y - 30), (x + 272, y - 4)], "muted", width=1.2)


SKETCHES: dict[str, tuple[str, Callable[[Canvas, float, float], None]]] = {
    "mlp": ("three dense layers", _mlp),
    "cnn": ("ten 3×3 convolutions", _cnn),
    "cbam": ("convolutions with attention", _cbam),
    "unet": ("convolutions on three scales", _u),
    "mdcnn": ("three kernels, three depths", _mdcnn),
    "indi": ("a U-Net told the iteration", _indi),
    "vit": ("attention among all patches", _vit),
    "convnext": ("far sight, then a mix", _convnext),
}
"""What each network is, and what sketches it."""


def networks() -> Canvas:
    """Draw all networks, two in a row."""
    told = "; ".join(f"{name}, {what}" for name, (what, _) in SKETCHES.items())
    canvas = Canvas(
        620,
        4 * (HEIGHT + 10) + 10,
        "Eight networks",
        f"Eight sketches of networks, two in a row: {told}.",
    )
    for index, (name, (what, draw)) in enumerate(SKETCHES.items()):
        x, y = 5 + (WIDTH + 10) * (index % 2), 10 + (HEIGHT + 10) * (index // 2)
        canvas.panel(x, y, WIDTH, HEIGHT, f"{name}: {what}", "ink")
        draw(canvas, x, y + 78)
    return canvas
