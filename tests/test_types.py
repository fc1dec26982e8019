"""What a type checker knows of the library: names, options, and the parts of deepinv that it uses."""

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any, get_args, get_overloads, get_type_hints

import pytest
from mypy import api

import ddgp_lib
from ddgp_lib import names
from ddgp_lib.distillation.losses import LOSS_OF_A_PAIR
from ddgp_lib.linear.data_term import FITS, RIDGES
from ddgp_lib.networks import NETWORKS, SIZES
from ddgp_lib.operators import FILTERS, ORDERINGS
from ddgp_lib.preconditioners import FORMS, INPUTS
from ddgp_lib.preconditioners.linear import AFTER, LINEAR_FORMS, LINEAR_INPUTS
from ddgp_lib.preconditioners.structures import STRUCTURES
from ddgp_lib.presets import PRESETS, load_task
from ddgp_lib.presets.photographs import BASES
from ddgp_lib.pretrained import SolverOptions
from ddgp_lib.recipes import (
    ALTERNATIVES,
    LOSSES,
    OPTIMISERS,
    PAIRINGS,
    DistillationFields,
    DistillationRecipe,
    LinearFields,
    LinearRecipe,
)
from ddgp_lib.scanner.arrays import DOMAINS
from ddgp_lib.scanner.family import MASKS
from ddgp_lib.scanner.kspace import PIXEL_AXES
from ddgp_lib.solvers import CONSTRAINTS, MOMENTUM, PreconditionedADMM, PreconditionedFISTA
from ddgp_lib.training.schedules import SCHEDULES

ROOT = Path(__file__).parents[1]
CALLS = ROOT / "tests" / "typed_calls"

REGISTRIES: dict[str, Any] = {
    "TaskName": PRESETS,
    "Ordering": ORDERINGS,
    "Filter": FILTERS,
    "Network": NETWORKS,
    "Size": SIZES,
    "LinearForm": LINEAR_FORMS,
    "Form": FORMS,
    "Inputs": INPUTS,
    "LinearInputs": LINEAR_INPUTS,
    "After": AFTER,
    "StructureName": STRUCTURES,
    "FittedStructure": FITS,
    "Momentum": MOMENTUM,
    "Constraint": CONSTRAINTS,
    "Loss": LOSSES,
    "LossTerm": LOSS_OF_A_PAIR,
    "Pairing": PAIRINGS,
    "Optimiser": OPTIMISERS,
    "ScheduleName": SCHEDULES,
    "Alternative": ALTERNATIVES,
    "DenoiserNetwork": ddgp_lib.denoisers.DENOISERS,
    "PretrainedDenoiser": ddgp_lib.denoisers.PRETRAINED,
    "PixelAxis": PIXEL_AXES,
    "Domain": DOMAINS,
    "MaskName": MASKS,
    "Basis": BASES,
}


@pytest.mark.parametrize("name", REGISTRIES)
def test_a_type_of_names_lists_what_the_registry_holds(name):
    assert sorted(get_args(getattr(names, name))) == sorted(REGISTRIES[name])


def test_every_type_of_names_is_compared_with_a_registry():
    assert {name for name in vars(names) if get_args(getattr(names, name))} == set(REGISTRIES)


def test_what_is_learned_from_the_data_term_has_a_ridge_and_is_a_structure():
    assert sorted(RIDGES) == sorted(FITS)
    assert set(FITS) < set(STRUCTURES)


def test_a_learned_preconditioner_has_the_linear_forms_and_one_more():
    assert (*LINEAR_FORMS, "penalised") == FORMS


def test_every_camera_has_an_overload_with_the_options_of_its_function():
    overloads = {}
    for overload in get_overloads(load_task):
        hints = get_type_hints(overload)
        overloads[get_args(hints.pop("name"))] = hints
    assert overloads == {(name,): get_type_hints(preset.make) for name, preset in PRESETS.items()}


def test_an_overload_takes_options_by_keyword_and_none_of_them_is_needed():
    for overload in get_overloads(load_task):
        options = list(inspect.signature(overload).parameters.values())[1:]
        assert {option.kind for option in options} == {inspect.Parameter.KEYWORD_ONLY}
        assert all(option.default is not inspect.Parameter.empty for option in options)


@pytest.mark.parametrize(
    ("fields", "recipe"), [(DistillationFields, DistillationRecipe), (LinearFields, LinearRecipe)]
)
def test_typed_options_are_the_fields_of_the_recipe(fields, recipe):
    assert list(fields.__annotations__) == [field.name for field in dataclasses.fields(recipe)]
    assert get_type_hints(fields) == get_type_hints(recipe)
    assert not fields.__required_keys__


def test_typed_options_of_a_loaded_solver_are_those_of_the_solver():
    beside = {"denoiser", "preconditioner", "max_iter", "return"}
    tau = get_type_hints(PreconditionedADMM.__init__)["tau"]
    arguments = get_type_hints(PreconditionedFISTA.__init__) | {"tau": tau}
    assert get_type_hints(SolverOptions) == {
        name: arguments[name] for name in arguments if name not in beside
    }


QUICK = {"parameters": "small", "steps": 3, "batch_size": 2, "pool_size": 4}
QUICK_LINEAR = {"iterations": 1, "n_images": 4, "validation_images": 2}
TINY = DistillationRecipe(network="cnn", **QUICK)


def test_a_recipe_and_its_fields_distil_the_same_preconditioner(task):
    whole = ddgp_lib.distill(task, TINY, progress=False)
    fields = {field.name: getattr(TINY, field.name) for field in dataclasses.fields(TINY)}
    assert whole.history == ddgp_lib.distill(task, progress=False, **fields).history
    assert whole.history == ddgp_lib.distill(task, "cnn", progress=False, **QUICK).history
    assert whole.recipe == TINY


def test_options_replace_fields_of_a_recipe(task):
    shorter = ddgp_lib.distill(task, TINY, steps=1, network="unet", progress=False)
    assert shorter.recipe == dataclasses.replace(TINY, steps=1, network="unet")
    assert len(shorter.history["total"]) == 1


def test_two_names_of_a_network_are_refused(task):
    with pytest.raises(ValueError, match="network='unet': expected nothing beside 'cnn'"):
        ddgp_lib.distill(task, "cnn", network="unet")


def test_a_linear_recipe_takes_the_place_of_the_presets_and_options_replace_its_fields(task):
    recipe = LinearRecipe(structure="diagonal", iterations=2, n_images=8, validation_images=4)
    linear = ddgp_lib.distill_linear(task, recipe, iterations=1, progress=False)
    assert linear.recipe == dataclasses.replace(recipe, iterations=1)
    assert len(linear.history["psnr"]) == 1
    own = ddgp_lib.distill_linear(task, **QUICK_LINEAR, progress=False)
    assert own.recipe == dataclasses.replace(task.preset.linear, **QUICK_LINEAR)


def test_the_package_says_that_it_is_typed():
    assert Path(ddgp_lib.__file__).with_name("py.typed").is_file()


@pytest.fixture(scope="module")
def found() -> dict[str, list[tuple[int, str]]]:
    """Lines and codes of the errors that mypy finds in the files of calls, by the file's name."""
    files = [str(CALLS / name) for name in ("right.py", "wrong.py")]
    options = ["--config-file", str(ROOT / "pyproject.toml"), "--no-error-summary", "--hide-error-context"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        output, complaints, _ = api.run([*options, *files])
    assert not complaints
    errors: dict[str, list[tuple[int, str]]] = {}
    for line in output.splitlines():
        if match := re.match(r"(?P<file>[^:]+):(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$", line):
            errors.setdefault(Path(match["file"]).name, []).append((int(match["line"]), match["code"]))
        else:
            assert ": note: " in line, line
    return errors


def test_right_calls_are_accepted_by_a_type_checker(found):
    assert "right.py" not in found


def test_wrong_calls_are_refused_by_a_type_checker(found):
    lines = (CALLS / "wrong.py").read_text().splitlines()
    wanted = [
        (number, match[1])
        for number, line in enumerate(lines, 1)
        if (match := re.search(r"# wrong: ([a-z-]+)$", line))
    ]
    assert sorted(set(found["wrong.py"])) == wanted
    assert set(found) <= {"right.py", "wrong.py"}
