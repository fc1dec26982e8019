"""Measured sets by name: numbers as in the files, axes in their order, and nothing fetched unasked."""

import os
import shutil

import numpy as np
import pytest
import torch

from ddgp_lib.data import load_measured
from ddgp_lib.data.measured import MEASURED
from ddgp_lib.data.measured.folder import data_folder, state
from ddgp_lib.experiments.noise_level import noise_by_line
from tests.data.measured.published import COILS, GREY, TEXTS

HERE = data_folder() if os.environ.get("DDGP_DATA") else None
"""Folder of the measured files, as the environment of the tests names it."""


@pytest.fixture
def filled(data, server, sets):
    """Put all published files into the folder of data."""
    shutil.copytree(server, data)
    return data


@pytest.mark.parametrize("name", ["scan_npy", "coils_npz", "slices_mat"])
def test_arrays_have_the_numbers_of_the_file_and_the_axes_of_the_card(filled, fetcher, name):
    measured = load_measured(name)
    (array,) = measured.arrays.values()
    assert array.axes == ("coil", "row", "column")
    assert torch.equal(array.values.to(torch.complex128), torch.from_numpy(COILS).permute(2, 0, 1))
    assert array.values.is_contiguous()
    assert array.values.dtype == (torch.complex128 if name == "slices_mat" else torch.complex64)
    assert fetcher.asked == []


def test_an_axis_that_is_not_stored_is_added_and_what_was_not_measured_is_left_out(filled):
    measured = load_measured("flat_mat")
    assert measured["kspace"].shape == (1, 4, 3)
    assert measured["coefficients"].tolist() == [[0, 1], [4, 5]]
    assert measured["coefficients"].dtype == torch.float64


def test_pictures_keep_their_readings(filled):
    measured = load_measured("two")
    assert measured["deep"].tolist() == GREY.tolist()
    assert measured["grey"].tolist() == (GREY // 257).tolist()
    assert measured.name == "two"


def test_labels_come_from_the_file_and_facts_from_the_card(filled, sets):
    measured = load_measured("made_npz")
    assert measured.meta["names"] == tuple(TEXTS.tolist())
    assert measured.meta["domain"] == "test"
    assert measured.card is sets["made_npz"]
    with pytest.raises(TypeError):
        measured.meta["domain"] = "other"


@pytest.mark.parametrize("download", [False, True])
def test_it_is_fetched_where_that_is_asked_for_and_only_then(data, sets, fetcher, download):
    if not download:
        with pytest.raises(FileNotFoundError, match="no such file, which 'scan_npy' needs"):
            load_measured("scan_npy")
        assert fetcher.asked == []
        assert not data.exists()
        return
    first = load_measured("scan_npy", download=True)
    again = load_measured("scan_npy", download=True)
    assert torch.equal(first["kspace"], again["kspace"])
    assert len(fetcher.asked) == 1
    assert [path.name for path in data.iterdir()] == ["scan.npy"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "scan"}, "name='scan': expected one of"),
        ({"name": None}, "name=None"),
        ({"name": "scan_npy", "download": "yes"}, "download='yes': expected True or False"),
    ],
)
def test_arguments_that_are_no_use_are_refused(filled, arguments, message):
    with pytest.raises(ValueError, match=message):
        load_measured(**arguments)


def real(name):
    """Skip unless the files of a measured set are where DDGP_DATA says."""
    if HERE is None:
        pytest.skip("DDGP_DATA names no folder of measured data")
    missing = [file.name for file in MEASURED[name].files if state(file, HERE) == "missing"]
    if missing:
        pytest.skip(f"not in {HERE}, which DDGP_DATA names: {', '.join(missing)}")
    return load_measured(name)


@pytest.mark.parametrize("name", MEASURED)
def test_the_measured_sets_are_as_their_cards_say(name):
    measured = real(name)
    for key, spec in MEASURED[name].arrays.items():
        array = measured.arrays[key]
        assert (tuple(array.values.shape), array.axes) == (spec.shape, spec.axes)
        assert array.values.is_complex() == (spec.kind == "complex")
        assert array.values.abs().max() > 0


def test_the_prospective_head_has_the_same_mask_for_all_coils_and_its_calibration_region():
    measured = real("head_8_coils")
    mask = measured["kspace"] != 0
    assert torch.equal(mask.all(dim=0), mask.any(dim=0))
    assert mask.double().mean().item() == pytest.approx(0.124, abs=5e-4)
    height, width = measured.meta["calibration"]
    rows, columns = (
        slice(n // 2 - side // 2, n // 2 + side // 2) for n, side in ((230, height), (180, width))
    )
    assert mask[0, rows, columns].all()


@pytest.mark.parametrize("name", [name for name in MEASURED if name.startswith("lowfield")])
def test_the_origin_of_low_field_k_space_is_in_the_middle(name):
    kspace = real(name)["kspace"].abs()
    middle = torch.tensor(kspace.shape[1:]) // 2
    for one in kspace:
        place = torch.tensor(np.unravel_index(int(one.argmax()), one.shape))
        assert (place - middle).abs().max() <= 3


@pytest.mark.parametrize(
    ("name", "factor", "lowest"),
    [("lowfield_fse", 7.5, "first"), ("lowfield_gre", 1.8, "both"), ("lowfield_phantom", 4.5, "last")],
)
def test_the_noise_of_low_field_k_space_changes_from_row_to_row(name, factor, lowest):
    levels = noise_by_line(real(name)["kspace"], 10, robust=True).flatten().unfold(0, 8, 8).mean(dim=1)
    assert (levels.max() / levels.min()).item() == pytest.approx(factor, rel=0.35)
    ends = {"first": [0], "last": [len(levels) - 1], "both": [0, len(levels) - 1]}[lowest]
    assert int(levels.argmin()) in ends


def test_some_columns_of_the_gradient_echo_are_noisier():
    levels = noise_by_line(real("lowfield_gre")["kspace"], 10, dim=-1, robust=True).flatten()
    assert (levels[112:120].mean() / levels[130:].mean()).item() == pytest.approx(2, rel=0.1)


def test_the_scale_of_the_car_is_set_and_its_acquisitions_are_no_repeats():
    measured = real("car")
    coefficients = measured["coefficients"].double()
    names = measured.meta["acquisition"]
    diameters = torch.tensor([float(name.split("_")[-1]) for name in names], dtype=torch.float64)
    assert torch.equal(coefficients[:, 0], 255 * diameters)
    for series, expected in (("boat", 0.0), ("half", 0.0), ("zernike", -0.5)):
        rows = [k for k in diameters.argsort().tolist() if series in names[k]]
        second = coefficients[rows, 1:].diff(n=2, dim=0)
        found = (second[:-1] * second[1:]).mean() / second.square().mean()
        assert len(rows) == 33
        assert found.item() == pytest.approx(expected, abs=0.03)  # -2/3 for independent noise


def test_the_lensless_camera_reads_whole_numbers_of_one_range():
    measured = real("diffusercam")
    for array in measured.arrays.values():
        assert torch.equal(array.values, array.values.round())
        assert array.values.max() <= measured.meta["largest"]
    assert (measured["psf"] == measured["psf"].max()).sum() == 192
    assert measured["psf"].max() == 65520
    assert measured["image"].min() == 144


def test_the_air_around_the_head_is_a_noise_of_one_level_in_all_corners_and_coils():
    image = real("head_7_coils")["image"]
    ends = (slice(16), slice(-16, None))
    corners = torch.stack([image[:, rows, columns] for rows in ends for columns in ends])
    levels = corners.abs().square().mean(dim=(-2, -1)).div(2).sqrt() / image.abs().max()
    assert levels.mean().item() == pytest.approx(0.0077, rel=0.03)
    assert levels.std().div(levels.mean()).item() < 0.08
