"""Every refusal names an argument: a word that is one somewhere in the library, or a part of a file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ddgp_lib

FOLDER = Path(ddgp_lib.__file__).parent
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.rglob("*.py"))}
OF_COMMANDS = {"NAME", "STUDY", "TASK"}
OF_FILES = {
    *("counters", "idx", "ismrmrd_header", "kspace", "kspace_encoding_step_1", "line", "matrixSize"),
    *("patient_id", "trajectory", "xml"),
}
OF_EXPRESSIONS = {"A_adjoint", "P", "launch", "len", "milliseconds", "noise_model", "torch"}
"""Parts of what was given, and beginnings of expressions of which a value is refused, such as ``A_adjoint(y)``."""


def arguments(node: ast.AST) -> Iterator[str]:
    """Yield the parameters of a function, or the fields of a class."""
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        named = node.args
        yield from (each.arg for each in named.posonlyargs + named.args + named.kwonlyargs)
        yield from (each.arg for each in (named.vararg, named.kwarg) if each)
    elif isinstance(node, ast.ClassDef):
        yield from (
            line.target.id
            for line in node.body
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
        )


def refusals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each ``require…("name", …)``."""
    for node in ast.walk(tree):
        called = getattr(node, "func", None)
        name = getattr(called, "id", getattr(called, "attr", ""))
        if isinstance(node, ast.Call) and name.startswith("require"):
            constants = [
                part.value for part in node.args[name == "require" :][:1] if isinstance(part, ast.Constant)
            ]
            yield from ((node.lineno, value) for value in constants if isinstance(value, str))


KNOWN = {name for tree in TREES.values() for node in ast.walk(tree) for name in arguments(node)}
FOUND = {
    f"{path.relative_to(FOLDER)}:{line}": name
    for path, tree in TREES.items()
    for line, name in refusals(tree)
}


def test_there_are_refusals_everywhere():
    assert len(FOUND) > 900
    assert len({place.partition(":")[0] for place in FOUND}) > 100


def test_every_refusal_names_an_argument_or_a_part_of_a_file():
    names = KNOWN | OF_COMMANDS | OF_FILES | OF_EXPRESSIONS
    words = {place: re.findall(r"[A-Za-z_0-9]+", name) for place, name in FOUND.items() if name[:2] != "--"}
    assert {place: FOUND[place] for place, (first, *_) in words.items() if first not in names} == {}


@pytest.mark.parametrize("names", [OF_COMMANDS, OF_FILES, OF_EXPRESSIONS])
def test_what_is_allowed_besides_is_in_use(names):
    first = {re.findall(r"[A-Za-z_0-9]+", name)[0] for name in FOUND.values()}
    assert names <= first
