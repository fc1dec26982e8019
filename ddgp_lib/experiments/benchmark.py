"""Measurements that the results page shows: side by side, long runs, and conditions that no training saw.

They take minutes to hours, so their results ship with the library, as JSON: :func:`benchmark` measures,
:func:`save_benchmark` writes, :func:`load_benchmark` reads.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from deepinv.physics import LinearPhysics
from tqdm.auto import tqdm

from ..arguments import require, require_images, require_instance, require_integer
from ..digests import digests
from ..evaluation import evaluate, psnr_and_rejected
from ..files import locked, read_results, write_results
from ..fingerprint import Fingerprint, alike, fingerprint
from ..operators import measure, squared_norm
from ..outputs import RESULTS, prepare
from ..presets import PRESETS
from ..pretrained import Method, load_tuning
from ..scores import best, scored
from ..solvers import PreconditionedSolver
from ..tasks import Preset, Task, of_seed
from .alternatives import load_alternative, reconstruct, trained_networks
from .growth import growth
from .provenance import provenance
from .seeds import Run, Values, compared, over_seeds, runs_of
from .statistics import as_number, as_numbers, best_beside_at, mean_and_error

FORMAT = "ddgp-benchmark-2"
BENCHMARKS_FOLDER = Path(__file__).with_name("benchmarks")
ITERATIONS = (1, 2, 5, 10, 20, 50, 100, 200)
LONG_ITERATIONS = (20, 50, 100, 200, 500, 1000)
LONG_BATCH = 8
"""Images that go through 1,000 iterations together: few fit the processor's caches, and run a fifth faster."""
MEASURES = ("psnr", "ssim", "residual", "range_error", "null_error", "region_psnr", "region_ssim")
SAFEGUARDED = ("distilled", "distilled_gradient_only")
ROUNDS, TIMED_IMAGES, TIMED_ITERATIONS = 5, 8, 20
"""What is timed: so many rounds of so many iterations on so many images."""


def load_benchmark(task_name: str, folder: str | Path = BENCHMARKS_FOLDER) -> dict[str, Any]:
    """Load what :func:`benchmark` has measured of a task.

    Parameters
    ----------
    task_name : str
        The task.
    folder : str or Path
        Where to look; by default the results that ship with the library.

    Returns
    -------
    dict
        See :func:`benchmark`.

    Raises
    ------
    FileNotFoundError
        If the task has not been measured.
    ValueError
        If the task is unknown, or the file is corrupt, of another format or of another task.
    """
    require_instance("folder", folder, str | Path, "the path of a folder")
    own = Path(folder) == BENCHMARKS_FOLDER
    require(task_name in PRESETS or not own, "task_name", task_name, f"one of {tuple(PRESETS)}")
    _require_name("task_name", task_name)
    path = Path(folder) / f"{task_name}.json"
    return read_results(path, f"python -m ddgp_lib benchmark {task_name}", format=FORMAT, task=task_name)


def _require_name(argument: str, name: Any) -> None:
    require(
        isinstance(name, str) and name.isidentifier(),
        argument,
        name,
        "the name of a task: letters, digits and underscores",
    )


def save_benchmark(result: dict[str, Any], folder: str | Path = RESULTS) -> Path:
    """Write what :func:`benchmark` returned to the file that :func:`load_benchmark` reads; return its path."""
    require_instance("result", result, dict, "what benchmark() returned")
    require_instance("folder", folder, str | Path, "the path of a folder")
    _require_name("result['task']", result.get("task"))
    path = Path(folder) / f"{result['task']}.json"
    write_results(path, result)
    return path


def side_by_side(
    task: Task,
    images: torch.Tensor,
    seed: int = 0,
    iterations: Sequence[int] = ITERATIONS,
    kinds: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Run methods on the same images for 200 iterations.

    Parameters
    ----------
    task : Task
        The task.
    images : Tensor, shape (N, C, H, W)
        Held-out images.
    seed : int
        Seed of the measurement noise.
    iterations : sequence of int
        Iterations that are reported, in rising order, 20 or more at the end.
    kinds : sequence of str, optional
        Methods, the baseline first, of which a gain is over it; by default the ``kinds`` of the preset.

    Returns
    -------
    dict
        By method: means over the images and their standard errors of :data:`MEASURES` at ``iterations``, on the
        method's own operator; the paired gain over ``"none"`` at 20 iterations, over ``"newton"`` too where that is
        one of the methods, and the fraction of images on which the first is positive; the lowest gain of an image
        (``"worst_gain_20"``), the gain within the region, and that of the method's best iteration over the best of
        ``"none"``, each its own best on these images; PSNR image by image at 20, for a comparison with another
        benchmark; and the first iteration whose mean PSNR reaches the best of ``"none"``, None where none does.
        Where ``kinds`` says so, the first of them is in the place of ``"none"``.
    """
    methods: dict[str, Any] = {}
    baseline: torch.Tensor | None = None
    region: torch.Tensor | None = None
    newton: torch.Tensor | None = None
    for kind in tqdm(task.preset.kinds if kinds is None else kinds, desc=f"side by side, {task.name}"):
        method = Method(task, kind)
        trace = evaluate(
            task,
            method.tuned_solver(),
            images=images,
            physics=method.physics,
            max_iter=iterations[-1],
            seed=seed,
        )
        baseline = trace.psnr if baseline is None else baseline
        region = trace.region_psnr[19] if region is None else region
        newton = trace.psnr[19] if kind == "newton" else newton
        curve, best = scored(trace.psnr.mean(dim=1)), scored(baseline.mean(dim=1)).max()
        reached = ((curve >= best) & torch.isfinite(best)).nonzero()
        first = int(reached[0]) + 1 if len(reached) else None
        gain = trace.psnr[19] - baseline[19]
        methods[kind] = {
            "setting": asdict(method.setting),
            **{
                name: {str(k): mean_and_error(getattr(trace, name)[k - 1]) for k in iterations}
                for name in MEASURES
            },
            "best_psnr": as_number(curve.max()),
            "best_iteration": int(curve.argmax()) + 1 if torch.isfinite(curve).any() else None,
            "gain_20": mean_and_error(gain),
            "better_20": as_number((gain > 0).float().mean()),
            "worst_gain_20": as_number(gain.min()),
            "region_gain_20": mean_and_error(trace.region_psnr[19] - region),
            "best_gain": _best_gain(trace.psnr, baseline),
            "images_20": {
                "psnr": as_numbers(trace.psnr[19]),
                "region_psnr": as_numbers(trace.region_psnr[19]),
            },
            **(
                {"gain_20_over_newton": mean_and_error(trace.psnr[19] - newton)} if newton is not None else {}
            ),
            "iterations_to_baselines_best": first,
        }
    return {"n_images": len(images), "methods": methods}


def _best_gain(curves: torch.Tensor, baseline: torch.Tensor) -> list[float | None]:
    """Return the mean gain of a method's best iteration over the baseline's best, and its standard error."""
    found = best_beside_at(curves, baseline)["best"]
    return [as_number(torch.tensor(value)) for value in (found.mean, found.error)]


def long_runs(
    task: Task, images: torch.Tensor, seed: int = 0, iterations: Sequence[int] = LONG_ITERATIONS
) -> dict[str, Any]:
    """Run the shipped preconditioners far past their training horizon, with and without the safeguard.

    A run with the safeguard that rejects no image is the run without it, which is then not repeated.

    Returns
    -------
    dict
        By method, with ``"+ safeguard"`` added to its name where it was on: mean PSNR at ``iterations``,
        its standard error over the images, which is None for one image,
        the lowest PSNR of an image at the end, whether all values were finite, and how many images were rejected,
        which is None without a safeguard.
    """
    max_iter = iterations[-1]
    methods: dict[str, Any] = {}

    def run(kind: str, guarded: bool) -> dict[str, Any]:
        method = Method(task, kind)
        solver = method.tuned_solver(safeguard=guarded)
        curves, rejected = psnr_and_rejected(task, solver, images, method.physics, max_iter, seed, LONG_BATCH)
        return {
            "psnr": {str(k): as_number(curves[k - 1].mean()) for k in iterations},
            "psnr_error": {str(k): mean_and_error(curves[k - 1])[1] for k in iterations},
            "lowest": as_number(curves[-1].min()),
            "finite": bool(torch.isfinite(curves).all()),
            "rejected": rejected,
        }

    safeguarded = _safeguarded(task.preset)
    for kind in tqdm(_run_long(task.preset), desc=f"long runs, {task.name}"):
        if kind not in safeguarded:
            methods[kind] = run(kind, guarded=False)
            continue
        guarded = run(kind, guarded=True)
        methods[kind] = run(kind, guarded=False) if guarded["rejected"] else guarded | {"rejected": None}
        methods[kind + " + safeguard"] = guarded
    return {"n_images": len(images), "iterations": max_iter, "methods": methods}


def conditions(task: Task, images: torch.Tensor) -> dict[str, tuple[LinearPhysics, torch.Tensor]]:
    """Operators and images on which a task's preconditioner was not trained, by name; the first is home.

    What they are is said by the preset's ``conditions`` and ``other_images``.
    """
    found = {"as trained": (task.student, images)}
    for name, options in task.preset.conditions.items():
        found[name] = (task.preset.load(**options).student, images)
    for name, others in task.preset.other_images(task, len(images)).items():
        found[name] = (task.student, others)
    return found


def generalisation(task: Task, images: torch.Tensor, iterations: int = 20, seed: int = 0) -> dict[str, Any]:
    """PSNR (dB) under conditions that no training saw, nothing tuned again, with and without P and the safeguard.

    The step is 1/‖A‖² of the operator at hand, for every solver; the alternatives are run as they were trained.

    Returns
    -------
    dict
        The number of ``"iterations"``, and ``"rows"``, one for each condition: by method the mean PSNR and its
        standard error, and the same of the paired ``"gain"`` over ``"none"``; ``"best_baseline"``, the method that
        learns no preconditioner with the highest mean in this condition, and ``"gain_over_best"``, the paired gains
        over it; ``"rejected"`` is the number of images that the safeguard took P from.
    """
    models = {name: load_alternative(task, name) for name in trained_networks(task.preset)}
    rows = []
    for name, (physics, truth) in tqdm(conditions(task, images).items(), desc=f"conditions, {task.name}"):
        runs, rejected = {}, None
        for label, kind, guarded in _run_in_conditions(task.preset):
            solver = _solver_for(physics, Method(task, kind), guarded)
            curves, rejected = psnr_and_rejected(task, solver, truth, physics, iterations, seed)
            runs[label] = curves[-1]
        y = measure(physics, truth, seed)
        for label, model in models.items():
            with torch.no_grad():
                runs[label] = task.psnr(reconstruct(task, label, model, y, physics), truth)
        strongest = best({kind: runs[kind].mean() for kind in task.preset.baselines}, "baselines")
        rows.append(
            {
                "condition": name,
                "n_images": len(truth),
                "psnr": {label: mean_and_error(run) for label, run in runs.items()},
                "gain": _gains(runs, "none"),
                "best_baseline": strongest,
                "gain_over_best": _gains(runs, strongest),
                "rejected": rejected,
            }
        )
    return {"iterations": iterations, "rows": rows}


def _run_in_conditions(preset: Preset) -> list[tuple[str, str, bool]]:
    """Return what iterates under other conditions: labels, methods, and whether they are safeguarded."""
    distilled = [kind for kind in ("distilled", "distilled_fast") if kind in preset.recipes]
    plain = [(kind, kind, False) for kind in (*preset.baselines, *distilled)]
    return [*plain, *((f"{kind} + safeguard", kind, True) for kind in distilled[:1])]


def _gains(runs: Mapping[str, torch.Tensor], reference: str) -> dict[str, list[float | None]]:
    """Return the mean and the standard error of the paired gain of each other method over one."""
    others = {label: run - runs[reference] for label, run in runs.items() if label != reference}
    return {label: mean_and_error(gain) for label, gain in others.items()}


def _run_long(preset: Preset) -> list[str]:
    """Return what is run for 1,000 iterations: what is not trained, what is safeguarded, and trained ablations."""
    known = compared(preset)
    return [*preset.classical, *_safeguarded(preset), *(name for name in preset.ablations if name in known)]


def _safeguarded(preset: Preset) -> list[str]:
    return [kind for kind in SAFEGUARDED if kind in preset.recipes]


def _solver_for(physics: LinearPhysics, method: Method, safeguard: bool) -> PreconditionedSolver:
    """Build a method's tuned solver with the step that suits an operator."""
    method.stepsize = 1 / squared_norm(physics, method.task.img_size)
    return method.tuned_solver(**({"safeguard": True} if safeguard else {}))


def timing(
    task: Task,
    images: torch.Tensor,
    seed: int = 0,
    rounds: int = ROUNDS,
    kinds: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Time the methods side by side, in rounds in which each takes its turn.

    What is taken is the processor's time and not the clock's, and of it the least of the rounds: other work on the
    machine then matters little.  By default it is that of the preset's ``methods``, and of the alternatives.

    Returns
    -------
    dict
        ``"milliseconds"`` of processor time for an image, by method: of one iteration, and for the alternatives of
        the whole reconstruction.  ``"whole"``, by method: of a reconstruction, which is 20 iterations, or as many
        as the method takes where it stops before, and what an alternative does when it is asked once.
    """
    images, counts = images[:TIMED_IMAGES], {}
    runs: dict[str, Callable[[], Any]] = {}
    for kind in task.preset.methods if kinds is None else kinds:
        method = Method(task, kind)
        solver, y = method.tuned_solver(max_iter=TIMED_ITERATIONS), measure(method.physics, images, seed)
        runs[kind] = partial(_iterate, solver, y, method.physics)
        counts[kind] = solver.max_iter
    y = measure(task.student, images, seed)
    for name in trained_networks(task.preset):
        runs[name] = partial(reconstruct, task, name, load_alternative(task, name), y)
        counts[name] = 1
    least = dict.fromkeys(runs, math.inf)
    for _ in range(rounds):
        for name, run in runs.items():
            started = time.process_time()
            with torch.no_grad():
                run()
            least[name] = min(least[name], time.process_time() - started)
    whole = {name: 1000 * seconds / len(images) for name, seconds in least.items()}
    return {
        "n_images": len(images),
        "milliseconds": {name: _three_digits(spent / counts[name]) for name, spent in whole.items()},
        "whole": {name: _three_digits(spent) for name, spent in whole.items()},
    }


def _three_digits(value: float) -> float:
    return float(f"{value:.3g}")


def _iterate(solver: PreconditionedSolver, y: torch.Tensor, physics: LinearPhysics) -> None:
    for _ in solver.iterates(y, physics):
        pass


Part = Callable[[Task, torch.Tensor, int], dict[str, Any]]

PARTS: Mapping[str, Part] = {
    "side_by_side": side_by_side,
    "seeds": over_seeds,
    "timing": timing,
    "generalisation": lambda task, images, seed: generalisation(task, images[:50], seed=seed),
    "long_runs": long_runs,
}
"""What is measured of a task, in this order."""

ON_REQUEST: Mapping[str, Part] = {
    "growth": lambda task, images, seed: growth(task, seed=seed),
}
"""What is measured where it is asked for by name."""


def benchmark(
    task: Task,
    images: torch.Tensor,
    long_images: torch.Tensor,
    seed: int = 0,
    folder: str | Path = RESULTS,
    parts: Mapping[str, Part] = PARTS,
) -> dict[str, Any]:
    """Measure all that the results page shows of a task, part by part, and write the file anew after each.

    A part that has been measured on as many images with the same seed, weights and settings is not measured again;
    nor is, in ``"seeds"``, a training whose weights and settings are what they were.

    Parameters
    ----------
    task : Task
        The task.
    images, long_images : Tensor, shape (N, C, H, W)
        Held-out images for the tables, two or more, and for the runs of 1,000 iterations.
    seed : int
        Seed of the measurement noise.
    folder : str or Path
        Where the results are read and written; made if it is missing, and tried before any work.
    parts : mapping of str to callable
        What is measured: some of :data:`PARTS` and :data:`ON_REQUEST`, or parts of your own.

    Returns
    -------
    dict
        By the names of the parts what :func:`side_by_side`, :func:`~ddgp_lib.experiments.seeds.over_seeds`,
        :func:`timing`, :func:`generalisation` (on at most 50 images), :func:`long_runs` and
        :func:`~ddgp_lib.experiments.growth.growth` return; each with its ``"conditions"``,
        what it depends on, with its ``"seconds"``, and with what
        :func:`~ddgp_lib.experiments.provenance.provenance` says of the machine, the versions and the commit.

    Raises
    ------
    ValueError
        If there are fewer than two images, or the folder cannot be written to.
    """
    require(isinstance(task, Task), "task", task, "a Task")
    require_images("images", images)
    require_images("long_images", long_images)
    require_integer("seed", seed, lowest=0, highest=2**63 - 1)
    require(len(images) >= 2, "len(images)", len(images), "at least 2, for a standard error")
    prepare("folder", Path(folder), f"{task.name}.json")
    made_for = fingerprint(task)
    for name, part in parts.items():
        chosen = long_images if name == "long_runs" else images
        conditions = {"seed": seed, "images": len(chosen), **dependencies(task.preset, name)}
        if _is_measured(_saved(task.name, folder), name, conditions, made_for):
            continue
        started = time.perf_counter()
        if part is over_seeds:
            part = partial(over_seeds, known=_still_valid(task, folder, conditions, made_for))
        measured = {
            "conditions": conditions,
            "fingerprint": made_for,
            **part(task, chosen, seed),
            "seconds": round(time.perf_counter() - started),
            **provenance(),
        }
        _keep(task.name, folder, name, measured)
    return _saved(task.name, folder)


def _saved(task_name: str, folder: str | Path) -> dict[str, Any]:
    """Return what has been measured of a task, without parts where that is nothing."""
    if (Path(folder) / f"{task_name}.json").is_file():
        return load_benchmark(task_name, folder)
    return {"format": FORMAT, "task": task_name}


def _is_measured(
    result: dict[str, Any], part: str, conditions: dict[str, Any], made_for: Fingerprint
) -> bool:
    """Say whether a part was measured in these conditions, and of this task where that was noted."""
    kept = result.get(part, {})
    return kept.get("conditions") == conditions and alike(kept.get("fingerprint"), made_for)


def _still_valid(
    task: Task, folder: str | Path, conditions: Mapping[str, Any], made_for: Fingerprint
) -> dict[Run, Values]:
    """Return the runs over seeds that were kept and depend on nothing that is not what it was."""
    kept = _saved(task.name, folder).get("seeds", {})
    before = kept.get("conditions", {})
    alike_otherwise = all(before.get(key) == conditions[key] for key in ("seed", "images"))
    if not (alike_otherwise and alike(kept.get("fingerprint"), made_for)):
        return {}

    def same(name: str, number: int) -> bool:
        weights = digests(task.preset, [of_seed(name, number)])
        settings = [found["settings"].get(name) for found in (before, conditions)]
        return weights.items() <= before["weights"].items() and settings[0] == settings[1]

    return {run: values for run, values in runs_of(kept).items() if same(*run)}


def _keep(task_name: str, folder: str | Path, part: str, measured: dict[str, Any]) -> None:
    """Add a part to what has been saved by now; of two that were measured alike, the first stays."""
    with locked(Path(folder) / f"{task_name}.json"):
        result = _saved(task_name, folder)
        if not _is_measured(result, part, measured["conditions"], measured["fingerprint"]):
            save_benchmark(result | {part: measured}, folder)


def dependencies(preset: Preset, part: str) -> dict[str, Any]:
    """Collect what a part depends on: digests of weights by file name, and the settings of its methods."""
    tuning = load_tuning(preset)
    if part == "seeds":
        trained = compared(preset)
        weights = digests(preset, [of_seed(name, seed) for name, seeds in trained.items() for seed in seeds])
        return {"weights": weights, "settings": {n: tuning[n]["setting"] for n in trained if n in tuning}}
    kinds: Sequence[str] = preset.kinds
    if part == "long_runs":
        kinds = _run_long(preset)
    elif part == "timing":
        kinds = preset.methods
    elif part == "generalisation":
        kinds = list(dict.fromkeys(kind for _, kind, _ in _run_in_conditions(preset)))
    elif part != "side_by_side":
        kinds = [*preset.classical, "distilled"]
    rivals = trained_networks(preset) if part in ("timing", "generalisation") else ()
    weights = digests(preset, [*kinds, *rivals])
    return {"weights": weights, "settings": {kind: tuning[kind]["setting"] for kind in kinds}}
