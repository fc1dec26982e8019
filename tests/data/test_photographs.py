"""Squares of photographs: which photographs, at which scales, and that no part has another's."""

import re
import shutil
import warnings

import numpy as np
import pytest
import torch

from ddgp_lib.data import Split, load_photographs
from ddgp_lib.data.faces import package_file
from ddgp_lib.data.photographs import LEAST, LEAVES, LIMIT, PHOTOGRAPHS, squares_of

ramp = torch.linspace(0, 1, 64)


def test_a_photograph_is_seen_whole_and_in_parts():
    photograph = (ramp[:, None] + ramp[None, :]).repeat_interleave(2, 0).repeat_interleave(2, 1) / 2
    found = squares_of(photograph, 16)
    assert found.shape[1:] == (1, 16, 16)
    whole = found[0, 0]  # the coarsest scale has one square, the photograph itself
    torch.testing.assert_close(whole, photograph.reshape(16, 8, 16, 8).mean(dim=(1, 3)), atol=0.02, rtol=0)
    assert float(found[1:].flatten(1).std(dim=1).max()) < float(whole.std())
    assert float(found[-1].flatten().std()) >= LEAST


def test_empty_squares_and_photographs_that_are_too_small_give_nothing():
    assert len(squares_of(torch.full((64, 64), 0.5), 16)) == 0
    assert len(squares_of(torch.rand(31, 100), 16)) == 0
    assert len(squares_of(torch.rand(32, 32), 16)) == 1


@pytest.fixture(scope="module")
def images():
    pytest.importorskip("skimage")
    return load_photographs()


def test_squares_are_grey_in_range_and_not_empty(images):
    for part in images:
        assert part.shape[1:] == (1, 32, 32)
        assert 0 <= float(part.min()) < float(part.max()) <= 1
    assert float(images.train[:-LEAVES].flatten(1).std(dim=1).min()) >= LEAST
    assert [len(part) for part in images] == [6407 + LEAVES, 1259, 1600]  # as their card says
    counts = {part: sum(entry[0] == part for entry in PHOTOGRAPHS.values()) for part in Split._fields}
    assert counts == {"train": 9, "val": 2, "test": 2}
    assert all(
        len(part) <= counts[name] * LIMIT for name, part in images._asdict().items() if name != "train"
    )
    assert 5000 < len(images.train) - LEAVES <= 9 * LIMIT


def test_no_square_is_in_two_parts(images):
    keys = [{square.numpy().tobytes() for square in part} for part in images]
    assert not keys[0] & keys[1]
    assert not keys[0] & keys[2]
    assert not keys[1] & keys[2]


def test_leaves_come_last_and_squares_of_a_photograph_can_be_limited(images):
    few = load_photographs(leaves=10, limit=10)
    assert [len(part) for part in few] == [100, 20, 20]
    assert torch.equal(few.train[0], images.train[0])
    assert len(load_photographs(leaves=0, limit=10).train) == 90


def test_further_photographs_are_trained_on(images, tmp_path):
    from PIL import Image

    noise = np.random.default_rng(0).integers(256, size=(64, 80), dtype=np.uint8)
    (tmp_path / "nature").mkdir()
    Image.fromarray(noise).save(tmp_path / "nature" / "one.png")
    more = load_photographs(leaves=0, more=tmp_path, limit=10)
    assert [len(part) for part in more] == [92, 20, 20]  # one scale of 32 × 40 pixels: two squares


def further(folder):
    """Return the squares of a folder's photographs alone, and the messages of warnings."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = load_photographs(16, leaves=0, limit=None, more=folder).train
    own = len(load_photographs(16, leaves=0, limit=None).train)
    return found[own:], [str(one.message) for one in said]


def test_further_photographs_are_read_as_other_pictures_are(images, tmp_path):
    """Upright, on white, of 16 bits as they are; and what is not one picture is refused by name."""
    from PIL import Image

    ramp = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1))
    turned = Image.Exif()
    turned[274] = 6
    see_through = np.dstack([ramp, ramp, ramp, np.where(ramp < 128, 0, 255).astype(np.uint8)])
    shown = {
        "upright": (Image.fromarray(np.rot90(ramp, -1)), {}),
        "turned": (Image.fromarray(ramp), {"exif": turned}),
        "deep": (Image.fromarray(np.rot90(ramp, -1).astype(np.uint16) * 257), {}),
        "see_through": (Image.fromarray(see_through), {}),
        "on_white": (Image.fromarray(np.where(ramp < 128, 255, ramp).astype(np.uint8)), {}),
    }
    found = {}
    for name, (picture, options) in shown.items():
        (tmp_path / name).mkdir()
        picture.save(tmp_path / name / "one.png", **options)
        found[name], _ = further(tmp_path / name)
    torch.testing.assert_close(found["turned"], found["upright"])
    torch.testing.assert_close(found["deep"], found["upright"])
    torch.testing.assert_close(found["see_through"], found["on_white"])
    (tmp_path / "pages").mkdir()
    page = Image.fromarray(ramp)
    page.save(tmp_path / "pages" / "two.tif", save_all=True, append_images=[page])
    with pytest.raises(ValueError, match=r"two\.tif of 2 pages or frames"):
        further(tmp_path / "pages")


def test_photographs_of_the_packages_are_not_trained_on_by_way_of_a_folder(images, tmp_path):
    from PIL import Image

    entry = PHOTOGRAPHS["coffee"]  # which is tested on
    shutil.copy(package_file(entry[1], entry[3], entry[2]), tmp_path / "mine.png")
    with pytest.raises(
        ValueError, match=r"^more='.*': expected a folder with a further picture of 32 pixels"
    ):
        load_photographs(16, more=tmp_path)
    noise = np.random.default_rng(0).integers(256, size=(64, 80), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "new.png")
    Image.fromarray(noise[:20, :20]).save(tmp_path / "small.png")
    found, said = further(tmp_path)
    tested = {square.numpy().tobytes() for square in load_photographs(16, leaves=0, limit=None).test}
    assert len(found) > 0
    assert not tested & {square.numpy().tobytes() for square in found}
    assert [re.search(r"left out.*: (\S+)$", text)[1] for text in said] == ["mine.png", "small.png"]


def test_a_folder_without_further_photographs_is_refused(images, tmp_path):
    with pytest.raises(ValueError, match=r"^more="):
        load_photographs(more=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 8}, "^size=8"),
        ({"size": 32.5}, r"^size=32\.5"),
        ({"leaves": -1}, "^leaves=-1"),
        ({"limit": 0}, "^limit=0"),
    ],
)
def test_what_is_outside_what_is_accepted_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        load_photographs(**options)


def test_a_folder_that_is_missing_is_refused():
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_photographs(more="nowhere")
