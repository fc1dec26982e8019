"""Gradient-matching distillation of linear preconditioners: one ridge regression for each iteration, no training."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Unpack

import torch
from tqdm.auto import trange

from ..arguments import require_flag, require_instance
from ..fingerprint import fingerprint
from ..operators import null_projection
from ..preconditioners.linear import LinearPreconditioner
from ..recipes import LinearFields, LinearRecipe, build_linear_preconditioner
from ..reprs import differences, line, table
from ..scores import score
from ..solvers import MOMENTUM
from ..tasks import Task
from .ridge import Ridge
from .states import Trajectory, range_basis, training_images


@dataclass(frozen=True, repr=False)
class LinearDistillation:
    """What :func:`distill_linear` returns.

    Attributes
    ----------
    preconditioner : LinearPreconditioner
        P_k for k < K, in evaluation mode.
    history : dict of str to list of float
        For each iteration the ``"ridge"`` ε that was chosen, and on validation images the ``"match"``, the share of
        what L_k and b_k are to give that they do give (in energy, 1 at most, below 0 if it is worse than nothing),
        and the mean ``"psnr"`` in dB after the iteration.
    recipe : LinearRecipe
        What it was fitted with.
    """

    preconditioner: LinearPreconditioner
    history: dict[str, list[float]]
    recipe: LinearRecipe

    def _facts(self) -> dict[str, str]:
        """Say what was fitted: the structure, what else differs from the default recipe, and the last iteration."""
        facts = {"structure": repr(self.recipe.structure), "iterations": str(self.recipe.iterations)}
        facts |= {name: repr(value) for name, value in differences(self.recipe).items() if name not in facts}
        last = {name: values[-1] for name, values in self.history.items() if values}
        return facts | {f"last {name}": f"{value:.4g}" for name, value in last.items()}

    def __repr__(self) -> str:
        return line("LinearDistillation", self._facts())

    def _repr_html_(self) -> str:
        return table("Linear distillation", self._facts().items())


def distill_linear(
    task: Task, recipe: LinearRecipe | None = None, *, progress: bool = True, **options: Unpack[LinearFields]
) -> LinearDistillation:
    r"""Distil a linear preconditioner in closed form.

    In iteration k = 0, 1, … of the student's own solver, both gradients are taken at the iterates z_k of N training
    images, and the next map is the ridge regression of the teacher's on the student's,

    .. math::

        t_k^i &= \Pi \Bigl( \frac{\alpha_t}{\alpha_s} \nabla g_t(z_k^i) - B\, \nabla g_s(z_k^i) \Bigr) \\
        (L_k, b_k) &= \arg\min_{L,\, b} \sum_{i=1}^N
        \bigl\lVert t_k^i - L\, [\nabla g_s(z_k^i); z_k^i] - b \bigr\rVert^2 + c \lVert L \rVert^2 .

    Here B is I, or the Newton step, and Π is :math:`I - A_s^+ A_s` in the null-space forms and I in the free form.
    The factor α_t / α_s makes steps alike, not bare gradients.  The step with the new P_k then makes the iterates of
    the next regression.  The ridge c is ε times the sum of squares of a feature of z_k over all samples, on average,
    and ε the one of ``ridges`` with which validation images have the highest PSNR after the iteration.

    Parameters
    ----------
    task : Task
        Operators, images, denoiser and step sizes.
    recipe : LinearRecipe, optional
        What decides the preconditioner; by default the preset's ``linear``.
    progress : bool
        Show a progress bar.
    **options
        Fields of :class:`~ddgp_lib.recipes.linear.LinearRecipe`, in the place of the recipe's.

    Returns
    -------
    LinearDistillation

    Raises
    ------
    ValueError
        If an option is outside what is accepted.

    Notes
    -----
    Without noise, with e = z - x* and :math:`M = A^\top A`, the gradients are M_s e and M_t e.  The gradient-only
    free map without a ridge is then the Wiener predictor :math:`M_t C M_s (M_s C M_s)^+` times α_t / α_s, with C the
    second moments of e.  It changes with the iteration as C does.

    References
    ----------
    Gualdrón-Hurtado et al., "Deep distillation gradient preconditioning for inverse problems", 2025, for the
    matching of gradients; Wiener, "Extrapolation, interpolation, and smoothing of stationary time series", 1949, for
    the linear predictor.
    """
    require_instance("task", task, Task, "a Task")
    require_instance("recipe", recipe, LinearRecipe, "a LinearRecipe", none=True)
    require_flag("progress", progress)
    recipe = replace(task.preset.linear if recipe is None else recipe, **options)
    fitting = _Fitting(task, recipe)
    for _ in trange(recipe.iterations, desc=f"distil {task.name}, linear", disable=not progress):
        fitting.advance()
    fitting.preconditioner.made_for = fingerprint(task)
    return LinearDistillation(fitting.preconditioner.eval(), fitting.history, recipe)


class _Fitting:
    """The mutable state of one closed-form distillation."""

    def __init__(self, task: Task, recipe: LinearRecipe) -> None:
        self.recipe = recipe
        self.preconditioner = build_linear_preconditioner(recipe, task.img_size)
        self.structure = self.preconditioner.structure
        self.sigma = task.sigma if recipe.sigma is None else recipe.sigma
        self.momentum: Callable[[int], float] = MOMENTUM[recipe.momentum]
        generator = torch.Generator().manual_seed(recipe.seed)
        self.train = Trajectory.start(task, training_images(task, recipe.n_images, generator), generator)
        self.val = Trajectory.start(task, task.val_images[: recipe.validation_images], generator)
        self.basis = self._basis(task)
        self.history: dict[str, list[float]] = {"ridge": [], "match": [], "psnr": []}

    def _basis(self, task: Task) -> torch.Tensor | None:
        """Return a basis of all gradients, where it makes a regression cheaper: they have few degrees of freedom."""
        full = self.structure.name == "full" and self.recipe.n_images >= torch.Size(task.img_size).numel()
        return range_basis(task.student, task.img_size) if full else None

    @torch.no_grad()
    def advance(self) -> None:
        """Fit P_k, choose its ridge, and take both sets of images through iteration k."""
        regression, centre = self._regression()
        best: tuple[float, float, torch.Tensor] | None = None
        for ridge in self.recipe.ridges:
            self._fill(regression, centre, ridge)
            x = self.val.step(self._direction(self.val), self.sigma)
            psnr = float(self.val.task.psnr(x, self.val.truth).mean())
            if score(psnr) > (score(None) if best is None else best[0]):
                best = (psnr, ridge, x)
        if best is None:
            raise ValueError(
                f"ridges={self.recipe.ridges}: expected a finite PSNR with one of them at iteration {self.train.k}"
            )
        psnr, ridge, x = best
        if ridge != self.recipe.ridges[-1]:
            self._fill(regression, centre, ridge)
        for name, value in {"ridge": ridge, "match": self._match(), "psnr": psnr}.items():
            self.history[name].append(value)
        self.val = self.val.advance(x, self.momentum)
        if self.train.k + 1 < self.recipe.iterations:
            x = self.train.step(self._direction(self.train), self.sigma)
            self.train = self.train.advance(x, self.momentum)

    def _regression(self) -> tuple[Ridge, tuple[torch.Tensor, torch.Tensor]]:
        """Return the regression of iteration k in blocks, and the mean input and output, which it leaves out."""
        grad = self.train.gradient
        seen, wanted = self.preconditioner.see(grad, self.train.z), self._wanted(self.train, grad)
        centre = (seen.mean(dim=0, keepdim=True), wanted.mean(dim=0, keepdim=True))
        if self.recipe.inputs == "gradient_only":
            centre = (torch.zeros_like(centre[0]), torch.zeros_like(centre[1]))
        X, Y = (
            self.structure.blocks((v - mean).double()) for v, mean in zip((seen, wanted), centre, strict=True)
        )
        scale = float(
            self.structure.blocks(self.train.z).abs().square().sum(dim=1, dtype=torch.float64).mean()
        )
        if self.basis is not None:
            size = len(self.basis)
            X = torch.cat([X[..., :size] @ self.basis, X[..., size:]], dim=2)
        return Ridge(X, Y, scale), centre

    def _fill(self, regression: Ridge, centre: tuple[torch.Tensor, torch.Tensor], ridge: float) -> None:
        """Make P_k the regression with a ridge ε."""
        k, (seen, wanted) = self.train.k, centre
        if self.recipe.rank is None:
            weights, expand = regression.weights(ridge), None
        else:
            weights, expand = regression.low_rank_weights(ridge, self.recipe.rank)
        if self.basis is not None:
            rank = self.basis.shape[1]
            weights = torch.cat([self.basis @ weights[:, :rank], weights[:, rank:]], dim=1)
        self.preconditioner.fill(k, weights, torch.zeros_like(wanted[0]), expand)
        self.preconditioner.bias[k] = (wanted - self.preconditioner.linear_part(seen, k))[0]

    def _direction(self, trajectory: Trajectory) -> torch.Tensor:
        return self.preconditioner(trajectory.gradient, trajectory.state)

    def _wanted(self, trajectory: Trajectory, grad: torch.Tensor) -> torch.Tensor:
        """Return t, what L_k and b_k are to give: Π (T − B g)."""
        missing = trajectory.target - self.preconditioner.base(grad, trajectory.state)
        return missing if self.recipe.form == "free" else null_projection(trajectory.task.student, missing)

    def _match(self) -> float:
        """Share of what is wanted on validation images that P_k gives."""
        grad = self.val.gradient
        wanted = self._wanted(self.val, grad)
        given = self._direction(self.val) - self.preconditioner.base(grad, self.val.state)
        return 1 - float((given - wanted).square().sum() / wanted.square().sum())
