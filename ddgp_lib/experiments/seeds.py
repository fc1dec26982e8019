"""Trainings of several seeds on the same images, image by image: what gains over other methods are computed from."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from tqdm.auto import tqdm

from ..arguments import require, require_choice
from ..checkpoints import load_checkpoint
from ..evaluation import evaluate
from ..pretrained import Method, load_tuning
from ..scores import best
from ..tables import Column, Table, Value, table
from ..tasks import Preset, Task
from .alternatives import load_alternative, reconstruct
from .statistics import Difference, paired_difference

SEEDS = (0, 1, 2)
"""Seeds of trainings that are looked for."""

COMPARED = (5, 10, 20, 50, 100, 200)
"""Iterations whose images are judged."""

AT = 20
"""The iteration at which methods are compared where nothing else is said."""

MEASURES = ("psnr", "region_psnr")
SIMILARITIES = ("ssim", "region_ssim")
"""What is judged at :data:`AT` alone."""

Run = tuple[str, int]
"""A method and the seed of its training."""

Values = Mapping[str, Mapping[str, list[float | None]] | None]
"""Of one run by measure and iteration the value of each image; None where a camera has no region."""


def compared(preset: Preset) -> dict[str, tuple[int, ...]]:
    """Return what is compared, with the seeds of which there are weights: methods, ablations and alternatives.

    A method without weights of its own has the seed 0, which decides nothing of it.  What has not been trained, or
    not been tuned, is left out; and of what is run where it is asked for, that too whose weights are not there.

    Examples
    --------
    >>> from ddgp_lib.experiments.seeds import compared
    >>> from ddgp_lib.presets import PRESETS
    >>> compared(PRESETS["deblurring"])["none"]
    (0,)
    """
    tuned = load_tuning(preset)
    found: dict[str, tuple[int, ...]]
    found = {name: (0,) for name in preset.methods if name in tuned and name not in preset.distilled}
    found |= {name: _trained(preset, name) for name in preset.distilled if name in tuned}
    for name, kind in preset.requested.items():
        if name in tuned and all(preset.path(read).is_file() for read in kind.reads):
            found[name] = (0,)
    found |= {name: _trained(preset, name) for name in preset.alternatives}
    return {name: seeds for name, seeds in found.items() if seeds}


def _trained(preset: Preset, name: str) -> tuple[int, ...]:
    return tuple(seed for seed in SEEDS if preset.path(name, seed).is_file())


def over_seeds(
    task: Task,
    images: torch.Tensor,
    seed: int = 0,
    *,
    methods: Mapping[str, Sequence[int]] | None = None,
    iterations: Sequence[int] = COMPARED,
    known: Mapping[Run, Values] | None = None,
) -> dict[str, Any]:
    """Judge every method and every seed of its training on the same images with the same noise.

    All seeds of a kind run with the setting that was tuned for the first.

    Parameters
    ----------
    task : Task
        The task.
    images : Tensor, shape (N, C, H, W)
        Held-out images.
    seed : int
        Seed of the measurement noise.
    methods : mapping of str to sequence of int, optional
        Seeds by method; by default what :func:`compared` finds.
    iterations : sequence of int
        Iterations that are judged, in rising order.
    known : mapping, optional
        What :func:`runs_of` took from a result on the same images at the same iterations, with the same noise: it is
        not run again.

    Returns
    -------
    dict
        ``"iterations"``; ``"baselines"``, the methods that learn no preconditioner; and by ``"methods"`` their
        ``"seeds"``, ``"rival"``, whether it is a learned network that is asked once, and PSNR (dB) image by image,
        ``"psnr"`` of the whole image and ``"region_psnr"``, None for a camera without a region: by iteration a list
        for each seed, where a network has its one answer at every iteration.  ``"ssim"`` and ``"region_ssim"`` are
        the same of SSIM, at :data:`AT` alone.  What is trained has the ``"recipe"`` of its first training and the
        ``"cpu_seconds"`` of each, None where a file does not say.

    Raises
    ------
    ValueError
        If a method is unknown, or an argument is outside what is accepted.
    FileNotFoundError
        If weights are missing.
    """
    preset = task.preset
    chosen = compared(preset) if methods is None else methods
    networks = preset.alternatives
    found: dict[str, Any] = {}
    for name, seeds in tqdm(chosen.items(), desc=f"seeds, {task.name}"):
        runs = [
            (known or {}).get((name, number)) or _judged(task, name, number, images, seed, iterations)
            for number in seeds
        ]
        measures = {measure: _by_iteration(runs, measure) for measure in (*MEASURES, *SIMILARITIES)}
        found[name] = {"seeds": list(seeds), "rival": name in networks, **measures}
        if name in {**preset.distilled, **networks}:
            found[name] |= _training(preset, name, seeds)
    return {
        "n_images": len(images),
        "iterations": list(iterations),
        "baselines": [name for name in preset.baselines if name in found],
        "methods": found,
    }


def runs_of(result: Mapping[str, Any]) -> dict[Run, Values]:
    """Return what a result of :func:`over_seeds` says of each training, by its method and seed.

    Examples
    --------
    >>> from ddgp_lib.experiments import load_benchmark
    >>> from ddgp_lib.experiments.seeds import runs_of
    >>> run = runs_of(load_benchmark("single_pixel")["seeds"])["none", 0]
    >>> len(run["psnr"]["20"]), run["region_psnr"] is None
    (200, True)
    """
    return {
        (name, number): {
            measure: found[measure] and {k: rows[index] for k, rows in found[measure].items()}
            for measure in (*MEASURES, *SIMILARITIES)
        }
        for name, found in result["methods"].items()
        for index, number in enumerate(found["seeds"])
    }


def _by_iteration(runs: Sequence[Values], measure: str) -> dict[str, list[list[float | None]]] | None:
    """Return a measure by iteration as a list for each run; None where it was not measured."""
    rows = [found for run in runs if (found := run[measure]) is not None]
    return {k: [row[k] for row in rows] for k in rows[0]} if rows else None


def _judged(
    task: Task, name: str, number: int, images: torch.Tensor, seed: int, iterations: Sequence[int]
) -> Values:
    """Run one training of a method: its measures image by image, to three digits, or to five where it is SSIM."""
    judge = _network if name in task.preset.alternatives else _iterated
    run = judge(task, name, number, images, seed, iterations)
    return {
        measure: {
            str(k): _rounded(values[index], 5 if measure in SIMILARITIES else 3)
            for index, k in enumerate(iterations)
            if k == AT or measure not in SIMILARITIES
        }
        if task.region_name or not measure.startswith("region")
        else None
        for measure, values in run.items()
    }


def _training(preset: Preset, name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Say by which recipe a method was trained, and how long each time: what its files tell."""
    told = [load_checkpoint(preset.path(name, number), kind=name)[1] for number in seeds]
    seconds = [description.get("metrics", {}).get("cpu_seconds") for description in told]
    return {"recipe": told[0]["recipe"], "cpu_seconds": seconds}


def _iterated(
    task: Task, name: str, number: int, images: torch.Tensor, seed: int, iterations: Sequence[int]
) -> dict[str, torch.Tensor]:
    method = Method(task, name, seed=number)
    solver, last = method.tuned_solver(), iterations[-1]
    trace = evaluate(task, solver, images=images, physics=method.physics, max_iter=last, seed=seed)
    rows = [k - 1 for k in iterations]
    return {measure: getattr(trace, measure)[rows] for measure in (*MEASURES, *SIMILARITIES)}


def _network(
    task: Task, name: str, number: int, images: torch.Tensor, seed: int, iterations: Sequence[int]
) -> dict[str, torch.Tensor]:
    model = load_alternative(task, name, seed=number)
    with torch.no_grad():
        x = reconstruct(task, name, model, task.measure(images, seed))
    region = task.region(images)
    each = {
        "psnr": task.psnr(x, images),
        "region_psnr": task.psnr(x, images, within=region),
        "ssim": task.ssim(x, images),
        "region_ssim": task.ssim(x, images, within=region),
    }
    return {measure: values.expand(len(iterations), -1) for measure, values in each.items()}


def _rounded(values: torch.Tensor, digits: int) -> list[float | None]:
    """Return values (N,) to some digits; None where one is not finite."""
    return [round(value, digits) if math.isfinite(value) else None for value in values.tolist()]


def values_of(
    result: Mapping[str, Any], name: str, k: int = AT, *, region: bool = False, measure: str = "psnr"
) -> torch.Tensor:
    """Return what :func:`over_seeds` measured of a method at an iteration (S, N), by seed and image.

    Parameters
    ----------
    result : mapping
        What :func:`over_seeds` returned.
    name : str
        The method.
    k : int
        One of its iterations.
    region : bool
        Whether the pixels of the region alone count.
    measure : str
        ``"psnr"`` (dB), or ``"ssim"``, which is measured at :data:`AT` alone.

    Raises
    ------
    ValueError
        If there is no such method, measure or iteration, or the camera has no region.
    """
    require(name in result["methods"], "name", name, f"one of {tuple(result['methods'])}")
    require_choice("measure", measure, ("psnr", "ssim"))
    values = result["methods"][name][f"region_{measure}" if region else measure]
    require(values is not None, "region", region, "False for a camera without a region")
    require(str(k) in values, "k", k, f"one of {tuple(int(known) for known in values)}")
    rows = [[float("nan") if value is None else value for value in row] for row in values[str(k)]]
    return torch.tensor(rows)


def best_of(result: Mapping[str, Any], names: Iterable[str], k: int = AT, *, region: bool = False) -> str:
    """Return the method of several with the highest mean over seeds and images at an iteration.

    Raises
    ------
    ValueError
        If none is there, or none has a finite mean.
    """
    means = {name: float(values_of(result, name, k, region=region).mean()) for name in names}
    return best(means, "names")


def rivals_of(result: Mapping[str, Any]) -> list[str]:
    """Return the learned networks that are asked once, of :func:`over_seeds`."""
    return [name for name, found in result["methods"].items() if found["rival"]]


def gain(
    result: Mapping[str, Any],
    name: str,
    reference: str,
    k: int | None = AT,
    *,
    region: bool = False,
) -> Difference:
    """Compare two methods of :func:`over_seeds` image by image, with errors over images and seeds.

    Trainings of two methods with different numbers of seeds are paired by those that both have.  A method that is not
    trained has no seeds of its own, and is paired with all; so is one that was trained once, which the result says.

    Parameters
    ----------
    result : mapping
        What :func:`over_seeds` returned.
    name, reference : str
        The methods; the gain is that of the first over the second.
    k : int or None
        The iteration of both; None takes each method's own best on these images.
    region : bool
        Whether the pixels of the region alone count.

    Raises
    ------
    ValueError
        If there is no such method or iteration, or the camera has no region.
    """
    first, second = (_seen(result, method, k, region) for method in (name, reference))
    shared = min(len(first), len(second))
    if shared > 1:
        first, second = first[:shared], second[:shared]
    once = any(_trained_once(result["methods"][method]) for method in (name, reference))
    return replace(paired_difference(first, second), trained_once=once)


def _trained_once(found: Mapping[str, Any]) -> bool:
    return "recipe" in found and len(found["seeds"]) == 1


def _seen(result: Mapping[str, Any], name: str, k: int | None, region: bool) -> torch.Tensor:
    if k is None:
        means = {k: float(values_of(result, name, k, region=region).mean()) for k in result["iterations"]}
        k = best(means, "iterations")
    return values_of(result, name, k, region=region)


def show_seeds(result: Mapping[str, Any], *, region: bool = False) -> Table:
    """Write a method on each line: mean PSNR by iteration, gain over the best that learns nothing, and worst image.

    Parameters
    ----------
    result : mapping
        What :func:`over_seeds` returned.
    region : bool
        Whether the pixels of the region alone count.
    """
    reference = best_of(result, result["baselines"], region=region)
    shown = result["iterations"]
    lines = [
        f"mean PSNR (dB) over {result['n_images']} images, by iteration; gain at {AT} over {reference}, "
        "its 95 % interval, and the worst image",
        f"{'':28s}{'seeds':>5s}" + "".join(f"{k:8d}" for k in shown) + f"{'gain':>16s}{'worst':>8s}",
    ]
    rows: dict[str, list[Value]] = {}
    for name, found in result["methods"].items():
        means = [float(values_of(result, name, k, region=region).mean()) for k in shown]
        numbers = "".join(f"{mean:8.2f}" for mean in means)
        told = ""
        rows[name] = [len(found["seeds"]), *means, None, None]
        if name != reference:
            difference = gain(result, name, reference, region=region)
            told = f"{f'{difference.mean:+.2f} ± {difference.interval:.2f}':>16s}{difference.worst:+8.2f}"
            rows[name][-2:] = [(difference.mean, difference.interval), difference.worst]
        lines.append(f"{name:28s}{len(found['seeds']):5d}{numbers}{told}")
    columns = [
        Column("seeds"),
        *(Column(str(k), best="high") for k in shown),
        Column("gain", "dB", best="high", signed=True),
        Column("worst", "dB", best="high", signed=True),
    ]
    return table(f"{lines[0]}.", columns, rows, corner="method", text="\n".join(lines))
