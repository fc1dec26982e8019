"""The embedded brain slices, their script and the simulated phase."""

import gzip
import hashlib
import math
import struct

import numpy as np
import pytest
import torch

from book._tools.data import make_brain
from ddgp_lib.data import (
    BRAIN_VOLUMES,
    BRAINS_FILE,
    BRAINS_SPLIT,
    ORIENTATIONS,
    brains,
    load_brains,
    smooth_phase,
    to_complex,
)
from ddgp_lib.files import read_npz

CARD = (BRAINS_FILE.parent / "README.md").read_text()
LICENCE = BRAINS_FILE.parents[2] / "LICENSE"


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    """Read the arrays of the embedded file."""
    return read_npz(BRAINS_FILE)


def nifti(voxels: np.ndarray, origin=(-3, -2, -1), order="<", **changes) -> bytes:
    """Write the header of a NIfTI-1 file and bytes after it."""
    header = bytearray(352)
    fields = {
        0: ("i", 348),
        40: ("8h", 3, *voxels.shape, 1, 1, 1, 1),
        70: ("2h", 2, 8),
        76: ("8f", 1, 1, 1, 1, 1, 1, 1, 1),
        108: ("f", 352),
        112: ("2f", 1, 0),
        252: ("2h", 0, 2),
        280: ("12f", 1, 0, 0, origin[0], 0, 1, 0, origin[1], 0, 0, 1, origin[2]),
    }
    for offset, (code, *values) in {**fields, **changes.get("fields", {})}.items():
        struct.pack_into(order + code, header, offset, *values)
    header[344:348] = changes.get("magic", b"n+1\0")
    return bytes(header) + voxels.astype(np.uint8).tobytes(order="F")


def head(radii: tuple[int, int, int]) -> make_brain.Volume:
    """Make an ellipsoid that is brighter towards the right, the front and the top."""
    places = np.ogrid[-72:73, -90:57, -58:89]
    inside = sum((p - c) ** 2 / r**2 for p, c, r in zip(places, (0, -17, 15), radii, strict=True)) < 1
    return make_brain.Volume((inside * (100 + sum(p // 8 for p in places))).astype(np.uint8), (-72, -90, -58))


def test_checksums_are_those_of_the_data_card(arrays):
    assert hashlib.sha256(BRAINS_FILE.read_bytes()).hexdigest() in CARD
    for array in arrays.values():
        assert hashlib.sha256(array.tobytes()).hexdigest() in CARD


def test_notices_are_kept():
    for text in (CARD, LICENCE.read_text()):
        words = " ".join(text.replace("\n> ", " ").split()).replace("–", "-")
        assert "Copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging Centre" in words
        assert "provided that the above copyright notice appear in all copies" in words
    assert "Copyright 2006-2010, Chris Rorden" in LICENCE.read_text()


def test_images_are_magnitudes_in_unit_range(arrays):
    parts = load_brains()
    assert [len(part) for part in parts] == [311, 60, 200]
    for part in parts:
        assert part.dtype == torch.float32
        assert part.shape[1:] == (1, 128, 128)
        assert part.min() == 0
        assert part.max() == 1
        assert ((255 * part > 25.5).flatten(1).float().mean(dim=1) >= 1 / 8).all()
    assert len({image.tobytes() for image in arrays["images"]}) == 571


def test_test_slices_are_of_another_volume(arrays):
    for number, (part, rows) in enumerate(BRAINS_SPLIT.items()):
        assert set(arrays["split"][rows]) == {number}
        volumes = {BRAIN_VOLUMES[k] for k in arrays["volume"][rows]}
        assert volumes == ({"mni152_brain"} if part == "test" else {"colin27_head", "colin27_brain"})
    ranges = [range(571)[rows] for rows in BRAINS_SPLIT.values()]
    assert [k for rows in ranges for k in rows] == list(range(571))


def test_validation_slabs_keep_their_distance_from_training_slices(arrays):
    train, val = (
        {(int(o), int(p)) for o, p in zip(arrays["orientation"][rows], arrays["position"][rows], strict=True)}
        for rows in (BRAINS_SPLIT["train"], BRAINS_SPLIT["val"])
    )
    assert len(val) == 30
    for orientation, position in val:
        assert min(abs(position - p) for o, p in train if o == orientation) >= 8


def test_first_test_slices_are_spread_over_orientations_and_positions(arrays):
    orientation, position = (arrays[name][BRAINS_SPLIT["test"]] for name in ("orientation", "position"))
    for k in range(3):
        everything, first = position[orientation == k], position[:60][orientation[:60] == k]
        assert len(first) == 20
        assert np.ptp(first) > 0.9 * np.ptp(everything)
        assert np.diff(np.sort(first)).max() < 0.15 * np.ptp(everything)


def test_slices_stand_upright(arrays):
    images = arrays["images"].astype(float)
    whole = arrays["volume"] == BRAIN_VOLUMES.index("colin27_head")
    coronal, sagittal = (arrays["orientation"] == ORIENTATIONS.index(o) for o in ("coronal", "sagittal"))
    # Colin27's volume ends below the head: the rows at the bottom of the image are empty, those above are full.
    for chosen in (coronal & whole, sagittal & whole):
        rows = images[chosen].mean(axis=(0, 2))
        assert rows[114:].max() == 0
        assert rows[90] > rows[15]
    # The cerebellum hangs at the back, which is on the left.
    low = (images[sagittal & ~whole] > 25)[:, 88:].mean(axis=(0, 1))
    assert low[32:64].mean() > 1.5 * low[64:96].mean()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
def test_nifti_reader_gives_voxels_and_origin_back(tmp_path, order, packed):
    voxels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    content = nifti(voxels, order=order)
    (tmp_path / "volume.nii").write_bytes(gzip.compress(content) if packed else content)
    volume = make_brain.read_nifti(tmp_path / "volume.nii")
    np.testing.assert_array_equal(volume.voxels, voxels)
    assert volume.origin == (-3, -2, -1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"magic": b"ni1\0"}, "a NIfTI-1 file"),
        ({"fields": {70: ("2h", 4, 16)}}, "one volume of unscaled bytes"),
        ({"fields": {112: ("2f", 2, 0)}}, "one volume of unscaled bytes"),
        ({"fields": {280: ("f", -1)}}, "axes to the right"),
        ({"fields": {252: ("2h", 1, 0)}}, "axes to the right"),
    ],
)
def test_other_nifti_files_are_refused(tmp_path, changes, message):
    (tmp_path / "volume.nii").write_bytes(nifti(np.zeros((2, 3, 4)), **changes))
    with pytest.raises(ValueError, match=message):
        make_brain.read_nifti(tmp_path / "volume.nii")


def test_pixels_average_voxels_by_their_share_of_the_area():
    weights = make_brain.overlap(181, -90, 0)
    assert set(weights.sum(axis=0)) == {4}
    assert weights.sum(axis=1).max() == 7
    np.testing.assert_array_equal(weights, weights[::-1, ::-1])
    volume = head((60, 70, 65))
    image = make_brain.take_slice(volume, "axial", 15)
    assert image.sum() / 255 * volume.maximum == pytest.approx(
        volume.voxels[:, :, 73].sum() / 1.75**2, rel=1e-3
    )


def test_slices_are_turned_upright():
    volume = head((60, 70, 65))
    for orientation in ORIENTATIONS:
        image = make_brain.take_slice(volume, orientation, 15).astype(int)
        assert image[40, 64] > image[88, 64]
        assert image[64, 88] > image[64, 40]


def test_spreading_loses_nothing_and_covers_the_list_early():
    for count in (1, 2, 10, 66, 67):
        assert sorted(make_brain.spread(list(range(count)))) == list(range(count))
    assert np.diff(sorted(make_brain.spread(list(range(67)))[:20])).max() <= 5


def test_script_makes_a_file_from_the_three_volumes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make_brain, "LEAST_TISSUE", 0.02)
    radii = {"colin27_head": (70, 70, 70), "colin27_brain": (65, 68, 65), "mni152_brain": (66, 70, 60)}
    volumes = {name: head(size) for name, size in radii.items()}
    for name, volume in volumes.items():
        (tmp_path / make_brain.FILES[name]).write_bytes(nifti(volume.voxels, volume.origin))
    make_brain.main([str(tmp_path), str(tmp_path), "--output", str(tmp_path / "made.npz")])
    assert "60 val, 200 test" in capsys.readouterr().out
    made = read_npz(tmp_path / "made.npz")
    assert np.bincount(made["split"])[1:].tolist() == [60, 200]
    for k in (0, 100, -1):
        name, orientation = BRAIN_VOLUMES[made["volume"][k]], ORIENTATIONS[made["orientation"][k]]
        expected = make_brain.take_slice(volumes[name], orientation, int(made["position"][k]))
        np.testing.assert_array_equal(made["images"][k], expected)


def test_missing_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(brains, "BRAINS_FILE", tmp_path / "none.npz")
    brains._brain_bytes.cache_clear()
    with pytest.raises(FileNotFoundError, match=r"none\.npz is missing"):
        load_brains()
    brains._brain_bytes.cache_clear()


def test_phase_is_smooth_bounded_and_repeatable(generator):
    phase = smooth_phase(50, 128, generator)
    largest = phase.abs().amax(dim=(1, 2))
    assert phase.shape == (50, 128, 128)
    assert (largest <= math.pi + 1e-5).all()
    assert (largest >= math.pi / 4 - 1e-5).all()
    # A cubic Chebyshev series bounded by s has slopes of at most 9 s per unit, and a pixel is 2/127 of a unit.
    assert phase.diff(dim=2).abs().max() < 9 * math.pi * 2 / 127 * 2
    spectrum = torch.fft.fft2(torch.polar(torch.ones_like(phase), phase)).abs().square()
    low = torch.fft.fftfreq(128).abs() < 0.1
    assert spectrum[:, low][:, :, low].sum() > 0.98 * spectrum.sum()
    again = smooth_phase(50, 128, torch.Generator().manual_seed(0))
    torch.testing.assert_close(again, phase, rtol=0, atol=0)
    assert not torch.equal(smooth_phase(50, 128, generator), phase)
    torch.testing.assert_close(
        smooth_phase(50, 128, torch.Generator().manual_seed(0), amplitude=1), phase / math.pi
    )
    assert smooth_phase(0, 16, generator).shape == (0, 16, 16)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 8, math.pi), "count=-1"),
        ((1.0, 8, math.pi), "count=1.0"),
        ((1, 1, math.pi), "size=1"),
        ((1, (8, 8, 8), math.pi), "size="),
        ((1, 8, 0.0), "amplitude=0.0"),
    ],
)
def test_phase_refuses_bad_arguments(arguments, message, generator):
    count, size, amplitude = arguments
    with pytest.raises(ValueError, match=message):
        smooth_phase(count, size, generator, amplitude=amplitude)
    with pytest.raises(ValueError, match="generator=None"):
        smooth_phase(1, 8, None)


def test_complex_images_have_the_magnitude_and_phase_they_were_made_of(generator):
    magnitude = load_brains().val[:3]
    phase = smooth_phase(3, 128, generator)
    both = to_complex(magnitude, phase)
    assert both.shape == (3, 2, 128, 128)
    z = torch.view_as_complex(both.movedim(1, -1).contiguous())
    torch.testing.assert_close(z.abs(), magnitude[:, 0])
    inside = magnitude[:, 0] > 0.1
    torch.testing.assert_close(z.angle()[inside], phase[inside], atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match=r"phase\.shape=\(2, 128, 128\): expected \(3, 128, 128\)"):
        to_complex(magnitude, phase[:2])
