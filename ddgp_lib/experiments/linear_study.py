"""The study of linear preconditioners: what each gains for the products with AᵀA that it costs.

All are treated alike.  Each runs at the σ that suits it on validation images.  Each product is counted, and a closed
form as :data:`~ddgp_lib.operators.counted.CLOSED_FORM` of them.  What :data:`ALSO_WITH_MOMENTUM` names runs with it
too.  Beside them stands :func:`~ddgp_lib.solvers.cgls`, which takes no denoiser and stops by the noise level alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import torch

from ..arguments import require
from ..digests import digests
from ..fingerprint import Fingerprint, fingerprint
from ..linear import learn_linear
from ..names import Momentum
from ..operators import Counted, measure
from ..preconditioners import (
    SR1,
    Circulant,
    Identity,
    InexactNewton,
    Jacobi,
    Newton,
    Polynomial,
    Preconditioner,
    Scalar,
)
from ..pretrained import load_preconditioner
from ..scores import best
from ..solvers import PreconditionedFISTA, cgls, descend, discrepancy
from ..tasks import Preset, Task
from .statistics import mean_and_error, mean_or_none

PLAIN = 200
"""Plain gradient steps, whose misfit is the goal."""

LONGEST = 400
"""Products after which a method counts as not having reached it."""

ROUNDING = 1e-5
"""A misfit below this fraction of the measurements is none: where A Aᵀ = I, the start has reached the goal."""

BUDGETS = (20, 60)
"""Products with AᵀA in a plug-and-play run, the gradients' own included."""

SIGMAS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1)
"""Noise levels for the denoiser, from which the best for a method and a budget is taken on validation images."""

VALIDATION_IMAGES, IMAGES = 4, 8
"""Validation images, and for each seed test images of its own."""


LEAST_SQUARES = "cgls"
"""The method that is no preconditioner."""

Build = Callable[[Task, int], Preconditioner]

METHODS: dict[str, Build] = {
    "none": lambda task, seed: Identity(),
    "scalar 1.5": lambda task, seed: Scalar(1.5),
    "l2, degree 1": lambda task, seed: Polynomial.of("l2", 1),
    "l2, degree 2": lambda task, seed: Polynomial.of("l2", 2),
    "l2, degree 3": lambda task, seed: Polynomial.of("l2", 3),
    "l2, degree 4": lambda task, seed: Polynomial.of("l2", 4),
    "l2, degree 6": lambda task, seed: Polynomial.of("l2", 6),
    "l2, degree 8": lambda task, seed: Polynomial.of("l2", 8),
    "chebyshev, degree 4": lambda task, seed: Polynomial.of("chebyshev", 4, lower=0.01),
    "chebyshev, degree 6": lambda task, seed: Polynomial.of("chebyshev", 6, lower=0.01),
    "ifista, degree 4": lambda task, seed: Polynomial.of("ifista", 4),
    "jacobi": lambda task, seed: Jacobi.of(task.student, _shape(task)),
    "circulant": lambda task, seed: Circulant.of(task.student, _shape(task)),
    "newton, 0.1": lambda task, seed: Newton(0.1),
    "newton, 0.01": lambda task, seed: Newton(0.01),
    "newton, 0.1, inexact": lambda task, seed: InexactNewton(0.1, 0.3),
    "newton, 0.01, inexact": lambda task, seed: InexactNewton(0.01, 0.1),
    "sr1": lambda task, seed: SR1(),
    "learned convolution": lambda task, seed: learn_linear(task, "convolution", 10, n_images=50, seed=seed),
    "distilled_linear": lambda task, seed: load_preconditioner(task, "distilled_linear"),
}
"""Preconditioners by name, each built for a task."""

SEEDED = ("learned convolution",)
"""Those that differ between seeds."""

ALSO_WITH_MOMENTUM = (
    "none",
    *(name for name in METHODS if name.startswith("l2")),
    "chebyshev, degree 6",
    "ifista, degree 4",
    "newton, 0.1",
    "newton, 0.1, inexact",
)
"""Those that momentum may help.

The others have their reasons.  A step of 1.5 diverges with it, and so does Chebyshev's polynomial of degree 4.  A
constant diagonal is no preconditioner.  SR1 is made for runs without momentum, and what is learned for certain
iterations was fitted without.  A circulant P, and Newton's step with little damping, need few iterations.
"""


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
        One of :data:`METHODS`, or :data:`LEAST_SQUARES`.
    momentum : str
        A key of ``ddgp_lib.solvers.MOMENTUM``.
    """

    preset: Preset
    operator: str
    method: str
    momentum: Momentum = "none"

    @property
    def task(self) -> str:
        """The name of the camera."""
        return self.preset.name

    def configuration(self, seed: int) -> dict[str, Any]:
        """Everything that decides the row's numbers."""
        return {
            "operator": self.operator,
            "method": self.method,
            "momentum": self.momentum,
            "plain": PLAIN,
            "longest": LONGEST,
            "budgets": list(BUDGETS),
            "sigmas": list(SIGMAS),
            "validation_images": VALIDATION_IMAGES,
            "images": IMAGES,
            "seed": seed,
        }

    @cached_property
    def made_for(self) -> Fingerprint:
        """The fingerprint of the row's task: a name alone does not say which camera it is."""
        return fingerprint(self.preset.linear_operators[self.operator](self.preset))

    def weights(self) -> dict[str, str]:
        """Return the digests of the saved weights that the numbers depend on."""
        return digests(self.preset, [self.method])

    def run(self, seed: int, *, progress: bool = True) -> dict[str, Any]:
        """Count products to the goal, and measure plug-and-play runs at equal products; nothing shows progress.

        Returns
        -------
        dict
            The ``"configuration"``; ``"made_for"``, the fingerprint of the task; ``"products"``, None where the goal
            is not reached; ``"sigma"``, None where no denoiser is used, and, as mean and standard error over images,
            ``"psnr"``, both by budget.
        """
        task = self.preset.linear_operators[self.operator](self.preset)
        images = task.test_images[seed * IMAGES : (seed + 1) * IMAGES]
        highest = len(task.test_images) // IMAGES - 1
        require(
            len(images) == IMAGES,
            "seed",
            seed,
            f"an integer from 0 to {highest}: each has test images of its own",
        )
        found: dict[str, Any] = {"configuration": self.configuration(seed), "made_for": fingerprint(task)}
        if self.method == LEAST_SQUARES:
            return found | self._least_squares(task, images, seed)
        P = METHODS[self.method](task, seed)
        found["products"] = self._products(task, P, images)
        chosen = _chosen(self, seed if self.method in SEEDED else 0)
        measured = {sigma: self._at_budgets(task, P, sigma, images, seed) for sigma in set(chosen.values())}
        found |= {"sigma": {}, "psnr": {}}
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

    def _products(self, task: Task, P: Preconditioner, images: torch.Tensor) -> int | None:
        """Products until the misfit is that of :data:`PLAIN` plain steps, on noiseless measurements."""
        y, goal = _goal(task, images)
        if (task.student.A(task.student.A_adjoint(y)) - y).norm() <= goal:
            return 0
        counted = Counted(task.student, task.img_size)
        for z in descend(counted, y, P, LONGEST, self.momentum):
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
        """PSNR of each image at the last iterate that a budget pays for, of the first where it pays for none."""
        solver = PreconditionedFISTA(
            task.denoiser, P, stepsize=task.stepsize, sigma=sigma, momentum=self.momentum
        )
        counted = Counted(task.student, task.img_size)
        found: dict[int, torch.Tensor] = {}
        iterates = solver.iterates(measure(task.student, images, seed), counted, max(BUDGETS))
        next(iterates)
        for x, _ in iterates:
            psnr = task.psnr(x, images)
            found |= {budget: psnr for budget in BUDGETS if counted.count <= budget or budget not in found}
            if counted.count >= max(BUDGETS):
                break
        return found

    def _least_squares(self, task: Task, images: torch.Tensor, seed: int) -> dict[str, Any]:
        """Count products of CGLS to the goal, and stop it by the discrepancy principle, or where a budget ends.

        An image is z_k for the least k at which its misfit is that of the noise; so at k = 0 where Aᵀy fits.
        """
        clean, goal = _goal(task, images)
        path = [task.student.A_adjoint(clean), *cgls(task.student, clean, LONGEST)]
        reached = [k for k, z in enumerate(path) if (task.student.A(z) - clean).norm() <= goal]
        y = measure(task.student, images, seed)
        found: dict[int, torch.Tensor] = {}
        x, steps = task.student.A_adjoint(y), cgls(task.student, y, max(BUDGETS) - 1)
        for k in range(max(BUDGETS)):  # z_k costs k + 1 products
            found |= {budget: task.psnr(x, images) for budget in BUDGETS if k < budget}
            fits = discrepancy(x, y, task.student) <= 1
            x = torch.where(fits[:, None, None, None], x, next(steps, x))
        return {
            "products": (reached[0] + 1 if reached[0] else 0) if reached else None,
            "sigma": {str(budget): None for budget in BUDGETS},
            "psnr": {str(budget): mean_and_error(psnr) for budget, psnr in found.items()},
        }


@lru_cache
def _chosen(row: ProductsRow, seed: int) -> dict[int, float]:
    """Return the σ that suits a row at each budget on validation images, whose noise is the same for all seeds."""
    task = row.preset.linear_operators[row.operator](row.preset)
    P, images = METHODS[row.method](task, seed), task.val_images[:VALIDATION_IMAGES]
    swept = {sigma: row._at_budgets(task, P, sigma, images, 0) for sigma in SIGMAS}
    name = f"{row.operator}: {row.method}"
    return {
        budget: best({sigma: found[budget].mean() for sigma, found in swept.items()}, name)
        for budget in BUDGETS
    }


def _goal(task: Task, images: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Return noiseless measurements, and the misfit that :data:`PLAIN` plain steps leave of them."""
    y = task.student.A(images)
    *_, last = descend(task.student, y, Identity(), PLAIN)
    return y, max(1.001 * float((task.student.A(last) - y).norm()), ROUNDING * float(y.norm()))


def rows(presets: Iterable[Preset]) -> dict[str, ProductsRow]:
    """Return the rows of the study by name; a distilled P is there where one is trained for the operator."""
    found = {}
    for preset in presets:
        for operator in preset.linear_operators:
            for method in METHODS:
                distilled = method in preset.recipes and operator == preset.name
                if method != "distilled_linear" or distilled:
                    name = f"{operator}: {method}"
                    found[name] = ProductsRow(preset, operator, method)
                    if method in ALSO_WITH_MOMENTUM:
                        found[f"{name}, momentum"] = ProductsRow(preset, operator, method, "chambolle_dossal")
            found[f"{operator}: {LEAST_SQUARES}"] = ProductsRow(preset, operator, LEAST_SQUARES)
    return found
