"""HDF5 files of others."""

import h5py
import numpy as np
import pytest

from ddgp_lib.data.hdf5 import open_hdf5, own_dataset, require_stored


def test_a_dataset_is_found_and_everything_else_is_refused_by_the_file(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3)
        file.create_group("group")
    with open_hdf5(path, "files") as file:
        assert own_dataset(file, path, "x")[()].tolist() == [0, 1, 2]
    for name in ("y", "group"):
        with (
            pytest.raises(ValueError, match=f"a.h5': expected a dataset '{name}'"),
            open_hdf5(path, "f") as file,
        ):
            own_dataset(file, path, name)


def test_numbers_in_another_file_are_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.arange(3)
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")
    with pytest.raises(ValueError, match="in another file"), open_hdf5(path, "files") as file:
        own_dataset(file, path, "x")


def test_a_claim_that_a_file_is_too_small_for_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (10**6,), np.float32, chunks=(1000,))
        file["y"] = np.arange(10)
    with open_hdf5(path, "files") as file:
        require_stored(path, file["y"], "y")
    with (
        pytest.raises(ValueError, match=r"^path='.*a\.h5 of .*of the 4000000 bytes of its 'x'"),
        open_hdf5(path, "files") as file,
    ):
        require_stored(path, file["x"], "x")


def test_what_is_no_hdf5_is_refused(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"text")
    with (
        pytest.raises(ValueError, match=r"a.h5': expected an HDF5 file"),
        open_hdf5(tmp_path / "a.h5", "files"),
    ):
        pass
