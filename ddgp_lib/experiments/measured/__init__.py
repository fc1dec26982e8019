"""Experiments on measured data: a small module for each camera, and tables with standard errors."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ...arguments import require, require_choice, require_integer, require_seed
from . import head, lensless, limits, low_field, prospective, single_pixel
from .meter import Step, metered
from .records import Experiment, Row

__all__ = [
    "EXPERIMENTS",
    "RESULTS_FOLDER",
    "Experiment",
    "Row",
    "Step",
    "load_result",
    "metered",
    "run_measured",
]

RESULTS_FOLDER = Path(__file__).with_name("results")
"""Where the results are that ship, a file for each experiment that has some."""

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        module.__name__.rpartition(".")[2]: module.EXPERIMENT
        for module in (lensless, head, limits, prospective, low_field, single_pixel)
    }
)
"""The experiments by their names, which are those of their modules."""


def run_measured(name: str, iterations: tuple[int, ...] | None = None, seed: int = 0) -> dict[str, Any]:
    """Run an experiment on measured data.

    Parameters
    ----------
    name : str
        A key of :data:`EXPERIMENTS`.
    iterations : tuple of int, optional
        At which iterations rows are written; by default those of the experiment.
    seed : int
        Seed of what is held out.

    Returns
    -------
    dict
        ``"experiment"``, ``"title"``, ``"data"``, ``"seed"``, what the experiment says of its data, and ``"rows"``,
        each with the fields of :class:`Row`.

    Raises
    ------
    FileNotFoundError
        If the data are not there, with what to do.
    ValueError
        If an argument is outside what is accepted, or a file has changed.

    Examples
    --------
    >>> from ddgp_lib.experiments.measured import run_measured
    >>> found = run_measured("lensless", iterations=(20,))  # doctest: +SKIP
    >>> [row["method"] for row in found["rows"]][:2]  # doctest: +SKIP
    ['FISTA', 'circulant P']
    """
    require_choice("name", name, EXPERIMENTS)
    experiment = EXPERIMENTS[name]
    marks = experiment.iterations if iterations is None else iterations
    listed = isinstance(marks, tuple | list) and len(marks) > 0
    require(listed, "iterations", iterations, "None, or one integer or more")
    for mark in marks:
        require_integer("iterations", mark, lowest=1)
    require_seed("seed", seed)
    about, rows = experiment.run(tuple(sorted(int(mark) for mark in marks)), int(seed))
    found = {"experiment": name, "title": experiment.title, "data": experiment.data, "seed": int(seed)}
    return found | dict(about) | {"rows": [asdict(row) for row in rows]}


def load_result(name: str) -> dict[str, Any]:
    """Load what ships of an experiment on measured data: no data are needed.

    Parameters
    ----------
    name : str
        An experiment whose result ships: ``"single_pixel"``, ``"head"``, ``"limits"``, ``"low_field"`` or
        ``"prospective"``.  Its file has the last line of ``python -m ddgp_lib measured NAME --json``.

    Returns
    -------
    dict
        As :func:`run_measured` returned it.

    Raises
    ------
    ValueError
        If there is no result of this name.

    Examples
    --------
    >>> from ddgp_lib.experiments.measured import load_result
    >>> load_result("single_pixel")["denoiser"]
    'photographs'
    """
    require_choice("name", name, [path.stem for path in sorted(RESULTS_FOLDER.glob("*.json"))])
    found: dict[str, Any] = json.loads((RESULTS_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found
