"""A scalar, and the inverse of AᵀA: the least and the most that the operator alone can offer."""

import torch
from deepinv.physics import LinearPhysics

from ..arguments import require_number, require_positive, require_tensor
from ..operators import newton, noise_of
from .base import Identity, Preconditioner, State


class Scalar(Preconditioner):
    """P(g) = c g: another step size, c/‖A‖² where the step is 1/‖A‖².

    It is what every polynomial in AᵀA is where A Aᵀ = I, and so the baseline that a preconditioner has to beat.

    Parameters
    ----------
    scale : float
        c, above zero; gradient steps of 1/‖A‖² on the data converge for c < 2.

    Raises
    ------
    ValueError
        If ``scale`` is not a finite number above zero.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        require_positive("scale", scale)
        self.scale = scale

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return c times the gradient (N, C, H, W)."""
        return self.scale * grad


class Newton(Preconditioner):
    r"""The damped Newton step, :math:`P(g) = \|A\|^2 (A^\top A + \lambda \|A\|^2 I)^{-1} g`.

    With the step 1/‖A‖² and λ → 0 one step fits the data in every mode of the range at once; λ keeps it from
    amplifying the noise of weak modes, those with a relative singular value below √λ.  Where A Aᵀ = I it is a scalar
    on every gradient, 1/(1 + λ).  ``products`` is 0: where the operator has no closed form, conjugate gradients take
    the products that :func:`~ddgp_lib.operators.algebra.newton` names.

    Parameters
    ----------
    damping : float
        λ, relative to ‖A‖²; above zero.
    noise : float, optional
        Standard deviation of the measurement noise that λ was chosen for, above zero.  On an operator whose Gaussian
        noise has a higher one, ν, the damping becomes λ (ν / ``noise``)², since Tikhonov's λ is a ratio of noise to
        signal variance; it never falls below λ.  Where a state tells the noise of each image, each has its own λ.
        By default λ is constant.

    Raises
    ------
    ValueError
        If ``damping`` or ``noise`` is not a finite number above zero.

    References
    ----------
    Levenberg, "A method for the solution of certain non-linear problems in least squares", 1944; Hansen, "Discrete
    inverse problems", 2010, for its relation to Tikhonov's regularisation.
    """

    def __init__(self, damping: float, noise: float | None = None) -> None:
        super().__init__()
        require_positive("damping", damping)
        require_number("noise", noise, above=0, none=True)
        self.damping = damping
        self.noise = noise

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return the Newton direction for a gradient (N, C, H, W)."""
        if state.noise is None or self.noise is None:
            return newton(state.physics, grad, self.damping_for(state.physics))
        return newton(state.physics, grad, self.damping_of(state.noise))

    def damping_for(self, physics: LinearPhysics) -> float:
        """Return λ(ν) for an operator whose noise is ν; the largest ν where images have their own."""
        noise = noise_of(physics)
        if self.noise is None or noise is None:
            return self.damping
        return self.damping * max(1.0, noise / self.noise) ** 2

    def damping_of(self, noise: torch.Tensor) -> torch.Tensor:
        """Return λ(ν), shape (N,), for images whose noise is ν, shape (N,)."""
        require_tensor("noise", noise, dimensions=1)
        excess = torch.ones_like(noise) if self.noise is None else (noise / self.noise).clamp(min=1)
        return self.damping * excess**2


def base_of(form: str, damping: float, damping_noise: float | None) -> Preconditioner:
    """Return what a form adds its correction to: the Newton step or the gradient; both take the same settings."""
    require_positive("damping", damping)
    require_number("damping_noise", damping_noise, above=0, none=True)
    return Newton(damping, damping_noise) if form == "newton_null_space" else Identity()
