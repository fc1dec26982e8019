"""The examples of docstrings run, and say what they show."""

import doctest
import importlib
import pkgutil

import pytest

import ddgp_lib.scanner

MODULES = [f"ddgp_lib.scanner.{module.name}" for module in pkgutil.iter_modules(ddgp_lib.scanner.__path__)]


@pytest.mark.parametrize("name", [*MODULES, "ddgp_lib.data.fourier"])
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
