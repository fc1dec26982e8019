"""The cameras of the book: what each does to an image, and what it keeps."""

import math
from collections.abc import Callable

from .canvas import SMALL, Canvas

SIDE = 16
Pixels = list[list[float]]


def picture(blur: float = 0.0, motion: float = 0.0) -> Pixels:
    """Return a face of 16×16 pixels, blurred by a Gaussian or along a line, lengths in pixels."""
    sharp = [[_face(j - 7.5, i - 7.5) for j in range(SIDE)] for i in range(SIDE)]
    if motion:
        steps = range(-4, 5)
        return _mixed(sharp, [(motion * t / 4, 0.5 * motion * t / 4, 1 / len(steps)) for t in steps])
    if blur:
        near = [
            (i, j, math.exp(-(i * i + j * j) / (2 * blur**2))) for i in range(-6, 7) for j in range(-6, 7)
        ]
        total = sum(weight for *_, weight in near)
        return _mixed(sharp, [(i, j, weight / total) for i, j, weight in near])
    return sharp


def _face(x: float, y: float) -> float:
    """Return the darkness of a face at a place, 0 to 1."""
    if abs(y + 2) < 1.1 and 1.6 < abs(x) < 4:
        return 1.0
    if abs(y - 3.4) < 0.8 and abs(x) < 3:
        return 0.9
    return 0.35 if (x / 6.2) ** 2 + (y / 7.4) ** 2 < 1 else 0.0


def _mixed(pixels: Pixels, shifts: list[tuple[float, float, float]]) -> Pixels:
    """Return a sum of shifted and weighted copies."""

    def at(i: float, j: float) -> float:
        row, column = round(i), round(j)
        return pixels[row][column] if 0 <= row < SIDE and 0 <= column < SIDE else 0.0

    return [
        [sum(weight * at(i - di, j - dj) for dj, di, weight in shifts) for j in range(SIDE)]
        for i in range(SIDE)
    ]


def _strip(title: str, description: str) -> Canvas:
    """Start a drawing of a camera with the image at its left."""
    canvas = Canvas(620, 176, title, description)
    canvas.grid(20, 20, 112, picture())
    canvas.text(76, 152, "image *x*^*", size=SMALL)
    return canvas


def single_pixel() -> Canvas:
    """Draw the single-pixel camera: one pattern after another, one number for each."""
    canvas = _strip(
        "Single-pixel camera",
        "An image is covered by a pattern of ones and minus ones; a detector adds up what is left to one "
        "number. With a tenth of all patterns there are a tenth as many numbers as pixels.",
    )
    pattern = [[float(bin((i // 2) & (j // 2)).count("1") % 2) for j in range(SIDE)] for i in range(SIDE)]
    canvas.text(158, 76, "×", size=22)
    canvas.grid(184, 20, 112, pattern, "student")
    canvas.text(240, 152, "pattern *i*", size=SMALL)
    canvas.arrow([(308, 76), (352, 76)])
    canvas.box(352, 48, 70, 56, "sum", "student")
    canvas.arrow([(422, 76), (466, 76)])
    canvas.text(540, 76, "one number *y*_i\nfor each pattern")
    canvas.text(540, 152, "102 of 1,024 patterns", "muted", size=SMALL)
    return canvas


def mri() -> Canvas:
    """Draw the scanner: a Fourier transform of which some columns are measured."""
    canvas = _strip(
        "MRI",
        "An image goes through a Fourier transform to k-space. Of its columns those in the middle are "
        "measured, and some of the others; the rest is never seen.",
    )
    canvas.arrow([(146, 76), (190, 76)])
    canvas.box(190, 48, 96, 56, "Fourier\ntransform", "student")
    canvas.arrow([(286, 76), (330, 76)])
    bright = [
        [math.exp(-0.35 * math.hypot(i - 7.5, j - 7.5)) + 0.06 for j in range(SIDE)] for i in range(SIDE)
    ]
    canvas.grid(340, 20, 112, bright)
    canvas.text(396, 152, "k-space", size=SMALL)
    canvas.arrow([(462, 76), (490, 76)])
    measured = (1, 4, 7, 8, 13)
    columns = [[0.75 if j in measured else 0.0 for j in range(SIDE)] for _ in range(SIDE)]
    canvas.grid(496, 20, 112, columns, "student")
    canvas.text(552, 152, "32 of 128 columns", "muted", size=SMALL)
    return canvas


def super_resolution() -> Canvas:
    """Draw super-resolution: a blur, and one pixel kept of sixteen."""
    canvas = _strip(
        "Super-resolution",
        "An image is blurred by a wide Gaussian, and then one pixel is kept of each block of four by four.",
    )
    canvas.arrow([(146, 76), (184, 76)])
    canvas.box(184, 48, 66, 56, "blur", "student")
    canvas.arrow([(250, 76), (288, 76)])
    blurred = picture(blur=2.0)
    canvas.grid(294, 20, 112, blurred)
    canvas.arrow([(412, 76), (490, 76)])
    canvas.text(451, 46, "keep one\nof sixteen", size=SMALL)
    canvas.grid(496, 20, 112, [row[1::4] for row in blurred[1::4]], "student")
    canvas.text(552, 152, "16×16 of 64×64 pixels", "muted", size=SMALL)
    return canvas


def deblurring() -> Canvas:
    """Draw the camera that shook."""
    canvas = _strip(
        "Deblurring",
        "An image is blurred along a line, as by a camera that shook. Every pixel is measured, and fine "
        "detail across the line is nearly lost.",
    )
    canvas.arrow([(146, 76), (236, 76)])
    canvas.grid(242, 20, 112, _line(), "student")
    canvas.text(298, 152, "path of the camera", size=SMALL)
    canvas.arrow([(366, 76), (456, 76)])
    canvas.grid(462, 20, 112, picture(motion=4.0), "student")
    canvas.text(518, 152, "all pixels, blurred", "muted", size=SMALL)
    return canvas


def _line() -> Pixels:
    """Return the path of a camera that shook, as pixels."""
    pixels = [[0.0] * SIDE for _ in range(SIDE)]
    for t in range(-5, 6):
        pixels[8 + round(t / 2)][8 + t] = 0.9
    return pixels


CAMERAS: dict[str, Callable[[], Canvas]] = {
    "single_pixel": single_pixel,
    "mri": mri,
    "super_resolution": super_resolution,
    "deblurring": deblurring,
}
"""What draws each camera, by the name of its task."""
