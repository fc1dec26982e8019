"""The report on mutants: what counts as killed, what is explained, and that a sample is drawn alike everywhere."""

import json
import tomllib

import pytest

from book._tools import mutants
from book._tools.mutants import Module, function_of, is_wording, modules, reasons, report, sample
from book._tools.repository import ROOT


def test_a_mutant_is_named_after_its_function():
    assert function_of("ddgp_lib.data.split.x_split_groups__mutmut_3") == "ddgp_lib.data.split.split_groups"
    assert function_of("ddgp_lib.tasks.xǁTaskǁpsnr__mutmut_12") == "ddgp_lib.tasks.Task.psnr"


def test_a_sample_does_not_depend_on_the_order_of_names():
    names = [f"m.x_f__mutmut_{place}" for place in range(50)]
    chosen = sample(names, 5)
    assert len(set(chosen)) == 5
    assert sample(names[::-1], 5) == chosen
    assert chosen + sample(names, 3, skip=5) == sample(names, 8)
    assert chosen != names[:5]


def test_survivors_lower_the_share_and_explained_ones_do_not(tmp_path, monkeypatch):
    codes = {f"m.x_f__mutmut_{place}": code for place, code in enumerate([1, 36, 0, 33, None, 0])}
    (tmp_path / "m.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    (tmp_path / "empty.py.meta").write_text(json.dumps({"exit_code_by_key": {}}))
    monkeypatch.setattr(mutants, "change", lambda mutant: "- a + b" if mutant.endswith("5") else "- a + c")
    monkeypatch.setattr(mutants, "reasons", lambda: {"m.f: - a + b": "the same"})
    (found,) = modules(tmp_path)
    assert (found.killed, len(found.survivors), len(found.explained), found.unchecked) == (2, 2, 1, 1)
    assert found.checked == 5
    assert found.share == pytest.approx(0.5)
    assert "m.f: - a + c" in report([found])
    assert Module("m").share == 1


def test_other_words_are_told_from_other_doings():
    for changed in (
        '- require(odd, "size", size, "an odd integer") + require(odd, "size", size, "AN ODD INTEGER")',
        '- require(odd, "size", size, f"at most {n}") + require(odd, "size", size, None)',
        '- a + b, "two words" + a + b, "XXtwo wordsXX"',
    ):
        assert is_wording(changed)
    for changed in (
        "- x + y",
        '- f("name") + f("NAME")',
        '- f(x, "two words") + f(y, "two words")',
        "- x = None + x = 0",
    ):
        assert not is_wording(changed)


def test_facts_are_of_packages():
    parts = [Module("ddgp_lib/data/a.py", killed=8, survivors=["x"]), Module("ddgp_lib/data/b.py", killed=1)]
    found = mutants.facts([*parts, Module("ddgp_lib/tasks.py", killed=3, explained=["y"], unchecked=2)])
    assert found["shares"] == {"data": 0.9, "tasks": 1.0}
    assert (found["mutants"], found["tried"], found["killed"]) == (16, 14, 12)
    assert (found["explained"], found["survived"]) == (1, 1)


def test_every_reason_names_a_function_of_the_library_and_says_something():
    for name, reason in reasons().items():
        function, _, change = name.partition(": ")
        path = ROOT / (function.replace(".", "/") + ".py")
        while not path.is_file() and path.parent != ROOT:
            path = path.parent.with_suffix(".py")
        assert f"def {function.rpartition('.')[2]}(" in path.read_text()
        assert change.startswith("- ")
        assert " + " in change
        assert len(reason) > 10


def test_what_is_mutated_and_tried_is_there():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    for pattern in settings["only_mutate"]:
        assert list(ROOT.glob(pattern)), pattern
    for path in settings["pytest_add_cli_args_test_selection"] + settings["also_copy"]:
        assert (ROOT / path).exists(), path
