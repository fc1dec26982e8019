"""The folder of measured data: whole files or none, by their SHA-256, with what to do where one is not right."""

import hashlib
import os
import re
import shutil
import stat
import sys
from dataclasses import replace

import numpy as np
import pytest

from ddgp_lib.data.measured.folder import (
    arrays_digest,
    data_folder,
    fetch,
    file_digest,
    listing,
    locate,
    state,
)
from ddgp_lib.data.measured.readers import read_file


def test_the_variable_names_the_folder_and_pooch_s_cache_is_the_default(tmp_path, monkeypatch, fetcher):
    monkeypatch.setenv("DDGP_DATA", str(tmp_path / "mine"))
    assert data_folder() == tmp_path / "mine"
    monkeypatch.setenv("DDGP_DATA", "~/mine")
    assert data_folder().is_absolute()
    for value in ("", None):
        monkeypatch.setenv("DDGP_DATA", "") if value == "" else monkeypatch.delenv("DDGP_DATA")
        assert data_folder() == fetcher.cache / "ddgp"


def test_without_pooch_the_variable_is_enough_to_read_and_not_to_fetch(data, server, sets, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    shutil.copytree(server, data)
    (file,) = sets["scan_npy"].files
    assert locate(file, "scan_npy", data_folder()) == data / "scan.npy"
    assert fetch(sets["scan_npy"], data) == []
    (data / "scan.npy").unlink()
    for call in (
        lambda: fetch(sets["scan_npy"], data),
        lambda: monkeypatch.delenv("DDGP_DATA") or data_folder(),
    ):
        with pytest.raises(ImportError, match=r"pip install pooch.*or set DDGP_DATA to a folder"):
            call()


def test_a_missing_file_says_where_it_comes_from_and_what_to_do(data, sets):
    (file,) = sets["scan_npy"].files
    with pytest.raises(FileNotFoundError) as raised:
        locate(file, "scan_npy", data)
    message = str(raised.value)
    for part in (
        f"path={str(data / 'scan.npy')!r}",
        "'scan_npy'",
        "python -m ddgp_lib data fetch scan_npy",
        "DDGP_DATA",
        file.url,
    ):
        assert part in message


@pytest.mark.parametrize(
    ("change", "what"), [("truncated", "truncated"), ("longer", "longer"), ("other", "")]
)
def test_a_changed_file_says_what_was_found_and_expected(data, server, sets, change, what):
    data.mkdir()
    content = (server / "scan.npy").read_bytes()
    changed = {"truncated": content[:-9], "longer": content + b"!", "other": content[:-1] + b"\x99"}[change]
    (data / "scan.npy").write_bytes(changed)
    (file,) = sets["scan_npy"].files
    assert state(file, data) == "changed"
    with pytest.raises(ValueError, match=re.escape(f"path={str(data / 'scan.npy')!r}")) as raised:
        locate(file, "scan_npy", data)
    message = str(raised.value)
    found = hashlib.sha256(changed).hexdigest()
    assert f"found {len(changed)} bytes with SHA-256 {found}" in message
    assert f"expected {len(content)} bytes with {file.sha256}" in message
    assert "delete it, then fetch it by" in message
    assert what in message
    assert ("it is" in message) == bool(what)


def test_a_file_that_is_fetched_is_written_whole(data, sets, fetcher, server):
    assert fetch(sets["two"], data) == [data / "deep.tif", data / "grey.png"]
    assert sorted(path.name for path in data.iterdir()) == ["deep.tif", "grey.png"]
    assert (data / "deep.tif").read_bytes() == (server / "deep.tif").read_bytes()
    assert fetcher.asked == [file.url for file in sets["two"].files]
    (data / "grey.png").write_bytes(b"")
    assert fetch(sets["two"], data) == [data / "grey.png"]
    assert fetch(sets["two"], data) == []


def test_what_comes_and_is_not_the_registered_file_is_not_kept(data, sets, server):
    (server / "scan.npy").write_bytes(b"<html>rate limit</html>")
    with pytest.raises(ValueError, match=r"is not the registered file, and is not kept.*does not match"):
        fetch(sets["scan_npy"], data)
    assert list(data.iterdir()) == []


def test_a_file_that_was_there_stays_where_the_network_fails(data, sets, server):
    data.mkdir()
    (data / "scan.npy").write_bytes(b"old")
    (server / "scan.npy").unlink()
    with pytest.raises(OSError, match=r"not fetched from https://.*no route to host.*DDGP_DATA"):
        fetch(sets["scan_npy"], data)
    assert (data / "scan.npy").read_bytes() == b"old"


def test_a_fetch_that_is_interrupted_leaves_nothing(data, sets, fetcher, monkeypatch):
    def interrupted(*_, path, fname, **__):
        with open(f"{path}/{fname}", "wb") as stream:
            stream.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(fetcher, "retrieve", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(sets["scan_npy"], data)
    assert list(data.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path, sets):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"DDGP_DATA='.*file/data': expected a folder that can be made"):
        fetch(sets["scan_npy"], tmp_path / "file" / "data")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_to_is_named(data, sets):
    data.mkdir()
    data.chmod(stat.S_IREAD | stat.S_IEXEC)
    with pytest.raises(ValueError, match=r"DDGP_DATA=.*: expected a folder that can be written to"):
        fetch(sets["scan_npy"], data)


def test_a_repacked_file_counts_by_its_arrays_and_is_not_fetched(data, server, sets, fetcher):
    (file,) = sets["made_npz"].files
    with pytest.raises(
        ValueError, match=r"name='made_npz': made\.npz cannot be fetched; make it from .*pack it"
    ):
        fetch(sets["made_npz"], data)
    assert fetcher.asked == []
    data.mkdir()
    arrays = read_file(server / "made.npz")
    np.savez(data / "made.npz", **{name: arrays[name] for name in reversed(arrays)})  # other bytes
    assert file_digest(data / "made.npz") != file_digest(server / "made.npz")
    assert state(file, data) == "present"
    np.savez(data / "made.npz", **(arrays | {"coefficients": arrays["coefficients"] + 1}))
    assert state(file, data) == "changed"
    (data / "made.npz").write_bytes(b"PK damaged")
    assert state(file, data) == "changed"
    with pytest.raises(ValueError, match=r"made\.npz': not readable"):
        locate(file, "made_npz", data)


def test_a_digest_of_arrays_tells_names_types_shapes_and_numbers():
    arrays = {"a": np.arange(6.0), "t": np.array(["x", "yy"])}
    changes = (
        {"b": np.arange(6.0), "t": arrays["t"]},
        arrays | {"a": np.arange(6.0, dtype=np.float32)},
        arrays | {"a": np.arange(6.0).reshape(2, 3)},
        arrays | {"a": np.arange(6.0)[::-1]},
        arrays | {"t": np.array(["xy", "y"])},
    )
    digests = {arrays_digest(each) for each in (arrays, *changes)}
    assert len(digests) == 6
    wider = arrays | {"t": arrays["t"].astype("<U20")}
    assert arrays_digest(wider) == arrays_digest(dict(reversed(arrays.items())))


def test_a_list_says_what_is_there(data, server, sets, monkeypatch):
    data.mkdir()
    shutil.copy(server / "deep.tif", data)
    shutil.copy(server / "scan.npy", data)
    (data / "coils.npz").write_bytes(b"")
    found = listing(sets)
    assert found["folder"] == str(data)
    states = {name: entry["state"] for name, entry in found["sets"].items()}
    assert (states["scan_npy"], states["coils_npz"]) == ("present", "changed")
    assert (states["two"], states["slices_mat"]) == ("missing", "missing")
    two = found["sets"]["two"]
    assert two["files"] == {"deep.tif": "present", "grey.png": "missing"}
    assert (two["bytes"], two["licence"]) == (sets["two"].size, "CC0-1.0")
    monkeypatch.delenv("DDGP_DATA")
    monkeypatch.setitem(sys.modules, "pooch", None)
    nowhere = listing(sets)
    assert nowhere["folder"] is None
    assert {entry["state"] for entry in nowhere["sets"].values()} == {"missing"}


def test_a_file_of_another_name_does_not_stand_for_it(data, server, sets):
    shutil.copytree(server, data)
    (file,) = sets["scan_npy"].files
    assert state(replace(file, name="other.npy"), data) == "missing"
