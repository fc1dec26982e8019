"""Folders of pictures: named after the parts, of people, or of files; whatever hints at more than one is refused."""

import pytest

from ddgp_lib.data.folders import divide

SHARES = (0.2, 0.2)


def files(root, *folders, count=2):
    """Name files in folders; nothing is written, since a layout is a matter of names."""
    return [root / folder / f"{k}.png" for folder in folders for k in range(count)]


@pytest.mark.parametrize(
    "names",
    [
        ("train", "val", "test"),
        ("Train", "Val", "TEST"),
        ("train", "valid", "test"),
        ("training", "validation", "testing"),
        ("train", "dev", "test"),
        ("train/cats", "val/cats", "test/cats"),
        ("train/train_images", "val/val_images", "test/test_images"),
    ],
)
def test_folders_named_after_parts_are_taken_as_named(tmp_path, names):
    assert divide(tmp_path, files(tmp_path, *names), SHARES) == [files(tmp_path, name) for name in names]


@pytest.mark.parametrize(
    "names",
    [
        ("train",),
        ("train", "test"),
        ("train", "val", "valid", "test"),
        ("train", "Train", "val", "test"),
        ("train", "val", "test", "masks"),
        ("trian", "val", "test"),
        ("trian", "vall", "tset"),
        ("trian", "valud"),
        ("tr", "va", "te"),
        ("TRN", "TST"),
        ("tests", "anna", "ben", "carl"),
        ("train_images", "anna", "ben", "carl"),
        ("train2017", "val2017", "test2017"),
        ("trainA", "trainB", "testA", "testB"),
        ("my_train", "my_val", "my_test"),
        ("training_set", "test_set", "extra"),
        ("DIV2K_train_HR", "DIV2K_valid_HR", "extra"),
        ("images/train", "images/val", "images/test"),
        ("cats/train", "dogs/train", "cats/test", "dogs/test"),
        ("train", "val", "test", "train/test"),
        ("", "anna", "ben", "carl"),
        ("", "train", "val", "test"),
    ],
)
def test_what_is_not_clear_is_refused_with_what_is_accepted(tmp_path, names):
    with pytest.raises(
        ValueError, match=r"folder=.*: expected pictures alone; or folders of people"
    ) as error:
        divide(tmp_path, files(tmp_path, *names), SHARES)
    assert str(error.value).startswith(f"folder='{tmp_path}: ")


@pytest.mark.parametrize(
    "names",
    [
        ("anna", "ben", "carl"),
        ("train_station", "airport", "beach"),
        ("brain", "text", "knee"),
        ("Tess", "Devon", "Anna"),
        ("tr", "ab", "cd"),
        ("a/x", "b/x", "c/y"),
    ],
)
def test_other_folders_are_people_and_stay_together(tmp_path, names):
    parts = divide(tmp_path, files(tmp_path, *names), SHARES)
    assert sorted(parts) == sorted(files(tmp_path, name) for name in names)


def test_files_that_differ_in_their_ending_alone_stay_together(tmp_path):
    paths = [tmp_path / f"{k}.{ending}" for k in range(10) for ending in ("jpg", "png")]
    parts = divide(tmp_path, paths, SHARES)
    stems = [{path.stem for path in part} for part in parts]
    assert [len(part) for part in parts] == [12, 4, 4]
    assert [len(part) for part in stems] == [6, 2, 2]


def test_files_of_which_each_is_named_after_a_part_are_refused(tmp_path):
    labelled = [tmp_path / f"{part}_{k}.png" for part in ("train", "test") for k in range(3)]
    with pytest.raises(ValueError, match=r"files named after parts \(train_0, "):
        divide(tmp_path, labelled, SHARES)
    assert sum(map(len, divide(tmp_path, [*labelled, tmp_path / "sea.png"], SHARES))) == 7


def test_accents_do_not_change_the_parts(tmp_path):
    composed, apart = ([f"{accent}{k}" for k in range(9)] for accent in ("\u00e9", "e\u0301"))
    first, second = (divide(tmp_path, files(tmp_path, *names), SHARES) for names in (composed, apart))
    assert [[apart[composed.index(path.parent.name)] for path in part] for part in first] == [
        [path.parent.name for path in part] for part in second
    ]
