r"""Compare two benchmarks of a task, and tell a regression from noise.

A difference of means counts where it is larger than :data:`SMALLEST` dB and than :data:`ERRORS` of its standard
errors, which two equal methods exceed once in a hundred comparisons.  The error is that of paired differences where
both files hold the values of the same images with the same noise.  Otherwise it is :math:`\sqrt{e_1^2 + e_2^2}` of
the errors of the two means, which is too large, and the comparison too careful, where the images are the same.  What
has no error cannot be judged, unless it stops being finite.

Parts that were measured with another student, other noise or other images, as their fingerprints tell, are refused:
another camera may have the same name.

A time counts where it changed by more than the factor :data:`SLOWER`, and never where the two files are not known to
be of one machine.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ..arguments import is_number, require, require_instance
from ..files import read_results, reading
from ..fingerprint import Fingerprint, differences, told
from .benchmark import FORMAT
from .statistics import paired_difference

ERRORS = 2.58
"""Standard errors that a difference must exceed: the two-sided 1 % of a normal distribution."""
SMALLEST = 0.05
"""Difference in dB that matters at all."""
SLOWER = 1.25
"""Ratio of two times on one machine that matters."""
MEASURES = ("psnr", "region_psnr")
MACHINE = ("machine", "processor", "cores", "threads")
"""What must be known and equal for times to be compared."""

PAIRED_AT = "20"


@dataclass(frozen=True)
class Change:
    """How one number differs between two benchmarks.

    Attributes
    ----------
    part, row, measure : str
        Which number it is: of a part of the benchmark, of a method there and its condition or iteration.
    old, new : float or None
        The two values, in dB or milliseconds; None where one is not finite.
    difference : float or None
        ``new − old`` in dB, or the ratio ``new / old`` of times.
    error : float or None
        Standard error of the difference, None where none is known.
    paired : bool
        Whether the error is that of paired differences.
    verdict : str
        ``"same"``, ``"better"``, ``"worse"``, or ``"not comparable"``: a difference without an error, or times of two
        machines.
    """

    part: str
    row: str
    measure: str
    old: float | None
    new: float | None
    difference: float | None
    error: float | None
    paired: bool
    verdict: str


Key = tuple[str, str, str]


@dataclass(frozen=True)
class _Number:
    """A stored mean: its error where there is one, its values by image, and what must agree for a comparison.

    The values of several trainings follow each other.
    """

    mean: float | None
    error: float | None = None
    images: tuple[float | None, ...] = ()
    trainings: int = 1
    conditions: tuple[Any, ...] = ()
    is_time: bool = False

    def __post_init__(self) -> None:
        """Refuse what a benchmark never holds."""
        for value in (self.mean, self.error, *self.images):
            known = value is None or (is_number(value) and math.isfinite(value))
            require(known, "number", value, "a finite number, or null")
        positive = not self.is_time or self.mean is None or self.mean > 0
        require(positive, "milliseconds", self.mean, "a number above 0")


def compare_benchmarks(old: str | Path, new: str | Path) -> dict[str, Any]:
    """Compare two files that :func:`~ddgp_lib.experiments.benchmark.benchmark` wrote of one task.

    Parameters
    ----------
    old, new : str or Path
        The files.

    Returns
    -------
    dict
        The ``"task"``; ``"changes"``, every number that both have, as a dict of :class:`Change`; ``"missing"``, what
        the new file lacks; ``"regressions"`` and ``"improvements"``, how many changes are worse and better; and the
        ``"thresholds"``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file is corrupt, of another format, or the two are of different tasks: of another name, or with another
        operator, other noise or other images.
    """
    for name, path in {"old": old, "new": new}.items():
        require_instance(name, path, str | Path, "the path of a file")
    files = {"old": Path(old), "new": Path(new)}
    results = {name: _read(path) for name, path in files.items()}
    before, after = results["old"], results["new"]
    require(
        after["task"] == before["task"], f"task of {new}", after["task"], f"{before['task']!r}, as of {old}"
    )
    numbers = {}
    for name, path in files.items():
        with reading(path):
            numbers[name] = _numbers(results[name])
    _require_one_camera(before, after, files)
    changes = [
        _change(key, value, numbers["new"][key])
        for key, value in numbers["old"].items()
        if key in numbers["new"]
    ]
    verdicts = [change.verdict for change in changes]
    return {
        "task": before["task"],
        "changes": [asdict(change) for change in changes],
        "missing": _missing(numbers["old"], numbers["new"]),
        "regressions": verdicts.count("worse"),
        "improvements": verdicts.count("better"),
        "thresholds": {"errors": ERRORS, "decibels": SMALLEST, "ratio of times": SLOWER},
    }


def _missing(old: dict[Key, _Number], new: dict[Key, _Number]) -> list[str]:
    """Name what the new file lacks: parts, and numbers of the parts that it has."""
    parts = {part for part, _, _ in new}
    lacking = [key for key in old if key not in new]
    return list(dict.fromkeys(": ".join(key) if key[0] in parts else key[0] for key in lacking))


def _require_one_camera(before: dict[str, Any], after: dict[str, Any], files: dict[str, Path]) -> None:
    """Refuse parts that were not measured with the same operator, noise and images, where both files note them."""
    for part in COMPARED:
        found, wanted = (result.get(part, {}).get("fingerprint") for result in (after, before))
        if not (isinstance(found, dict) and isinstance(wanted, dict)):
            continue
        others = differences(_camera(found), _camera(wanted))
        what = f"{part} of {str(files['new'])!r}"
        expected = f"one of the same camera as in {str(files['old'])!r}, not with {told(others)}"
        require(not others, "new", what, expected)


def _camera(found: Fingerprint) -> Fingerprint:
    """Return of a fingerprint what methods are compared on; teacher, denoiser and σ are a method's own."""
    noise = found.get("noise")
    student = noise.get("student") if isinstance(noise, dict) else None
    return {"student": found.get("student"), "noise": student, "images": found.get("images")}


def _read(path: Path) -> dict[str, Any]:
    return read_results(path, "python -m ddgp_lib benchmark TASK", format=FORMAT)


def _numbers(result: dict[str, Any]) -> dict[Key, _Number]:
    """Collect the numbers of a benchmark that are compared."""
    found: dict[Key, _Number] = {}
    for part, rows in COMPARED.items():
        if part in result:
            require(isinstance(result[part], dict), part, result[part], "a JSON object")
            found |= {(part, row, measure): number for row, measure, number in rows(result[part])}
    return found


def _items(stored: Any) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a JSON object; what is none has no entries to yield, and raises."""
    yield from dict(stored).items()


Rows = Iterator[tuple[str, str, _Number]]


def _side_by_side(part: dict[str, Any]) -> Rows:
    conditions = (part["conditions"]["seed"], part["conditions"]["images"])
    for method, stored in _items(part["methods"]):
        for measure in MEASURES:
            for k, (mean, error) in _items(dict(stored).get(measure, {})):
                values = dict(stored.get("images_20", {})).get(measure, []) if k == PAIRED_AT else []
                number = _Number(mean, error, tuple(values), conditions=conditions)
                yield f"{method}, iteration {k}", measure, number


def _seeds(part: dict[str, Any]) -> Rows:
    conditions = (part["conditions"]["seed"], part["conditions"]["images"])
    for method, stored in _items(part["methods"]):
        for measure in MEASURES:
            for k, rows in _items(stored[measure] or {}):
                number = _of_trainings(rows, (*conditions, tuple(stored["seeds"])))
                yield f"{method}, iteration {k}", measure, number


def _of_trainings(rows: list[list[float | None]], conditions: tuple[Any, ...]) -> _Number:
    """Return the mean over trainings and images, with its error, of values that are stored by training."""
    images = tuple(value for row in rows for value in row)
    if None in images:
        return _Number(None, None, images, len(rows), conditions)
    values = torch.tensor(rows, dtype=torch.float64)
    found = paired_difference(values, torch.zeros_like(values))
    return _Number(found.mean, found.error, images, len(rows), conditions)


def _generalisation(part: dict[str, Any]) -> Rows:
    for row in part["rows"]:
        for method, (mean, error) in _items(row["psnr"]):
            yield f"{method}, {row['condition']}", "psnr", _Number(mean, error)


def _long_runs(part: dict[str, Any]) -> Rows:
    for method, stored in _items(part["methods"]):
        errors = dict(stored.get("psnr_error", {}))
        for k, mean in _items(stored["psnr"]):
            yield f"{method}, iteration {k}", "psnr", _Number(mean, errors.get(k))


def _timing(part: dict[str, Any]) -> Rows:
    machine = tuple(part.get(name) for name in MACHINE)
    for method, milliseconds in _items(part["milliseconds"]):
        yield method, "milliseconds", _Number(milliseconds, conditions=machine, is_time=True)
    for method, milliseconds in _items(part.get("whole", {})):
        yield method, "milliseconds of the whole", _Number(milliseconds, conditions=machine, is_time=True)


COMPARED: Mapping[str, Callable[[dict[str, Any]], Rows]] = {
    "side_by_side": _side_by_side,
    "seeds": _seeds,
    "generalisation": _generalisation,
    "long_runs": _long_runs,
    "timing": _timing,
}
"""What reads the numbers of each part that is compared."""


def _change(key: Key, old: _Number, new: _Number) -> Change:
    if old.mean is None or new.mean is None:
        verdict = "same" if old.mean == new.mean else "worse" if new.mean is None else "better"
        return Change(*key, old.mean, new.mean, None, None, False, verdict)
    if old.is_time:
        ratio = new.mean / old.mean
        return Change(*key, old.mean, new.mean, ratio, None, False, _judge_times(old, new, ratio))
    difference, error, paired = _difference(old, new)
    return Change(*key, old.mean, new.mean, difference, error, paired, _judge(difference, error))


def _difference(old: _Number, new: _Number) -> tuple[float, float | None, bool]:
    """Return the difference of two means, its standard error where one is known, and whether it is paired."""
    assert old.mean is not None
    assert new.mean is not None
    alike = old.conditions == new.conditions and len(old.images) == len(new.images) >= 2 * old.trainings
    if alike and None not in (*old.images, *new.images):
        values, reference = (
            torch.tensor(each.images, dtype=torch.float64).reshape(each.trainings, -1) for each in (new, old)
        )
        found = paired_difference(values, reference)
        return found.mean, found.error, True
    known = old.error is not None and new.error is not None
    error = math.hypot(old.error or 0, new.error or 0) if known else None
    return new.mean - old.mean, error, False


def _judge(difference: float, error: float | None) -> str:
    if error is None:
        return "not comparable"
    if abs(difference) <= max(SMALLEST, ERRORS * error):
        return "same"
    return "better" if difference > 0 else "worse"


def _judge_times(old: _Number, new: _Number, ratio: float) -> str:
    if old.conditions != new.conditions or None in old.conditions:
        return "not comparable"
    if 1 / SLOWER <= ratio <= SLOWER:
        return "same"
    return "worse" if ratio > SLOWER else "better"
