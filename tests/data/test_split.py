"""Groups are divided completely, alike on every machine, with none left empty; and no image is in two parts."""

import itertools
import logging
import math

import pytest
import torch

from ddgp_lib.data import Split, split_groups
from ddgp_lib.data.split import finish


@pytest.mark.parametrize("count", [3, 7, 10, 101])
def test_groups_are_divided_completely(count):
    names = [f"n{k}" for k in range(count)]
    parts = split_groups(names, (0.1, 0.2))
    assert sorted(itertools.chain(*parts)) == sorted(names)
    assert all(parts)
    assert split_groups(names[::-1], (0.1, 0.2)) == parts


@pytest.mark.parametrize(
    ("count", "fractions", "named"),
    [(2, (0.1, 0.2), "names="), (5, (0.5, 0.5), "fractions="), (5, (0.0, 0.2), "fractions=")],
)
def test_what_cannot_be_divided_is_named(count, fractions, named):
    with pytest.raises(ValueError, match=named):
        split_groups([f"n{k}" for k in range(count)], fractions)


@pytest.mark.parametrize("fractions", [(0.9, 0.05), (0.05, 0.9), (0.45, 0.5), (0.98, 0.01)])
@pytest.mark.parametrize("count", [3, 4, 5, 10])
def test_no_part_is_empty_however_the_shares_are_rounded(count, fractions):
    names = [f"n{k}" for k in range(count)]
    parts = split_groups(names, fractions)
    assert all(parts)
    assert sorted(itertools.chain(*parts)) == sorted(names)


@pytest.mark.parametrize(
    ("names", "fractions", "named"),
    [
        (["a", "b", "a"], (0.1, 0.2), "names=.*different names"),
        (["\u00e9", "e\u0301", "a"], (0.1, 0.2), "names=.*different names"),
        ("abc", (0.1, 0.2), "names='abc': expected a list of names"),
        ([1, 2, 3], (0.1, 0.2), "names="),
        (["a", "b", "c"], 0.1, "fractions=0.1"),
        (["a", "b", "c"], ("0.1", 0.2), "fractions="),
        (["a", "b", "c"], (float("nan"), 0.2), "fractions="),
    ],
)
def test_names_and_shares_are_checked(names, fractions, named):
    with pytest.raises(ValueError, match=named):
        split_groups(names, fractions)


def parts_of(*values, shape=(1, 4, 4)):
    """Make three parts of images with a gradient from 0 to a value, and what they are called."""
    ramp = torch.linspace(0, 1, math.prod(shape)).reshape(shape)
    images = [torch.stack([value * ramp for value in part]) for part in values]
    return images, [[str(value) for value in part] for part in values]


def test_a_split_is_what_was_read_and_says_so(tmp_path, caplog):
    images, origins = parts_of((0.1, 0.2, 0.2), (0.3,), (0.4, 0.5))
    with caplog.at_level(logging.INFO, "ddgp_lib.data"):
        split = finish(tmp_path, images, origins)
    assert all(found is given for found, given in zip(split, images, strict=True))
    assert "3 train, 1 val, 2 test, each (1, 4, 4)" in caplog.text


def test_an_image_of_a_later_part_is_left_out_of_the_earlier_one(tmp_path):
    images, origins = parts_of((0.1, 0.2, 0.3), (0.3, 0.4, 0.5), (0.5, 0.2))
    with pytest.warns(UserWarning, match="images left out") as warned:
        split = finish(tmp_path, images, origins)
    torch.testing.assert_close(split.train, images[0][:1])
    torch.testing.assert_close(split.val, images[1][:2])
    assert split.test is images[2]
    messages = [str(one.message) for one in warned]
    assert "val: 1 of 3 images left out" in messages[0]
    assert "0.5 (as test's 0.5)" in messages[0]
    assert "0.2 (as test's 0.2), 0.3 (as val's 0.3)" in messages[1]


def test_a_part_of_which_nothing_remains_is_refused_unless_it_is_blank(tmp_path):
    images, origins = parts_of((0.1,), (0.2,), (0.1,))
    with pytest.raises(ValueError, match=r"train='0\.1': expected an image that no later part has too"):
        finish(tmp_path, images, origins)
    images[0], images[2] = torch.full((2, 1, 1, 4, 4), 0.5)
    with pytest.warns(UserWarning, match="train: 1 of 1 images kept"):
        assert len(finish(tmp_path, images, origins).train) == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda x: x[:0], r"test=\[\]: expected at least one picture"),
        (lambda x: 255 * x, "test=.*expected pixels between 0 and 1"),
        (lambda x: x / 0, "test=.*finite"),
        (lambda x: x[..., :2], r"test\.shape=\(1, 4, 2\): expected \(1, 4, 4\)"),
    ],
)
def test_images_of_another_kind_are_refused(tmp_path, change, named):
    images, origins = parts_of((0.1,), (0.2,), (0.3,))
    images[2] = change(images[2])
    with pytest.raises(ValueError, match=named):
        finish(tmp_path, images, [*origins[:2], origins[2][: len(images[2])]])


def test_a_split_is_shown_by_its_shapes():
    shown = repr(Split(torch.zeros(4, 1, 8, 8), torch.zeros(2, 1, 8, 8), torch.zeros(3, 1, 8, 8)))
    assert shown == "Split(train=Tensor(4, 1, 8, 8), val=Tensor(2, 1, 8, 8), test=Tensor(3, 1, 8, 8))"
