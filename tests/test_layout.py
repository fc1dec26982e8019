"""The tests mirror the package: ``ddgp_lib/a/b.py`` is tested in ``tests/a/test_b.py``, or the reason is here."""

import ast
import graphlib
from pathlib import Path

import ddgp_lib

LIBRARY, TESTS = Path(ddgp_lib.__file__).parent, Path(__file__).parent

ELSEWHERE = {
    "networks/*": ("networks/test_build.py", "every network keeps the same promises: one table of all"),
    "checks/[a-z]*": ("checks/test_checks.py", "every check keeps the same promises to learners"),
    "checks/_*": ("checks/test_checks.py", "what the checks share; it is seen in what they say"),
    "figures/*": ("figures/test_figures.py", "every figure keeps the same promises"),
    "__main__": ("test_cli.py", "the parser, by its commands"),
    "commands": ("test_cli.py", "the commands, as they are called"),
    "names": ("test_types.py", "names for a type checker, held to the tables that they repeat"),
    "data/fastmri": ("data/test_own_images.py", "loaders of one's own images, which share their promises"),
    "data/mnist": ("data/test_own_images.py", "the same"),
    "data/pictures": ("data/test_own_images.py", "the same"),
    "linear/states": (
        "linear/test_distillation.py",
        "the trajectory, by the regressions that are made on it",
    ),
    "operators/_common": ("operators/test_algebra.py", "tolerances of what is tested there"),
    "operators/known": ("test_any_operator.py", "shortcuts for deepinv's operators, tried on all of them"),
    "operators/protocol": ("test_any_operator.py", "a protocol: what it asks is tried on all operators"),
    "preconditioners/base": ("preconditioners/test_family.py", "what all preconditioners promise"),
    "preconditioners/classical": ("preconditioners/test_newton.py", "Newton; the scalar is in the family"),
    "preconditioners/probing": ("preconditioners/test_diagonal.py", "the estimates behind the diagonals"),
    "distillation/phase": ("distillation/test_training.py", "a distillation has one phase or two"),
    "recipes/distillation": ("recipes/test_fields.py", "every field; refusals are with the training"),
    "recipes/linear": ("recipes/test_fields.py", "the same"),
    "recipes/denoising": ("recipes/test_fields.py", "the same"),
    "solvers/iteration": ("solvers/test_fista.py", "one iteration, by the equations of the solvers"),
    "solvers/measurements": ("test_any_operator.py", "what is refused as measurements, on all operators"),
    "experiments/refusing": ("solvers/test_refusal.py", "the refusal itself, whose bound it finds"),
    "experiments/measured/records": (
        "experiments/measured/test_judging.py",
        "a record, as it is filled there",
    ),
    "solvers/rules": ("solvers/test_fista.py", "the momentum of the solvers"),
    "solvers/steps": ("solvers/test_base.py", "the steps that the solvers share, by their equations"),
}
"""Modules that have no test file of their own name: where they are tested, and why there."""


def modules():
    """Yield the modules of the library as paths without a suffix; what is exported is tested where it is made."""
    for path in sorted(LIBRARY.rglob("*.py")):
        if path.name != "__init__.py":
            yield path.relative_to(LIBRARY).with_suffix("")


def mirrored(module):
    return TESTS / module.parent / f"test_{module.name}.py"


def test_every_module_has_a_test_file_at_its_place_or_a_reason():
    missing = [
        str(module)
        for module in modules()
        if not mirrored(module).is_file() and not any(module.match(pattern) for pattern in ELSEWHERE)
    ]
    assert missing == [], "add a test file at the mirrored place, or a reason to ELSEWHERE"


def test_reasons_are_of_modules_that_need_one_and_files_that_are_there():
    for pattern, (file, reason) in ELSEWHERE.items():
        named = [module for module in modules() if module.match(pattern)]
        assert named, pattern
        assert not all(mirrored(module).is_file() for module in named), pattern
        assert (TESTS / file).is_file(), file
        assert reason


def test_no_folder_of_tests_is_of_a_package_that_is_gone():
    packages = {path.name for path in LIBRARY.iterdir() if path.is_dir()}
    folders = {path.parent.name for path in TESTS.glob("*/test_*.py")}
    assert folders - packages == {"assignments", "book", "fuzz"}


def imported(module):
    """Yield the modules of the library that one imports when it runs, those for a type checker alone left out."""
    path = (LIBRARY / module).with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    checked = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    left_out = {part for node in checked for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node not in left_out:
            base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for place in (base, *(base / alias.name for alias in node.names)):
                if place.with_suffix(".py").is_file() and place != LIBRARY:
                    yield str(place.relative_to(LIBRARY))


def test_imports_have_no_circle():
    graph = {str(module): set(imported(module)) for module in modules()}
    assert sum(map(len, graph.values())) > 200
    list(graphlib.TopologicalSorter(graph).static_order())  # a circle is an error that lists it


def test_imports_between_packages_have_an_order_so_that_none_is_upward():
    def package(module):
        return Path(module).parts[0]

    graph = {package(str(module)): set() for module in modules()}
    for module in modules():
        others = {package(found) for found in imported(module)}
        graph[package(str(module))] |= others - {package(str(module))}
    order = list(graphlib.TopologicalSorter(graph).static_order())  # a circle is an error that lists it
    assert order.index("operators") < order.index("preconditioners") < order.index("solvers")
    assert order.index("solvers") < order.index("distillation") < order.index("experiments")
    assert order[-1] == "__main__"
