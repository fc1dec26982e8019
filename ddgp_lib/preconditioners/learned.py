"""A neural network as a preconditioner."""

from typing import get_args

import torch
from torch import nn

from ..arguments import require_choice, require_count, require_instance, require_integer
from ..names import Form, Inputs
from ..networks import iteration_progress, with_iteration
from ..operators import newton, null_projection
from ..reprs import brief, line
from .base import Preconditioner, State
from .classical import Newton, base_of

FORMS: tuple[Form, ...] = get_args(Form)
INPUTS: tuple[Inputs, ...] = get_args(Inputs)


class LearnedPreconditioner(Preconditioner):
    r"""A preconditioner P_θ built on a network N_θ.

    With N_θ fed the gradient alone (``"gradient_only"``, as in the paper) or the gradient and the iterate
    (``"state_aware"``), the forms are

    .. math::

        P_\theta(g; z) &= g + N_\theta(g, z)                     && \text{(free, penalised)} \\
        P_\theta(g; z) &= g + (I - A^+ A)\, N_\theta(g, z)       && \text{(null space)} \\
        P_\theta(g; z) &= R_\lambda g + (I - A^+ A)\, N_\theta(g, z)
        && \text{(Newton and null space)}

    In the null-space form :math:`A P_\theta(g; z) = A g`: the step changes the measured data exactly as it would
    without a preconditioner, and the network decides only about what A does not see.  Where the range has weak
    modes, it pays to precondition them too, by :class:`~ddgp_lib.preconditioners.classical.Newton`,
    :math:`R_\lambda`; where A Aᵀ = I the two forms are the same but for a scalar.

    The projector is as exact as the operator's: :math:`\|A (I - A^+ A) v\| \le r \|A\| \|v\|`, with r the ``rtol``
    below which the operator counts singular values as zero, or the bound of
    :func:`~ddgp_lib.operators.algebra.range_projection`.  So the equalities A P = A g and :math:`A P = A R_\lambda g`
    hold up to :math:`r \|A\| \|N_\theta\|`.  Late in a run, where g is small and N_θ is not, that can be a good part
    of :math:`\|A R_\lambda g\|`: an eighth to a sixth in the super-resolution task, whose r is large.

    Where an operator splits softly, as :class:`~ddgp_lib.operators.sense.SenseMRI` does with the threshold ``split``,
    and the Newton step's λ is the same number, both are one solve,
    :math:`P_\theta(g; z) = R_\lambda (g + \lambda N_\theta(g, z))`, at the price of the Newton step alone.

    The penalised form is the free form, drawn towards the first equality by a loss while it is trained
    (:func:`~ddgp_lib.distillation.losses.consistency_penalty`).

    Parameters
    ----------
    network : nn.Module
        N_θ: (N, C_in, H, W) to (N, C, H, W), with C_in = C (gradient only) or 2 C (state aware), times
        1 + ``embedding``.  One with an attribute ``wants_iteration`` that is true is called as ``network(v, s)``,
        with the progress s of the iteration, (N,) or (1,) and in [0, 1], see
        :func:`~ddgp_lib.networks.iteration.iteration_progress`.
    form : str
        ``"null_space"``, ``"newton_null_space"``, ``"free"`` or ``"penalised"``.
    inputs : str
        ``"state_aware"`` or ``"gradient_only"``.
    embedding : int
        Number of features of the iteration k that multiply the inputs, see
        :func:`~ddgp_lib.networks.iteration.with_iteration`; with 0 the network does not know k.
    longest : int
        The iteration from which on the features no longer change.
    damping : float
        λ of the Newton step.
    damping_noise : float, optional
        Noise level that λ suits, the ``noise`` of :class:`~ddgp_lib.preconditioners.classical.Newton`.

    Raises
    ------
    ValueError
        If ``form`` or ``inputs`` is unknown, or a number is too small.

    References
    ----------
    Gualdrón-Hurtado et al., "Deep distillation gradient preconditioning for inverse problems", 2025, for the free,
    gradient-only P_θ; the others are this book's.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        form: Form = "null_space",
        inputs: Inputs = "state_aware",
        embedding: int = 0,
        longest: int = 50,
        damping: float = 1e-3,
        damping_noise: float | None = None,
    ) -> None:
        super().__init__()
        require_instance("network", network, nn.Module, "a network")
        require_choice("form", form, FORMS)
        require_choice("inputs", inputs, INPUTS)
        require_count("embedding", embedding, lowest=0)
        require_integer("longest", longest, lowest=1)
        self.base = base_of(form, damping, damping_noise)
        self.network = network
        self.form = form
        self.inputs = inputs
        self.embedding = embedding
        self.longest = longest

    def __repr__(self) -> str:
        """Tell the network by its class and size, and the form; PyTorch's would print every layer."""
        count = sum(weights.numel() for weights in self.network.parameters())
        facts = {"network": f"{brief(self.network)} of {count:,} weights"}
        facts |= {name: repr(getattr(self, name)) for name in ("form", "inputs", "embedding")}
        return line("LearnedPreconditioner", facts)

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return P_θ(grad; state.z), of the gradient's shape."""
        self.require_precision(grad)
        correction = self.correction(grad, state.z, state.k)
        damping = self._shared_damping(state)
        if damping is not None:
            return newton(state.physics, grad + damping * correction, damping)
        if self.form in ("null_space", "newton_null_space"):
            correction = null_projection(state.physics, correction)
        return self.base(grad, state) + correction

    def _shared_damping(self, state: State) -> float | None:
        """Return λ where the Newton step and the operator's soft split share it, so that one solve is both."""
        split = getattr(state.physics, "split", None)
        if split is None or not isinstance(self.base, Newton):
            return None
        of_images = state.noise is not None and self.base.noise is not None
        damping = None if of_images else self.base.damping_for(state.physics)
        return damping if damping == split else None

    def correction(self, grad: torch.Tensor, z: torch.Tensor, k: int | torch.Tensor) -> torch.Tensor:
        """Return N_θ for a gradient and an iterate (N, C, H, W) at iteration k, before anything is projected."""
        seen = torch.cat([grad, z], dim=1) if self.inputs == "state_aware" else grad
        v = with_iteration(seen, k, self.embedding, self.longest)
        if getattr(self.network, "wants_iteration", False):
            return self.network(v, iteration_progress(k, self.longest).to(v))
        return self.network(v)
