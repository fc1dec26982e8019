"""Networks that reconstruct at once or in a few stages: what a user would train instead of a preconditioner.

All start from the Tikhonov solution, one damped Newton step from zero, and know the operator; none sees a teacher.
"""

from collections.abc import Sequence
from typing import Any

import torch
from deepinv.physics import LinearPhysics
from torch import nn

from .fingerprint import warn_if_foreign
from .operators import gradient, newton, null_projection, squared_norm
from .preconditioners import Newton
from .solvers.measurements import Measurements, back_project


class Reconstructor(nn.Module):
    """What is called as ``model(y, physics)`` and starts from the Tikhonov solution.

    Parameters
    ----------
    data : Newton
        The damping λ of the Newton step, and the noise that it follows.

    Attributes
    ----------
    made_for : dict or None
        The :func:`~ddgp_lib.fingerprint.fingerprint` of the task that it was trained for, where that is known.
    """

    made_for: dict[str, Any] | None = None

    def __init__(self, data: Newton) -> None:
        super().__init__()
        self.data = data

    def newton_step(self, grad: torch.Tensor, physics: LinearPhysics) -> torch.Tensor:
        """(AᵀA + λ‖A‖² I)⁻¹ g for gradients (N, C, H, W)."""
        top = squared_norm(physics, tuple(grad.shape[1:]))
        return newton(physics, grad, self.data.damping_for(physics)) / top

    def back_project(self, y: Measurements, physics: LinearPhysics) -> torch.Tensor:
        """Aᵀy, after a look at y and, where that is known, at what the network was trained for.

        Raises
        ------
        ValueError
            If y is not what the operator measures.

        Warns
        -----
        OperatorMismatch
            If the operator is another one than that of the training, and not of its family.
        """
        adjoint = back_project(y, physics)
        warn_if_foreign(self.made_for, physics, adjoint, what="reconstructor")
        return adjoint

    def start(self, y: Measurements, physics: LinearPhysics) -> torch.Tensor:
        """x_λ = (AᵀA + λ‖A‖² I)⁻¹ Aᵀy, the Tikhonov solution."""
        return self.newton_step(self.back_project(y, physics), physics)


class EndToEnd(Reconstructor):
    """x_λ + N(x_λ): a network that is asked once.

    Parameters
    ----------
    network : nn.Module
        N, from images (N, C, H, W) to images.
    data : Newton
        See :class:`Reconstructor`.

    References
    ----------
    Jin, McCann, Froustey and Unser, "Deep convolutional neural network for inverse problems in imaging", 2017.
    """

    def __init__(self, network: nn.Module, data: Newton) -> None:
        super().__init__(data)
        self.network = network

    def forward(self, y: Measurements, physics: LinearPhysics) -> torch.Tensor:
        """Reconstruct images (N, C, H, W) from their measurements."""
        x = self.start(y, physics)
        return x + self.network(x)


class NullSpaceNetwork(EndToEnd):
    """x_λ + (I − A⁺A) N(x_λ): a network that adds what the measurements do not see, and that alone.

    Parameters
    ----------
    network, data
        See :class:`EndToEnd`.

    References
    ----------
    Schwab, Antholzer and Haltmeier, "Deep null space learning for inverse problems: convergence analysis and rates",
    2019.
    """

    def forward(self, y: Measurements, physics: LinearPhysics) -> torch.Tensor:
        """Reconstruct images (N, C, H, W) from their measurements."""
        x = self.start(y, physics)
        return x + null_projection(physics, self.network(x))


class Unrolled(Reconstructor):
    r"""A few stages of a Newton step on the data and a network.

    .. math::

        v_k = x_k - s_k (A^\top A + \lambda \|A\|^2 I)^{-1} \nabla g(x_k), \qquad x_{k+1} = v_k + N_k(v_k),

    from x_λ, with learned steps s_k.  With one network for all stages it is recurrent, as MoDL is.

    Parameters
    ----------
    networks : sequence of nn.Module
        N_0, N_1, …: as many as there are stages; the same one where weights are shared.
    data : Newton
        See :class:`Reconstructor`.

    References
    ----------
    Gregor and LeCun, "Learning fast approximations of sparse coding", 2010; Aggarwal, Mani and Jacob, "MoDL:
    model-based deep learning architecture for inverse problems", 2019; Zhang, Van Gool and Timofte, "Deep unfolding
    network for image super-resolution", 2020.
    """

    def __init__(self, networks: Sequence[nn.Module], data: Newton) -> None:
        super().__init__(data)
        self.networks = nn.ModuleList(dict.fromkeys(networks))
        self.places = [list(self.networks).index(network) for network in networks]
        self.steps = nn.Parameter(torch.ones(len(networks)))

    def forward(self, y: Measurements, physics: LinearPhysics) -> torch.Tensor:
        """Reconstruct images (N, C, H, W) from their measurements."""
        adjoint = self.back_project(y, physics)
        x = self.newton_step(adjoint, physics)
        for step, place in zip(self.steps, self.places, strict=True):
            v = x - step * self.newton_step(gradient(physics, x, adjoint), physics)
            x = v + self.networks[place](v)
        return x
