"""Studies: many short trainings that differ in one thing, a row at a time, with results that ship as JSON.

``python -m ddgp_lib study forms`` runs the rows that are missing, and can be stopped and started again;
``python -m ddgp_lib compare single_pixel`` prints tables from what has been saved.
"""

import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from ..arguments import require
from ..distillation import Distillation, DistillationRecipe, distill
from ..evaluation import psnr_curves
from ..files import read_results, write_results
from ..preconditioners import Preconditioner
from ..presets import PRESETS, preset_of
from ..pretrained import load_solver
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

    def run(self, seed: int, *, progress: bool = True) -> dict[str, Any]:
        """Train with the row's configuration, choose σ on validation images and measure on test images.

        Returns
        -------
        dict
            The ``"configuration"``; ``"parameters"``, ``"training_seconds"`` of one CPU thread's time,
            ``"milliseconds"`` of an iteration and image; ``"sigma"``; mean and standard error over images of
            ``"psnr"`` at :data:`ITERATIONS` and of the paired ``"gain_20"`` over the tuned solver without P.
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
        curves = psnr_curves(task, _solver(task, P, sigma), images, task.student, ITERATIONS[-1])
        elapsed = time.perf_counter() - started
        return {
            "configuration": chosen,
            "parameters": sum(parameter.numel() for parameter in P.parameters()),
            "training_seconds": round(seconds, 3),
            "milliseconds": round(1000 * elapsed / (len(images) * ITERATIONS[-1]), 3),
            "sigma": sigma,
            "psnr": {str(k): mean_and_error(curves[k - 1]) for k in ITERATIONS},
            "gain_20": mean_and_error(curves[19] - _baseline(task.preset)),
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
    folder: str | Path = STUDIES_FOLDER,
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
        Where the results are read and written, as ``NAME.json``.
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
        If the study or the beginning of a row's name is unknown.
    """
    known = studies(presets)
    require(name in known, "name", name, f"one of {tuple(known)}")
    rows = {key: row for key, row in known[name].items() if key.startswith(only)}
    require(bool(rows), "only", only, f"the beginning of one of {tuple(known[name])}")
    path = Path(folder) / f"{name}.json"
    result: dict[str, Any] = {"format": FORMAT, "study": name, "runs": []}
    if path.is_file():
        result = _read(name, folder)
    done = {(run["row"], run["seed"]): run["configuration"] for run in result["runs"]}
    for key, row, seed in tqdm(list(_pending(rows, seeds, done)), desc=f"study {name}", disable=not progress):
        kept = [run for run in result["runs"] if (run["row"], run["seed"]) != (key, seed)]
        result = result | {"runs": [*kept, {"row": key, "seed": seed} | row.run(seed, progress=progress)]}
        write_results(path, result)
    return result


def _pending(
    rows: Mapping[str, Row | ProductsRow], seeds: tuple[int, ...], done: Mapping[tuple[str, int], Any]
) -> Iterator[tuple[str, Row | ProductsRow, int]]:
    """Yield what has not been run with the configuration that it has now."""
    for seed in seeds:
        for key, row in rows.items():
            if done.get((key, seed)) != row.configuration(seed):
                yield key, row, seed


def best_sigma(task: Task, preconditioner: Preconditioner, images: torch.Tensor) -> float:
    """Return the σ of :data:`SIGMAS` with the highest mean PSNR after 20 iterations."""
    scores = {}
    for sigma in SIGMAS:
        solver = _solver(task, preconditioner, sigma)
        score = psnr_curves(task, solver, images, task.student, 20)[-1].mean().item()
        scores[sigma] = score if math.isfinite(score) else -math.inf
    return max(scores, key=lambda sigma: scores[sigma])


def _solver(task: Task, preconditioner: Preconditioner, sigma: float) -> PreconditionedFISTA:
    return PreconditionedFISTA(
        task.denoiser, preconditioner, stepsize=task.stepsize, sigma=sigma, momentum="none"
    )


@lru_cache
def _baseline(preset: Preset) -> torch.Tensor:
    """PSNR of the tuned solver without P after 20 iterations on the test images; teachers do not change it."""
    task = preset.load()
    images = task.test_images[: preset.counts.study[1]]
    return psnr_curves(task, load_solver(task, "none"), images, task.student, 20)[-1]


def load_study(name: str, folder: str | Path = STUDIES_FOLDER) -> dict[str, Any]:
    """Load what :func:`run_study` has saved.

    Returns
    -------
    dict
        ``"study"``, and ``"runs"``, what each row's ``run`` returned, with its ``"row"`` and ``"seed"``.

    Raises
    ------
    FileNotFoundError
        If nothing has been saved.
    ValueError
        If the book has no such study, or the file is corrupt, of another format or of another study.
    """
    own = Path(folder) != STUDIES_FOLDER
    require(own or name in STUDIES, "name", name, f"one of {tuple(STUDIES)}")
    return _read(name, folder)


def _read(name: str, folder: str | Path) -> dict[str, Any]:
    path = Path(folder) / f"{name}.json"
    return read_results(path, f"python -m ddgp_lib study {name}", format=FORMAT, study=name)


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
        If the name is unknown.
    """
    preset = preset_of(source, "source")
    tables: dict[str, list[dict[str, Any]]] = {}
    for name, rows in studies((preset,)).items():
        if not (Path(folder) / f"{name}.json").is_file():
            continue
        saved = _read(name, folder)["runs"]
        lines = [
            {"row": key, "seeds": len(runs)} | row.summary(runs)
            for key, row in rows.items()
            if (runs := [run for run in saved if run["row"] == key])
        ]
        if lines:
            tables[name] = lines
    return tables
