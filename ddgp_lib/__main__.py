"""The command line: ``python -m ddgp_lib COMMAND``."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from .alternatives import ALTERNATIVES, save_alternative, train_alternative
from .arguments import require
from .benchmark import BENCHMARKS_FOLDER, ITERATIONS, PARTS, benchmark
from .checkpoints import WEIGHTS_FOLDER
from .denoisers import denoising_psnr, jacobian_norms, save_denoiser, train_denoiser
from .distillation import Distillation, distill
from .distillation.processes import Processes, is_torchrun, launch
from .evaluation import Trace, evaluate
from .linear import LinearDistillation, LinearRecipe, distill_linear
from .shipped import (
    ALTERNATIVE_RECIPES,
    DENOISER_RECIPES,
    EVALUATION_IMAGES,
    RECIPES,
    SOLVER_KINDS,
    VALIDATION_IMAGES,
    Method,
    save_preconditioner,
    save_tuning,
    tune,
    validation_psnr,
)
from .study import SEEDS, STUDIES, STUDIES_FOLDER, compare, run_study
from .tasks import IMAGES, TASKS, Task, load_task


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    arguments = _parser().parse_args(argv)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    try:
        result = arguments.run(arguments)
    except (ValueError, FileNotFoundError, ImportError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    if result is not None:
        sys.stdout.write((json.dumps(result) if arguments.json else arguments.show(result)) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ddgp_lib", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, show: Any, text: str, threads: int = 0) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.add_argument("--json", action="store_true", help="print one JSON object on the last line")
        added.add_argument("--threads", type=int, default=threads, help="CPU threads; 0 is PyTorch's choice")
        added.set_defaults(run=run, show=show)
        return added

    command("tasks", _tasks, _show_tasks, "List the tasks.")

    # On one thread, sums are rounded alike whatever the number of cores: weights come out the same.
    denoiser = command("train-denoiser", _train_denoiser, _show_lines, "Train a task's denoiser.", threads=1)
    denoiser.add_argument("task", nargs="?", default="single_pixel", choices=tuple(TASKS))
    denoiser.add_argument("--output", type=Path, default=WEIGHTS_FOLDER, help="folder to write to")

    text = (
        "Distil a task's preconditioners, then tune every method's σ, momentum and decay. "
        "Under torchrun, its processes train the networks together."
    )
    train = command("train", _train, _show_lines, text, threads=1)
    train.add_argument("task", choices=tuple(TASKS))
    train.add_argument("--kind", help="train this kind alone, and tune nothing")
    train.add_argument("--device", default="cpu", help="cpu or cuda; under torchrun, for each process")

    text = "Train the networks that a user would pick instead of a preconditioner."
    alternatives = command("train-alternatives", _train_alternatives, _show_lines, text, threads=1)
    alternatives.add_argument("task", choices=tuple(TASKS))
    alternatives.add_argument("--name", choices=tuple(ALTERNATIVES), help="train this one alone")
    for training in (train, alternatives):
        training.add_argument("--steps", type=int, help="other number of steps than the recipe's")
        training.add_argument("--output", type=Path, default=WEIGHTS_FOLDER, help="folder to write to")
        training.add_argument(
            "--checkpoints", type=Path, default=Path("checkpoints"), help="folder to resume from"
        )

    tuning = command(
        "tune", _tune, _show_lines, "Choose every method's σ, momentum and fading on validation images."
    )
    tuning.add_argument("task", choices=tuple(TASKS))
    tuning.add_argument("--output", type=Path, default=WEIGHTS_FOLDER, help="folder to write to")

    evaluation = command(
        "evaluate", _evaluate, _show_evaluation, "Compare the shipped methods on test images."
    )
    evaluation.add_argument("task", choices=tuple(TASKS))
    evaluation.add_argument("--images", type=int, help="number of held-out images, 48 to 200 by task")
    evaluation.add_argument("--iterations", type=int, default=200)
    evaluation.add_argument("--seed", type=int, default=0, help="seed of the measurement noise")

    text = "Run the rows of a study that are missing: short trainings that differ in one thing."
    study = command("study", _study, _show_lines, text, threads=1)
    study.add_argument("name", choices=tuple(STUDIES))
    study.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="seeds of the trainings")
    study.add_argument("--only", default="", help="run only rows whose name begins with this")
    study.add_argument("--output", type=Path, default=STUDIES_FOLDER, help="folder to write to")

    text = "Print tables of forms, pairings, losses, teachers and networks from the studies that were saved."
    comparing = command("compare", _compare, _show_comparison, text)
    comparing.add_argument("task", choices=tuple(TASKS))

    text = "Measure what the results page shows of a task, and write it as JSON."
    measuring = command("benchmark", _benchmark, _show_lines, text)
    measuring.add_argument("task", choices=tuple(TASKS))
    measuring.add_argument("--images", type=int, help="number of held-out images, 48 to 200 by task")
    measuring.add_argument(
        "--long", type=int, help="number of held-out images for 1,000 iterations, 200 at most by default"
    )
    measuring.add_argument("--seed", type=int, default=0, help="seed of the measurement noise")
    measuring.add_argument("--output", type=Path, default=BENCHMARKS_FOLDER, help="folder to write to")
    return parser


def _tasks(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: (factory.__doc__ or "").splitlines()[0] for name, factory in TASKS.items()}


def _show_tasks(result: dict[str, Any]) -> str:
    return "\n".join(f"{name:18s} {text}" for name, text in result.items())


def _train_denoiser(arguments: argparse.Namespace) -> dict[str, Any]:
    images, recipe = IMAGES[arguments.task](), DENOISER_RECIPES[arguments.task]
    denoiser = train_denoiser(images, recipe)
    levels = (0.01, 0.02, 0.05, 0.1, 0.2)
    psnr = {str(sigma): denoising_psnr(denoiser, images.val, sigma) for sigma in levels}
    norms = {str(sigma): float(_largest_jacobian(denoiser, images.val[:16], sigma)) for sigma in levels}
    metrics = {"validation_psnr": psnr, "largest_jacobian_norm": norms}
    path = arguments.output / f"{arguments.task}-denoiser.safetensors"
    save_denoiser(path, denoiser, arguments.task, recipe, metrics)
    return {"path": str(path), **metrics}


def _largest_jacobian(denoiser: Any, images: torch.Tensor, sigma: float) -> torch.Tensor:
    """Largest norm over images, 64×64 from the middle of each: the power iteration keeps its whole graph."""
    rows, columns = ((side - min(side, 64)) // 2 for side in images.shape[-2:])
    middle = images[..., rows : rows + 64, columns : columns + 64]
    noise = torch.randn(middle.shape, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return jacobian_norms(denoiser, middle + sigma * noise, sigma, iterations=30).detach().max()


def _train(arguments: argparse.Namespace) -> dict[str, Any] | None:
    """Train in this process, or together with those of torchrun, of which the first writes and answers."""
    recipes = RECIPES[arguments.task]
    kinds = tuple(recipes) if arguments.kind is None else (arguments.kind,)
    for kind in kinds:
        require(kind in recipes, "--kind", kind, f"one of {tuple(recipes)}")
    fabric = launch(arguments.device) if is_torchrun() else None
    where: dict[str, Any] = {"device": arguments.device} if fabric is None else {"fabric": fabric}
    first = Processes(fabric).first
    task = load_task(arguments.task)
    for folder in (arguments.checkpoints, arguments.output):
        folder.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {}
    for kind in kinds:
        recipe, started = recipes[kind], time.perf_counter()
        distillation: Distillation | LinearDistillation
        if isinstance(recipe, LinearRecipe):
            if not first:
                continue
            distillation = distill_linear(task, **vars(recipe))
        else:
            steps = {"steps": arguments.steps} if arguments.steps else {}
            checkpoint = arguments.checkpoints / f"{task.name}-{kind}.safetensors"
            distillation = distill(task, checkpoint=checkpoint, **where, **(vars(recipe) | steps))
        if first:
            metrics: dict[str, Any] = {"training_seconds": round(time.perf_counter() - started)}
            metrics["validation_psnr"] = validation_psnr(task, distillation.preconditioner, recipe)
            save_preconditioner(
                arguments.output / f"{task.name}-{kind}.safetensors", distillation, task, kind, metrics
            )
            result[kind] = metrics
    if not first:
        return None
    if arguments.kind is None and arguments.output == WEIGHTS_FOLDER:
        result["tuning"] = _tune(arguments)
    return result


def _train_alternatives(arguments: argparse.Namespace) -> dict[str, Any]:
    task = load_task(arguments.task)
    images = task.val_images[: VALIDATION_IMAGES[task.name]]
    arguments.checkpoints.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {}
    recipes = ALTERNATIVE_RECIPES[task.name]
    for name in recipes if arguments.name is None else (arguments.name,):
        require(name in recipes, "--name", name, f"one of {tuple(recipes)}")
        recipe = recipes[name]
        if arguments.steps:
            recipe = replace(recipe, steps=arguments.steps)
        file, started = f"{task.name}-{name}.safetensors", time.process_time()
        model = train_alternative(task, recipe, checkpoint=arguments.checkpoints / file)
        with torch.no_grad():
            psnr = task.psnr(model(task.measure(images), task.student), images).mean().item()
        result[name] = {"cpu_seconds": round(time.process_time() - started), "validation_psnr": psnr}
        save_alternative(arguments.output / file, model, task, recipe, result[name])
    return result


def _tune(arguments: argparse.Namespace) -> dict[str, Any]:
    task = load_task(arguments.task)
    tuning: dict[str, Any] = {}
    for kind in tqdm(SOLVER_KINDS[task.name], desc="tune"):
        tuning |= tune(task, (kind,))
    save_tuning(task.name, tuning, arguments.output / f"{task.name}-tuning.json")
    return tuning


def _show_lines(result: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in result.items())


def _evaluate(arguments: argparse.Namespace) -> dict[str, Any]:
    task = load_task(arguments.task)
    images = _test_images(task, arguments.images)
    methods = {}
    for kind in tqdm(SOLVER_KINDS[task.name], desc=f"evaluate {task.name}"):
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
    count = EVALUATION_IMAGES[task.name] if count is None else count
    require(1 <= count <= len(task.test_images), option, count, f"1 to {len(task.test_images)}")
    return task.test_images[:count]


def _benchmark(arguments: argparse.Namespace) -> dict[str, Any]:
    arguments.output.mkdir(parents=True, exist_ok=True)
    task = load_task(arguments.task)
    images = _test_images(task, arguments.images)
    long = min(200, len(task.test_images)) if arguments.long is None else arguments.long
    long_images = _test_images(task, long, "--long")
    result = benchmark(task, images, long_images, arguments.seed, arguments.output)
    seconds = {name: result[name]["seconds"] for name in PARTS}
    return {"path": str(arguments.output / f"{task.name}.json"), "seconds": seconds}


def _study(arguments: argparse.Namespace) -> dict[str, Any]:
    arguments.output.mkdir(parents=True, exist_ok=True)
    result = run_study(arguments.name, arguments.output, seeds=tuple(arguments.seeds), only=arguments.only)
    return {"path": str(arguments.output / f"{arguments.name}.json"), "runs": len(result["runs"])}


def _compare(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"task": arguments.task, "studies": compare(arguments.task)}


def _show_comparison(result: dict[str, Any]) -> str:
    lines = []
    for study, rows in result["studies"].items():
        if study == "linear":
            lines += _products_table(rows)
            continue
        lines.append(f"{study + ', PSNR (dB) at k =':44s}    1     5    20   100   gain at 20  seeds")
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


def _summary(trace: Trace) -> dict[str, Any]:
    curves = {name: getattr(trace, name).mean(dim=1).tolist() for name in ("psnr", "ssim", "residual")}
    return curves | {"seconds": trace.seconds}


def _show_evaluation(result: dict[str, Any]) -> str:
    iterations = [k for k in ITERATIONS if k in result["iterations"]]
    lines = [f"{result['task']}: mean PSNR (dB) over {result['n_images']} held-out images, by iteration"]
    lines.append(f"{'':26s}" + "".join(f"{k:>7d}" for k in iterations) + "   sigma  seconds")
    for kind, method in result["methods"].items():
        values = "".join(f"{method['psnr'][k - 1]:7.2f}" for k in iterations)
        lines.append(f"{kind:26s}{values}   {method['setting']['sigma']:5.2f}  {method['seconds']:7.1f}")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
