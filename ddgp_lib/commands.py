"""What each command of ``python -m ddgp_lib`` does, and how its result is shown; the parser is ``__main__.py``."""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from tqdm.auto import tqdm

from .arguments import require, require_choice, require_integer
from .data.measured import MEASURED, data_folder
from .data.measured.folder import fetch, listing
from .denoisers import denoising_psnr, jacobian_norms, save_denoiser, train_denoiser
from .distillation import Distillation, distill
from .experiments.alternatives import (
    load_alternative,
    reconstruct,
    run_alternative,
    save_alternative,
    trained_networks,
)
from .experiments.benchmark import BENCHMARKS_FOLDER, ON_REQUEST, PARTS, benchmark
from .experiments.measured import EXPERIMENTS, run_measured
from .experiments.methods import run_methods
from .experiments.regressions import compare_benchmarks
from .experiments.statistics import without_nan
from .experiments.study import STUDIES_FOLDER, compare, run_study, studies
from .experiments.tuning import EARLY, saved_tuning, tune, tuning_conditions, validation_psnr
from .exporting import export_task
from .linear import LinearDistillation, distill_linear
from .outputs import WEIGHTS_SIZE, announce, prepare, prepare_weights, results_folder
from .presets import PRESETS
from .presets.chosen import load_chosen, nearest, require_options
from .pretrained import Method, save_preconditioner, save_tuning, tuning_path
from .recipes import AlternativeRecipe, DistillationRecipe, LinearRecipe
from .recipes.alternatives import REPLACED, require_alternative
from .tasks import Preset, Task, of_seed
from .training import Processes, is_torchrun, launch

R = TypeVar("R", DistillationRecipe, LinearRecipe, DistillationRecipe | LinearRecipe, AlternativeRecipe)


def list_tasks(arguments: argparse.Namespace) -> dict[str, Any]:
    """Describe each of the book's cameras in a line."""
    return {name: (preset.make.__doc__ or "").splitlines()[0] for name, preset in PRESETS.items()}


def show_tasks(result: dict[str, Any]) -> str:
    """Write a camera on each line."""
    return "\n".join(f"{name:18s} {text}" for name, text in result.items())


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """List the measured data sets, or fetch those that are named and list them."""
    names = arguments.names
    for name in names:
        require(name in MEASURED, "NAME", name, f"one of {tuple(MEASURED)}{nearest(name, MEASURED)}")
    if arguments.action == "list":
        require(not names, "NAME", names, "nothing; `data fetch NAME` fetches")
        return listing(MEASURED)
    require(bool(names), "NAME", names, f"one or more of {tuple(MEASURED)}")
    for name in names:
        fetch(MEASURED[name], data_folder())
    return listing({name: MEASURED[name] for name in names})


def show_measured(result: dict[str, Any]) -> str:
    """Write a set of measured data on each line, and a file of it that is not the registered one below."""
    lines = [f"folder: {result['folder'] or 'none: set DDGP_DATA, or install pooch'}"]
    for name, found in result["sets"].items():
        size = f"{found['bytes'] / 1e6:.1f} MB"
        lines.append(f"{name:18s}{found['state']:9s}{size:>7s}  {found['licence']:14s}{found['title']}")
        lines += [f"  changed: {file}" for file, state in found["files"].items() if state == "changed"]
    return "\n".join(lines)


def measured_experiment(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run an experiment on measured data."""
    name = arguments.name
    require(name in EXPERIMENTS, "NAME", name, f"one of {tuple(EXPERIMENTS)}{nearest(name, EXPERIMENTS)}")
    marks = None if arguments.iterations is None else tuple(arguments.iterations)
    return run_measured(name, marks, arguments.seed)


def show_lines(result: dict[str, Any]) -> str:
    """Write an entry on each line."""
    return "\n".join(f"{name}: {value}" for name, value in result.items())


def _preset(arguments: argparse.Namespace) -> Preset:
    return load_chosen(arguments.name, arguments.task, arguments.weights)


def denoiser(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train a camera's denoiser, or a further one."""
    preset, kind = _preset(arguments), arguments.kind or "denoiser"
    if preset.images is None or preset.denoiser is None:
        raise ValueError(f"{preset}: expected a preset with `images` and `denoiser`, to train a denoiser")
    require_choice("--kind", kind, preset.all_denoisers)
    file = preset.path(kind).name
    path = prepare_weights(arguments, preset, kind) / file
    _prepare_checkpoints(arguments, file)
    images, recipe = preset.images(), preset.all_denoisers[kind]
    trained = train_denoiser(images, recipe, augment=preset.augment, checkpoint=arguments.checkpoints / file)
    levels = (0.01, 0.02, 0.05, 0.1, 0.2)
    psnr = {str(sigma): denoising_psnr(trained, images.val, sigma) for sigma in levels}
    norms = {str(sigma): float(_largest_jacobian(trained, images.val[:16], sigma)) for sigma in levels}
    metrics = without_nan({"validation_psnr": psnr, "largest_jacobian_norm": norms})
    save_denoiser(path, trained, preset.name, recipe, metrics, images, half=True)
    return {"path": str(path), **metrics}


def _largest_jacobian(denoiser: Any, images: torch.Tensor, sigma: float) -> torch.Tensor:
    """Largest norm over images, 64×64 from the middle of each: the power iteration keeps its whole graph."""
    rows, columns = ((side - min(side, 64)) // 2 for side in images.shape[-2:])
    middle = images[..., rows : rows + 64, columns : columns + 64]
    noise = torch.randn(middle.shape, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return jacobian_norms(denoiser, middle + sigma * noise, sigma, iterations=30).detach().max()


def train(arguments: argparse.Namespace) -> dict[str, Any] | None:
    """Train in this process, or together with those of torchrun, of which the first writes and answers."""
    preset = _preset(arguments)
    recipes = preset.distilled
    kinds = _chosen(preset.recipes if arguments.kind is None else recipes, arguments.kind, "--kind")
    seed = arguments.seed
    whole = arguments.kind is None and seed == 0
    fabric = launch(arguments.device) if is_torchrun() else None
    where: dict[str, Any] = {"device": _device(arguments)} if fabric is None else {"fabric": fabric}
    first = Processes(fabric).first
    if first:
        output = prepare_weights(arguments, preset, *(of_seed(kind, seed) for kind in kinds), tuned=whole)
        _prepare_checkpoints(arguments, *(preset.path(kind, seed).name for kind in kinds))
    task = preset.load()
    result: dict[str, Any] = {}
    for kind in kinds:
        recipe, started = _seeded(recipes[kind], seed), time.perf_counter()
        file = preset.path(kind, seed).name
        distillation: Distillation | LinearDistillation
        if isinstance(recipe, LinearRecipe):
            if not first:
                continue
            distillation = distill_linear(task, recipe)
        else:
            if arguments.steps is not None:
                most = min(arguments.steps, recipe.tuned_steps)
                recipe = replace(recipe, steps=arguments.steps, tuned_steps=most)
            distillation = distill(task, recipe, checkpoint=arguments.checkpoints / file, **where)
        if first:
            metrics: dict[str, Any] = {"training_seconds": round(time.perf_counter() - started)}
            if isinstance(distillation, Distillation):
                metrics["cpu_seconds"] = round(distillation.cpu_seconds, 3)
            psnr = validation_psnr(task, distillation.preconditioner, recipe)
            metrics["validation_psnr"] = without_nan(psnr)
            save_preconditioner(output / file, distillation, task, kind, metrics, half=True)
            result[kind] = metrics
    if not first:
        return None
    if whole:
        trained = replace(task, preset=replace(preset, weights=output))
        result["tuning"] = _tune(trained, output, preset.methods)
    return result


def _device(arguments: argparse.Namespace) -> str:
    """Return the device that is asked for, which must be there."""
    try:
        torch.empty(0, device=arguments.device)
    except (RuntimeError, AssertionError) as error:
        expected = f"a device that this machine has, such as 'cpu' ({error})"
        raise ValueError(f"--device={arguments.device!r}: expected {expected}") from error
    return str(arguments.device)


def _prepare_checkpoints(arguments: argparse.Namespace, *files: str) -> None:
    # Checkpoints can be larger: a training writes the first before its first step.
    prepare("--checkpoints", arguments.checkpoints, *files, size=WEIGHTS_SIZE)


def _chosen(recipes: Mapping[str, Any], name: str | None, option: str) -> tuple[str, ...]:
    """Return the names of what is trained: the one that is asked for, or all."""
    accepted = f"one of {tuple(recipes)}{nearest(name, recipes)}"
    require(name is None or name in recipes, option, name, accepted)
    return tuple(recipes) if name is None else (name,)


def alternatives(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train the networks that a user would pick instead of a preconditioner: one, or all of the preset's."""
    preset, seed = _preset(arguments), arguments.seed
    recipes = preset.alternatives
    names = _chosen(recipes, _not_replaced(arguments.kind), "--name")
    output = prepare_weights(arguments, preset, *(of_seed(name, seed) for name in names))
    _prepare_checkpoints(arguments, *(preset.path(name, seed).name for name in names))
    task = preset.load()
    images = task.val_images[: preset.counts.validation]
    result: dict[str, Any] = {}
    for name in names:
        recipe = replace(_seeded(recipes[name], seed), steps=arguments.steps or recipes[name].steps)
        file = preset.path(name, seed).name
        trained = run_alternative(task, recipe, checkpoint=arguments.checkpoints / file)
        with torch.no_grad():
            x = reconstruct(task, name, trained.model, task.measure(images))
        psnr = task.psnr(x, images).mean().item()
        result[name] = without_nan({"cpu_seconds": round(trained.cpu_seconds, 3), "validation_psnr": psnr})
        save_alternative(output / file, trained.model, task, recipe, result[name])
    return result


def _not_replaced(name: str | None) -> str | None:
    """Return a name, unless it is one of before: that is refused with what has taken its place."""
    if name in REPLACED:
        require_alternative("--name", name)
    return name


def _seeded(recipe: R, seed: int) -> R:
    """Return the recipe of another training: with its seed, where that is not 0."""
    return replace(recipe, seed=seed) if seed else recipe


def tuning(arguments: argparse.Namespace) -> dict[str, Any]:
    """Tune every method of a camera."""
    require_integer("--iterations", arguments.iterations, lowest=EARLY)
    preset = _preset(arguments)
    kinds = _asked(preset, arguments.kinds)
    output = prepare_weights(arguments, preset, tuned=True)
    return _tune(preset.load(), output, kinds, max_iter=arguments.iterations, sigmas=arguments.sigmas)


def _asked(preset: Preset, kinds: Sequence[str] | None) -> tuple[str, ...]:
    """Return the methods that a command is run for: those that are asked for, or the preset's ``methods``."""
    known = preset.loadable
    for kind in kinds or ():
        require(kind in known, "--kind", kind, f"one of {known}{nearest(kind, known)}")
    return tuple(dict.fromkeys(kinds)) if kinds else preset.methods


def _tune(task: Task, output: Path, kinds: tuple[str, ...], **options: Any) -> dict[str, Any]:
    """Tune the kinds that have not been tuned with these options and weights; save each as it is chosen."""
    tuned = saved_tuning(task, output)
    _methods(task, kinds)
    for kind in tqdm(kinds, desc="tune"):
        if tuned.get(kind, {}).get("conditions") != tuning_conditions(task, kind, **options):
            found = tune(task, (kind,), **options)
            save_tuning(task, found, tuning_path(task.name, output))
            tuned |= found
    return {kind: tuned[kind] for kind in kinds}


def _methods(task: Task, kinds: tuple[str, ...]) -> dict[str, Method]:
    """Load methods of a task, so that a missing file is found before the first is run."""
    return {kind: Method(task, kind) for kind in kinds}


def evaluation(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare the tuned methods of a camera on test images."""
    preset = _preset(arguments)
    kinds = _asked(preset, arguments.kinds)
    task = preset.load()
    images = _test_images(task, arguments.images)
    networks = () if arguments.kinds else trained_networks(preset)
    return run_methods(
        task, images, kinds, networks, max_iter=arguments.iterations, seed=arguments.seed, progress=True
    )


def _test_images(task: Task, count: int | None, option: str = "--images", lowest: int = 1) -> torch.Tensor:
    count = min(task.preset.counts.evaluation, len(task.test_images)) if count is None else count
    highest = len(task.test_images)
    require_integer(option, count)
    require(lowest <= count <= highest, option, count, f"{lowest} to {highest}")
    return task.test_images[:count]


def benchmarking(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure what the results page shows of a camera."""
    preset = _preset(arguments)
    if "generalisation" in arguments.parts:
        require_options(preset, preset.conditions.values())
    task = preset.load()
    images = _test_images(task, arguments.images, lowest=2)  # of one there is no standard error
    long = min(200, len(task.test_images)) if arguments.long is None else arguments.long
    long_images = _test_images(task, long, "--long")
    output = _prepare_results(arguments, preset, BENCHMARKS_FOLDER, task.name)
    beyond = {"timing", "generalisation"} & set(arguments.parts)
    _methods(task, preset.methods if beyond else preset.kinds)
    if {"seeds", "timing", "generalisation"} & set(arguments.parts):
        for name in trained_networks(preset):
            load_alternative(task, name)
    parts = {name: part for name, part in {**PARTS, **ON_REQUEST}.items() if name in arguments.parts}
    result = benchmark(task, images, long_images, arguments.seed, output, parts)
    seconds = {name: result[name]["seconds"] for name in parts}
    return {"path": str(output / f"{task.name}.json"), "seconds": seconds}


def export(arguments: argparse.Namespace) -> dict[str, Any]:
    """Write a camera's denoiser and the network of a preconditioner as ONNX models."""
    preset = _preset(arguments)
    names = (
        f"{preset.name}-denoiser.onnx",
        f"{preset.name}-{arguments.kind}.onnx",
        f"{preset.name}-export.json",
    )
    folder = prepare("--output", arguments.output, *names, size=WEIGHTS_SIZE)
    announce(folder)
    card = export_task(preset, folder, arguments.kind)
    return {name: str(folder / model["file"]) for name, model in card["models"].items()}


def benchmark_comparison(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare two benchmarks of one camera."""
    return compare_benchmarks(arguments.old, arguments.new)


def regressed(result: dict[str, Any]) -> int:
    """Return the exit status of a comparison of benchmarks: 1 where something is worse."""
    return int(result["regressions"] > 0)


def show_benchmark_comparison(result: dict[str, Any]) -> str:
    """Write each change that is better or worse on a line, then how many there are of each verdict."""
    lines = []
    for change in result["changes"]:
        if change["verdict"] in ("better", "worse"):
            name = f"{change['part']}: {change['row']}, {change['measure']}"
            lines.append(f"{change['verdict']:7s}{name:60s}{_written(change)}")
    lines += [f"missing {name}" for name in result["missing"]]
    verdicts = [change["verdict"] for change in result["changes"]]
    counts = (f"{verdicts.count(name)} {name}" for name in ("worse", "better", "same", "not comparable"))
    return "\n".join([*lines, f"{result['task']}: {', '.join(counts)}; {len(result['missing'])} missing"])


def _written(change: dict[str, Any]) -> str:
    """Write the two values of a change and what is between them."""
    values = " → ".join(_number(change[name], ".4g", 1) for name in ("old", "new"))
    if change["difference"] is None:
        return values
    if change["measure"].startswith("milliseconds"):
        return f"{values}, × {change['difference']:.2f}"
    return f"{values}, {change['difference']:+.3f} ± {change['error']:.3f}{' paired' if change['paired'] else ''}"


def _prepare_results(arguments: argparse.Namespace, preset: Preset | None, books: Path, name: str) -> Path:
    folder = prepare("--output", results_folder(arguments, preset, books), f"{name}.json")
    announce(folder)
    return folder


def study(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the rows of a study that are missing."""
    own = arguments.task is not None
    require(own or arguments.weights is None, "--weights", arguments.weights, "nothing without --task")
    presets = (load_chosen(None, arguments.task, arguments.weights),) if own else tuple(PRESETS.values())
    _require_rows(arguments, presets)
    output = _prepare_results(arguments, presets[0] if own else None, STUDIES_FOLDER, arguments.name)
    options = {"seeds": tuple(arguments.seeds), "only": arguments.only, "presets": presets}
    result = run_study(arguments.name, output, **options)
    return {"path": str(output / f"{arguments.name}.json"), "runs": len(result["runs"])}


def _require_rows(arguments: argparse.Namespace, presets: tuple[Preset, ...]) -> None:
    """Refuse a study without rows of that name, or with rows whose camera does not take their options."""
    known = studies(presets)
    accepted = f"one of {tuple(known)}{nearest(arguments.name, known)}"
    require(arguments.name in known, "STUDY", arguments.name, accepted)
    found = [key.startswith(arguments.only) for key in known[arguments.name]]
    require(any(found), "--only", arguments.only, f"the beginning of one of {tuple(known[arguments.name])}")
    for preset in presets:
        require_options(preset, [row.options for row in preset.studies.get(arguments.name, {}).values()])


def comparison(arguments: argparse.Namespace) -> dict[str, Any]:
    """Summarise the studies that were saved."""
    preset, folder = _preset(arguments), arguments.output
    require(folder is None or folder.is_dir(), "--output", str(folder), "a folder that is there")
    if folder is None:
        folder = STUDIES_FOLDER if arguments.task is None and arguments.weights is None else preset.weights
    return {"task": preset.name, "studies": compare(preset, folder)}


def show_comparison(result: dict[str, Any]) -> str:
    """Write a row of a study on each line."""
    lines = []
    for name, rows in result["studies"].items():
        if name == "linear":
            lines += _products_table(rows)
            continue
        lines.append(f"{name + ', PSNR (dB) at k =':44s}    1     5    20   100   gain at 20  seeds")
        for row in rows:
            curve = "".join(_number(row["psnr"][k], ".2f", 6) for k in ("1", "5", "20", "100"))
            error = "" if row["gain_20_error"] is None else f" ± {row['gain_20_error']:.2f}"
            gain = _number(row["gain_20"], "+.2f", 5) + error
            lines.append(f"  {row['row']:40s}{curve}  {gain:>12s}  {row['seeds']:5d}")
    return "\n".join(lines) or f"{result['task']}: no study has been saved"


def _products_table(rows: list[dict[str, Any]]) -> list[str]:
    budgets = list(rows[0]["psnr"])
    lines = [
        f"{'linear, PSNR (dB) at equal products':44s}"
        + "".join(f"{k:>7s}" for k in budgets)
        + "  to the goal"
    ]
    for row in rows:
        curve = "".join(_number(row["psnr"][k], ".2f", 7) for k in budgets)
        goal = "never" if row["products"] is None else f"{row['products']:.0f}"
        lines.append(f"  {row['row']:42s}{curve}  {goal:>11s}")
    return lines


def _number(value: float | None, form: str, width: int) -> str:
    return f"{'nan' if value is None else format(value, form):>{width}s}"
