"""The plotting style of the book: every figure of every chapter is drawn by a function of this module.

Figures are about as wide as a column of text and use few, large letters, so that they can be read on a
telephone 390 pixels wide. Their background is white in light and dark mode alike. Curves differ by colour, by
dash pattern and by marker, so that colour is never the only sign. The bytes of a PNG or an SVG depend on the data
alone: saving the same figure twice gives the same file. A notebook shows curves as SVG and pictures as PNG.
"""

from .pictures import comparison, images, reconstructions
from .planes import plane
from .plots import bars, curves, dots, heatmap, landscape, spectrum
from .style import COLOURS, CYCLE, DPI, LINE_STYLES, STYLE, WIDTH, BookFigure, LineStyle, axes, png, svg

__all__ = [
    "COLOURS",
    "CYCLE",
    "DPI",
    "LINE_STYLES",
    "STYLE",
    "WIDTH",
    "BookFigure",
    "LineStyle",
    "axes",
    "bars",
    "comparison",
    "curves",
    "dots",
    "heatmap",
    "images",
    "landscape",
    "plane",
    "png",
    "reconstructions",
    "spectrum",
    "svg",
]
