"""Own images: files written in the true formats are read back, split by person, scaled, and put under a task."""

import gzip
import itertools
import struct
import sys

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
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images[:12])))
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
    ],
)
def test_other_files_are_not_mnist(digits, content, named):
    (digits / "t10k-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(ValueError, match=named):
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


def test_fastmri_limit_counts_slices(knees):
    assert [len(part) for part in load_fastmri(knees, 16, limit=2)] == [2, 2, 2]


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


@pytest.fixture
def faces(tmp_path):
    """Write six faces with a list in the format of CelebA."""
    folder = tmp_path / "img_align_celeba"
    folder.mkdir()
    parts = [0, 2, 0, 1, 0, 2]
    for number, value in enumerate(range(20, 140, 20), start=1):
        picture(value).save(folder / f"{number:06d}.jpg", quality=95)
    lines = [f"{number:06d}.jpg {part}" for number, part in enumerate(parts, start=1)]
    (tmp_path / "list_eval_partition.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_celeba_has_its_official_split(faces):
    split = load_celeba(faces, 32)
    assert [tuple(part.shape) for part in split] == [(3, 1, 32, 32), (1, 1, 32, 32), (2, 1, 32, 32)]
    corner = [(255 * part[:, 0, -1, -1]).round().tolist() for part in split]
    assert corner == [
        pytest.approx([20, 60, 100], abs=2),
        pytest.approx([80], abs=2),
        pytest.approx([40, 120], abs=2),
    ]
    spot = split.train[0, 0].argmax()
    assert (spot // 32 < 12) & (spot % 32 < 12)
    assert [len(part) for part in load_celeba(faces, 16, limit=1)] == [1, 1, 1]


def test_celeba_errors(faces):
    with pytest.raises(ValueError, match="size=0"):
        load_celeba(faces, 0)
    (faces / "img_align_celeba" / "000001.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"000001\.jpg"):
        load_celeba(faces)
    (faces / "list_eval_partition.txt").write_text("000002.jpg 0\n")
    with pytest.raises(ValueError, match=r"val=\[\]: expected at least one picture"):
        load_celeba(faces)
    (faces / "list_eval_partition.txt").write_text("000002.jpg train\n")
    with pytest.raises(ValueError, match=r"list_eval_partition\.txt='000002.jpg train': expected lines"):
        load_celeba(faces)
    (faces / "list_eval_partition.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"no file 'list_eval_partition\.txt'"):
        load_celeba(faces)


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
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(tmp_path / "0.png")
    with pytest.raises(ValueError, match=r"mode 'I;16'.*8 bits"):
        load_folder(tmp_path, 8)


def test_pictures_are_cut_to_their_middle(tmp_path):
    pixels = np.zeros((10, 30), np.uint8)
    pixels[:, 10:20] = 100
    Image.fromarray(pixels).save(tmp_path / "a.png")
    torch.testing.assert_close(
        read_picture(tmp_path / "a.png", 5), torch.full((1, 5, 5), 100 / 255), rtol=0, atol=1e-6
    )


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
