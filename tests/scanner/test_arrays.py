"""Plain arrays with named axes, whole and damaged."""

import h5py
import numpy as np
import pytest
import scipy.io
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.scanner import load_array
from tests.scanner.files import slices

WHOLE = ("slices", "coils", "height", "width")


@pytest.fixture
def kspace():
    return slices()


def write(path, array, name="scan"):
    """Write an array in the format that the ending says."""
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez_compressed(path, **{name: array})
    elif path.name.endswith("73.mat"):
        kind = np.dtype([("real", array.real.dtype), ("imag", array.real.dtype)])
        with h5py.File(path, "w") as file:
            file[name] = np.ascontiguousarray(array.T).view(kind)  # MATLAB's axes are the other way round
            file.create_group("#refs#")
    else:
        scipy.io.savemat(path, {name: array, "note": "text"})
    return path


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.mat", "a73.mat", "A.NPY"])
@pytest.mark.parametrize(
    "axes",
    [WHOLE, WHOLE[::-1], ("height", "slices", "width", "coils"), ("coils", "width", "height", "slices")],
)
def test_axes_come_in_any_order_in_every_format(tmp_path, kspace, name, axes):
    array = kspace.transpose([WHOLE.index(axis) for axis in axes])
    path = write(tmp_path / name.lower(), array).rename(tmp_path / name)
    found = load_array(path, axes)
    assert torch.equal(found.data, torch.from_numpy(kspace))
    assert found.data.dtype == torch.complex64
    assert found.axes == WHOLE
    assert found.unknown == ("readout", "field_of_view", "size", "noise")


def test_coils_and_slices_may_be_absent(tmp_path, kspace):
    one = load_array(write(tmp_path / "a.npy", kspace[0, 0]), ("height", "width"))
    assert torch.equal(one.data, torch.from_numpy(kspace[:1, 0]))
    many = load_array(write(tmp_path / "b.npy", kspace[:, 0]), ("slices", "height", "width"))
    assert torch.equal(many.data, torch.from_numpy(kspace[:, :1]))


def test_axes_of_length_one_need_no_name(tmp_path, kspace):
    found = load_array(write(tmp_path / "a.npy", kspace[:1, :, None]), ("coils", "height", "width"))
    assert torch.equal(found.data, torch.from_numpy(kspace[0]))


def test_images_are_transformed(tmp_path, kspace):
    found = load_array(write(tmp_path / "a.npy", kspace), WHOLE, domain="image")
    torch.testing.assert_close(found.data, centred_fourier(torch.from_numpy(kspace)))
    torch.testing.assert_close(found.images(), torch.from_numpy(kspace))


def test_places_where_all_coils_are_zero_were_not_measured(tmp_path, kspace):
    kspace[:, :, :, ::2] = 0
    kspace[:, 0] = 0
    found = load_array(write(tmp_path / "a.npy", kspace), WHOLE)
    assert torch.equal(found.mask, torch.from_numpy(kspace.any(axis=1)))
    assert found.acceleration == 2


def test_what_is_known_can_be_said(tmp_path, kspace):
    known = {"readout": "height", "field_of_view": (220.0, 180.0), "size": (5, 16)}
    found = load_array(write(tmp_path / "a.npy", kspace), WHOLE, **known)
    assert (found.readout, found.field_of_view, found.size) == ("height", (220.0, 180.0), (5, 16))
    assert found.unknown == ("noise",)


def test_one_of_several_arrays_needs_its_name(tmp_path, kspace):
    np.savez(tmp_path / "a.npz", first=kspace, second=2 * kspace)
    assert torch.equal(load_array(tmp_path / "a.npz", WHOLE, key="second").data, torch.from_numpy(2 * kspace))
    for key in (None, "third", 1):
        with pytest.raises(
            ValueError, match=rf"key={key!r}: expected .*one of \['first', 'second'\] in .*a.npz"
        ):
            load_array(tmp_path / "a.npz", WHOLE, key=key)


@pytest.mark.parametrize(
    "axes",
    [
        "height",
        ("height",),
        ("height", "height", "width"),
        ("height", "width", "depth"),
        None,
        (1, 2),
        ([], "width"),
    ],
)
def test_axes_that_are_none_are_refused(tmp_path, kspace, axes):
    with pytest.raises(ValueError, match=r"axes=.*expected 'height' and 'width'"):
        load_array(write(tmp_path / "a.npy", kspace), axes)


def test_another_number_of_axes_is_refused_with_what_was_found(tmp_path, kspace):
    path = write(tmp_path / "a.npy", kspace)
    with pytest.raises(
        ValueError, match=r"axes=.*each axis of complex64 of shape \(2, 3, 10, 16\), in .*a.npy"
    ):
        load_array(path, ("height", "width"))


@pytest.mark.parametrize("domain", ["kspace", "image"])
@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((2, 3, 4, 5)), "path='float64 of shape.*a.npy': expected complex numbers"),
        (np.full((2, 3, 4, 5), np.nan + 0j), "(kspace|path)='.*a.npy.*NaN|NaN.*a.npy"),
        (np.zeros((2, 3, 4, 5), np.complex64), "kspace='zeros alone, in .*a.npy"),
        (np.zeros((2, 3, 0, 5), np.complex64), "a.npy"),
        (np.array([[[["a"]]]]), "path='<U1 of shape.*a.npy': expected complex numbers"),
    ],
)
def test_arrays_that_are_no_use_are_refused_by_name(tmp_path, array, message, domain):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match=message):
        load_array(tmp_path / "a.npy", WHOLE, domain=domain)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.mat", "a73.mat"])
@pytest.mark.parametrize("share", [0, 0.02, 0.5, 0.9])
def test_files_that_are_cut_short_are_refused_by_name(tmp_path, kspace, name, share):
    path = write(tmp_path / name, kspace)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=f"path='.*{name}"):
        load_array(path, WHOLE)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.mat"])
def test_other_bytes_and_objects_are_refused_by_name(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(np.random.default_rng(0).bytes(2000))
    with pytest.raises(ValueError, match=f"path='.*{name}"):
        load_array(path, WHOLE)
    objects = np.array([{}, {}], dtype=object)
    {
        ".npy": np.save,
        ".npz": lambda p, o: np.savez(p, o=o),
        ".mat": lambda p, o: scipy.io.savemat(p, {"o": o}),
    }[path.suffix](path, objects)
    with pytest.raises(ValueError, match=f"path='.*{name}"):
        load_array(path, WHOLE)


def test_a_file_that_claims_more_than_it_holds_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 3, 4, 5), np.complex64))
    content = (
        (tmp_path / "a.npy").read_bytes().replace(b"(2, 3, 4, 5), }         ", b"(2, 3, 40000, 50000), } ")
    )
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"path='.*a.npy': not readable"):
        load_array(tmp_path / "a.npy", WHOLE)


def test_another_ending_is_refused(tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(ValueError, match=r"path='.*a.txt': expected a file .npy, .npz, .mat"):
        load_array(tmp_path / "a.txt", WHOLE)


def test_a_header_that_ends_in_the_middle_of_a_text_is_refused_by_name(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 3, 4, 5), np.complex64))
    content = (tmp_path / "a.npy").read_bytes().replace(b"'fortran_order': False", b"(((((((((((((((((((((")
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"path='.*a.npy': not readable"):
        load_array(tmp_path / "a.npy", WHOLE)
