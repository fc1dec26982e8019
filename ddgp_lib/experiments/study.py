"""Studies: many short trainings that differ in one thing, a row at a time, with results that ship as JSON.

``python -m ddgp_lib study forms`` runs the rows that are missing, and can be stopped and started again;
``python -m ddgp_lib compare single_pixel`` prints tables from what has been saved.
"""

import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from ..arguments import require, require_integer
from ..digests import digests
from ..distillation import Distillation, DistillationRecipe, distill
from ..evaluation import psnr_curves
from ..fields import defaults
from ..files import locked, read_results, reading, write_results
from ..fingerprint import Fingerprint, alike, fingerprint
from ..outputs import RESULTS, prepare
from ..preconditioners import Preconditioner
from ..presets import PRESETS, preset_of
from ..pretrained import load_solver
from ..scores import best
from ..solvers import PreconditionedFISTA
from ..tasks import Preset, Task, Variant
from .linear_study import ProductsRow
from .linear_study import rows as linear_rows
from .statistics import mean_and_error, mean_or_none

FORMAT = "ddgp-study-1"
STUDIES_FOLDER = Path(__file__).with_name("studies")
SEEDS = (0, 1, 2)
ITERATIONS = (1, 2, 5, 10, 20, 50, 100)
SIGMAS = (0.02, 0.03, 0.05, 0.07, 0.1, 0.15)
"""Noise levels for the denoiser, from which each row takes the best on validation images."""


@dataclass(frozen=True)
class Row:
    """One line of a study.

    Attributes
    ----------
    preset : Preset
        The camera.
    variant : Variant
        What differs from its ``short`` recipe and from its default options.
    """

    preset: Preset
    variant: Variant

    @property
    def task(self) -> str:
        """The name of the camera."""
        return self.preset.name

    def configuration(self, seed: int) -> dict[str, Any]:
        """Everything that decides the row's numbers, as JSON gives it back."""
        recipe = DistillationRecipe(**{**self.preset.short, **self.variant.recipe, "seed": seed})
        chosen = {"task": self.task, "options": dict(self.variant.options), "recipe": asdict(recipe)}
        found: dict[str, Any] = json.loads(json.dumps(chosen))
        return found

    @cached_property
    def made_for(self) -> Fingerprint:
        """The fingerprint of the row's task: a name alone does not say which camera it is."""
        return fingerprint(self.preset.load(**self.variant.options))

    def weights(self) -> dict[str, str]:
        """Return the digests of the saved weights that the numbers depend on: those of the denoiser."""
        return digests(self.preset, ())

    def run(self, seed: int, *, progress: bool = True) -> dict[str, Any]:
        """Train with the row's configuration, choose σ on validation images and measure on test images.

        Returns
        -------
        dict
            The ``"configuration"``; ``"made_for"``, the fingerprint of the task; ``"parameters"``,
            ``"training_seconds"`` of one CPU thread's time, ``"milliseconds"`` of an iteration and image;
            ``"sigma"``; mean and standard error over images of ``"psnr"`` at :data:`ITERATIONS` and of the paired
            ``"gain_20"`` over the tuned solver without P; and ``"gain_20_trained"``, the same gain on as many of the
            images that it was trained on.
        """
        task = self.preset.load(**self.variant.options)
        chosen = self.configuration(seed)
        started = time.process_time()
        distillation: Distillation = distill(task, **chosen["recipe"], progress=progress)
        seconds = time.process_time() - started
        P = distillation.preconditioner
        count_val, count_test = task.preset.counts.study
        sigma = best_sigma(task, P, task.val_images[:count_val])
        images, started = task.test_images[:count_test], time.perf_counter()
        solver = _solver(task, P, sigma)
        curves = psnr_curves(task, solver, images, task.student, ITERATIONS[-1])
        elapsed = time.perf_counter() - started
        known = task.train_images[:count_test]
        of_known = psnr_curves(task, solver, known, task.student, 20)[-1]
        return {
            "configuration": chosen,
            "made_for": fingerprint(task),
            "parameters": sum(parameter.numel() for parameter in P.parameters()),
            "training_seconds": round(seconds, 3),
            "milliseconds": round(1000 * elapsed / (len(images) * ITERATIONS[-1]), 3),
            "sigma": sigma,
            "psnr": {str(k): mean_and_error(curves[k - 1]) for k in ITERATIONS},
            "gain_20": mean_and_error(curves[19] - _baseline(task.preset)),
            "gain_20_trained": mean_and_error(of_known - _without(task.preset.load(), known)),
        }

    def summary(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """Average runs over their seeds; the entries are those of :func:`compare`."""
        gains = torch.tensor([math.nan if run["gain_20"][0] is None else run["gain_20"][0] for run in runs])
        return {
            "psnr": {str(k): mean_or_none([run["psnr"][str(k)][0] for run in runs]) for k in ITERATIONS},
            "gain_20": mean_or_none([run["gain_20"][0] for run in runs]),
            "gain_20_error": mean_and_error(gains)[1] if len(runs) > 1 else None,
            **{
                name: mean_or_none([run[name] for run in runs])
                for name in ("parameters", "milliseconds", "training_seconds")
            },
        }


def studies(presets: Iterable[Preset] | None = None) -> dict[str, dict[str, Row | ProductsRow]]:
    """Return the rows of each study by name, for the book's cameras or for others."""
    presets = tuple(PRESETS.values() if presets is None else presets)
    found: dict[str, dict[str, Row | ProductsRow]] = {}
    for preset in presets:
        for study, variants in preset.studies.items():
            rows = found.setdefault(study, {})
            rows |= {name: Row(preset, variant) for name, variant in variants.items()}
    linear = linear_rows(presets)
    return found | ({"linear": dict(linear)} if linear else {})


STUDIES: Mapping[str, Mapping[str, Row | ProductsRow]] = studies()
"""Rows of each study of the book's cameras, by name."""


def run_study(
    name: str,
    folder: str | Path = RESULTS,
    *,
    seeds: tuple[int, ...] = SEEDS,
    only: str = "",
    presets: Iterable[Preset] | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Run the rows of a study that have not been run, and write the file anew after each.

    Parameters
    ----------
    name : str
        One of :data:`STUDIES`.
    folder : str or Path
        Where the results are read and written, as ``NAME.json``; made if it is missing, and tried before any work.
    seeds : tuple of int
        Seeds of the training; all rows are run with the first before any is with the second.
    only : str
        Run only rows whose name begins with this.
    presets : iterable of Preset, optional
        Cameras whose rows are run; by default the book's.
    progress : bool
        Show progress bars.

    Returns
    -------
    dict
        See :func:`load_study`.

    Raises
    ------
    ValueError
        If the study or the beginning of a row's name is unknown, the folder cannot be written to, or no σ gives a row
        a finite PSNR.
    """
    known = studies(presets)
    require(name in known, "name", name, f"one of {tuple(known)}")
    _require_name(name)
    require(isinstance(only, str), "only", only, "the beginning of a row's name")
    rows = {key: row for key, row in known[name].items() if key.startswith(only)}
    require(bool(rows), "only", only, f"the beginning of one of {tuple(known[name])}")
    require(len(seeds) > 0, "seeds", seeds, "one seed at least")
    for seed in seeds:
        require_integer("seeds", seed, lowest=0, highest=2**63 - 1)
    prepare("folder", Path(folder), f"{name}.json")
    pending = list(_pending(rows, tuple(dict.fromkeys(seeds)), _saved(name, folder)))
    for key, row, seed in tqdm(pending, desc=f"study {name}", disable=not progress):
        if not _is_done(_saved(name, folder), key, row, seed):
            found = {"row": key, "seed": seed} | row.run(seed, progress=progress)
            _keep(name, folder, row, found | {"weights": row.weights()})
    return _saved(name, folder)


def _require_name(name: str) -> None:
    fits = isinstance(name, str) and Path(name).name == name != ""
    require(fits, "name", name, "the name of a study, which is no path")


def _pending(
    rows: Mapping[str, Row | ProductsRow], seeds: tuple[int, ...], saved: dict[str, Any]
) -> Iterator[tuple[str, Row | ProductsRow, int]]:
    """Yield what has not been run with the configuration that it has now."""
    for seed in seeds:
        for key, row in rows.items():
            if not _is_done(saved, key, row, seed):
                yield key, row, seed


def _is_done(saved: dict[str, Any], key: str, row: Row | ProductsRow, seed: int) -> bool:
    """Say whether a row was run with today's configuration, and weights and task where these were noted.

    The row's task is loaded only where one was noted.
    """
    wanted = {"row": key, "seed": seed, "configuration": row.configuration(seed)}
    runs = [run for run in saved["runs"] if wanted.items() <= run.items()]
    runs = [run for run in runs if "weights" not in run or run["weights"] == row.weights()]
    # Benchmarks keep it under "fingerprint"; both keys stay, because results have been saved with either.
    return any("made_for" not in run or alike(run["made_for"], row.made_for) for run in runs)


def _saved(name: str, folder: str | Path) -> dict[str, Any]:
    """Return what has been saved of a study, without runs where that is nothing."""
    if (Path(folder) / f"{name}.json").is_file():
        return _read(name, folder)
    return {"format": FORMAT, "study": name, "runs": []}


def _keep(name: str, folder: str | Path, row: Row | ProductsRow, run: dict[str, Any]) -> None:
    """Add a run to what has been saved by now; of two that are alike, the first stays."""
    path = Path(folder) / f"{name}.json"
    with locked(path):
        saved = _saved(name, folder)
        if not _is_done(saved, run["row"], row, run["seed"]):
            same = (run["row"], run["seed"])
            kept = [other for other in saved["runs"] if (other["row"], other["seed"]) != same]
            write_results(path, saved | {"runs": [*kept, run]})


def best_sigma(task: Task, preconditioner: Preconditioner, images: torch.Tensor) -> float:
    """Return the σ of :data:`SIGMAS` with the highest mean PSNR after 20 iterations.

    Raises
    ------
    ValueError
        If none has a finite one.
    """
    scores = {}
    for sigma in SIGMAS:
        solver = _solver(task, preconditioner, sigma)
        scores[sigma] = psnr_curves(task, solver, images, task.student, 20)[-1].mean()
    return best(scores, f"sigma of {task.name}")


def _solver(task: Task, preconditioner: Preconditioner, sigma: float) -> PreconditionedFISTA:
    return PreconditionedFISTA(
        task.denoiser, preconditioner, stepsize=task.stepsize, sigma=sigma, momentum="none"
    )


def _without(task: Task, images: torch.Tensor) -> torch.Tensor:
    """PSNR (N,) of the tuned solver without P after 20 iterations."""
    return psnr_curves(task, load_solver(task, "none"), images, task.student, 20)[-1]


@lru_cache
def _baseline(preset: Preset) -> torch.Tensor:
    """PSNR of the tuned solver without P after 20 iterations on the test images; teachers do not change it."""
    task = preset.load()
    return _without(task, task.test_images[: preset.counts.study[1]])


def load_study(name: str, folder: str | Path = STUDIES_FOLDER) -> dict[str, Any]:
    """Load what :func:`run_study` has saved.

    Returns
    -------
    dict
        ``"study"``, and ``"runs"``, what each row's ``run`` returned, with its ``"row"`` and ``"seed"``, and the
        digests of the ``"weights"`` that it depends on.

    Raises
    ------
    FileNotFoundError
        If nothing has been saved.
    ValueError
        If the book has no such study, or the file is corrupt, of another format or of another study.
    """
    own = Path(folder) != STUDIES_FOLDER
    require(own or name in STUDIES, "name", name, f"one of {tuple(STUDIES)}")
    _require_name(name)
    return _read(name, folder)


def _read(name: str, folder: str | Path) -> dict[str, Any]:
    path = Path(folder) / f"{name}.json"
    found = read_results(path, f"python -m ddgp_lib study {name}", format=FORMAT, study=name)
    if not isinstance(found.get("runs"), list):
        raise ValueError(f"path={str(path)!r}: runs is {found.get('runs')!r}, expected a list")
    with reading(path):
        for run in found["runs"]:
            _complete(run.get("configuration", {}))
    return found


def _complete(configuration: dict[str, Any]) -> None:
    """Give the recipe of a run the fields that it has not, as it was written before there were any."""
    if "recipe" in configuration:
        configuration["recipe"] = defaults(DistillationRecipe) | configuration["recipe"]


def compare(
    source: Task | Preset | str, folder: str | Path = STUDIES_FOLDER
) -> dict[str, list[dict[str, Any]]]:
    """Summarise the saved studies of a task: a line for each row, over the seeds that have been run.

    The study of linear preconditioners has lines of its own: PSNR by :data:`~ddgp_lib.linear_study.BUDGETS`, and mean
    ``"products"``, None where a seed did not reach the goal.

    Parameters
    ----------
    source : Task, Preset or str
        The task, its preset, or the name of one of the book's.
    folder : str or Path
        Where the studies are.

    Returns
    -------
    dict
        By study a list of lines with the ``"row"``, the number of ``"seeds"``, mean PSNR (dB) at :data:`ITERATIONS`,
        mean ``"gain_20"`` and the standard error of it over seeds, None for one seed, and means of ``"parameters"``,
        ``"milliseconds"`` and ``"training_seconds"``.

    Raises
    ------
    ValueError
        If the name is unknown, or a file is corrupt or a run of it lacks numbers.
    """
    preset = preset_of(source, "source")
    tables: dict[str, list[dict[str, Any]]] = {}
    for name, rows in studies((preset,)).items():
        path = Path(folder) / f"{name}.json"
        if not path.is_file():
            continue
        saved = _read(name, folder)["runs"]
        with reading(path):  # a run may lack what a line shows
            lines = [
                {"row": key, "seeds": len(runs)} | row.summary(runs)
                for key, row in rows.items()
                if (runs := [run for run in saved if run["row"] == key])
            ]
        if lines:
            tables[name] = lines
    return tables
