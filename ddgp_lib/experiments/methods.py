"""All methods of a camera on the same images: what iterates, along the way, and networks that are asked once.

What counts is the gain over the best method that learns no preconditioner.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import nn
from tqdm.auto import tqdm

from ..evaluation import REGION_CURVES, Trace, evaluate
from ..operators import norms
from ..pretrained import Method
from ..scores import best
from ..tables import Column, Table, Value, table
from ..tasks import Preset, Task
from .alternatives import load_alternative, reconstruct
from .benchmark import ITERATIONS
from .statistics import as_number, mean_and_error
from .tuning import EARLY


def run_methods(
    task: Task,
    images: torch.Tensor,
    kinds: Sequence[str],
    networks: Sequence[str] = (),
    *,
    max_iter: int = 200,
    seed: int = 0,
    progress: bool = False,
) -> dict[str, Any]:
    """Reconstruct the same images by tuned methods and by networks.

    Parameters
    ----------
    task : Task
        The task.
    images : Tensor, shape (N, C, H, W)
        Held-out images.
    kinds : sequence of str
        Methods of the task's preset.
    networks : sequence of str
        Networks that a user would pick instead, by name, see
        :func:`~ddgp_lib.experiments.alternatives.trained_networks`.
    max_iter : int
        Iterations, 1 or above.
    seed : int
        Seed of the measurement noise.
    progress : bool
        Show a progress bar.

    Returns
    -------
    dict
        ``"methods"`` has means over the images along the ``"iterations"``, ``"networks"`` those of what does not
        iterate.  ``"gains"`` has, for each but the teacher, the mean and the standard error of the paired gain (dB)
        over the ``"baseline"``, the best method that learns no preconditioner, at 20 iterations, or the last where
        there are fewer.

    Raises
    ------
    ValueError
        If a name is unknown, or an argument is outside what is accepted.
    FileNotFoundError
        If weights are missing.
    """
    loaded = {kind: Method(task, kind) for kind in kinds}
    solvers = {kind: method.tuned_solver() for kind, method in loaded.items()}
    models = {name: load_alternative(task, name) for name in networks}
    methods, early = {}, {}
    for kind, method in tqdm(loaded.items(), desc=f"evaluate {task.name}", disable=not progress):
        trace = evaluate(
            task, solvers[kind], images=images, physics=method.physics, max_iter=max_iter, seed=seed
        )
        methods[kind] = _summary(trace) | {"setting": asdict(method.setting)}
        early[kind] = trace.psnr[:EARLY][-1]
    once = {name: _asked_once(task, name, model, images, seed) for name, model in models.items()}
    early |= {name: found.pop("each") for name, found in once.items()}
    return {
        "task": task.name,
        "n_images": len(images),
        "seed": seed,
        "iterations": list(range(1, max_iter + 1)),
        "region": task.region_name,
        "methods": methods,
        "networks": once,
        **gains(task.preset, early),
    }


def gains(preset: Preset, psnr: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """Name the best method without a learned preconditioner, and each other's paired gain over it.

    Parameters
    ----------
    preset : Preset
        Its ``baselines`` are the methods that learn no preconditioner.
    psnr : mapping of str to Tensor
        PSNR (dB) of each image (N,), by method.

    Returns
    -------
    dict
        ``"baseline"``, None where there is none, and ``"gains"``: by method, but for the teacher, the mean and its
        standard error.
    """
    means = {kind: psnr[kind].mean() for kind in preset.baselines if kind in psnr}
    if not means:
        return {"baseline": None, "gains": {}}
    reference = best(means, "baseline")
    others = [name for name in psnr if name not in (reference, "teacher")]
    paired = {name: mean_and_error(psnr[name] - psnr[reference]) for name in others}
    return {"baseline": reference, "gains": paired}


def _summary(trace: Trace) -> dict[str, Any]:
    shown = ("psnr", "ssim", "residual", *REGION_CURVES)
    curves = {name: getattr(trace, name).mean(dim=1).tolist() for name in shown}
    return curves | {"seconds": trace.seconds}


def _asked_once(task: Task, name: str, model: nn.Module, images: torch.Tensor, seed: int) -> dict[str, Any]:
    """Reconstruct by a network that does not iterate: means of the measures, and ``"each"`` image's PSNR."""
    y, region = task.measure(images, seed), task.region(images)
    started = time.perf_counter()
    with torch.no_grad():
        x = reconstruct(task, name, model, y)
    seconds = time.perf_counter() - started
    each = task.psnr(x, images)
    found = {
        "psnr": each,
        "ssim": task.ssim(x, images),
        "residual": norms(task.student.A(x) - y) / norms(y),
        "region_psnr": task.psnr(x, images, within=region),
        "region_ssim": task.ssim(x, images, within=region),
    }
    return {key: as_number(value.mean()) for key, value in found.items()} | {"seconds": seconds, "each": each}


def show_methods(result: dict[str, Any]) -> Table:
    """Write a method on each line: its gain, its PSNR along the iterations, and last that of the region, if any.

    The text is for ``print``; as the last line of a notebook's cell it is a table.
    """
    shown, region = [k for k in ITERATIONS if k in result["iterations"]], result["region"]
    late = [] if region is None else [k for k in shown if k == EARLY or k == shown[-1]]
    title = f"{result['task']}: mean PSNR (dB) over {result['n_images']} held-out images, by iteration"
    if result["gains"]:
        early = min(EARLY, result["iterations"][-1])
        title += f"; gain at {early} over {result['baseline']}, the best without a learned P"
    if region is not None:
        title += f"; at the right over the {region} alone"
    levels = {kind: _level(method["setting"]) for kind, method in result["methods"].items()}
    width, wide = max(map(len, (*levels.values(), "sigma"))), len(region or "") + 5
    heads = "".join(f"{f'{region} {k}':>{wide}s}" for k in late)
    numbers = "".join(f"{k:>7d}" for k in shown)
    lines = [title, f"{'':26s}{'gain':>14s}{numbers}   {'sigma':>{width}s}  seconds{heads}"]
    for kind, method in result["methods"].items():
        values = "".join(f"{method['psnr'][k - 1]:7.2f}" for k in shown)
        within = "".join(f"{method['region_psnr'][k - 1]:{wide}.2f}" for k in late)
        end = f"{levels[kind]:>{width}s}  {method['seconds']:7.1f}{within}"
        lines.append(f"{kind:26s}{_gain(result, kind):>14s}{values}   {end}")
    for name, network in result["networks"].items():
        values = f"{network['psnr']:7.2f}  asked once".ljust(7 * len(shown))
        within = f"{network['region_psnr']:{wide}.2f}" if late else ""
        end = f"{'':{width}s}  {network['seconds']:7.1f}{within}"
        lines.append(f"{name:26s}{_gain(result, name):>14s}{values}   {end}")
    return _table(result, title, shown, late, "\n".join(lines))


def _table(result: dict[str, Any], title: str, shown: list[int], late: list[int], text: str) -> Table:
    """Make the table whose plain text is ``text``."""
    region = result["region"]
    columns = [
        Column("gain", "dB", best="high", signed=True),
        *(Column(str(k), best="high") for k in shown),
        Column("σ"),
        Column("time", "s", digits=1),
        *(Column(f"{region} {k}", "dB", best="high") for k in late),
    ]
    rows: dict[str, list[Value]] = {}
    for kind, method in result["methods"].items():
        rows[kind] = [
            _gained(result, kind),
            *(method["psnr"][k - 1] for k in shown),
            _level(method["setting"]),
        ]
        rows[kind] += [method["seconds"], *(method["region_psnr"][k - 1] for k in late)]
    for name, network in result["networks"].items():
        rows[name] = [_gained(result, name), network["psnr"], *([None] * (len(shown) - 1)), "asked once"]
        rows[name] += [
            network["seconds"],
            *([network["region_psnr"]] + [None] * (len(late) - 1) if late else []),
        ]
    return table(f"{title}.", columns, rows, corner="method", text=text)


def _gained(result: dict[str, Any], name: str) -> Value:
    """Return a gain with its standard error, as a cell holds it."""
    mean, error = result["gains"].get(name, (None, None))
    return mean if mean is None or error is None else (mean, error)


def _gain(result: dict[str, Any], name: str) -> str:
    """Write a gain and its standard error; nothing where there is none."""
    mean, error = result["gains"].get(name, (None, None))
    return "" if mean is None else f"{mean:+.2f}" + ("" if error is None else f" ± {error:.2f}")


def _level(setting: Mapping[str, Any]) -> str:
    """Write σ of a setting, or the ends of its schedule."""
    if "sigma" in setting:
        return f"{setting['sigma']:.3g}"
    return f"{setting['sigma_first']:.3g} to {setting['sigma_last']:.3g}" if "sigma_first" in setting else ""
