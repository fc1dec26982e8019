"""Compare the outputs of two executions of a cell: numbers within a tolerance, the rest exactly.

The rules, in one place:

- A number with a decimal point or an exponent may differ by ``ATOL + RTOL * |reference|``. Exact
  agreement would fail on another processor, where sums are rounded in another order; the tolerance
  is far below any difference that the book speaks of.
- An integer, which counts or names something, must be the same. So must all text between numbers,
  except for the width of blank space, which changes with the length of the numbers beside it.
- nan equals nan, and an infinity equals itself.
- Images are compared byte for byte if both executions have the same fingerprint (processor and
  packages), and otherwise by size and by mean absolute difference of their pixels.
"""

import base64
import io
import math
import re

import numpy as np
from PIL import Image

RTOL = 2e-3
ATOL = 1e-6
PIXEL_TOLERANCE = 1.0  # of 255 grey levels, on average over an image

NUMBER = re.compile(
    r"""
    (?<![\w.])                            # not inside a word or a version
    [-+]?
    (?: \d+ (?: \.\d* )? (?: [eE][-+]?\d+ )?
      | \.\d+ (?: [eE][-+]?\d+ )?
      | (?: nan | inf ) (?!\w)
    )
    """,
    re.VERBOSE,
)
IMAGE = re.compile(r"(?:iVBORw0KGgo|/9j/)[A-Za-z0-9+/]{40,}=*")  # a PNG or a JPEG file in base64
FRAMES = re.compile(r"ddgp-(?:frames|wipe)-[0-9a-f]+")  # an identifier that is a hash of the words


def same_number(reference: str, found: str, rtol: float = RTOL, atol: float = ATOL) -> bool:
    """Say whether two printed numbers agree."""
    digits = (reference.lstrip("+-"), found.lstrip("+-"))
    if all(text.isdigit() for text in digits):
        return int(reference) == int(found)
    first, second = float(reference), float(found)
    if math.isnan(first) or math.isnan(second):
        return math.isnan(first) and math.isnan(second)
    if math.isinf(first) or math.isinf(second):
        return first == second
    return abs(first - second) <= atol + rtol * abs(first)


def words_between(text: str) -> list[list[str]]:
    """Return the text between the numbers of ``text``, without its blank space."""
    return [piece.split() for piece in NUMBER.split(text)]


def same_text(reference: str, found: str, rtol: float = RTOL, atol: float = ATOL) -> bool:
    """Say whether two texts agree: the same words, and numbers within the tolerance.

    Parameters
    ----------
    reference, found : str
        The committed text and the new one; images inside them are not compared.
    rtol, atol : float
        Relative and absolute tolerance of numbers that are not integers.

    Returns
    -------
    bool
    """
    reference, found = (FRAMES.sub("frames", IMAGE.sub("image", text)) for text in (reference, found))
    if reference == found:
        return True
    if words_between(reference) != words_between(found):
        return False
    pairs = zip(NUMBER.findall(reference), NUMBER.findall(found), strict=True)
    return all(same_number(first, second, rtol, atol) for first, second in pairs)


def images_in(text: str) -> list[str]:
    """Return the base64 texts of the images embedded in HTML, in order."""
    return IMAGE.findall(text)


def pixels(image: str) -> np.ndarray:
    """Decode a base64 image into an array of red, green, blue and opacity."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(image))).convert("RGBA"), dtype=float)


def same_image(reference: str, found: str, exactly: bool) -> bool:
    """Say whether two base64 images agree, byte for byte or within the tolerance for pixels."""
    if "".join(reference.split()) == "".join(found.split()):
        return True
    if exactly:
        return False
    first, second = pixels(reference), pixels(found)
    return first.shape == second.shape and float(np.abs(first - second).mean()) <= PIXEL_TOLERANCE
