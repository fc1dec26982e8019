"""ISMRMRD files, whole and damaged."""

import builtins

import h5py
import numpy as np
import pytest
import torch

from ddgp_lib.scanner import load_ismrmrd
from tests.scanner.files import header, readout, slices, write_ismrmrd

pytest.importorskip("ismrmrd")

NOISE = ("ACQ_IS_NOISE_MEASUREMENT",)


@pytest.fixture
def kspace():
    return slices()


def test_lines_are_put_in_their_places(tmp_path, kspace):
    found = load_ismrmrd(write_ismrmrd(tmp_path / "file.h5", kspace))
    assert torch.equal(found.data, torch.from_numpy(kspace))
    assert found.mask.all()
    assert (found.readout, found.size, found.field_of_view) == ("width", (10, 8), (180.0, 320.0))
    assert found.about["averages"] == (1, 1)
    assert found.about["vendor"] == "Maker"


def test_one_slice_has_no_axis_of_slices(tmp_path, kspace):
    found = load_ismrmrd(write_ismrmrd(tmp_path / "file.h5", kspace[:1]))
    assert found.axes == ("coils", "height", "width")
    assert torch.equal(found.data, torch.from_numpy(kspace[0]))


def test_lines_that_were_left_out_are_not_in_the_mask(tmp_path, kspace):
    kspace[:, :, 1::3] = 0
    found = load_ismrmrd(write_ismrmrd(tmp_path / "file.h5", kspace))
    assert torch.equal(found.data, torch.from_numpy(kspace))
    assert torch.equal(found.mask, torch.from_numpy(kspace.any(1)))


def test_the_centre_of_the_header_is_the_zero_frequency(tmp_path, kspace):
    part = np.concatenate([kspace[:1, :, 3:], np.zeros_like(kspace[:1, :, :3])], axis=2)
    found = load_ismrmrd(write_ismrmrd(tmp_path / "file.h5", part, xml=header(10, 16, centre=2)))
    assert torch.equal(found.data[:, 3:], torch.from_numpy(kspace[0, :, 3:]))
    assert not found.mask[:3].any()


def test_an_asymmetric_echo_is_put_around_its_centre(tmp_path, kspace):
    short = [readout(kspace[0, :, row, 6:], row, center_sample=2) for row in range(10)]
    path = write_ismrmrd(tmp_path / "file.h5", kspace[:0], xml=header(10, 16), more=short)
    found = load_ismrmrd(path)
    assert torch.equal(found.data[..., 6:], torch.from_numpy(kspace[0, ..., 6:]))
    assert not found.mask[:, :6].any()


def test_samples_to_discard_are_left_out(tmp_path, kspace):
    lines = [readout(kspace[0, :, row], row, discard_pre=5) for row in range(10)]
    path = write_ismrmrd(tmp_path / "file.h5", kspace[:0], xml=header(10, 16), more=lines)
    found = load_ismrmrd(path)
    assert torch.equal(found.data[..., 5:], torch.from_numpy(kspace[0, ..., 5:]))
    assert not found.mask[:, :5].any()


def test_repeated_lines_hold_the_mean(tmp_path, kspace):
    again = [readout(3 * kspace[0, :, 4], 4, average=1)]
    found = load_ismrmrd(write_ismrmrd(tmp_path / "file.h5", kspace, more=again))
    torch.testing.assert_close(found.data[0, :, 4], torch.from_numpy(2 * kspace[0, :, 4]))
    assert found.about["averages"] == (1, 2)


def test_noise_is_kept_apart_and_other_readouts_are_left_out(tmp_path, kspace):
    noise = slices(1, 3, 1, 64, seed=1)[0, :, 0]
    more = [
        readout(noise, 0, flags=NOISE, sample_time_us=16.0),
        readout(100 * kspace[0, :, 0], 0, flags=("ACQ_IS_PARALLEL_CALIBRATION",)),
        readout(100 * kspace[0, :, 0], 0, flags=("ACQ_IS_NAVIGATION_DATA",)),
    ]
    found = load_ismrmrd(write_ismrmrd(tmp_path / "file.h5", kspace, more=more))
    torch.testing.assert_close(
        found.noise, torch.from_numpy(2 * noise)
    )  # of samples of 16 µs, for those of 4 µs
    assert torch.equal(found.data, torch.from_numpy(kspace))


def test_a_contrast_and_a_repetition_are_chosen(tmp_path, kspace):
    more = [readout(kspace[1, :, row], row, contrast=1, repetition=2) for row in range(10)]
    path = write_ismrmrd(tmp_path / "file.h5", kspace[:1], more=more)
    assert torch.equal(load_ismrmrd(path).data, torch.from_numpy(kspace[0]))
    found = load_ismrmrd(path, contrast=1, repetition=2)
    assert torch.equal(found.data, torch.from_numpy(kspace[1]))
    with pytest.raises(ValueError, match="without lines of contrast 1, repetition 0"):
        load_ismrmrd(path, contrast=1)


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        (header(10, 16, trajectory="radial"), "trajectory=.*radial.*expected 'cartesian'"),
        (header(10, 16, partitions=4), "matrixSize/z=.*4.*expected 1"),
        ("<ismrmrdHeader/>", "a header with encodedSpace/matrixSize"),
        ("no XML", "its XML header is not readable"),
        (header(8, 16), "line='row 8, columns 0 to 16.*expected a place in"),
        (header(10, 12), "line='row 0, columns -2 to 14"),
        (header(10, 16, centre=9), "line='row -4"),
    ],
)
def test_headers_that_do_not_fit_are_refused_by_name(tmp_path, kspace, xml, message):
    path = write_ismrmrd(tmp_path / "file.h5", kspace, xml=xml)
    with pytest.raises(ValueError, match=message) as error:
        load_ismrmrd(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            lambda k: readout(k[0, :, 0], 0, kspace_encode_step_2=1),
            r"idx='partition, phase and set \(1, 0, 0\)",
        ),
        (lambda k: readout(k[0, :, 0], 0, set=1), r"idx='partition, phase and set \(0, 0, 1\)"),
        (lambda k: readout(k[0, :, 0], 0, flags=("ACQ_IS_REVERSE",)), "lines read backwards"),
        (lambda k: readout(k[0, :2, 0], 0), "line=.*of 2 coils.*of 3 coils"),
        (lambda k: readout(k[0, :, 0], 0, 5), r"without lines of slices \[2, 3, 4\]"),
        (lambda k: readout(np.nan * k[0, :, 0], 0), "kspace='numbers that are NaN"),
    ],
)
def test_lines_that_do_not_fit_are_refused_by_name(tmp_path, kspace, more, message):
    path = write_ismrmrd(tmp_path / "file.h5", kspace, more=[more(kspace)])
    with pytest.raises(ValueError, match=message) as error:
        load_ismrmrd(path)
    assert str(path) in str(error.value)


def test_a_file_of_noise_alone_is_refused(tmp_path, kspace):
    noise = [readout(kspace[0, :, 0], 0, flags=NOISE)]
    path = write_ismrmrd(tmp_path / "file.h5", kspace[:0], xml=header(10, 16), more=noise)
    with pytest.raises(ValueError, match="without lines of contrast 0"):
        load_ismrmrd(path)


@pytest.mark.parametrize("name", ["xml", "data"])
def test_parts_that_are_missing_or_something_else_are_named(tmp_path, kspace, name):
    path = write_ismrmrd(tmp_path / "file.h5", kspace)
    with h5py.File(path, "a") as file:
        del file[f"dataset/{name}"]
    with pytest.raises(ValueError, match=f"a dataset 'dataset/{name}'"):
        load_ismrmrd(path)
    with h5py.File(path, "a") as file:
        file[f"dataset/{name}"] = np.ones(1)
    with pytest.raises(ValueError, match=f"{name}=.*file.h5"):
        load_ismrmrd(path)


def test_a_readout_shorter_than_it_says_is_refused(tmp_path, kspace):
    path = write_ismrmrd(tmp_path / "file.h5", kspace)
    with h5py.File(path, "a") as file:
        line = file["dataset/data"][3]
        line["head"]["number_of_samples"] = 15
        file["dataset/data"][3] = line
    with pytest.raises(ValueError, match=r"path='.*file.h5': not readable"):
        load_ismrmrd(path)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
def test_files_that_are_cut_short_are_refused_by_name(tmp_path, kspace, share):
    path = write_ismrmrd(tmp_path / "file.h5", kspace)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"path='.*file.h5'"):
        load_ismrmrd(path)


def test_reading_changes_nothing(tmp_path, kspace):
    path = write_ismrmrd(tmp_path / "file.h5", kspace)
    before = path.read_bytes()
    load_ismrmrd(path)
    assert path.read_bytes() == before


def test_a_missing_package_is_said_with_the_command(tmp_path, kspace, monkeypatch):
    path = write_ismrmrd(tmp_path / "file.h5", kspace)
    original = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "ismrmrd":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="need the package ismrmrd: `pip install ismrmrd`"):
        load_ismrmrd(path)
