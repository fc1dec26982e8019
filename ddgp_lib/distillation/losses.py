"""What a distilled preconditioner is trained to make small; every loss is a mean over the batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from deepinv.physics import LinearPhysics
from torch.nn import functional

from ..names import LossTerm
from ..operators import norms, null_projection, single_precision
from ..reprs import Brief

FLOOR = 1e-6
"""Length, in units of an image's norm, below which a direction counts as zero."""


def gradient_loss(direction: torch.Tensor, teacher_gradient: torch.Tensor) -> torch.Tensor:
    """L_G = (1 − S_c(P(∇g_s), ∇g_t))², blind to the scale of P.

    Parameters
    ----------
    direction, teacher_gradient : Tensor, shape (N, C, H, W)
        P(∇g_s; z) and ∇g_t.

    Returns
    -------
    Tensor, shape ()

    References
    ----------
    Gualdrón-Hurtado et al., "Deep distillation gradient preconditioning for inverse problems", 2025.
    """
    cosine = functional.cosine_similarity(direction.flatten(1), teacher_gradient.flatten(1), dim=1)
    return (1 - cosine).square().mean()


def squared_distance(x: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """‖x − reference‖²: L_I against the teacher's iterate, L_S against the true image.

    Parameters
    ----------
    x, reference : Tensor, shape (N, C, H, W)

    Returns
    -------
    Tensor, shape ()
    """
    return (x - reference).flatten(1).square().sum(dim=1).mean()


def decibel_loss(x: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    r"""L_dB = 10 log₁₀(‖x − reference‖² / ‖reference‖²): the squared error in dB, of which a PSNR is the negative.

    Where scans differ much, so do their squared errors, and their mean is that of the hardest scans.  The mean of
    decibels takes a gain of 1 dB for the same in all of them.

    Parameters
    ----------
    x, reference : Tensor, shape (N, C, H, W)

    Returns
    -------
    Tensor, shape ()
        At least −120.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.distillation import decibel_loss
    >>> round(float(decibel_loss(torch.full((1, 1, 4, 4), 1.1), torch.ones(1, 1, 4, 4))), 2)
    -20.0
    """
    relative = norms(x - reference) / (norms(reference) + FLOOR)
    return 20 * torch.log10(relative + FLOOR).mean()


def scale_loss(student_step: torch.Tensor, teacher_step: torch.Tensor) -> torch.Tensor:
    r"""L_R = ((a − b) / (a + b))² with a = ‖α_s P(∇g_s)‖ and b = ‖α_t ∇g_t‖: the length, to which L_G is blind.

    Steps are compared, not bare gradients, because α = 1/‖A‖² differs where ‖A_s‖ ≠ ‖A_t‖.  The relative
    difference, tanh²(½ log(a/b)), is ¼ log²(a/b) near equality, and a step ten times too short counts as much as one
    ten times too long.  Unlike (a/b − 1)² and log²(a/b), it stays below one where a gradient vanishes: ∇g_t at the
    end of a reconstruction, ∇g_s at z_0 = Aᵀy where A Aᵀ = I.  Two vanishing steps agree.

    Parameters
    ----------
    student_step, teacher_step : Tensor, shape (N, C, H, W)
        α_s P(∇g_s; z) and α_t ∇g_t.

    Returns
    -------
    Tensor, shape ()
    """
    a, b = norms(student_step), norms(teacher_step)
    return ((a - b) / (a + b + FLOOR)).square().mean()


def consistency_penalty(
    direction: torch.Tensor, gradient: torch.Tensor, physics: LinearPhysics, stepsize: float
) -> torch.Tensor:
    r"""L_N = α_s ‖A_s (P(g) − g)‖² / ‖P(g)‖²: how far P changes the step in the measured data.

    It is zero if and only if :math:`A_s P(g) = A_s g`, as in the null-space form: the forward projection of the
    iterate then moves towards y exactly as without P.  What is penalised is thus what would falsify the method (a
    forward projection that deviates from y), while P is free in the null space, where it is needed.  The length is
    taken relative to ‖P(g)‖, not to ‖A_s g‖, because the latter vanishes at every z_0 = Aᵀy where A Aᵀ = I.

    Parameters
    ----------
    direction, gradient : Tensor, shape (N, C, H, W)
        P(g; z) and g = ∇g_s(z).
    physics : LinearPhysics
        A_s.
    stepsize : float
        α_s = 1/‖A_s‖², which makes the loss blind to the scale of A_s.

    Returns
    -------
    Tensor, shape ()
    """
    change = norms(single_precision(physics.A)(direction - gradient))
    return stepsize * (change / (norms(direction) + FLOOR)).square().mean()


def row_space_penalty(direction: torch.Tensor, physics: LinearPhysics) -> torch.Tensor:
    r"""L_⊥ = ‖(I − A_s⁺A_s) P(g)‖² / ‖P(g)‖²: the part of P(g) outside the row space of A_s, in [0, 1].

    This is the orthogonality penalty that a public review of the method asks for, to the letter.  It is one for a
    direction that the data do not see, and so works against the null-space form and against what P is for.

    Parameters
    ----------
    direction : Tensor, shape (N, C, H, W)
        P(g; z).
    physics : LinearPhysics
        A_s.

    Returns
    -------
    Tensor, shape ()
    """
    return (norms(null_projection(physics, direction)) / (norms(direction) + FLOOR)).square().mean()


@dataclass(frozen=True, repr=False)
class Pair(Brief):
    """One iteration of the student and the teacher's beside it; tensors are (N, C, H, W).

    Attributes
    ----------
    physics : LinearPhysics
        A_s.
    gradient, direction : Tensor
        ∇g_s(z_s) and P(∇g_s(z_s); z_s).
    teacher_gradient : Tensor
        ∇g_t, at the student's z or at the teacher's own.
    stepsize, teacher_stepsize : float
        α_s and α_t.
    x, teacher_x : Tensor
        The iterates D_σ(z − α …) of both; the teacher's is None where no loss needs it.
    truth : Tensor
        x*.
    """

    physics: LinearPhysics
    gradient: torch.Tensor
    direction: torch.Tensor
    teacher_gradient: torch.Tensor
    stepsize: float
    teacher_stepsize: float
    x: torch.Tensor
    teacher_x: torch.Tensor | None
    truth: torch.Tensor


def _imitation(pair: Pair) -> torch.Tensor:
    assert pair.teacher_x is not None
    return squared_distance(pair.x, pair.teacher_x)


def _scale(pair: Pair) -> torch.Tensor:
    return scale_loss(pair.stepsize * pair.direction, pair.teacher_stepsize * pair.teacher_gradient)


def _penalty(pair: Pair) -> torch.Tensor:
    return consistency_penalty(pair.direction, pair.gradient, pair.physics, pair.stepsize)


LOSS_OF_A_PAIR: Mapping[LossTerm, Callable[[Pair], torch.Tensor]] = {
    "gradient": lambda pair: gradient_loss(pair.direction, pair.teacher_gradient),
    "imitation": _imitation,
    "supervised": lambda pair: squared_distance(pair.x, pair.truth),
    "decibels": lambda pair: decibel_loss(pair.x, pair.truth),
    "scale": _scale,
    "row_space": lambda pair: row_space_penalty(pair.direction, pair.physics),
    "penalty": _penalty,
}
"""Every loss by its name, in the order in which they are added up."""
