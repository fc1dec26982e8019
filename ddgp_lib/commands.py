"""What each command of ``python -m ddgp_lib`` does, and how its result is shown; the parser is ``__main__.py``."""

import argparse
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from .arguments import require
from .denoisers import denoising_psnr, jacobian_norms, save_denoiser, train_denoiser
from .distillation import Distillation, distill
from .evaluation import Trace, evaluate
from .experiments.alternatives import save_alternative, train_alternative
from .experiments.benchmark import BENCHMARKS_FOLDER, ITERATIONS, PARTS, benchmark
from .experiments.study import STUDIES_FOLDER, compare, run_study
from .experiments.tuning import tune, validation_psnr
from .linear import LinearDistillation, distill_linear
from .presets import PRESETS
from .presets.chosen import load_chosen
from .pretrained import Method, save_preconditioner, save_tuning, tuning_path
from .recipes import LinearRecipe
from .tasks import Preset, Task
from .training import Processes, is_torchrun, launch


def list_tasks(arguments: argparse.Namespace) -> dict[str, Any]:
    """Describe each of the book's cameras in a line."""
    return {name: (preset.make.__doc__ or "").splitlines()[0] for name, preset in PRESETS.items()}


def show_tasks(result: dict[str, Any]) -> str:
    """Write a camera on each line."""
    return "\n".join(f"{name:18s} {text}" for name, text in result.items())


def show_lines(result: dict[str, Any]) -> str:
    """Write an entry on each line."""
    return "\n".join(f"{name}: {value}" for name, value in result.items())


def _preset(arguments: argparse.Namespace) -> Preset:
    return load_chosen(arguments.name, arguments.task, arguments.weights)


def _output(arguments: argparse.Namespace, preset: Preset) -> Path:
    """Return the folder to write to, which is made if it is missing."""
    return _made(preset.weights if arguments.output is None else arguments.output)


def _results(arguments: argparse.Namespace, preset: Preset | None, books: Path) -> Path:
    """Return the folder of results: the one that is named, the book's, or beside the weights of one's own camera."""
    if arguments.output is not None:
        return _made(arguments.output)
    return books if preset is None or arguments.task is None else _made(preset.weights)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def denoiser(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train a camera's denoiser."""
    preset = _preset(arguments)
    if preset.images is None or preset.denoiser is None:
        raise ValueError(f"{preset}: expected a preset with `images` and `denoiser`, to train a denoiser")
    path = _output(arguments, preset) / preset.path("denoiser").name
    images, recipe = preset.images(), preset.denoiser
    trained = train_denoiser(images, recipe)
    levels = (0.01, 0.02, 0.05, 0.1, 0.2)
    psnr = {str(sigma): denoising_psnr(trained, images.val, sigma) for sigma in levels}
    norms = {str(sigma): float(_largest_jacobian(trained, images.val[:16], sigma)) for sigma in levels}
    metrics = {"validation_psnr": psnr, "largest_jacobian_norm": norms}
    save_denoiser(path, trained, preset.name, recipe, metrics)
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
    recipes, kinds = preset.recipes, _chosen(preset.recipes, arguments.kind, "--kind")
    fabric = launch(arguments.device) if is_torchrun() else None
    where: dict[str, Any] = {"device": arguments.device} if fabric is None else {"fabric": fabric}
    first = Processes(fabric).first
    task, output = preset.load(), _output(arguments, preset)
    arguments.checkpoints.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {}
    for kind in kinds:
        recipe, started = recipes[kind], time.perf_counter()
        file = preset.path(kind).name
        distillation: Distillation | LinearDistillation
        if isinstance(recipe, LinearRecipe):
            if not first:
                continue
            distillation = distill_linear(task, recipe)
        else:
            recipe = replace(recipe, steps=arguments.steps or recipe.steps)
            distillation = distill(task, recipe, checkpoint=arguments.checkpoints / file, **where)
        if first:
            metrics: dict[str, Any] = {"training_seconds": round(time.perf_counter() - started)}
            metrics["validation_psnr"] = validation_psnr(task, distillation.preconditioner, recipe)
            save_preconditioner(output / file, distillation, task, kind, metrics)
            result[kind] = metrics
    if not first:
        return None
    if arguments.kind is None and output == preset.weights:
        result["tuning"] = _tune(task, output)
    return result


def _chosen(recipes: Mapping[str, Any], name: str | None, option: str) -> tuple[str, ...]:
    """Return the names of what is trained: the one that is asked for, or all."""
    require(name is None or name in recipes, option, name, f"one of {tuple(recipes)}")
    return tuple(recipes) if name is None else (name,)


def alternatives(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train the networks that a user would pick instead."""
    preset = _preset(arguments)
    recipes, names = preset.alternatives, _chosen(preset.alternatives, arguments.kind, "--name")
    task, output = preset.load(), _output(arguments, preset)
    images = task.val_images[: preset.counts.validation]
    arguments.checkpoints.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {}
    for name in names:
        recipe = replace(recipes[name], steps=arguments.steps or recipes[name].steps)
        file, started = preset.path(name).name, time.process_time()
        model = train_alternative(task, recipe, checkpoint=arguments.checkpoints / file)
        with torch.no_grad():
            psnr = task.psnr(model(task.measure(images), task.student), images).mean().item()
        result[name] = {"cpu_seconds": round(time.process_time() - started), "validation_psnr": psnr}
        save_alternative(output / file, model, task, recipe, result[name])
    return result


def tuning(arguments: argparse.Namespace) -> dict[str, Any]:
    """Tune every method of a camera."""
    preset = _preset(arguments)
    output = _output(arguments, preset)
    return _tune(preset.load(), output, max_iter=arguments.iterations, sigmas=arguments.sigmas)


def _tune(task: Task, output: Path, **options: Any) -> dict[str, Any]:
    tuned: dict[str, Any] = {}
    for kind in tqdm(task.preset.kinds, desc="tune"):
        tuned |= tune(task, (kind,), **options)
    save_tuning(task, tuned, tuning_path(task.name, output))
    return tuned


def evaluation(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare the tuned methods of a camera on test images."""
    task = _preset(arguments).load()
    images = _test_images(task, arguments.images)
    methods = {}
    for kind in tqdm(task.preset.kinds, desc=f"evaluate {task.name}"):
        method = Method(task, kind)
        trace = evaluate(
            task,
            method.tuned_solver(),
            images=images,
            physics=method.physics,
            max_iter=arguments.iterations,
            seed=arguments.seed,
        )
        methods[kind] = _summary(trace) | {"setting": asdict(method.setting)}
    return {
        "task": task.name,
        "n_images": len(images),
        "seed": arguments.seed,
        "iterations": trace.iterations,
        "methods": methods,
    }


def _test_images(task: Task, count: int | None, option: str = "--images") -> torch.Tensor:
    count = min(task.preset.counts.evaluation, len(task.test_images)) if count is None else count
    require(1 <= count <= len(task.test_images), option, count, f"1 to {len(task.test_images)}")
    return task.test_images[:count]


def _summary(trace: Trace) -> dict[str, Any]:
    curves = {name: getattr(trace, name).mean(dim=1).tolist() for name in ("psnr", "ssim", "residual")}
    return curves | {"seconds": trace.seconds}


def show_evaluation(result: dict[str, Any]) -> str:
    """Write a method on each line, with its PSNR along the iterations."""
    iterations = [k for k in ITERATIONS if k in result["iterations"]]
    lines = [f"{result['task']}: mean PSNR (dB) over {result['n_images']} held-out images, by iteration"]
    lines.append(f"{'':26s}" + "".join(f"{k:>7d}" for k in iterations) + "   sigma  seconds")
    for kind, method in result["methods"].items():
        values = "".join(f"{method['psnr'][k - 1]:7.2f}" for k in iterations)
        lines.append(f"{kind:26s}{values}   {method['setting']['sigma']:5.2f}  {method['seconds']:7.1f}")
    return "\n".join(lines)


def benchmarking(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure what the results page shows of a camera."""
    preset = _preset(arguments)
    task, output = preset.load(), _results(arguments, preset, BENCHMARKS_FOLDER)
    images = _test_images(task, arguments.images)
    long = min(200, len(task.test_images)) if arguments.long is None else arguments.long
    long_images = _test_images(task, long, "--long")
    parts = {name: PARTS[name] for name in PARTS if name in arguments.parts}
    result = benchmark(task, images, long_images, arguments.seed, output, parts)
    seconds = {name: result[name]["seconds"] for name in parts}
    return {"path": str(output / f"{task.name}.json"), "seconds": seconds}


def study(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the rows of a study that are missing."""
    preset = None if arguments.task is None else load_chosen(None, arguments.task, arguments.weights)
    output = _results(arguments, preset, STUDIES_FOLDER)
    result = run_study(
        arguments.name,
        output,
        seeds=tuple(arguments.seeds),
        only=arguments.only,
        presets=None if preset is None else (preset,),
    )
    return {"path": str(output / f"{arguments.name}.json"), "runs": len(result["runs"])}


def comparison(arguments: argparse.Namespace) -> dict[str, Any]:
    """Summarise the studies that were saved."""
    preset = _preset(arguments)
    return {"task": preset.name, "studies": compare(preset, _results(arguments, preset, STUDIES_FOLDER))}


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
