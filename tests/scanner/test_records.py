"""What all readers refuse, and how they make a record."""

import numpy as np
import pytest
import torch

from ddgp_lib.scanner import load_array, load_fastmri_coils, load_ismrmrd, load_siemens
from ddgp_lib.scanner.records import record

READERS = (load_fastmri_coils, load_ismrmrd, load_siemens, lambda path: load_array(path, ("height", "width")))
ARRAY = np.ones((2, 4, 6), np.complex128)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("path", [None, 1, "", "a\0b", [], b"x"])
def test_what_is_no_path_is_refused(read, path):
    with pytest.raises(ValueError, match=r"path=.*expected the path of a file"):
        read(path)


@pytest.mark.parametrize("read", READERS)
def test_missing_files_and_folders_are_named(read, tmp_path):
    for path in (tmp_path / "nowhere.dat", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"path='.*: no such file"):
            read(path)


@pytest.mark.parametrize("read", [load_ismrmrd, load_siemens])
@pytest.mark.parametrize("name", ["contrast", "repetition"])
def test_numbers_of_contrasts_are_from_zero(read, name, tmp_path):
    (tmp_path / "scan.dat").touch()
    with pytest.raises(ValueError, match=f"{name}=-1: expected an integer, 0 or above"):
        read(tmp_path / "scan.dat", **{name: -1})


def test_arrays_become_records_in_single_precision():
    array = ARRAY.copy()
    array[:, 1] = 0
    found = record(array[..., ::-1], "scan", readout="width")
    assert found.data.dtype == torch.complex64
    assert found.mask.sum() == 18
    assert not found.mask[1].any()
    assert found.readout == "width"


def test_a_mask_that_is_given_counts():
    mask = np.zeros((4, 6))
    mask[1] = 1
    found = record(ARRAY, "scan", mask=mask)
    assert found.mask.sum() == 6
    assert not found.data[:, 0].any()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (ARRAY.real, "kspace='float64 of shape.*scan': expected complex"),
        (ARRAY[0], "kspace='complex128 of shape.*scan': expected complex"),
        (ARRAY[:, :0], "kspace='complex128 of shape.*scan': expected complex"),
        (np.broadcast_to(ARRAY[:, :1], (2, 2**15, 6)), "kspace='complex128 of shape.*scan'"),
        (np.full_like(ARRAY, np.inf), "kspace='numbers that are NaN or infinite, in scan'"),
        (ARRAY * 1e-60, "kspace='zeros alone, in scan'"),
    ],
)
def test_arrays_that_are_no_use_are_refused_by_the_file(array, message):
    with pytest.raises(ValueError, match=message):
        record(array, "scan")
