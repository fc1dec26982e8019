"""The study of linear preconditioners: what each gains for the products with AᵀA that it costs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch

from ..arguments import require
from ..digests import digests
from ..evaluation import psnr_curves
from ..linear import learn_linear
from ..names import Momentum
from ..operators import Counted
from ..preconditioners import (
    SR1,
    Circulant,
    Identity,
    Jacobi,
    Newton,
    Polynomial,
    Preconditioner,
    Scalar,
)
from ..pretrained import load_preconditioner
from ..scores import best
from ..solvers import PreconditionedFISTA, descend
from ..tasks import Preset, Task
from .statistics import mean_and_error, mean_or_none

PLAIN = 200
"""Plain gradient steps, whose misfit is the goal."""

LONGEST = 400
"""Products after which a method counts as not having reached it."""

ROUNDING = 1e-5
"""A misfit below this fraction of the measurements is none: where A Aᵀ = I, the start has reached the goal."""

BUDGETS = (20, 60, 200)
"""Products with AᵀA in a plug-and-play run, the gradients' own included."""

SIGMAS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1)
"""Noise levels for the denoiser, from which the best for a method and a budget is taken on validation images."""

VALIDATION_IMAGES, IMAGES = 4, 8
"""Validation images, and for each seed test images of its own."""


Build = Callable[[Task, int], Preconditioner]

METHODS: dict[str, Build] = {
    "none": lambda task, seed: Identity(),
    "momentum": lambda task, seed: Identity(),
    "scalar 1.5": lambda task, seed: Scalar(1.5),
    "l2, degree 2": lambda task, seed: Polynomial.of("l2", 2),
    "l2, degree 4": lambda task, seed: Polynomial.of("l2", 4),
    "l2, degree 8": lambda task, seed: Polynomial.of("l2", 8),
    "chebyshev, degree 4": lambda task, seed: Polynomial.of("chebyshev", 4, lower=0.01),
    "chebyshev, degree 6": lambda task, seed: Polynomial.of("chebyshev", 6, lower=0.01),
    "ifista, degree 4": lambda task, seed: Polynomial.of("ifista", 4),
    "jacobi": lambda task, seed: Jacobi.of(task.student, _shape(task)),
    "circulant": lambda task, seed: Circulant.of(task.student, _shape(task)),
    "newton, 0.1": lambda task, seed: Newton(0.1),
    "newton, 0.01": lambda task, seed: Newton(0.01),
    "sr1": lambda task, seed: SR1(),
    "learned convolution": lambda task, seed: learn_linear(task, "convolution", 10, n_images=50, seed=seed),
    "distilled_linear": lambda task, seed: load_preconditioner(task, "distilled_linear"),
}
"""Preconditioners by name, each built for a task; momentum is none."""


def _shape(task: Task) -> tuple[int, int, int]:
    channels, height, width = task.img_size
    return channels, height, width


@dataclass(frozen=True)
class ProductsRow:
    """One operator and one method.

    Attributes
    ----------
    preset : Preset
        The camera.
    operator : str
        One of its ``linear_operators``.
    method : str
        One of :data:`METHODS`.
    """

    preset: Preset
    operator: str
    method: str

    @property
    def task(self) -> str:
        """The name of the camera."""
        return self.preset.name

    def configuration(self, seed: int) -> dict[str, Any]:
        """Everything that decides the row's numbers."""
        return {
            "operator": self.operator,
            "method": self.method,
            "plain": PLAIN,
            "longest": LONGEST,
            "budgets": list(BUDGETS),
            "sigmas": list(SIGMAS),
            "validation_images": VALIDATION_IMAGES,
            "images": IMAGES,
            "seed": seed,
        }

    def weights(self) -> dict[str, str]:
        """Return the digests of the saved weights that the numbers depend on."""
        return digests(self.preset, [self.method])

    def run(self, seed: int, *, progress: bool = True) -> dict[str, Any]:
        """Count products to the goal, and measure plug-and-play runs at equal products; nothing shows progress.

        Returns
        -------
        dict
            The ``"configuration"``; ``"products"``, None where the goal is not reached; ``"sigma"`` and, as mean and
            standard error over images, ``"psnr"``, both by budget.
        """
        task = self.preset.linear_operators[self.operator](self.preset)
        P = METHODS[self.method](task, seed)
        images = task.test_images[seed * IMAGES : (seed + 1) * IMAGES]
        highest = len(task.test_images) // IMAGES - 1
        require(
            len(images) == IMAGES,
            "seed",
            seed,
            f"an integer from 0 to {highest}: each has test images of its own",
        )
        found: dict[str, Any] = {"configuration": self.configuration(seed)}
        found["products"] = self._products(task, P, images)
        tuning = task.val_images[:VALIDATION_IMAGES]
        swept = {sigma: self._at_budgets(task, P, sigma, tuning, 0) for sigma in SIGMAS}
        found |= {"sigma": {}, "psnr": {}}
        chosen = {
            budget: best(
                {sigma: swept[sigma][budget].mean() for sigma in SIGMAS}, f"{self.operator}: {self.method}"
            )
            for budget in BUDGETS
        }
        measured = {sigma: self._at_budgets(task, P, sigma, images, seed) for sigma in set(chosen.values())}
        for budget, sigma in chosen.items():
            found["sigma"][str(budget)] = sigma
            found["psnr"][str(budget)] = mean_and_error(measured[sigma][budget])
        return found

    def summary(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """Average runs over their seeds: ``"psnr"`` by budget, ``"products"`` None where a seed has none."""
        return {
            "psnr": {str(k): mean_or_none([run["psnr"][str(k)][0] for run in runs]) for k in BUDGETS},
            "products": mean_or_none([run["products"] for run in runs]),
        }

    @property
    def _momentum(self) -> Momentum:
        return "chambolle_dossal" if self.method == "momentum" else "none"

    def _products(self, task: Task, P: Preconditioner, images: torch.Tensor) -> int | None:
        """Products until the misfit is that of :data:`PLAIN` plain steps, on noiseless measurements."""
        y = task.student.A(images)
        *_, last = descend(task.student, y, Identity(), PLAIN)
        goal = max(1.001 * float((task.student.A(last) - y).norm()), ROUNDING * float(y.norm()))
        if (task.student.A(task.student.A_adjoint(y)) - y).norm() <= goal:
            return 0
        counted = Counted(task.student, task.img_size)
        for z in descend(counted, y, P, LONGEST, self._momentum):
            if (task.student.A(z) - y).norm() <= goal:
                return counted.count
            if counted.count >= LONGEST or not torch.isfinite(z).all():
                return None
        return None

    def _at_budgets(
        self,
        task: Task,
        P: Preconditioner,
        sigma: float,
        images: torch.Tensor,
        seed: int,
    ) -> dict[int, torch.Tensor]:
        """PSNR of each image where each budget is used up."""
        solver = PreconditionedFISTA(
            task.denoiser, P, stepsize=task.stepsize, sigma=sigma, momentum=self._momentum
        )
        counted = Counted(task.student, task.img_size)
        psnr_curves(task, solver, images[:1], counted, 2)
        steps = {budget: max(1, 2 * budget // max(2, counted.count)) for budget in BUDGETS}
        curves = psnr_curves(task, solver, images, task.student, max(steps.values()), seed=seed)
        return {budget: curves[count - 1] for budget, count in steps.items()}


def rows(presets: Iterable[Preset]) -> dict[str, ProductsRow]:
    """Return the rows of the study by name; a distilled P is there where one is trained for the operator."""
    return {
        f"{operator}: {method}": ProductsRow(preset, operator, method)
        for preset in presets
        for operator in preset.linear_operators
        for method in METHODS
        if method != "distilled_linear" or (operator == preset.name and method in preset.recipes)
    }
