"""The stubs of deepinv say what the installed deepinv has: names, bases, parameters, their kinds and defaults."""

import ast
import importlib
import inspect
from pathlib import Path

import deepinv
import pytest

STUBS = Path(__file__).parents[1] / "stubs"
FILES = sorted(STUBS.rglob("*.pyi"))

Definition = ast.FunctionDef | ast.ClassDef


def _module(file: Path):
    return importlib.import_module(
        ".".join(file.relative_to(STUBS).with_suffix("").parts).removesuffix(".__init__")
    )


DEFINITIONS = [
    pytest.param(getattr(_module(file), node.name), node, id=f"{file.stem}.{node.name}")
    for file in FILES
    for node in ast.parse(file.read_text()).body
    if isinstance(node, Definition)
]
METHODS = [
    pytest.param(*parameter.values, method, id=f"{parameter.id}.{method.name}")
    for parameter in DEFINITIONS
    if isinstance(parameter.values[1], ast.ClassDef)
    for method in parameter.values[1].body
    if isinstance(method, ast.FunctionDef)
    and method.name not in ("__getattr__", "__iter__")  # names in general; __getitem__
]
ATTRIBUTES = [
    pytest.param(parameter.values[0], attribute.target.id, id=f"{parameter.id}.{attribute.target.id}")
    for parameter in DEFINITIONS
    if isinstance(parameter.values[1], ast.ClassDef)
    for attribute in parameter.values[1].body
    if isinstance(attribute, ast.AnnAssign)
]


def _assert_same_parameters(found, node: ast.FunctionDef) -> None:
    """Compare names, kinds and defaults; a default ``...`` stands for one that cannot be written down."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = dict(
        zip([argument.arg for argument in positional[::-1]], arguments.defaults[::-1], strict=False)
    )
    defaults |= {
        a.arg: value for a, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value
    }
    written = [(argument.arg, inspect.Parameter.POSITIONAL_OR_KEYWORD) for argument in positional]
    if arguments.vararg:
        written.append((arguments.vararg.arg, inspect.Parameter.VAR_POSITIONAL))
    written += [(argument.arg, inspect.Parameter.KEYWORD_ONLY) for argument in arguments.kwonlyargs]
    if arguments.kwarg:
        written.append((arguments.kwarg.arg, inspect.Parameter.VAR_KEYWORD))
    parameters = inspect.signature(found).parameters
    assert written == [(parameter.name, parameter.kind) for parameter in parameters.values()]
    assert set(defaults) == {
        name for name, parameter in parameters.items() if parameter.default is not parameter.empty
    }
    for name, value in defaults.items():
        if not (isinstance(value, ast.Constant) and value.value is ...):
            assert ast.literal_eval(value) == parameters[name].default


def test_the_stubs_are_of_the_installed_version():
    version = ".".join(deepinv.__version__.split(".")[:2])
    assert f"deepinv {version}" in (STUBS / "deepinv" / "__init__.pyi").read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(STUBS)))
def test_every_name_that_a_stub_exports_is_in_deepinv(file):
    names = [
        alias.asname
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    ]
    assert [name for name in names if not hasattr(_module(file), name)] == []


@pytest.mark.parametrize(("found", "node"), DEFINITIONS)
def test_a_stub_has_the_bases_and_parameters_of_what_it_stands_for(found, node):
    if isinstance(node, ast.ClassDef):
        bases = {ast.unparse(base).rsplit(".", 1)[-1] for base in node.bases}
        assert bases <= {base.__name__ for base in found.__mro__[1:]}
    else:
        _assert_same_parameters(found, node)


@pytest.mark.parametrize(("found", "node", "method"), METHODS)
def test_a_stubbed_method_has_the_parameters_of_the_method(found, node, method):
    is_static = any(ast.unparse(decorator) == "staticmethod" for decorator in method.decorator_list)
    called = "forward" if method.name == "__call__" else method.name  # as PyTorch's modules do
    assert isinstance(inspect.getattr_static(found, called), staticmethod) == is_static
    _assert_same_parameters(getattr(found, called), method)


@pytest.mark.parametrize(("found", "name"), ATTRIBUTES)
def test_a_stubbed_attribute_is_set_by_the_class_or_its_bases(found, name):
    sources = "".join(
        inspect.getsource(base) for base in found.__mro__ if base.__module__.startswith("deepinv")
    )
    ways = (
        f"self.{name} =",
        f'register_buffer("{name}"',
        f'register_buffer(\n            "{name}"',
        f"def {name}(",
    )
    assert any(way in sources for way in ways) or hasattr(found, name)
