"""How the time of an iteration grows with the image and with the batch, beside deepinv's own FISTA.

Everything is timed in one process, in rounds in which each takes its turn; the least processor time of the rounds
counts, since other work on the machine then matters little.  A time is fitted by :func:`fit_power`.
"""

import inspect
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from deepinv.optim import FISTA, L2, PnP
from deepinv.physics import MRI, Downsampling, LinearPhysics, MultiCoilMRI, SinglePixelCamera
from tqdm.auto import tqdm

from ..arguments import require, require_count, require_instance, require_seed, require_tensor
from ..operators import gradient, measure
from ..operators.downsampling import FourierDownsampling
from ..operators.hadamard import HadamardCamera
from ..operators.mri import CartesianMRI, MultiCoilCartesianMRI
from ..preconditioners import State
from ..pretrained import Method
from ..solvers import PreconditionedFISTA
from ..tasks import Task

SIDES = (32, 64, 128, 256)
BATCHES = (1, 4, 16, 64)
ROUNDS, ITERATIONS = 3, 10
"""Rounds that each is timed in, and iterations of a run, over which its beginning is spread."""
SHORTEST, MOST_REPEATS = 0.02, 50
"""Seconds that a round lasts at least where 50 repeats are enough for it."""

Run = Callable[[], Any]


@dataclass(frozen=True)
class PowerLaw:
    """A fit t = c · n^p.

    Attributes
    ----------
    exponent : float
        p.
    error : float or None
        Standard error of p, by the scatter around the line; None for two points, which it goes through.
    constant : float
        c, in the unit of t.
    """

    exponent: float
    error: float | None
    constant: float


def growth(
    task: Task,
    *,
    sides: Sequence[int] = SIDES,
    batches: Sequence[int] = BATCHES,
    rounds: int = ROUNDS,
    iterations: int = ITERATIONS,
    seed: int = 0,
    progress: bool = True,
) -> dict[str, Any]:
    """Time what an iteration is made of, and whole iterations, as a function of the side and of the batch.

    Sides are those of tasks that the preset makes with its defaults and ``size=side``, one image each.  They are left
    out where the preset has no such option.  Batches are of the task itself, and repeat its test images where there
    are too few.

    Parameters
    ----------
    task : Task
        The task, with what its methods need.
    sides : sequence of int
        Sides in pixels, two or more.
    batches : sequence of int
        Numbers of images, two or more.
    rounds, iterations : int
        Rounds that each is timed in, and iterations of a run.
    seed : int
        Seed of the measurement noise.
    progress : bool
        Show a progress bar.

    Returns
    -------
    dict
        ``"rows"``, each with its ``"side"`` (the height), its ``"batch"`` and ``"milliseconds"`` for the whole batch
        by part: ``"operator"``, a gradient of the data term; ``"denoiser"``; ``"preconditioner"``, the distilled one,
        where there is one; and an iteration of ``"fista"`` and ``"preconditioned_fista"``; then the gradient and the
        iteration of deepinv, ``"operator_deepinv"`` and ``"fista_deepinv"``, with the same denoiser.
        ``"over_deepinv"`` is the ratio of the two iterations.  ``"exponents"`` holds, by ``"side"`` and ``"batch"``
        and by part, the exponent and its standard error; of a time that is proportional to the number of pixels they
        are 2 and 1.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.
    FileNotFoundError
        If the preset's denoiser or distilled preconditioner has not been trained.
    """
    require_instance("task", task, Task, "a Task")
    _require_sweep("sides", sides)
    _require_sweep("batches", batches)
    require_count("rounds", rounds)
    require_count("iterations", iterations)
    require_seed("seed", seed)
    sized = _takes_size(task)
    places = [("side", side, 1) for side in sides if sized] + [("batch", None, batch) for batch in batches]
    rows: list[dict[str, Any]] = []
    for swept, side, batch in tqdm(places, desc=f"growth, {task.name}", disable=not progress):
        placed = task if side is None else task.preset.load(size=side)
        runs = _runs(placed, batch, iterations, seed)
        found = _shares(_least(runs, rounds), iterations)
        rows.append(
            {
                "swept": swept,
                "side": placed.img_size[1],
                "batch": batch,
                "milliseconds": found,
                "over_deepinv": float(f"{found['fista'] / found['fista_deepinv']:.3g}"),
            }
        )
    return {
        "rounds": rounds,
        "iterations": iterations,
        "rows": rows,
        "exponents": {swept: _exponents(rows, swept) for swept in ("side", "batch")},
    }


def fit_power(n: torch.Tensor, times: torch.Tensor) -> PowerLaw:
    r"""Fit times by c · nᵖ: least squares of the logarithms.

    .. math:: \log t_j = \log c + p \log n_j + e_j

    Parameters
    ----------
    n, times : Tensor, shape (J,)
        Sizes and times above zero, two or more, at two different sizes at least.

    Returns
    -------
    PowerLaw

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.growth import fit_power
    >>> n = torch.tensor([32.0, 64.0, 128.0])
    >>> law = fit_power(n, 3 * n**2)
    >>> round(law.exponent, 3), round(law.constant, 3)
    (2.0, 3.0)
    """
    for name, values in {"n": n, "times": times}.items():
        require_tensor(name, values, dimensions=1)
        require(values.is_floating_point(), f"{name}.dtype", values.dtype, "real numbers")
        require(len(values) >= 2, f"{name}.shape", tuple(values.shape), "(J,) with two or more")
        require(bool((values > 0).all()), name, values.tolist(), "numbers above zero")
    require(len(n) == len(times), "times.shape", tuple(times.shape), f"{tuple(n.shape)}, as n")
    x, y = n.double().log(), times.double().log()
    x_mean, y_mean = x.mean(), y.mean()
    spread = (x - x_mean).square().sum()
    require(bool(spread > 0), "n", n.tolist(), "two different sizes at least")
    exponent = ((x - x_mean) * (y - y_mean)).sum() / spread
    intercept = y_mean - exponent * x_mean
    rest = (y - intercept - exponent * x).square().sum()
    error = (rest / (len(x) - 2) / spread).sqrt().item() if len(x) > 2 else None
    return PowerLaw(exponent.item(), error, intercept.exp().item())


def deepinv_physics(physics: LinearPhysics) -> LinearPhysics:
    """Return deepinv's own operator in the place of the library's faster one; others are returned as they are.

    Parameters
    ----------
    physics : LinearPhysics
        The operator.

    Returns
    -------
    LinearPhysics
        With the same AᵀA, and without noise.
    """
    if isinstance(physics, HadamardCamera):
        size, patterns = tuple(physics.mask.shape[-3:]), int((physics.mask != 0).sum())
        camera = SinglePixelCamera(m=patterns, img_size=size, ordering="cake_cutting")
        camera.mask = physics.mask  # whichever patterns these are
        return camera
    if isinstance(physics, CartesianMRI):
        return MRI(mask=physics.mask, img_size=tuple(physics.mask.shape[-2:]))
    if isinstance(physics, MultiCoilCartesianMRI):
        return MultiCoilMRI(mask=physics.mask, coil_maps=physics.coil_maps, img_size=physics.mask.shape[-2:])
    if isinstance(physics, FourierDownsampling):
        size = (physics.channels, *physics.sides["x"])
        return Downsampling(img_size=size, filter=physics.filter, factor=physics.factor, padding="circular")
    return physics


def _require_sweep(name: str, values: Any) -> None:
    require(isinstance(values, tuple | list), name, values, "a tuple of integers")
    require(len(set(values)) == len(values) >= 2, name, values, "two or more different integers")
    for value in values:
        require_count(name, value)


def _takes_size(task: Task) -> bool:
    make = task.preset.make
    return make is not None and "size" in inspect.signature(make).parameters


def _runs(task: Task, batch: int, iterations: int, seed: int) -> dict[str, Run]:
    """Return what is timed, by part, ready to be called."""
    repeats = math.ceil(batch / len(task.test_images))
    images = task.test_images.repeat(repeats, 1, 1, 1)[:batch]
    physics, theirs = task.student, deepinv_physics(task.student)
    y = measure(physics, images, seed)
    z = adjoint = physics.A_adjoint(y)
    y_theirs = theirs.A(images)
    options: dict[str, Any] = {"stepsize": task.stepsize, "max_iter": iterations}
    plain = PreconditionedFISTA(task.denoiser, sigma=task.sigma, momentum="deepinv", **options)
    fista = FISTA(data_fidelity=L2(), prior=PnP(task.denoiser), sigma_denoiser=task.sigma, **options)
    runs: dict[str, Run] = {
        "operator": lambda: gradient(physics, z, adjoint),
        "operator_deepinv": lambda: theirs.A_adjoint(theirs.A(z) - y_theirs),
        "denoiser": lambda: task.denoiser(z, task.sigma),
        "fista": lambda: plain(y, physics),
        "fista_deepinv": lambda: fista(y_theirs, theirs),
    }
    if "distilled" in task.preset.recipes:
        method = Method(task, "distilled")
        P = method.preconditioner
        assert P is not None
        state, whole = (
            State(z, 0, physics, y),
            PreconditionedFISTA(task.denoiser, P, sigma=task.sigma, **options),
        )
        runs["preconditioner"] = lambda: P(adjoint, state)
        runs["preconditioned_fista"] = lambda: whole(y, physics)
    return runs


def _least(runs: Mapping[str, Run], rounds: int) -> dict[str, float]:
    """Return the least processor time of each run, in seconds, after one that makes ready what is first used."""
    with torch.no_grad():
        repeats = {name: _repeats(_seconds(run)) for name, run in runs.items()}
        least = dict.fromkeys(runs, math.inf)
        for _ in range(rounds):
            for name, run in runs.items():
                least[name] = min(least[name], _seconds(run, repeats[name]))
    return least


def _repeats(seconds: float) -> int:
    """Return how often a run is repeated within a round, so that it is long enough to be timed."""
    return min(MOST_REPEATS, math.ceil(SHORTEST / max(seconds, SHORTEST / MOST_REPEATS)))


def _seconds(run: Run, repeats: int = 1) -> float:
    """Return the processor time of a run, in the mean over some repeats."""
    started = time.process_time()
    for _ in range(repeats):
        run()
    return (time.process_time() - started) / repeats


def _shares(seconds: Mapping[str, float], iterations: int) -> dict[str, float]:
    """Return milliseconds of one call, or of one iteration where a run has several."""
    counts = {name: iterations if "fista" in name else 1 for name in seconds}
    return {name: float(f"{1000 * spent / counts[name]:.3g}") for name, spent in seconds.items()}


def _exponents(rows: Sequence[Mapping[str, Any]], swept: str) -> dict[str, list[float | None]]:
    """Fit each part's milliseconds along one sweep: the exponent and its standard error."""
    along = [row for row in rows if row["swept"] == swept]
    found: dict[str, list[float | None]] = {}
    for part in along[0]["milliseconds"] if along else ():
        sizes = torch.tensor([float(row[swept]) for row in along])
        law = fit_power(sizes, torch.tensor([row["milliseconds"][part] for row in along]))
        found[part] = [round(law.exponent, 4), None if law.error is None else round(law.error, 4)]
    return found
