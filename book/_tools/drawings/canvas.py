"""A small canvas that writes SVG: boxes, arrows, texts with subscripts, and grids of pixels."""

import re
from collections.abc import Sequence
from html import escape

Point = tuple[float, float]
SIZE = 15
"""Size of a text in the units of a drawing, which is at most 620 of them wide."""
SMALL = 13
LINE = 19
"""Distance of two lines of text."""
LEVELS = 16
"""Shades in which pixels are drawn."""
PART = re.compile(r"([_^])(?:\{([^}]*)\}|(.))|\*([^*]+)\*")

COLOURS = {
    "ink": "#222222",
    "paper": "#ffffff",
    "muted": "#595959",
    "student": "#0072B2",
    "teacher": "#007A5A",
    "distilled": "#B84A00",
    "denoiser": "#A8417A",
}
"""Colour of each role on light paper, as in the figures of the book; a page replaces them in the dark."""


def colour(role: str) -> str:
    """Return a role's colour as CSS: what the page says, or else that of light paper."""
    return f"var(--ddgp-{role}, {COLOURS[role]})"


def rich(text: str) -> str:
    """Return a text as SVG: ``x_k`` and ``x_{k+1}`` lower, ``A^+`` raises, ``*x*`` is italic."""
    written, start = [], 0
    for match in PART.finditer(text):
        written.append(escape(text[start : match.start()]))
        start = match.end()
        if match[4]:
            written.append(f'<tspan font-style="italic">{escape(match[4])}</tspan>')
            continue
        shift, size = (4, SMALL - 2) if match[1] == "_" else (-5, SMALL - 2)
        inner = escape(match[2] or match[3])
        written.append(
            f'<tspan dy="{shift}" font-size="{size}">{inner}</tspan><tspan dy="{-shift}">&#8203;</tspan>'
        )
    return "".join([*written, escape(text[start:])])


class Canvas:
    """Collects the parts of a drawing.

    Parameters
    ----------
    width, height : int
        Size in units.
    title : str
        Its name, in a few words.
    description : str
        Its alternative text: what it says, in sentences.
    """

    def __init__(self, width: int, height: int, title: str, description: str) -> None:
        self.width, self.height, self.title, self.description = width, height, title, description
        self.parts: list[str] = []

    def text(
        self, x: float, y: float, text: str, role: str = "ink", *, size: int = SIZE, anchor: str = "middle"
    ) -> None:
        """Write lines, parted by newlines, around the height y."""
        lines = text.split("\n")
        first = y + 0.35 * size - (len(lines) - 1) * LINE / 2
        for row, line in enumerate(lines):
            self.parts.append(
                f'<text x="{x:g}" y="{first + row * LINE:g}" text-anchor="{anchor}" font-size="{size}" '
                f'style="fill: {colour(role)}">{rich(line)}</text>'
            )

    def box(self, x: float, y: float, width: float, height: float, text: str = "", role: str = "ink") -> None:
        """Draw a box in the colour of a role, with a text in its middle; it hides what is below."""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" '
            f'style="fill: {colour("paper")}"/>'
        )
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" stroke-width="2" '
            f'fill-opacity="0.1" style="fill: {colour(role)}; stroke: {colour(role)}"/>'
        )
        if text:
            self.text(x + width / 2, y + height / 2, text)

    def panel(self, x: float, y: float, width: float, height: float, text: str, role: str) -> None:
        """Draw a dashed frame around what belongs together, with its name in the upper left corner."""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="10" fill="none" '
            f'stroke-width="1.5" stroke-dasharray="6 4" style="stroke: {colour(role)}"/>'
        )
        self.text(x + 14, y + 17, text, role, size=SMALL, anchor="start")

    def line(
        self, points: Sequence[Point], role: str = "ink", *, width: float = 2, dashed: bool = False
    ) -> None:
        """Draw a line through points."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        dashes = ' stroke-dasharray="6 4"' if dashed else ""
        self.parts.append(
            f'<polyline points="{path}" fill="none" stroke-width="{width:g}"{dashes} '
            f'style="stroke: {colour(role)}"/>'
        )

    def arrow(
        self, points: Sequence[Point], role: str = "ink", *, width: float = 2, dashed: bool = False
    ) -> None:
        """Draw a line through points with a head at the last."""
        (x0, y0), (x1, y1) = points[-2:]
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        u, v = (x1 - x0) / length, (y1 - y0) / length
        back, side = 9, 4.5
        foot = (x1 - back * u, y1 - back * v)
        self.line([*points[:-1], foot], role, width=width, dashed=dashed)
        corners = [
            (x1, y1),
            (foot[0] - side * v, foot[1] + side * u),
            (foot[0] + side * v, foot[1] - side * u),
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        self.parts.append(f'<polygon points="{path}" style="fill: {colour(role)}"/>')

    def dot(self, x: float, y: float, radius: float, role: str = "ink") -> None:
        """Draw a dot."""
        self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" style="fill: {colour(role)}"/>')

    def grid(
        self, x: float, y: float, side: float, values: Sequence[Sequence[float]], role: str = "ink"
    ) -> None:
        """Draw numbers from 0 to 1 as a square of pixels, the darker the higher; its frame is drawn with it."""
        cell = side / len(values)
        levels: dict[int, list[str]] = {}
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                path = f"M{x + j * cell:g} {y + i * cell:g}h{cell:g}v{cell:g}h{-cell:g}z"
                levels.setdefault(round(LEVELS * min(value, 1)), []).append(path)
        for level, paths in sorted(levels.items()):
            if level:
                self.parts.append(
                    f'<path d="{"".join(paths)}" fill-opacity="{level / LEVELS:g}" style="fill: {colour(role)}"/>'
                )
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}" fill="none" stroke-width="1.5" '
            f'style="stroke: {colour(role)}"/>'
        )

    def svg(self) -> str:
        """Return the file."""
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
                f'width="{self.width}" height="{self.height}" font-family="sans-serif" role="img" '
                f'aria-label="{escape(self.description)}">',
                f"<title>{escape(self.title)}</title>",
                f'<rect width="{self.width}" height="{self.height}" style="fill: {colour("paper")}"/>',
                *self.parts,
                "</svg>\n",
            ]
        )
