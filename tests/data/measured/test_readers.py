"""Readers of each format: the numbers of the file, no code of it, and a damaged file by its name."""

import re

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

from ddgp_lib.data.measured.readers import READERS, named_array, read_file, read_grey, read_matlab, read_numpy
from tests.data.measured.published import COILS, GREY, array_of

FILES = ("scan.npy", "coils.npz", "made.npz", "slices.mat", "flat.mat", "deep.tif", "grey.png")


class Trap:
    """Runs where it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was run",))


@pytest.mark.parametrize(("name", "key"), [("scan.npy", ""), ("coils.npz", "arr_0"), ("slices.mat", "ksp")])
def test_numbers_are_those_of_the_file(server, name, key):
    found = read_file(server / name)
    assert list(found) == [key]
    assert np.array_equal(found[key], COILS)


def test_pictures_of_8_and_16_bits_are_as_they_are(server):
    deep, grey = (read_grey(server / name)[""] for name in ("deep.tif", "grey.png"))
    assert np.array_equal(deep, GREY)
    assert deep.dtype == np.uint16
    assert np.array_equal(grey, GREY // 257)
    assert grey.dtype == np.uint8


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")
def test_a_truncated_file_is_named(server, name, share):
    path = server / name
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=re.escape(f"path={str(path)!r}")):
        read_file(path)


@pytest.mark.parametrize("name", FILES)
def test_another_format_under_its_name_is_named(server, name):
    path = server / name
    path.write_bytes(b"<html>404: not found</html>" * 20)
    with pytest.raises(ValueError, match=re.escape(f"path={str(path)!r}: not readable")):
        read_file(path)


@pytest.mark.parametrize("suffix", [*READERS, ".TIF"])
def test_a_missing_file_is_said_to_be_missing(tmp_path, suffix):
    with pytest.raises(FileNotFoundError, match=f"none{suffix}"):
        read_file(tmp_path / f"none{suffix}")


def test_an_ending_that_nobody_reads_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a\.h5': expected a file that ends in one of"):
        read_file(tmp_path / "a.h5")


@pytest.mark.parametrize("name", ["trap.npy", "trap.npz"])
def test_pickles_are_refused_and_not_run(tmp_path, name):
    trap = np.array([Trap()], dtype=object)
    path = tmp_path / name
    np.save(path, trap, allow_pickle=True) if name.endswith("npy") else np.savez(path, a=trap)
    with pytest.raises(ValueError, match=r"not readable .*allow_pickle=False"):
        read_numpy(path)


def test_what_is_no_array_of_numbers_in_a_matlab_file_is_left_out(tmp_path):
    savemat(tmp_path / "a.mat", {"x": np.ones(2), "cell": np.array([1, "a"], dtype=object), "text": "a"})
    assert list(read_matlab(tmp_path / "a.mat")) == ["x"]


def test_matlab_s_newest_format_is_refused_by_name(tmp_path):
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    (tmp_path / "new.mat").write_bytes(header + bytes(400))
    with pytest.raises(ValueError, match=r"new\.mat': not readable .*v7\.3"):
        read_matlab(tmp_path / "new.mat")


def test_colours_transparency_and_pages_are_refused(tmp_path):
    red = np.zeros((2, 2, 4), np.uint8)
    red[..., 0] = 9
    red[..., 3] = 255
    clear = np.full((2, 2, 4), 9, np.uint8)
    pages = [Image.new("L", (2, 2))] * 2
    Image.fromarray(red).save(tmp_path / "red.png")
    Image.fromarray(clear).save(tmp_path / "clear.png")
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    Image.new("1", (2, 2)).save(tmp_path / "bits.png")
    for name, reason in {
        "red.png": "in colour or with transparency",
        "clear.png": "in colour or with transparency",
        "pages.tif": "2 page",
        "bits.png": "mode 1",
    }.items():
        with pytest.raises(ValueError, match=f"{name}.*{reason}"):
            read_grey(tmp_path / name)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((4, 3, 2)), r"arr_0 of float64, shape \(4, 3, 2\).*expected complex numbers"),
        (np.ones((4, 3), np.complex64), r"shape \(4, 3\)"),
        (np.ones((4, 3, 5), np.complex64), r"shape \(5, 4, 3\).*expected \(2, 4, 3\)"),
        (np.full((4, 3, 2), np.nan, np.complex64), "not finite"),
        (np.array([["a"]]), "expected complex numbers"),
    ],
)
def test_arrays_that_are_not_as_described_name_the_file(array, message):
    with pytest.raises(ValueError, match=rf"path='scan\.npz with .*{message}"):
        named_array("scan.npz", {"arr_0": array}, array_of("scan.npz"))


def test_an_array_that_is_missing_is_named_with_those_that_are_there():
    with pytest.raises(ValueError, match=r"^path='scan\.npz with b': expected one with arr_0"):
        named_array("scan.npz", {"b": COILS}, array_of("scan.npz"))


def test_other_byte_orders_are_read():
    swapped = COILS.astype(">c16")
    found = named_array("scan.npz", {"arr_0": swapped}, array_of("scan.npz"))
    assert torch.equal(found.values, torch.from_numpy(COILS).permute(2, 0, 1))
