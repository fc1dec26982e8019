"""Own images: files written in the true formats are read back, split by person, scaled, and put under a task."""

import gzip
import itertools
import shutil
import struct
import sys
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from ddgp_lib import load_task
from ddgp_lib.data import Split, load_celeba, load_fastmri, load_folder, load_mnist
from ddgp_lib.data.fastmri import read_volume
from ddgp_lib.data.pictures import read_picture

h5py = pytest.importorskip("h5py")


def idx(array: np.ndarray) -> bytes:
    """Encode bytes as LeCun's page describes: magic number, big-endian lengths, the bytes row by row."""
    header = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


@pytest.fixture
def digits(tmp_path):
    """Write 12 training and 3 test images, one file compressed; image k has the grey value k at row 3, column 5."""
    images = np.zeros((15, 28, 28), np.uint8)
    images[:, 3, 5] = np.arange(15)
    images[:, 0, 0] = 255
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images[:12]), mtime=0))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(images[12:]))
    return tmp_path


def test_mnist_is_padded_upright_and_split_as_officially(digits):
    split = load_mnist(digits)
    assert [tuple(part.shape) for part in split] == [(10, 1, 32, 32), (2, 1, 32, 32), (3, 1, 32, 32)]
    values = [sorted((255 * part[:, 0, 5, 7]).round().int().tolist()) for part in split]
    assert values == [list(range(10)), [10, 11], [12, 13, 14]]
    for part in split:
        assert part.dtype == torch.float32
        assert (part[:, 0, 2, 2] == 1).all()
        assert part.sum() == pytest.approx(float(part[:, 0, 5, 7].sum()) + len(part))


def test_mnist_with_dots_in_its_names(digits):
    (digits / "t10k-images-idx3-ubyte").rename(digits / "t10k-images.idx3-ubyte")
    assert len(load_mnist(digits).test) == 3


def test_first_digits_are_a_shuffle_that_repeats(digits):
    first = load_mnist(digits).train[:, 0, 5, 7]
    assert not torch.equal(first, first.sort().values)
    torch.testing.assert_close(load_mnist(digits).train[:, 0, 5, 7], first, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "expected an IDX file of unsigned bytes"),
        (idx(np.zeros((2, 3), np.uint8)), "three dimensions"),
        (idx(np.zeros((2, 28, 28), np.uint8))[:-1], "1567 bytes'?: expected 1568 bytes after its header"),
        (struct.pack(">HBB", 0, 13, 1) + struct.pack(">If", 1, 0.5), "unsigned bytes"),
        (struct.pack(">HBB", 0, 8, 3), "all of its header"),
        (idx(np.zeros((2, 28, 28), np.uint8)) + b"x", "1569 bytes'?: expected 1568 bytes after its header"),
        (idx(np.zeros((0, 28, 28), np.uint8)), "none of them 0"),
        (struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**15, 2**15), "at most 0 bytes"),
        (gzip.compress(struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**15, 2**15), mtime=0), r"at most \d+ bytes"),
        (gzip.compress(idx(np.zeros((2, 28, 28), np.uint8)), mtime=0)[:-9], "not readable .EOFError"),
        (
            gzip.compress(idx(np.zeros((2, 28, 28), np.uint8)), mtime=0)[:-6] + b"abcdef",
            "not readable .BadGzipFile",
        ),
        (struct.pack(">HBB", 0, 8, 255) + b"\0\0\0\1" * 255 + b"x", "not readable"),
    ],
)
def test_other_files_are_not_mnist(digits, content, named):
    (digits / "t10k-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(ValueError, match=rf"^path=.*t10k-images-idx3-ubyte.*{named}"):
        load_mnist(digits)


def test_a_tested_digit_is_not_trained_on(digits):
    images = np.zeros((2, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 3, 5] = 255, (4, 99)
    (digits / "t10k-images-idx3-ubyte").write_bytes(idx(images))
    with pytest.warns(UserWarning, match=r"train: 1 of 10 .*image 5 of train.*as test's image 1 of t10k"):
        assert [len(part) for part in load_mnist(digits)] == [9, 2, 2]


def test_digits_of_another_shape_to_test_are_refused(digits):
    (digits / "t10k-images-idx3-ubyte").write_bytes(idx(np.full((2, 20, 20), 7, np.uint8)))
    with pytest.raises(ValueError, match=r"test.shape=\(1, 24, 24\): expected \(1, 32, 32\)"):
        load_mnist(digits)


@pytest.mark.parametrize("load", [load_mnist, load_celeba, load_fastmri, lambda f: load_folder(f, 8)])
def test_missing_folders_are_named(tmp_path, load):
    with pytest.raises(FileNotFoundError, match=r"nowhere.*: no such folder"):
        load(tmp_path / "nowhere")


def test_missing_digits_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file 'train-images-idx3-ubyte', nor"):
        load_mnist(tmp_path)


def centred(transform, x):
    """Transform about the middle, by the shifts written out."""
    return np.fft.fftshift(transform(np.fft.ifftshift(x, axes=(-2, -1)), norm="ortho"), axes=(-2, -1))


def knee(seed: int, slices: int = 3, height: int = 40, width: int = 26) -> np.ndarray:
    """Make complex slices with a bright pixel above and to the left of the middle."""
    generator = np.random.default_rng(seed)
    parts = generator.normal(size=(2, slices, height, width))
    image = 0.05 * (parts[0] + 1j * parts[1])
    image[:, height // 2 - 8, width // 2 - 4] = 3 - 4j
    return image


def write_knee(path, image, patient=None, **datasets):
    """Write a file as fastMRI's single-coil ones are; its reconstruction is the cropped magnitude."""
    side = min(320, *image.shape[1:])
    top, left = ((length - side) // 2 for length in image.shape[1:])
    cropped = np.abs(image)[:, top : top + side, left : left + side].astype(np.float32)
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w") as file:
        file["kspace"] = centred(np.fft.fft2, image).astype(np.complex64)
        file["reconstruction_esc"] = cropped
        for name, value in datasets.items():
            del file[name]
            file[name] = value
        file.attrs["max"] = cropped.max()
        if patient is not None:
            file.attrs["patient_id"] = patient
    return cropped


@pytest.fixture
def knees(tmp_path):
    """Write four people, one of them with two volumes, and two to test, of whom one is a training person too."""
    for number, patient in enumerate(["a", "b", "b", "c", "d"]):
        write_knee(tmp_path / "singlecoil_train" / f"file{number}.h5", knee(number), patient)
    for number, patient in enumerate(["d", "e"], start=5):
        write_knee(tmp_path / "singlecoil_val" / f"file{number}.h5", knee(number), patient)
    return tmp_path


def test_fastmri_magnitudes_are_the_reconstruction(tmp_path):
    expected = write_knee(tmp_path / "file.h5", knee(0))
    images = read_volume(tmp_path / "file.h5", 26)
    assert images.shape == (3, 2, 26, 26)
    assert images.dtype == torch.float32
    expected = torch.from_numpy(expected / expected.max())
    torch.testing.assert_close(images.norm(dim=1), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(images[0, :, 13 - 8, 13 - 4], torch.tensor([0.6, -0.8]), rtol=0, atol=1e-5)


def test_fastmri_at_a_lower_resolution_keeps_the_field_of_view(tmp_path):
    rows, columns = np.mgrid[-20:20, -20:20]
    blob = np.exp(-((rows + 6) ** 2 + (columns - 4) ** 2) / 18) * (1 + 1j)
    write_knee(tmp_path / "file.h5", blob[None])
    small = read_volume(tmp_path / "file.h5", 20)[0]
    large = read_volume(tmp_path / "file.h5", 40)[0]
    assert small.norm(dim=0).argmax() == 20 * (10 - 3) + 10 + 2
    torch.testing.assert_close(small, large[:, ::2, ::2], rtol=0, atol=1e-2)


def test_fastmri_keeps_people_apart(knees):
    with pytest.warns(UserWarning, match="1 of 4 people left out of training: they are tested"):
        split = load_fastmri(knees, 26, val=0.3)
    assert sorted(map(len, split[:2])) in ([3, 6], [3, 9])
    assert len(split.train) + len(split.val) == 12  # not those of person d
    assert len(split.test) == 6
    numbers = [0, 1, 2, 3]
    volumes = {n: read_volume(knees / "singlecoil_train" / f"file{n}.h5", 26)[0] for n in numbers}
    where = {n: [any(torch.equal(v, x) for x in part) for part in split] for n, v in volumes.items()}
    assert all(sum(found) == 1 for found in where.values())
    assert where[1] == where[2]
    for part in split:
        assert 0.9 < part.norm(dim=1).max() <= 1 + 1e-6


@pytest.mark.parametrize("person", [np.bytes_("d"), np.array([b"d"]), "d "])
def test_fastmri_ids_are_the_same_however_they_are_stored(knees, person):
    write_knee(knees / "singlecoil_train" / "file4.h5", knee(4), person)
    with pytest.warns(UserWarning, match="1 of 4 people left out"):
        assert sum(map(len, load_fastmri(knees, 16)[:2])) == 12


def test_fastmri_says_where_one_id_stands_for_all(knees):
    for number in range(5):
        write_knee(knees / "singlecoil_train" / f"file{number}.h5", knee(number), "anonymous")
    with pytest.raises(
        ValueError, match=r"patient_id=\['anonymous'\]: .*not in singlecoil_val; .*take them out"
    ):
        load_fastmri(knees, 16)


def test_fastmri_files_without_ids_are_people_and_their_copies_are_the_same(knees):
    for number in range(5):
        write_knee(knees / "singlecoil_train" / f"file{number}.h5", knee(number), "" if number else None)
    shutil.copy(knees / "singlecoil_train" / "file0.h5", knees / "singlecoil_val" / "copy.h5")
    with (
        pytest.warns(UserWarning, match=r"1 file\(s\) without patient_id, .*: copy\.h5"),
        pytest.warns(UserWarning, match=r"5 file\(s\) without patient_id"),
        pytest.warns(UserWarning, match="1 of 5 people left out of training"),
    ):
        assert [len(part) for part in load_fastmri(knees, 16)] == [9, 3, 9]


@pytest.mark.filterwarnings("ignore:.*they are tested")
def test_fastmri_slices_of_two_people_that_are_equal_are_named(knees):
    write_knee(knees / "singlecoil_val" / "file6.h5", knee(0), "e")
    with pytest.warns(
        UserWarning, match=r"3 of \d images kept .*file0.h5 \(1\) \(as test's .*file6.h5 \(1\)"
    ):
        load_fastmri(knees, 16)


def sampled(change) -> np.ndarray:
    """Return the image of a k-space of which ``change`` leaves places out."""
    kspace = centred(np.fft.fft2, knee(9)).astype(np.complex64)
    change(kspace)
    return kspace


GAPS = {
    "columns": np.s_[..., ::4],
    "rows": np.s_[:, ::3],
    "one column": np.s_[..., 11],
    "one slice": np.s_[1, :, ::2],
    "most": np.s_[..., 10:],
    "one side, as partial Fourier does": np.s_[..., :7],
    "the other side": np.s_[..., 21:],
    "a quarter of one side": np.s_[..., :3],
    "a quarter of the other": np.s_[..., 23:],
    "an echo's beginning": np.s_[:, :9],
    "points": (slice(None), *np.nonzero(np.random.default_rng(0).random((40, 26)) < 0.5)),
}


@pytest.mark.parametrize("gaps", GAPS)
def test_kspace_with_gaps_is_not_taken_for_the_truth(tmp_path, gaps):
    kspace = sampled(lambda k: k.__setitem__(GAPS[gaps], 0))
    write_knee(tmp_path / "file.h5", knee(9), kspace=kspace)
    with pytest.raises(ValueError, match=r"file\.h5 with places left out .*sampled in full"):
        read_volume(tmp_path / "file.h5", 16)


@pytest.mark.parametrize("filled", [np.s_[..., :2], np.s_[..., 24:], np.s_[1]])
def test_kspace_that_a_scanner_filled_up_at_its_sides_is_read(tmp_path, filled):
    kspace = sampled(lambda k: k.__setitem__(filled, 0))
    write_knee(tmp_path / "file.h5", knee(9), kspace=kspace)
    assert read_volume(tmp_path / "file.h5", 16).shape == (3, 2, 16, 16)


def test_volumes_with_a_mask_or_an_acceleration_are_refused(tmp_path):
    for name, mask, acceleration in (("mask", np.arange(26) % 4 == 0, 1), ("rate", np.ones(26), 4)):
        write_knee(tmp_path / f"{name}.h5", knee(0))
        with h5py.File(tmp_path / f"{name}.h5", "a") as file:
            file["mask"], file.attrs["acceleration"] = mask, acceleration
        with pytest.raises(ValueError, match=rf"{name}\.h5 with a mask or an acceleration"):
            read_volume(tmp_path / f"{name}.h5", 16)


def test_a_volume_is_all_in_its_file_and_no_larger_than_it(tmp_path):
    path = tmp_path / "file.h5"
    write_knee(tmp_path / "other.h5", knee(0))
    with h5py.File(path, "w") as file:
        file["kspace"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "kspace")
    with pytest.raises(ValueError, match=r"file\.h5 whose 'kspace' is in another file"):
        read_volume(path, 16)
    with h5py.File(path, "w") as file:
        file.create_dataset("kspace", shape=(10**6, 10**4, 10**3), dtype="c8", chunks=(1, 100, 100))
    with pytest.raises(ValueError, match="a file of the 80000000000000 bytes of its 'kspace'"):
        read_volume(path, 16)
    path.write_bytes((tmp_path / "other.h5").read_bytes()[:-500])
    with pytest.raises(ValueError, match=r"file\.h5': not readable"):
        read_volume(path, 16)


def test_hidden_volumes_do_not_count_and_endings_may_be_capitals(knees):
    (knees / "singlecoil_val" / "._file5.h5").write_bytes(b"a system's own")
    (knees / "singlecoil_val" / "file6.h5").rename(knees / "singlecoil_val" / "file6.H5")
    with pytest.warns(UserWarning, match="1 of 4 people"):
        assert len(load_fastmri(knees, 16).test) == 6


@pytest.mark.filterwarnings("ignore:.*they are tested")
def test_fastmri_limit_counts_slices(knees):
    assert [len(part) for part in load_fastmri(knees, 16, limit=2)] == [2, 2, 2]


@pytest.mark.filterwarnings("ignore:.*they are tested")
def test_fastmri_errors(knees, monkeypatch):
    path = knees / "singlecoil_val" / "file5.h5"
    with pytest.raises(ValueError, match=r"size=32: expected 1 to 26, the side of file\d.h5"):
        load_fastmri(knees, 32)
    with pytest.raises(ValueError, match="limit=0"):
        load_fastmri(knees, limit=0)
    write_knee(path, knee(5), kspace=np.zeros((2, 4, 8, 8), np.complex64))
    with pytest.raises(ValueError, match=r"complex64 of shape \(2, 4, 8, 8\).*single coil"):
        read_volume(path, 8)
    write_knee(path, 0 * knee(5))
    with pytest.raises(ValueError, match="not all zero"):
        read_volume(path, 8)
    with h5py.File(path, "w") as file:
        file["reconstruction_esc"] = np.zeros(3)
    with pytest.raises(ValueError, match="expected a dataset 'kspace'"):
        read_volume(path, 8)
    path.write_bytes(b"not HDF5")
    with pytest.raises(ValueError, match="expected an HDF5 file"):
        load_fastmri(knees, 8)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match="pip install h5py"):
        load_fastmri(knees, 8)


def test_fastmri_without_volumes(tmp_path):
    (tmp_path / "singlecoil_val").mkdir()
    with pytest.raises(FileNotFoundError, match=r"singlecoil_val.*no HDF5 files"):
        load_fastmri(tmp_path)


def picture(value: int, width: int = 178, height: int = 218) -> Image.Image:
    """Make a colour picture of one grey value with a white spot in its upper left part."""
    pixels = np.full((height, width, 3), value, np.uint8)
    pixels[height // 4 : height // 3, width // 8 : width // 4] = 255
    return Image.fromarray(pixels)


def test_folder_of_people_is_split_by_person(tmp_path):
    for person in range(10):
        for view in range(person % 3 + 1):
            (tmp_path / f"p{person}").mkdir(exist_ok=True)
            picture(20 * person, 30, 20).save(tmp_path / f"p{person}" / f"{view}.png")
    split = load_folder(tmp_path, 8, val=0.2, test=0.2)
    people = [{round(12.75 * float(x[0, -1, -1])) for x in part} for part in split]
    assert [len(found) for found in people] == [6, 2, 2]
    assert set.union(*people) == set(range(10))
    assert sum(map(len, split)) == sum(person % 3 + 1 for person in range(10))


def test_folder_of_files_is_split_alike_on_every_machine(tmp_path):
    for number in range(20):
        picture(10 * number, 20, 30).save(tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    split = load_folder(tmp_path, 8)
    numbers = [sorted(round(25.5 * float(x[0, -1, -1])) for x in part) for part in split]
    assert sorted(itertools.chain(*numbers)) == list(range(20))
    assert numbers[1:] == [[3, 15], [5, 9]]


def test_folders_named_train_val_test_are_taken_as_they_are(tmp_path):
    for value, part in enumerate(Split._fields):
        (tmp_path / part / "inner").mkdir(parents=True)
        picture(50 * value).save(tmp_path / part / "inner" / "a.JPG")
    split = load_folder(tmp_path, 8)
    assert [float(part[0, 0, -1, -1]) for part in split] == pytest.approx([0, 50 / 255, 100 / 255], abs=0.01)


def test_folder_errors(tmp_path):
    with pytest.raises(ValueError, match="at least 3 people"):
        load_folder(tmp_path, 8)
    for number in range(3):
        picture(0).save(tmp_path / f"{number}.png")
    with pytest.raises(ValueError, match=r"fractions=\(0.5, 0.6\)"):
        load_folder(tmp_path, 8, val=0.5, test=0.6)
    with pytest.raises(ValueError, match="limit=0"):
        load_folder(tmp_path, 8, limit=0)
    with pytest.raises(ValueError, match="val=0: expected a finite number above 0 and below 1"):
        load_folder(tmp_path, 8, val=0)
    Image.fromarray(np.full((8, 8), 70000, np.int32)).save(tmp_path / "0.tif")
    with pytest.raises(ValueError, match=r"0\.tif of mode 'I'.*8 or 16 bits"):
        load_folder(tmp_path, 8)


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(ValueError, match=f"^path='{tmp_path}': expected a file"):
        read_picture(tmp_path, 8)


def test_pictures_are_cut_to_their_middle(tmp_path):
    pixels = np.zeros((10, 30), np.uint8)
    pixels[:, 10:20] = 100
    Image.fromarray(pixels).save(tmp_path / "a.png")
    torch.testing.assert_close(
        read_picture(tmp_path / "a.png", 5), torch.full((1, 5, 5), 100 / 255), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (3, 3)), (6, (0, 3)), (8, (3, 0))])
def test_pictures_are_turned_upright(tmp_path, ending, orientation, corner):
    pixels, tag = np.zeros((32, 32), np.uint8), Image.Exif()
    pixels[:8, :8], tag[0x112] = 255, orientation
    Image.fromarray(pixels).save(tmp_path / f"a.{ending}", exif=tag)
    bright = read_picture(tmp_path / f"a.{ending}", 4)[0].argmax()
    assert divmod(int(bright), 4) == corner


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P", "L", "RGB"])
@pytest.mark.parametrize("hidden", [0, 200])
def test_what_is_transparent_is_laid_on_white(tmp_path, mode, hidden):
    pixels = np.full((8, 8, 4), hidden, np.uint8)
    pixels[..., 3], pixels[:4] = 0, (90, 90, 90, 255)
    picture, path = Image.fromarray(pixels), tmp_path / "a.tif"
    if mode in ("P", "L", "RGB"):
        path, key = tmp_path / "a.png", (hidden,) * 3 if mode == "RGB" else hidden
        flat = (
            picture.convert("L").convert(mode)
            if mode != "P"
            else Image.fromarray(pixels[..., 0]).convert("P")
        )
        flat.save(path, transparency=key)
    else:
        picture.convert(mode).save(path)
    found = read_picture(path, 8)
    torch.testing.assert_close(found[0, :4], torch.full((4, 8), 90 / 255), atol=0.01, rtol=0)
    torch.testing.assert_close(found[0, 4:], torch.ones(4, 8))


SIXTEEN = np.full((8, 8), 40000, np.uint16)


def write_deep(folder):
    """Write the same grey as files of more than 8 bits, in all forms that are read."""
    Image.fromarray(SIXTEEN).save(folder / "a.png")
    Image.fromarray(SIXTEEN).save(folder / "a.tif")
    Image.frombytes("I;16B", (8, 8), SIXTEEN.astype(">u2").tobytes()).save(folder / "b.tif")
    Image.fromarray((SIXTEEN / 65535).astype(np.float32)).save(folder / "c.tif")
    (folder / "a.pgm").write_bytes(b"P5\n8 8\n65535\n" + SIXTEEN.astype(">u2").tobytes())
    (folder / "a.pnm").write_bytes(b"Pf\n8 8\n-1.0\n" + (SIXTEEN / 65535).astype("<f4").tobytes())


@pytest.mark.parametrize("colour", [False, True])
def test_more_than_8_bits_are_read_by_their_range(tmp_path, colour):
    write_deep(tmp_path)
    for path in tmp_path.iterdir():
        expected = torch.full((3 if colour else 1, 8, 8), 40000 / 65535)
        torch.testing.assert_close(read_picture(path, 8, colour=colour), expected, atol=1e-6, rtol=0)


def white_is_zero(path, array):
    """Write a TIFF whose tag 262 says that zero is white."""
    Image.fromarray(array).save(path)
    content = bytearray(path.read_bytes())
    start = content.index(struct.pack("<HHI", 262, 3, 1)) + 8
    content[start : start + 2] = struct.pack("<H", 0)
    path.write_bytes(content)


def test_a_tiff_whose_zero_is_white_is_inverted_or_refused(tmp_path):
    white_is_zero(tmp_path / "8.tif", np.full((8, 8), 250, np.uint8))
    torch.testing.assert_close(read_picture(tmp_path / "8.tif", 8), torch.full((1, 8, 8), 5 / 255))
    white_is_zero(tmp_path / "16.tif", SIXTEEN)
    with pytest.raises(ValueError, match=r"16\.tif, whose lowest number is white"):
        read_picture(tmp_path / "16.tif", 8)


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "YCbCr", "LA", "RGBA"])
def test_other_modes_show_the_same_grey(tmp_path, mode):
    grey = 255 if mode == "1" else 153
    ending = "jpg" if mode in ("CMYK", "YCbCr") else "png"
    Image.new("RGB", (16, 16), (grey,) * 3).convert(mode).save(tmp_path / f"a.{ending}")
    for colour in (False, True):
        found = read_picture(tmp_path / f"a.{ending}", 8, colour=colour)
        torch.testing.assert_close(found, torch.full_like(found, grey / 255), atol=0.01, rtol=0)


@pytest.mark.parametrize("ending", ["tif", "gif", "webp", "png"])
def test_files_of_several_pictures_are_refused(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    pages = [Image.fromarray(np.full((8, 8), grey, np.uint8)) for grey in (10, 100, 200)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    with pytest.raises(ValueError, match=rf"a\.{ending} of 3 pages or frames"):
        read_picture(path, 8)
    pages[0].save(path)
    assert read_picture(path, 8).mean() == pytest.approx(10 / 255, abs=0.01)


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "bmp", "webp", "gif"])
@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_damaged_pictures_name_themselves(tmp_path, ending, share, generator):
    path = tmp_path / f"a.{ending}"
    noise = torch.randint(256, (40, 40), dtype=torch.uint8, generator=generator)
    Image.fromarray(noise.numpy()).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=rf"a\.{ending}': not readable"):
        read_picture(path, 8)


def test_a_tiff_that_claims_more_rows_than_it_has_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    Image.fromarray(np.full((8, 8), 9, np.uint8)).save(path)
    content = bytearray(path.read_bytes())
    start = content.index(struct.pack("<HHI", 257, 4, 1)) + 8
    content[start : start + 4] = struct.pack("<I", 60000)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.tif with 64 pixels'?: expected the 8 × 60000 of its header"):
        read_picture(path, 8)


def test_a_picture_that_claims_to_be_huge_is_refused_before_it_is_read(tmp_path):
    header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    (tmp_path / "a.png").write_bytes(content + b"\0\0\0\0IDAT" + b"\0" * 8)
    with pytest.raises(ValueError, match=r"a\.png': not readable .*3600000000 pixels"):
        read_picture(tmp_path / "a.png", 8)


@pytest.mark.parametrize("size", [0, True, 8.0, "8", None, (8,), (8, 0), 10**9])
def test_sizes_and_colours_are_checked(tmp_path, size):
    Image.new("L", (8, 8), 9).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"size=.*expected an integer from 1 to 16384"):
        read_picture(tmp_path / "a.png", size)
    with pytest.raises(ValueError, match="colour=1: expected one of"):
        read_picture(tmp_path / "a.png", 8, colour=1)


def test_pictures_that_a_user_would_miss_are_named(tmp_path):
    for number in range(3):
        picture(9 * number).save(tmp_path / f"{number}.PNG")
    for name in ("a.heic", "b.npy", "without ending", "notes.txt", "labels.csv"):
        (tmp_path / name).write_bytes(b"")
    with pytest.warns(UserWarning, match=r"3 file\(s\) left out: a\.heic, b\.npy, without ending; read are"):
        assert [len(part) for part in load_folder(tmp_path, 8)] == [1, 1, 1]


def test_a_copy_of_a_tested_picture_is_left_out_of_training(tmp_path):
    for place, name in enumerate(["train/0.png", "train/1.png", "val/2.png", "test/3.png"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        picture(50 * place).save(tmp_path / name)
    Image.open(tmp_path / "train" / "0.png").save(tmp_path / "test" / "copy.bmp")
    with pytest.warns(
        UserWarning, match=r"train: 1 of 2 .*train/0\.png \(as test's test/copy\.bmp\)"
    ) as warned:
        assert [len(part) for part in load_folder(tmp_path, 8)] == [1, 1, 2]
    assert warned[0].filename == __file__
    shutil.copy(tmp_path / "train" / "1.png", tmp_path / "val" / "copy.png")
    with pytest.raises(
        ValueError, match=r"train='train/0\.png': expected an image that no later part has too"
    ):
        load_folder(tmp_path, 8)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("single_pixel", (1, 16, 16)), ("mri", (2, 32, 32)), ("super_resolution", (1, 32, 32))],
)
def test_every_task_takes_own_images(name, shape, generator):
    parts = [0.3 * torch.rand(n, *shape, generator=generator) + 0.1 for n in (4, 3, 2)]
    task = load_task(name, size=shape[-1], images=Split(*parts))
    for found, given in zip((task.train_images, task.val_images, task.test_images), parts, strict=True):
        torch.testing.assert_close(found, given, rtol=0, atol=0)
    assert task.measure(task.test_images).isfinite().all()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda x: x[..., :8], r"images.train.shape=\(2, 1, 16, 8\): expected \(N, 1, 16, 16\)"),
        (lambda x: 255 * x, "images.train='values from 128, magnitudes up to 128': expected the scale"),
        (lambda x: x - 1, "values from -0.5"),
        (lambda x: x / 255, "magnitudes up to 0.00196"),
        (lambda x: x / 0, "images.train='tensor with NaN or infinite entries'"),
        (lambda x: x[:0], r"N ≥ 1"),
        (lambda x: x[0], "four dimensions"),
    ],
)
def test_own_images_of_another_kind_are_refused(change, named):
    good = torch.full((2, 1, 16, 16), 0.5)
    with pytest.raises(ValueError, match=named):
        load_task("single_pixel", size=16, images=Split(change(good), good, good))
