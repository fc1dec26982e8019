"""Which files count: none that is hidden or elsewhere; what is left out is said."""

import logging
import os

import pytest

from ddgp_lib.data.listing import NAMED, existing_folder, file_in, files_in, named


def write(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def names(root, *suffixes):
    return [str(path.relative_to(root)) for path in files_in(root, suffixes or (".png",))]


def test_a_missing_folder_is_named(tmp_path):
    assert existing_folder(str(tmp_path)) == tmp_path
    with pytest.raises(FileNotFoundError, match=r"folder=.*no such folder"):
        existing_folder(tmp_path / "none")


@pytest.mark.parametrize("folder", ["", None, 3, b"/tmp", "a\0b"])
def test_what_is_no_path_is_refused(folder):
    with pytest.raises(ValueError, match=r"folder=.*expected the path of a folder"):
        existing_folder(folder)


@pytest.mark.filterwarnings("error")
def test_what_is_hidden_or_left_by_a_system_does_not_count(tmp_path, caplog):
    write(tmp_path, "b.png", "A/a.PNG", "notes.txt")
    write(tmp_path, ".a.png", "._b.png", ".ipynb_checkpoints/b.png", "__MACOSX/b.png", "A/.git/b.png")
    write(tmp_path, "Thumbs.db", "desktop.ini", ".DS_Store", "b.png~")
    with caplog.at_level(logging.INFO, "ddgp_lib.data"):
        assert names(tmp_path) == ["A/a.PNG", "b.png"]
    assert "2 files that count, 1 others left out: notes.txt" in caplog.text
    assert ".ipynb_checkpoints: hidden, left out" in caplog.text


def test_files_that_are_not_read_are_named(tmp_path):
    write(tmp_path, "a.png", "b/c.heic", "b/without")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    with pytest.warns(
        UserWarning, match=r"4 file\(s\) left out: b/c.heic, b/without, gone.png, pipe.png; read"
    ):
        assert names(tmp_path) == ["a.png"]


def test_links_are_followed_inside_and_refused_outside(tmp_path):
    root = tmp_path / "root"
    write(tmp_path, "root/.store/a.png", "root/b.png", "elsewhere/c.png")
    (root / "a.png").symlink_to(".store/a.png")
    assert names(root) == ["a.png", "b.png"]
    for target in (tmp_path / "elsewhere", tmp_path / "elsewhere" / "c.png"):
        (root / "out").symlink_to(target)
        with pytest.raises(ValueError, match=r"root/out': expected a file inside the folder"):
            files_in(root, (".png",))
        (root / "out").unlink()


@pytest.mark.parametrize(("link", "target"), [("a/up", "."), ("a/self", "a"), ("x", "b")])
def test_links_in_circles_end(tmp_path, link, target):
    write(tmp_path, "a/a.png", "b/b.png")
    (tmp_path / link).symlink_to(tmp_path / target)
    (tmp_path / "b" / "y").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "y").symlink_to(tmp_path / "b")
    with pytest.raises(ValueError, match="no second link to the same, and none that leads back"):
        files_in(tmp_path, (".png",))


def test_the_order_does_not_depend_on_how_accents_are_composed(tmp_path):
    write(tmp_path, "e\u0301.png", "f.png", "\u00e9a.png", "z.png")
    assert names(tmp_path) == ["f.png", "z.png", "e\u0301.png", "\u00e9a.png"]
    assert file_in(tmp_path, "\u00e9.png").name == "e\u0301.png"


def test_a_name_that_no_system_has_is_named_with_its_file(tmp_path):
    with pytest.raises(ValueError, match=r"^path='.*a\\x00b.png': not readable"):
        file_in(tmp_path, "a\0b.png")


def test_named_shows_the_first(tmp_path):
    assert named([tmp_path / "a", tmp_path / "b"], tmp_path) == "a, b"
    assert named([str(k) for k in range(NAMED + 1)]) == "0, 1, 2, 3, 4, …"
