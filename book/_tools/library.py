"""Read what the library consists of from its source text: modules, their public names, and a sentence on each.

Nothing is imported, so that the site is built without PyTorch.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from book._tools.repository import ROOT

LIBRARY = "ddgp_lib"
SENTENCE = re.compile(r"(.+?[.!?])\s+(?=[A-Z])")
BAR = re.compile(r"(?<!\\)\|")
"""A bar that is not escaped, and would be a part of a substitution; an escaped one in a formula is that of a norm."""


@dataclass(frozen=True)
class Member:
    """A public name of a module.

    Parameters
    ----------
    name : str
        Full name, such as ``ddgp_lib.solvers.fista.PreconditionedFISTA``.
    kind : str
        ``"function"``, ``"class"`` or ``"data"``.
    sentence : str
        First sentence of the docstring, empty where there is none.
    """

    name: str
    kind: str
    sentence: str


@dataclass(frozen=True)
class Module:
    """A public module: its full name, the first sentence of its docstring, and its public names in their order."""

    name: str
    sentence: str
    members: tuple[Member, ...]


def first_sentence(docstring: str | None) -> str:
    """Return the first sentence of a docstring in one line; bars, which would be substitutions, are escaped."""
    paragraph = " ".join((docstring or "").strip().split("\n\n")[0].split())
    match = SENTENCE.match(paragraph)
    sentence = match[1] if match else paragraph
    return sentence if "`" in sentence else BAR.sub(r"\|", sentence)


def _documented_value(node: ast.stmt, after: ast.stmt | None) -> Member | None:
    """Return a constant that has a docstring below it."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    text = after.value.value if is_text else None  # type: ignore[union-attr]
    if isinstance(targets[0], ast.Name) and isinstance(text, str):
        return Member(targets[0].id, "data", first_sentence(text))
    return None


def members(tree: ast.Module) -> list[Member]:
    """Return the public functions, classes and documented constants of a module, by their short names."""
    found: dict[str, Member] = {}
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        member = None
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            member = Member(node.name, "function", first_sentence(ast.get_docstring(node)))
        elif isinstance(node, ast.ClassDef):
            member = Member(node.name, "class", first_sentence(ast.get_docstring(node)))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            member = _documented_value(node, after)
        if member is not None and not member.name.startswith("_"):
            found[member.name] = member
    return list(found.values())


def name_of(path: Path, root: Path = ROOT) -> str:
    """Return the name of the module that a file holds."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def read(path: Path, root: Path = ROOT) -> Module:
    """Read one module."""
    tree, name = ast.parse(path.read_text(encoding="utf-8")), name_of(path, root)
    full = tuple(Member(f"{name}.{one.name}", one.kind, one.sentence) for one in members(tree))
    return Module(name, first_sentence(ast.get_docstring(tree)), full)


@cache
def modules(root: Path = ROOT) -> dict[str, Module]:
    """Return the public modules of the library that define something, by name."""
    paths = [
        path
        for path in sorted((root / LIBRARY).rglob("*.py"))
        if path.name == "__init__.py" or not path.name.startswith("_")
    ]
    read_ones = [read(path, root) for path in paths]
    return {one.name: one for one in read_ones if one.members and one.name != LIBRARY}


def objects(root: Path = ROOT) -> dict[str, Member]:
    """Return the public functions and classes of the library by their full names."""
    found = [one for module in modules(root).values() for one in module.members]
    return {one.name: one for one in found if one.kind != "data"}
