"""The camera that a command line names: by a name of the book's, or by a place in a file."""

from pathlib import Path

import pytest

from ddgp_lib.presets import PRESETS
from ddgp_lib.presets.chosen import load_chosen, nearest, require_options
from ddgp_lib.tasks import Preset
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


def test_the_name_that_was_probably_meant_is_asked_for():
    with pytest.raises(ValueError, match=r"TASK='singlepixel'.*; did you mean 'single_pixel'\?"):
        load_chosen("singlepixel")
    assert nearest("ct", ("mri",)) == nearest(None, ("mri",)) == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x = 1\nx.y\n", r"AttributeError: .*, line 2\)"),
        ("x = (\n", r"SyntaxError: .*line 1"),
        ("raise FileNotFoundError('gone')", "FileNotFoundError: gone, line 1"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3, line 2"),
        ("def camera(size):\n    pass\n", "no required argument .*'size'"),
    ],
)
def test_a_file_that_fails_is_told_in_a_sentence(tmp_path, content, message):
    (tmp_path / "mine.py").write_text(content)
    with pytest.raises(ValueError, match=rf"--task='.*mine\.py:camera': expected .*{message}"):
        load_chosen(None, f"{tmp_path / 'mine.py'}:camera")


def test_a_function_that_does_not_take_an_option_is_told_in_a_sentence(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from tests.own_camera import smoothed\ndef camera(blur=1.5):\n    return smoothed(blur=blur)\n"
    )
    preset = load_chosen(None, f"{tmp_path / 'mine.py'}:camera")
    assert preset.load(blur=2.0).name == "own_camera"
    expected = "can be called with {'noise': 0.05}.*unexpected keyword argument 'noise'"
    with pytest.raises(ValueError, match=rf"--task=.*{expected}"):
        preset.load(noise=0.05)
    with pytest.raises(ValueError, match=expected):
        require_options(preset, preset.conditions.values())


def test_without_a_folder_the_weights_stay_where_the_preset_has_them():
    assert load_chosen("mri").weights == PRESETS["mri"].weights


def test_a_preset_that_makes_no_task_is_given_no_options():
    require_options(Preset(name="none"), [{"noise": 0.1}])


def test_what_a_function_returns_is_named_by_its_place():
    with pytest.raises(ValueError, match=rf"--task='{FILE}:discs': expected a function that returns a Task"):
        load_chosen(None, f"{FILE}:discs")


def test_a_file_that_cannot_be_read_says_in_which_line(tmp_path):
    (tmp_path / "camera.py").write_text("a = 1\nb = (\n")
    with pytest.raises(ValueError, match=r"expected a file that runs \(SyntaxError: .*, line 2\)"):
        load_chosen(None, f"{tmp_path / 'camera.py'}:PRESET")


def test_a_function_that_fails_is_told_with_its_line(tmp_path):
    (tmp_path / "mine.py").write_text("def camera():\n    raise RuntimeError('boom')\n")
    with pytest.raises(ValueError, match=r"--task=.*mine\.py:camera': .*RuntimeError: boom, line 2\)"):
        load_chosen(None, f"{tmp_path / 'mine.py'}:camera")
