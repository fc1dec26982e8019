"""Make ``brain_128.npz`` from two source packages, bit for bit.

The sources are the Debian package ``mricron-data`` 1.2.20211006+dfsg-4, which holds Colin27 (``ch2.nii.gz``, the
whole head, and ``ch2bet.nii.gz``, its brain alone), and the Python package ``nilearn`` 0.14.1, which holds MNI152
(the brain alone). Fetch, unpack and convert::

    apt-get download mricron-data
    dpkg -x mricron-data_*.deb mricron
    pip download --no-deps nilearn==0.14.1
    unzip nilearn-0.14.1-py3-none-any.whl -d nilearn
    python -m book._tools.data.make_brain mricron/usr/share/mricron/templates nilearn/nilearn/datasets/data

All three volumes have voxels of 1 mm and lie in the same stereotactic space. Every slice is one voxel thick and goes
through these steps, on whole numbers up to the last one, so that any machine gets the same:

1. it is averaged over square pixels of 1.75 mm, a voxel counting by its share of the pixel's area;
2. its field of view is 224 mm, 128 pixels, around the point (0, -17, 15) mm of that space;
3. it is turned upright: nose up in axial slices, top of the head up in the others, the patient's left on the left
   side of axial and coronal slices, the nose on the right of sagittal ones;
4. it is divided by the 99.5th percentile of the volume's voxels above zero, clipped to 1 and stored as a byte.

A slice stays if at least an eighth of its pixels is above a tenth of that percentile.
"""

import argparse
import hashlib
import math
import struct
import sys
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

import numpy as np

from ddgp_lib.arguments import require
from ddgp_lib.data.brains import BRAIN_VOLUMES, BRAINS_FILE, ORIENTATIONS
from ddgp_lib.files import read_unzipped, write_npz

SIZE = 128
QUARTERS = 7
"""Pixel size in quarters of a millimetre: 1.75 mm."""
CENTRE = (0, -17, 15)
"""Centre of the field of view in mm: to the right, to the front, to the top."""
PERCENTILE = 99.5
LEAST_TISSUE = 1 / 8
STEP = 2
"""Distance in mm from one slice of Colin27 to the next."""
SLABS = {"axial": (-14, 34), "coronal": (-66, 14), "sagittal": (-34, 34)}
"""Centres in mm of the slabs of Colin27 that are held out for validation."""
SLAB_REACH = 4
"""A slab reaches this far to either side of its centre, in mm: five slices."""
GAP = 6
"""Slices this near to a slab, in mm, are left out: three on either side."""
TEST_COUNTS = {"axial": 70, "coronal": 70, "sagittal": 60}
FILES = {
    "colin27_head": "ch2.nii.gz",
    "colin27_brain": "ch2bet.nii.gz",
    "mni152_brain": "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz",
}


@dataclass(frozen=True)
class Volume:
    """A volume of bytes with voxels of 1 mm, its axes to the right, to the front and to the top.

    Attributes
    ----------
    voxels : ndarray of uint8, shape (X, Y, Z)
        Intensities.
    origin : tuple of int
        Place of the first voxel's centre in mm.
    """

    voxels: np.ndarray
    origin: tuple[int, int, int]

    @cached_property
    def maximum(self) -> int:
        """Robust maximum: the percentile of the voxels above zero that becomes 1."""
        inside = self.voxels[self.voxels > 0]
        return int(np.percentile(inside, PERCENTILE, method="lower"))


@dataclass(frozen=True)
class Slice:
    """Where a slice was taken: number of the volume, number of the orientation, position in mm."""

    volume: int
    orientation: int
    position: int


def read_nifti(path: Path) -> Volume:
    """Read a NIfTI-1 file, compressed or not, of the one kind that is needed here.

    Parameters
    ----------
    path : Path
        A file of bytes with voxels of 1 mm, unscaled, with axes to the right, to the front and to the top.

    Returns
    -------
    Volume

    Raises
    ------
    ValueError
        If the file is anything else.
    """
    content = read_unzipped(path)
    orders = [order for order in "<>" if content[:4] == struct.pack(order + "i", 348)]
    require(bool(orders) and content[344:348] == b"n+1\0", "path", str(path), "a NIfTI-1 file")

    def field(code: str, offset: int) -> tuple:
        return struct.unpack_from(orders[0] + code, content, offset)

    dimensions, *shape = field("4h", 40)
    (kind,), (start,), (slope, intercept) = field("h", 70), field("f", 108), field("2f", 112)
    plain = dimensions == 3 and kind == 2 and (slope, intercept) in ((0, 0), (1, 0))
    require(plain, "path", str(path), "one volume of unscaled bytes")
    affine = np.array(field("12f", 280)).reshape(3, 4)
    upright = field("h", 254)[0] > 0 and np.array_equal(affine[:, :3], np.eye(3))
    require(upright, "path", str(path), "voxels of 1 mm with axes to the right, to the front and to the top")
    x, y, z = affine[:, 3].astype(int).tolist()
    voxels = np.frombuffer(content, np.uint8, math.prod(shape), int(start)).reshape(shape, order="F")
    return Volume(np.ascontiguousarray(voxels), (x, y, z))


def overlap(length: int, origin: int, centre: int) -> np.ndarray:
    """Return how much of each pixel each voxel covers along one axis, in quarters of a millimetre.

    Parameters
    ----------
    length : int
        Number of voxels, of 1 mm each.
    origin : int
        Place of the first voxel's centre in mm.
    centre : int
        Centre of the field of view in mm.

    Returns
    -------
    ndarray of float, shape (128, length)
        The rows of pixels that lie within the volume sum to 7.
    """
    voxels = 4 * (origin - centre) - 2 + 4 * np.arange(length)
    pixels = (np.arange(SIZE) - SIZE // 2)[:, None] * QUARTERS
    shared = np.minimum(pixels + QUARTERS, voxels + 4) - np.maximum(pixels, voxels)
    return np.maximum(shared, 0).astype(float)


def take_slice(volume: Volume, orientation: str, position: int) -> np.ndarray:
    """Cut a slice, average it over pixels, turn it upright and scale it to bytes.

    Parameters
    ----------
    volume : Volume
        The volume.
    orientation : str
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    position : int
        Where to cut, in mm along the axis across the slice.

    Returns
    -------
    ndarray of uint8, shape (128, 128)
    """
    across = 2 - ORIENTATIONS.index(orientation)
    horizontal, vertical = (axis for axis in range(3) if axis != across)
    plane = np.take(volume.voxels, position - volume.origin[across], axis=across).astype(float)
    wide, high = (
        overlap(volume.voxels.shape[axis], volume.origin[axis], CENTRE[axis])
        for axis in (horizontal, vertical)
    )
    sums = (wide @ plane @ high.T).T[::-1]
    scaled = np.rint(255 * sums / (QUARTERS**2 * volume.maximum))
    return np.minimum(scaled, 255).astype(np.uint8)


def kept_positions(volume: Volume, orientation: str, step: int = 1) -> list[int]:
    """List the positions, in mm and multiples of ``step``, of the slices that hold enough tissue."""
    across = 2 - ORIENTATIONS.index(orientation)
    start = volume.origin[across]
    positions = [p for p in range(start, start + volume.voxels.shape[across]) if p % step == 0]
    tissue = [np.mean(take_slice(volume, orientation, p) > 25) for p in positions]
    return [p for p, share in zip(positions, tissue, strict=True) if share >= LEAST_TISSUE]


def spread(items: list[int]) -> list[int]:
    """Order items so that any first few of them are spread over the whole list."""
    count = len(items)
    near = sorted(range(1, count + 1), key=lambda step: abs(step - 0.618 * count))
    stride = next(step for step in near if math.gcd(step, count) == 1)
    return [items[stride * k % count] for k in range(count)]


def split_colin(volumes: dict[str, Volume]) -> tuple[list[Slice], list[Slice]]:
    """Choose the training and the validation slices of Colin27.

    Slices are 2 mm apart. Two slabs of five slices of each orientation validate; three slices on either side of a
    slab are left out. The slabs are the same with and without the skull, and the sagittal ones mirror each other.

    Parameters
    ----------
    volumes : dict
        Volumes by name.

    Returns
    -------
    train : list of Slice
        In the order of volume, orientation and position.
    val : list of Slice
        Volumes and orientations take turns.
    """
    train, groups = [], []
    for number, name in enumerate(BRAIN_VOLUMES[:2]):
        for orientation, centres in SLABS.items():
            held_out = []
            for position in kept_positions(volumes[name], orientation, STEP):
                distance = min(abs(position - centre) for centre in centres)
                here = Slice(number, ORIENTATIONS.index(orientation), position)
                if distance <= SLAB_REACH:
                    held_out.append(position)
                elif distance > SLAB_REACH + GAP:
                    train.append(here)
            groups.append([Slice(number, ORIENTATIONS.index(orientation), p) for p in spread(held_out)])
    return train, [here for turn in zip(*groups, strict=True) for here in turn]


def split_mni(volume: Volume) -> list[Slice]:
    """Choose the test slices of MNI152, the orientations taking turns for as long as they last.

    The volume is symmetric, so its sagittal slices are taken from the right half alone.
    """
    number = BRAIN_VOLUMES.index("mni152_brain")
    columns = []
    for orientation, count in TEST_COUNTS.items():
        positions = [p for p in kept_positions(volume, orientation) if orientation != "sagittal" or p >= 0]
        even = np.rint(np.linspace(positions[0], positions[-1], count)).astype(int).tolist()
        columns.append([Slice(number, ORIENTATIONS.index(orientation), p) for p in spread(even)])
    return [here for turn in zip_longest(*columns) for here in turn if here is not None]


def main(argv: list[str] | None = None) -> None:
    """Convert the volumes in the folders named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m book._tools.data.make_brain", description="Make brain_128.npz."
    )
    parser.add_argument("colin27", type=Path, help="folder of ch2.nii.gz and ch2bet.nii.gz (mricron-data)")
    parser.add_argument("mni152", type=Path, help="folder of the MNI152 file (nilearn/datasets/data)")
    parser.add_argument("--output", type=Path, default=BRAINS_FILE)
    arguments = parser.parse_args(argv)
    folders = dict(zip(BRAIN_VOLUMES, [arguments.colin27, arguments.colin27, arguments.mni152], strict=True))
    volumes = {name: read_nifti(folders[name] / FILES[name]) for name in BRAIN_VOLUMES}
    train, val = split_colin(volumes)
    test = split_mni(volumes["mni152_brain"])
    slices = train + val + test
    images = [
        take_slice(volumes[BRAIN_VOLUMES[s.volume]], ORIENTATIONS[s.orientation], s.position) for s in slices
    ]
    write_npz(
        arguments.output,
        images=np.stack(images),
        volume=np.array([s.volume for s in slices], dtype=np.uint8),
        orientation=np.array([s.orientation for s in slices], dtype=np.uint8),
        position=np.array([s.position for s in slices], dtype="<i2"),
        split=np.repeat(np.arange(3, dtype=np.uint8), [len(train), len(val), len(test)]),
    )
    digest = hashlib.sha256(arguments.output.read_bytes()).hexdigest()
    sys.stdout.write(f"{digest}  {arguments.output}\n{len(train)} train, {len(val)} val, {len(test)} test\n")


if __name__ == "__main__":
    main()
