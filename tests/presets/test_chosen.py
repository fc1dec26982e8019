"""The camera that a command line names: by a name of the book's, or by a place in a file."""

from pathlib import Path

import pytest

from ddgp_lib.presets.chosen import load_chosen
from tests import own_camera

FILE = Path(own_camera.__file__)


@pytest.mark.parametrize(
    ("name", "place", "message"),
    [
        (None, None, r"TASK=None: expected one of \('single_pixel'.*or --task path/to/file.py:NAME"),
        ("ct", None, "TASK='ct': expected one of"),
        ("mri", f"{FILE}:PRESET", "TASK='mri': expected nothing beside --task"),
        (None, "own_camera", "--task='own_camera': expected path/to/file.py:NAME"),
        (None, f"{FILE}:SIZE", "--task=.*expected NAME to be a Preset, or a function that returns a Task"),
        (None, f"{FILE}:nothing", "--task=.*expected NAME to be a Preset, or a function"),
        (None, f"{FILE}:discs", "--task=.*expected a function that returns a Task, not Split"),
    ],
)
def test_places_without_a_camera_are_named(name, place, message):
    with pytest.raises(ValueError, match=message):
        load_chosen(name, place)


def test_a_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match=r"no file 'none\.py'"):
        load_chosen(None, "none.py:PRESET")


def test_the_books_cameras_are_chosen_by_name(tmp_path):
    assert load_chosen("mri").name == "mri"
    assert load_chosen("mri", weights=tmp_path).path("distilled").parent == tmp_path


def test_a_preset_is_returned_with_its_weights_elsewhere(tmp_path):
    preset = load_chosen(None, f"{FILE}:PRESET", tmp_path)
    assert (preset.name, preset.weights) == ("own_camera", tmp_path)


def test_a_function_makes_the_task_with_the_denoiser_that_it_brings():
    preset = load_chosen(None, f"{FILE}:smoothed")
    assert preset.denoiser is None
    assert preset.load().denoiser(preset.load().test_images, 0.0) is not None
    assert preset.load(noise=0.5).student.noise_model.sigma == 0.5
