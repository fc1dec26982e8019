"""Files: written whole or not at all, the same bytes for the same arrays, and named where they are of no use."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

from ddgp_lib import files
from ddgp_lib.files import (
    atomic_write,
    read_npz,
    read_results,
    read_unzipped,
    reading,
    write_npz,
    write_results,
)


def test_npz_bytes_depend_on_the_arrays_alone(tmp_path):
    array = np.arange(1000, dtype=np.uint8)
    write_npz(tmp_path / "a.npz", images=array)
    write_npz(tmp_path / "b.npz", images=array.copy())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_atomic_write_keeps_the_old_file_when_it_fails(tmp_path, monkeypatch):
    target = tmp_path / "file"
    atomic_write(target, b"old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        atomic_write(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    shutil.rmtree(tmp_path)
    with pytest.raises(FileNotFoundError, match="folder does not exist"):
        atomic_write(target, b"new")


def test_results_come_back_and_are_refused_where_they_are_not_as_expected(tmp_path):
    path = tmp_path / "results.json"
    with pytest.raises(FileNotFoundError, match="no such file; `make it` makes it"):
        read_results(path, "make it")
    write_results(path, {"format": "a", "value": [1, None]})
    assert read_results(path, "make it", format="a") == {"format": "a", "value": [1, None]}
    with pytest.raises(ValueError, match="format is 'a', expected 'b'"):
        read_results(path, "make it", format="b")
    with pytest.raises(ValueError, match="JSON"):
        write_results(path, {"value": float("nan")})
    assert json.loads(path.read_text())["format"] == "a"


def test_arrays_come_back(tmp_path):
    path = tmp_path / "arrays.npz"
    write_npz(path, a=np.arange(3), b=np.eye(2))
    found = read_npz(path)
    np.testing.assert_array_equal(found["a"], np.arange(3))
    np.testing.assert_array_equal(found["b"], np.eye(2))
    with pytest.raises(FileNotFoundError, match="is missing"):
        read_npz(tmp_path / "none.npz")


def test_bytes_are_read_zipped_or_not(tmp_path):
    for content in (b"plain", gzip.compress(b"plain")):
        (tmp_path / "file").write_bytes(content)
        assert read_unzipped(tmp_path / "file") == b"plain"


def test_a_file_that_cannot_be_parsed_is_named_once(tmp_path):
    path = tmp_path / "damaged.gz"
    path.write_bytes(b"\x1f\x8b garbage")
    with (
        pytest.raises(ValueError, match=r"^path='.*damaged\.gz': not readable \(BadGzipFile: "),
        reading(path),
    ):
        gzip.decompress(path.read_bytes())
    for error in (
        EOFError("short"),
        KeyError("kspace"),
        RecursionError("deep"),
        json.JSONDecodeError("bad", "", 0),
    ):
        with pytest.raises(ValueError, match=rf"not readable \({type(error).__name__}: "), reading(path):
            raise error
    with pytest.raises(ValueError, match=r"^path=.*: format is 'x'$"), reading(path):
        raise ValueError(f"path={str(path)!r}: format is 'x'")
    with pytest.raises(FileNotFoundError), reading(path):
        (tmp_path / "missing").read_bytes()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "not readable as JSON"),
        (b'{"format": "a"', "not readable as JSON"),
        (b"\xff\xfe{", "not readable"),
        (b"[" * 100_000, "not readable"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not readable"),
        (b"[]", "expected a JSON object, not list"),
        (b"null", "expected a JSON object, not NoneType"),
    ],
)
def test_results_that_are_damaged_are_refused_by_file(tmp_path, content, named):
    (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(ValueError, match=rf"^path='.*results\.json': {named}"):
        read_results(tmp_path / "results.json", "make it")


def test_arrays_that_are_damaged_are_refused_by_file(tmp_path):
    path = tmp_path / "arrays.npz"
    write_npz(path, a=np.arange(1000))
    for content in (path.read_bytes()[:-30], b"", b"PK\x03\x04" + bytes(40)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"path='.*arrays\.npz': not readable"):
            read_npz(path)


@pytest.mark.skipif(sys.platform == "win32", reason="rights of Unix")
def test_files_have_the_rights_of_any_new_file_whatever_other_threads_do(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    modes = set()

    def write(name):
        for _ in range(30):
            atomic_write(tmp_path / name, b"x")
            modes.add((tmp_path / name).stat().st_mode)

    threads = [threading.Thread(target=write, args=(str(name),)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert modes == {(tmp_path / "plain").stat().st_mode}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    link, target = tmp_path / "link", tmp_path / "disk" / "file"
    link.symlink_to(target)
    for content in (b"first", b"second"):  # at first, the link leads to nothing
        atomic_write(link, content)
        assert link.is_symlink()
        assert target.read_bytes() == content
    assert {path.name for path in tmp_path.iterdir()} == {"disk", "link"}


@pytest.mark.skipif(sys.platform == "win32", reason="an open file is not removed there")
def test_leftovers_of_killed_writers_are_removed_and_those_of_living_ones_are_not(tmp_path):
    target = tmp_path / "file"
    (tmp_path / ".file.0123abcd.tmp").write_bytes(b"half")
    others = {".file.tmp", ".file.lock", ".other.0123abcd.tmp", "file.0123abcd.tmp"}
    for name in others:
        (tmp_path / name).write_bytes(b"")
    handle, living = files._temporary(target)
    atomic_write(target, b"whole")
    assert {path.name for path in tmp_path.iterdir()} == {"file", living.name, *others}
    os.close(handle)
    atomic_write(target, b"whole")
    assert {path.name for path in tmp_path.iterdir()} == {"file", *others}


def test_what_is_no_file_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path, "", "."):
        with pytest.raises(ValueError, match=r"path='.*': expected the name of a file"):
            atomic_write(path, b"x")


ADD = """
import json, runpy, sys
from pathlib import Path
files, path = runpy.run_path(sys.argv[1]), Path(sys.argv[2])  # without PyTorch, which takes seconds
for _ in range(25):
    with files["locked"](path):
        count = json.loads(path.read_text())
        files["atomic_write"](path, json.dumps(count + 1).encode())
"""


def test_processes_that_change_a_file_under_its_lock_lose_nothing(tmp_path):
    path = tmp_path / "count.json"
    path.write_text("0")
    running = [subprocess.Popen([sys.executable, "-c", ADD, files.__file__, str(path)]) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert json.loads(path.read_text()) == 75
