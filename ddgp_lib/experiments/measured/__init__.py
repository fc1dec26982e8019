"""Experiments on measured data: a small module for each camera, and tables with standard errors."""

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from ...arguments import require, require_choice, require_integer, require_seed
from . import head, lensless, single_pixel
from .meter import Step, metered
from .records import Experiment, Row

__all__ = ["EXPERIMENTS", "Experiment", "Row", "Step", "metered", "run_measured"]

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {module.__name__.rpartition(".")[2]: module.EXPERIMENT for module in (lensless, head, single_pixel)}
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
