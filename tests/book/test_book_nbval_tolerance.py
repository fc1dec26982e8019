"""The comparison of notebook outputs: what passes and what fails."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from book._tools.nbval_tolerance import ATOL, PIXEL_TOLERANCE, RTOL, images_in, same_image, same_text


def encoded(grey: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(grey.astype(np.uint8)).save(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


NOISE = np.random.default_rng(0).integers(0, 200, (16, 16))


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("PSNR 24.31 dB", "PSNR 24.31 dB"),
        ("PSNR 24.31 dB", "PSNR 24.32 dB"),
        ("loss 1.000e-03", "loss 1.001e-03"),
        ("loss 1.0e-9", "loss 9.0e-8"),
        ("[ 9.999, -0.5]", "[10.001, -0.5]"),
        ("tensor([1.0000, nan, inf])", "tensor([1.0001, nan, inf])"),
        ("-inf", "-inf"),
        ("<td>0.9871</td>", "<td>0.9872</td>"),
        ("3.5dB", "3.501dB"),
        ("a  b", "a b"),
    ],
)
def test_agreement(reference: str, found: str) -> None:
    assert same_text(reference, found)


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("PSNR 24.31 dB", "PSNR 24.41 dB"),
        ("loss 1.0e-03", "loss 1.0e-02"),
        ("loss 1.0e-03", "loss -1.0e-03"),
        ("200 iterations", "201 iterations"),
        ("200 iterations", "200.0 steps"),
        ("1.0 2.0", "1.0"),
        ("1.0", "1.0 2.0"),
        ("1.0", "nan"),
        ("nan", "1.0"),
        ("1.0", "inf"),
        ("inf", "-inf"),
        ("distilled 24.31", "baseline 24.31"),
        ("conv2", "conv3"),
        ("version 1.0.4", "version 1.0.5"),
        ("1.0, 2.0", "1.0; 2.0"),
        ("value 1.0", "value"),
    ],
)
def test_disagreement(reference: str, found: str) -> None:
    assert not same_text(reference, found)


def test_the_tolerance_is_the_stated_one() -> None:
    assert same_text("100.0", f"{100 * (1 + 0.9 * RTOL):.4f}")
    assert not same_text("100.0", f"{100 * (1 + 1.1 * RTOL):.4f}")
    assert same_text("0.0", f"{0.9 * ATOL:.3e}")
    assert not same_text("0.0", f"{1.1 * ATOL:.3e}")


@pytest.mark.parametrize("kind", ["frames", "wipe"])
def test_images_inside_html_are_left_to_the_comparison_of_images(kind: str) -> None:
    first, second = encoded(NOISE), encoded(NOISE + 50)
    page = '<div id="ddgp-KIND-{}"><img alt="a digit" src="data:image/png;base64,{}"><script>["{}"]</script></div>'
    page = page.replace("KIND", kind)
    assert same_text(page.format("0a1b", first, second), page.format("9f8e", second, first))
    assert not same_text(page.format("0a1b", first, second), page.format("0a1b", first, "no image"))
    assert images_in(page.format("0a1b", first, second)) == [first, second]


def test_images_are_compared_by_bytes_or_by_pixels() -> None:
    reference, near, far = encoded(NOISE), encoded(NOISE + (NOISE % 7 == 0)), encoded(NOISE + 50)
    assert PIXEL_TOLERANCE < 50
    assert same_image(reference, reference, exactly=True)
    assert same_image(reference, reference + "\n", exactly=True)
    assert not same_image(reference, near, exactly=True)
    assert same_image(reference, near, exactly=False)
    assert not same_image(reference, far, exactly=False)
    assert not same_image(reference, encoded(NOISE[:8]), exactly=False)
