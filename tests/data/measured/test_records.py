"""What describes a set: addresses at a commit, axes that fit, arrays with named axes."""

import pytest
import torch

from ddgp_lib.data.measured import DataFile, Measured, NamedArray
from tests.data.measured.published import array_of, sets_of


def test_an_address_is_at_a_commit_and_quoted():
    file = DataFile("a.mat", "who/what", "abc", "a folder/b (1).mat", "0", 1)
    assert file.url == "https://raw.githubusercontent.com/who/what/abc/a%20folder/b%20%281%29.mat"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "text"}, "kind='text': expected one of"),
        ({"axes": ("coil", "row")}, r"axes=\('coil', 'row'\): expected all of"),
        ({"shape": (2, 4)}, r"shape=\(2, 4\): expected a length for each of"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        array_of("a.npy", **options)


def test_axes_are_found_by_their_names():
    array = NamedArray(torch.zeros(2, 3, 4), ("coil", "row", "column"))
    assert (array.axis("column"), array.length("row")) == (2, 3)
    assert repr(array) == "NamedArray(coil=2, row=3, column=4, torch.float32)"
    with pytest.raises(ValueError, match="name='slice': expected one of"):
        array.axis("slice")


@pytest.mark.parametrize("axes", [("row",), ("row", "row"), "ab", ("row", 1), None])
def test_each_axis_has_a_name_of_its_own(axes):
    with pytest.raises(ValueError, match=r"axes=.*: expected 2 different names"):
        NamedArray(torch.zeros(2, 3), axes)


def test_values_are_a_tensor():
    with pytest.raises(ValueError, match=r"values=\[1\]: expected a tensor"):
        NamedArray([1], ("row",))


def test_a_measured_set_is_told_in_one_line_and_its_arrays_are_named(server):
    card = sets_of(server)["scan_npy"]
    array = NamedArray(torch.zeros(2, 3), ("row", "column"))
    measured = Measured({"kspace": array}, {}, card)
    assert measured["kspace"] is array.values
    assert repr(measured) == "Measured('scan_npy', kspace=NamedArray(row=2, column=3, torch.float32))"
    with pytest.raises(ValueError, match="name='image': expected one of"):
        measured["image"]


def test_the_size_of_a_set_is_that_of_all_its_files(server):
    sets = sets_of(server)
    assert sets["two"].size == sets["deep_tif"].size + sets["grey_png"].size
