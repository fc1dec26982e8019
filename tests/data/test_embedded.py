"""Embedded images: a file that is damaged, or holds something else, is named."""

import numpy as np
import pytest

from ddgp_lib.data.embedded import embedded_images
from ddgp_lib.files import write_npz

IMAGES = np.random.default_rng(0).integers(256, size=(5, 8, 8)).astype(np.uint8)


@pytest.fixture
def path(tmp_path):
    write_npz(tmp_path / "images.npz", images=IMAGES)
    return tmp_path / "images.npz"


def test_images_come_back(path):
    np.testing.assert_array_equal(embedded_images(path, (5, 8, 8)), IMAGES)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: b"",
        lambda content: b"images",
        lambda content: content[:-30],
        lambda content: content[:150] + bytes([content[150] ^ 4]) + content[151:],
        lambda content: content.replace(b"images", b"pixels"),
    ],
)
def test_a_damaged_file_names_itself(path, change):
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=r"images\.npz': not readable"):
        embedded_images(path, (5, 8, 8))


@pytest.mark.parametrize("images", [IMAGES[:4], IMAGES / 255, np.array(3)])
def test_other_images_are_refused(path, images):
    write_npz(path, images=images)
    with pytest.raises(ValueError, match=r"^path=.*images\.npz with .*expected bytes of shape \(5, 8, 8\)"):
        embedded_images(path, (5, 8, 8))
