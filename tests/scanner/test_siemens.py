"""Siemens' raw data, as twixtools writes them, whole and damaged."""

import builtins

import numpy as np
import pytest
import torch

from ddgp_lib.scanner import load_siemens
from tests.scanner.files import block, protocol_text, slices, write_siemens

pytest.importorskip("twixtools")


@pytest.fixture
def kspace():
    return slices()


def test_lines_are_put_in_their_places(tmp_path, kspace, capsys):
    noise = slices(1, 3, 1, 64, seed=1)[0, :, 0]
    path = write_siemens(tmp_path / "meas.dat", kspace, noise=noise)
    capsys.readouterr()
    found = load_siemens(path)
    assert torch.equal(found.data, torch.from_numpy(kspace))
    assert found.mask.all()
    torch.testing.assert_close(
        found.noise, torch.from_numpy(2 * noise)
    )  # of samples of 8 µs, for those of 2 µs
    assert (found.readout, found.size, found.field_of_view) == ("width", (10, 8), (180.0, 320.0))
    assert found.about["field_strength"] == 2.89
    assert found.about["protocol"] == "head"
    assert found.unknown == ()
    assert capsys.readouterr().out == ""


def test_lines_that_were_left_out_are_not_in_the_mask(tmp_path, kspace):
    kspace[:, :, 1::3] = 0
    found = load_siemens(write_siemens(tmp_path / "meas.dat", kspace))
    assert torch.equal(found.data, torch.from_numpy(kspace))
    assert torch.equal(found.mask, torch.from_numpy(kspace.any(1)))
    assert found.unknown == ("noise",)


def test_repeated_lines_hold_the_mean_and_other_readouts_are_left_out(tmp_path, kspace):
    more = [
        block(3 * kspace[0, :, 4], 4, centre=5, Ave=1),
        block(100 * kspace[0, :, 4], 4, centre=5, flags=["PATREFSCAN"]),
        block(100 * kspace[0, :, 4], 4, centre=5, flags=["PHASCOR"]),
        block(100 * kspace[0, :, 4], 4, centre=5, Eco=1),
    ]
    found = load_siemens(write_siemens(tmp_path / "meas.dat", kspace, more=more))
    torch.testing.assert_close(found.data[0, :, 4], torch.from_numpy(2 * kspace[0, :, 4]))
    assert found.about["averages"] == (1, 2)


def test_lines_are_placed_by_their_centre(tmp_path, kspace):
    blocks = [block(kspace[0, :, row, 6:], row - 3, centre=2, column=2) for row in range(3, 10)]
    text = protocol_text(10, 16)
    found = load_siemens(write_siemens(tmp_path / "meas.dat", kspace[:0], text=text, more=blocks))
    assert torch.equal(found.data[:, 3:, 6:], torch.from_numpy(kspace[0, :, 3:, 6:]))
    assert not found.mask[:3].any()
    assert not found.mask[:, :6].any()


def test_samples_to_cut_off_are_left_out(tmp_path, kspace):
    blocks = [block(kspace[0, :, row], row, centre=5, pre=5) for row in range(10)]
    text = protocol_text(10, 16)
    found = load_siemens(write_siemens(tmp_path / "meas.dat", kspace[:0], text=text, more=blocks))
    assert torch.equal(found.data[..., 5:], torch.from_numpy(kspace[0, ..., 5:]))
    assert not found.mask[:, :5].any()


def test_without_a_protocol_what_it_would_say_is_unknown(tmp_path, kspace):
    found = load_siemens(write_siemens(tmp_path / "meas.dat", kspace, text="nothing"))
    assert torch.equal(found.data, torch.from_numpy(kspace))
    assert found.unknown == ("field_of_view", "size", "noise")


def test_a_contrast_is_chosen(tmp_path, kspace):
    more = [block(kspace[1, :, row], row, centre=5, Eco=1, Rep=2) for row in range(10)]
    path = write_siemens(tmp_path / "meas.dat", kspace[:1], more=more)
    assert torch.equal(load_siemens(path, contrast=1, repetition=2).data, torch.from_numpy(kspace[1]))
    with pytest.raises(ValueError, match="without lines of contrast 1, repetition 0"):
        load_siemens(path, contrast=1)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (lambda k: block(k[0, :, 0], 0, centre=5, Par=1), r"counters='partition, phase and set \(1, 0, 0\)"),
        (lambda k: block(k[0, :, 0], 0, centre=5, Set=1), r"counters='partition, phase and set \(0, 0, 1\)"),
        (lambda k: block(k[0, :, 0], 0, centre=5, flags=["REFLECT"]), "lines read backwards"),
        (lambda k: block(k[0, :2, 0], 0, centre=5), "line=.*of 2 coils"),
        (lambda k: block(k[0, :, 0], 10, centre=5), "line='row 10"),
        (lambda k: block(np.nan * k[0, :, 0], 0, centre=5), "kspace='numbers that are NaN"),
    ],
)
def test_lines_that_do_not_fit_are_refused_by_name(tmp_path, kspace, more, message):
    path = write_siemens(tmp_path / "meas.dat", kspace, more=[more(kspace)])
    with pytest.raises(ValueError, match=message) as error:
        load_siemens(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("share", [0, 0.1, 0.3, 0.5, 0.9, 0.99])
def test_files_that_are_cut_short_are_refused_by_name(tmp_path, kspace, share):
    path = write_siemens(tmp_path / "meas.dat", kspace)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content)) - (share == 0.99) * 600])
    with pytest.raises(ValueError, match=r"path='.*meas.dat'"):
        load_siemens(path)


@pytest.mark.parametrize("seed", range(8))
def test_other_bytes_are_refused_by_name(tmp_path, seed):
    path = tmp_path / "meas.dat"
    path.write_bytes(np.random.default_rng(seed).bytes(20_000))
    with pytest.raises(ValueError, match=r"path='.*meas.dat'"):
        load_siemens(path)


def test_zeros_are_refused_and_do_not_go_on_forever(tmp_path):
    path = tmp_path / "meas.dat"
    for start in (b"", (20_000).to_bytes(4, "little")):
        path.write_bytes(start.ljust(100_000, b"\0"))
        with pytest.raises(ValueError, match=r"path='.*meas.dat'"):
            load_siemens(path)


def test_another_ending_is_refused(tmp_path, kspace):
    path = write_siemens(tmp_path / "meas.raw", kspace)
    with pytest.raises(ValueError, match=r"expected a file .dat"):
        load_siemens(path)


def test_a_missing_package_is_said_with_the_command(tmp_path, kspace, monkeypatch):
    path = write_siemens(tmp_path / "meas.dat", kspace)
    original = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("twixtools"):
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="need the package twixtools: `pip install twixtools`"):
        load_siemens(path)
