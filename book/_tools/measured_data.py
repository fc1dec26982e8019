"""Which notebooks need measured data, and whether these are there: what is absent is left out by name.

The data are never committed. A notebook needs those that its code names in a call of ``load_measured``.
"""

import ast
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import jupytext

LOADER = "load_measured"


def needed(path: Path) -> tuple[str, ...]:
    """Return the names of the data sets that a notebook, or the source of one, loads."""
    if LOADER not in path.read_text(encoding="utf-8"):
        return ()
    code = [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]
    return tuple(dict.fromkeys(name for source in code for name in named(source)))


def named(source: str) -> list[str]:
    """Return the names in the calls of the loader in a piece of code."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    first = [call.args[0] for call in calls if called(call) == LOADER and call.args]
    return [str(name.value) for name in first if isinstance(name, ast.Constant)]


def called(call: ast.Call) -> str:
    """Return the last part of the name of what is called."""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def absent(path: Path) -> tuple[str, ...]:
    """Return the data sets that a notebook needs and that are not there, or have changed."""
    from ddgp_lib.data.measured import MEASURED
    from ddgp_lib.data.measured.folder import listing

    wanted = needed(path)
    found = listing({name: MEASURED[name] for name in wanted})["sets"] if wanted else {}
    return tuple(name for name in wanted if found[name]["state"] != "present")


def promised(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether nothing may be left out: where checks run for a change, and a folder of the data is named."""
    return environment.get("CI") == "true" and bool(environment.get("DDGP_DATA"))


def left_out(paths: Iterable[Path]) -> dict[Path, tuple[str, ...]]:
    """Return the notebooks that are left out, and the data sets that each of them lacks."""
    if promised():
        return {}
    return {path: lacking for path in paths if (lacking := absent(path))}


def words(path: Path, lacking: tuple[str, ...]) -> str:
    """Say that a notebook is left out, and what to do."""
    fetch = f"python -m ddgp_lib data fetch {' '.join(lacking)}"
    return (
        f"{path.name}: left out, measured data are absent ({', '.join(lacking)}): set DDGP_DATA, or `{fetch}`"
    )
