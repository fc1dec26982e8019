"""Multi-coil files of fastMRI, whole and damaged."""

import h5py
import numpy as np
import pytest
import torch

from ddgp_lib.scanner import load_fastmri_coils
from tests.scanner.files import header, slices, write_fastmri


@pytest.fixture
def kspace():
    return slices(3, 4, 16, 10)


def test_a_volume_is_read_as_it_is(tmp_path, kspace):
    found = load_fastmri_coils(write_fastmri(tmp_path / "file.h5", kspace))
    assert torch.equal(found.data, torch.from_numpy(kspace))
    assert found.axes == ("slices", "coils", "height", "width")
    assert found.mask.all()
    assert found.source == str(tmp_path / "file.h5")


def test_the_header_tells_the_readout_and_the_sides_in_the_order_of_the_axes(tmp_path, kspace):
    found = load_fastmri_coils(write_fastmri(tmp_path / "file.h5", kspace))
    assert found.readout == "height"
    assert found.field_of_view == (320.0, 180.0)
    assert found.size == (8, 10)
    assert found.about["acquisition"] == "AXT2"
    assert found.about["max"] == 0.5
    assert found.about["vendor"] == "Maker"
    assert found.unknown == ("noise",)


def test_without_a_header_what_it_would_say_is_unknown(tmp_path, kspace):
    found = load_fastmri_coils(write_fastmri(tmp_path / "file.h5", kspace, ismrmrd_header=None))
    assert found.unknown == ("field_of_view", "size", "noise")


def test_slices_are_read_in_the_order_that_is_asked_for(tmp_path, kspace):
    path = write_fastmri(tmp_path / "file.h5", kspace)
    assert torch.equal(load_fastmri_coils(path, [2, 0]).data, torch.from_numpy(kspace[[2, 0]]))


def test_columns_that_the_mask_leaves_out_are_zero(tmp_path, kspace):
    mask = np.arange(10) % 2
    found = load_fastmri_coils(write_fastmri(tmp_path / "file.h5", kspace, mask=mask.astype(np.float32)))
    assert torch.equal(found.data, torch.from_numpy(kspace * mask.astype(np.float32)))
    assert (found.mask == torch.from_numpy(mask == 1)).all()
    assert found.acceleration == 2


def test_columns_of_zeros_count_as_not_measured(tmp_path, kspace):
    kspace[..., 7:] = 0
    found = load_fastmri_coils(write_fastmri(tmp_path / "file.h5", kspace))
    assert not found.mask[..., 7:].any()
    assert found.mask[..., :7].all()


def test_numbers_of_another_order_of_bytes_are_read(tmp_path, kspace):
    path = write_fastmri(tmp_path / "file.h5", kspace.astype(">c16"))
    assert torch.equal(load_fastmri_coils(path).data, torch.from_numpy(kspace))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kspace": None}, "a dataset 'kspace'"),
        (
            {"kspace": np.ones((3, 4, 5), np.complex64)},
            r"kspace='complex64 of shape \(3, 4, 5\).*\(slices, coils",
        ),
        ({"kspace": np.ones((1, 2, 4, 5), np.float32)}, "kspace='float32 of shape.*expected complex"),
        ({"kspace": np.zeros((0, 2, 4, 5), np.complex64)}, "kspace='complex64 of shape.*expected complex"),
        ({"kspace": np.zeros((1, 2, 4, 5), np.complex64)}, "kspace='zeros alone"),
        ({"kspace": np.full((1, 2, 4, 5), np.nan + 0j)}, "kspace='numbers that are NaN"),
        ({"kspace": np.full((1, 2, 4, 5), 1e60 + 0j)}, "kspace='numbers that are NaN or infinite"),
        ({"mask": np.ones(9)}, r"mask='float64 of shape \(9,\).*of shape \(10,\)"),
        ({"mask": np.array([b"a"] * 10)}, "mask=.*expected booleans"),
        ({"mask": np.full(10, np.nan)}, "mask='other numbers, in .*expected booleans or 0 and 1"),
        ({"mask": np.full(10, 0.5)}, "mask='other numbers, in .*expected booleans or 0 and 1"),
        ({"ismrmrd_header": "no XML"}, "its XML header is not readable"),
        ({"ismrmrd_header": np.ones(3)}, "ismrmrd_header=.*expected text"),
        ({"ismrmrd_header": header(10, -16)}, "encodedSpace/matrixSize=.*expected numbers above 0"),
    ],
)
def test_files_that_hold_something_else_are_refused_by_name(tmp_path, kspace, changed, message):
    path = write_fastmri(tmp_path / "file.h5", kspace, **changed)
    with pytest.raises(ValueError, match=message) as error:
        load_fastmri_coils(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("chosen", [[3], [-1], [0, 0], [], "all", 1, [0.0]])
def test_slices_that_there_are_not_are_refused(tmp_path, kspace, chosen):
    path = write_fastmri(tmp_path / "file.h5", kspace)
    with pytest.raises(ValueError, match=r"slices=.*expected None, or numbers from 0 to 2"):
        load_fastmri_coils(path, chosen)


def test_a_claim_of_more_numbers_than_a_file_can_hold_is_refused(tmp_path):
    with h5py.File(tmp_path / "file.h5", "w") as file:
        file.create_dataset("kspace", (4000, 16, 640, 368), np.complex64, chunks=(1, 1, 640, 368))
    with pytest.raises(ValueError, match="a file of the 120586240000 bytes"):
        load_fastmri_coils(tmp_path / "file.h5")


@pytest.mark.parametrize("length", [0, 10, 600, 2500])
def test_files_that_are_cut_short_are_refused_by_name(tmp_path, kspace, length):
    path = write_fastmri(tmp_path / "file.h5", kspace)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"path='.*file.h5'"):
        load_fastmri_coils(path)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path='.*file.h5': no such file"):
        load_fastmri_coils(tmp_path / "file.h5")
