"""CelebA: its official split, from the files of its authors or of Kaggle, each image once and in its folder."""

import shutil

import pytest
from PIL import Image

from ddgp_lib.data import load_celeba

LIST = "1.jpg 0\n2.jpg 2\n3.jpg 0\n4.jpg 1\n5.jpg 0\n6.jpg 2\n"
KAGGLE = "image_id,partition\n" + LIST.replace(" ", ",")


def write_images(folder):
    """Write six faces, with a white spot in the upper left part, of which number k has the grey value 20 k."""
    folder.mkdir(parents=True)
    for number in range(1, 7):
        face = Image.new("RGB", (178, 218), (20 * number,) * 3)
        face.paste((255, 255, 255), (22, 54, 44, 72))
        face.save(folder / f"{number}.jpg", quality=95)


@pytest.fixture
def faces(tmp_path):
    """Write six faces and a list in the format of CelebA."""
    write_images(tmp_path / "img_align_celeba")
    (tmp_path / "list_eval_partition.txt").write_text(LIST)
    return tmp_path


def greys(split):
    """Return the number of each face, by part."""
    return [[round(255 * float(x[0, -1, -1]) / 20) for x in part] for part in split]


def test_celeba_has_its_official_split(faces):
    split = load_celeba(faces, 32)
    assert [tuple(part.shape) for part in split] == [(3, 1, 32, 32), (1, 1, 32, 32), (2, 1, 32, 32)]
    assert greys(split) == [[1, 3, 5], [4], [2, 6]]
    spot = split.train[0, 0].argmax()
    assert (spot // 32 < 12) & (spot % 32 < 12)
    assert [len(part) for part in load_celeba(faces, 16, limit=1)] == [1, 1, 1]
    assert load_celeba(faces, 16, colour=True).test.shape == (2, 3, 16, 16)


@pytest.mark.parametrize(
    ("name", "images", "content"),
    [
        ("list_eval_partition.txt", "img_align_celeba", LIST.replace("\n", "\r\n").encode()),
        ("list_eval_partition.txt", "img_align_celeba", f"\n{LIST}\n \n".encode("utf-8-sig")),
        ("list_eval_partition.txt", "img_align_celeba", LIST.encode("utf-16")),
        ("list_eval_partition.csv", "img_align_celeba/img_align_celeba", KAGGLE.encode()),
        ("list_eval_partition.csv", "img_align_celeba", KAGGLE.replace("\n", "\r\n").encode("utf-8-sig")),
        ("Eval/list_eval_partition.txt", "Img/img_align_celeba", LIST.encode()),
    ],
)
def test_lists_are_read_as_people_have_them(tmp_path, name, images, content):
    write_images(tmp_path / images)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(content)
    assert greys(load_celeba(tmp_path, 8)) == [[1, 3, 5], [4], [2, 6]]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("1.jpg train", r"list_eval_partition\.txt='1.jpg train': expected lines"),
        ("1.jpg 0 0", "expected lines of a file name and 0"),
        ("1.jpg 2", "1.jpg is named twice"),
        ("1.jpg 0", "1.jpg is named twice"),
        ("./1.jpg 2", "expected no file twice; it is 1.jpg already"),
        ("../elsewhere.jpg 0", "expected a file inside the folder"),
        ("{folder}/elsewhere.jpg 0", "expected a file inside the folder"),
        ("link.jpg 0", "link.jpg': expected a file inside the folder"),
        ("a\0b.jpg 0", "not readable"),
    ],
)
def test_lines_that_are_not_understood_or_lead_elsewhere_are_refused(faces, line, named):
    shutil.copy(faces / "img_align_celeba" / "1.jpg", faces / "elsewhere.jpg")
    if "link" in line:
        (faces / "img_align_celeba" / "link.jpg").symlink_to(faces / "elsewhere.jpg")
    (faces / "list_eval_partition.txt").write_text(LIST + line.format(folder=faces))
    with pytest.raises(ValueError, match=named):
        load_celeba(faces, 8)


def test_what_the_list_does_not_name_is_said(faces):
    (faces / "list_eval_partition.txt").write_text(LIST[: -len("6.jpg 2\n")])
    with pytest.warns(UserWarning, match=r"does not name 1 image\(s\), left out: img_align_celeba/6\.jpg"):
        load_celeba(faces, 8)


def test_a_file_that_a_part_has_under_another_name_is_left_out(faces):
    shutil.copy(faces / "img_align_celeba" / "2.jpg", faces / "img_align_celeba" / "5.jpg")
    with pytest.warns(UserWarning, match=r"train: 1 of 3 images left out.*5\.jpg \(as test's 2\.jpg\)"):
        assert greys(load_celeba(faces, 8)) == [[1, 3], [4], [2, 6]]


def test_accents_may_be_composed_in_another_way_in_the_list(faces):
    (faces / "img_align_celeba" / "1.jpg").rename(faces / "img_align_celeba" / "e\u0301.jpg")
    (faces / "list_eval_partition.txt").write_text(LIST.replace("1.jpg", "\u00e9.jpg"), encoding="utf-8")
    assert greys(load_celeba(faces, 8))[0] == [1, 3, 5]


@pytest.mark.filterwarnings("ignore:.*does not name")
def test_celeba_errors(faces):
    with pytest.raises(ValueError, match="size=0"):
        load_celeba(faces, 0)
    with pytest.raises(ValueError, match="limit='2'"):
        load_celeba(faces, 8, limit="2")
    (faces / "img_align_celeba" / "1.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"1\.jpg': no such file"):
        load_celeba(faces)
    (faces / "list_eval_partition.txt").write_text("2.jpg 0\n")
    with pytest.raises(ValueError, match=r"list_eval_partition\.txt='no line with 1'"):
        load_celeba(faces)
    (faces / "list_eval_partition.csv").write_text(KAGGLE)
    with pytest.raises(ValueError, match="one list of the parts"):
        load_celeba(faces)
    for path in faces.glob("list*"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=r"no file 'list_eval_partition\.txt'"):
        load_celeba(faces)
    (faces / "list_eval_partition.txt").write_bytes(b"\x80")
    shutil.rmtree(faces / "img_align_celeba")
    with pytest.raises(FileNotFoundError, match="no folder 'img_align_celeba'"):
        load_celeba(faces)
    write_images(faces / "img_align_celeba")
    with pytest.raises(ValueError, match=r"list_eval_partition\.txt': not readable"):
        load_celeba(faces)
