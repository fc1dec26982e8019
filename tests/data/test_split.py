"""Groups of people, volumes or files: divided completely, alike on every machine, with none left empty."""

import itertools

import pytest

from ddgp_lib.data import split_groups
from ddgp_lib.data.split import existing_folder


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


def test_a_missing_folder_is_named(tmp_path):
    assert existing_folder(str(tmp_path)) == tmp_path
    with pytest.raises(FileNotFoundError, match=r"folder=.*no such folder"):
        existing_folder(tmp_path / "none")
