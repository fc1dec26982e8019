"""The book's cameras: what they share, and what a preset says of a camera in the place of the rest of the library."""

import ast
from pathlib import Path

import pytest
import torch

import ddgp_lib
from ddgp_lib.data import Split
from ddgp_lib.presets import PRESETS, load_task, preset_of
from ddgp_lib.tasks import Preset

LIBRARY = Path(ddgp_lib.__file__).parent
NAMES_OUTSIDE = {
    "names.py": "the names that a type checker offers for load_task; a test holds them to PRESETS"
}
"""Files outside presets/ in which the name of a camera may stand, and why."""


def strings(tree):
    """Yield the string constants of a module that are not docstrings, nor text that stands alone."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def test_no_module_but_the_presets_knows_the_name_of_a_camera():
    found = {
        str(path.relative_to(LIBRARY))
        for path in LIBRARY.rglob("*.py")
        if not path.is_relative_to(LIBRARY / "presets")
        and any(text in PRESETS for text in strings(ast.parse(path.read_text())))
    }
    assert found == set(NAMES_OUTSIDE)


def test_the_search_finds_a_table_but_no_docstring():
    table = '"""Of mri."""\nX = {"mri": 1}\n\ndef f():\n    """mri"""\n'
    assert list(strings(ast.parse(table))) == ["mri"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_makes_its_task(name, loaded):
    preset, task = PRESETS[name], loaded(name)
    assert (preset.name, task.name) == (name, name)
    assert task.preset is preset
    assert preset_of(task) is preset_of(preset) is preset_of(name) is preset
    assert task.teacher_stepsize > 0
    counts = preset.counts
    assert max(counts.tuning, counts.validation, counts.study[0]) <= len(task.val_images)
    assert max(counts.evaluation, counts.study[1]) <= len(task.test_images)


@pytest.mark.parametrize("name", PRESETS)
def test_conditions_and_other_images_fit_the_task(name, loaded):
    if name == "super_resolution":
        pytest.importorskip("skimage")
    preset, task = PRESETS[name], loaded(name)
    image = task.test_images[:1]
    few = Split(image, image, image)
    for options in preset.conditions.values():
        physics = preset.load(images=few, **options).student
        assert physics.A_adjoint(physics.A(image)).shape == image.shape
    for others in preset.other_images(task, 2).values():
        assert others.shape == (2, *task.img_size)


def test_a_preset_of_ones_own_is_not_registered():
    mine = Preset(name="mine")
    assert preset_of(mine) is mine
    with pytest.raises(ValueError, match="name='mine': expected one of"):
        preset_of("mine")
    with pytest.raises(
        ValueError, match="make=None: expected a function that makes the task of preset 'mine'"
    ):
        mine.load()
    with pytest.raises(ValueError, match=r"name='a/b': expected letters, digits and underscores"):
        Preset(name="a/b")


def test_newton_is_that_of_the_form_that_builds_on_it():
    recipe = PRESETS["super_resolution"].recipes["distilled"]
    assert PRESETS["super_resolution"].newton == (recipe.damping, recipe.damping_noise)
    assert Preset(name="mine", recipes={}).newton == (1e-3, None)


def test_another_denoiser_takes_the_place_of_the_shipped_one():
    def blank(x, sigma):
        return torch.zeros_like(x)

    assert load_task("single_pixel", size=8, denoiser=blank).denoiser is blank
