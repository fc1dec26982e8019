"""A preconditioner that is linear in the gradient, or affine in the gradient and the iterate."""

from typing import get_args

import torch

from ..arguments import (
    require,
    require_choice,
    require_count,
    require_instance,
    require_integer,
    require_tensor,
)
from ..names import After, LinearForm, LinearInputs
from ..operators import null_projection
from .base import Preconditioner, State
from .classical import base_of
from .structures import Structure

LINEAR_FORMS: tuple[LinearForm, ...] = get_args(LinearForm)
LINEAR_INPUTS: tuple[LinearInputs, ...] = get_args(LinearInputs)
AFTER: tuple[After, ...] = get_args(After)
LARGEST = 2**29
"""Weights that a preconditioner may have: 2 GiB."""


class LinearPreconditioner(Preconditioner):
    r"""A preconditioner P_k with one linear map L_k and one image b_k for each iteration k < K.

    .. math::

        P_k(g; z) &= g + (I - A^+ A) \bigl(L_k [g; z] + b_k\bigr)            && \text{(null space)} \\
        P_k(g; z) &= R_\lambda g + (I - A^+ A) \bigl(L_k [g; z] + b_k\bigr)  && \text{(Newton and null space)} \\
        P_k(g; z) &= g + L_k [g; z] + b_k                                    && \text{(free)}

    With ``"gradient_only"``, z and b_k are left out and P_k is linear.  The forms are those of
    :class:`~ddgp_lib.preconditioners.learned.LearnedPreconditioner`, and so is the bound up to which A P = A g and
    :math:`A P = A R_\lambda g`.  It is built with L_k = 0 and b_k = 0, and
    filled in closed form by :func:`~ddgp_lib.linear.distill_linear` or :func:`~ddgp_lib.linear.learn_linear`.

    Parameters
    ----------
    structure : Structure
        How L_k is restricted, and the shape of the images.
    iterations : int
        K, 1 or above.
    inputs : str
        ``"affine"`` or ``"gradient_only"``.
    form : str
        ``"null_space"``, ``"newton_null_space"`` or ``"free"``.
    rank : int, optional
        L_k is the product of a matrix with ``rank`` columns and one with ``rank`` rows, of which only these are
        stored; by default the whole matrix is.
    after : str
        P_k for k ≥ K: as if L and b were zero, ``"identity"``, which gives the gain back slowly if at all; or the
        ``"last"`` one, which diverges where it is affine, fitted to few images and repeated for long.
    damping, damping_noise : float, float or None
        Of the Newton step, see :class:`~ddgp_lib.preconditioners.classical.Newton`.

    Attributes
    ----------
    weights : Tensor, shape (K, B, F_in, F_out) or (K, B, F_in, rank)
        Matrices of the blocks, which multiply rows of features from the right; with an axis of length 2 for real and
        imaginary part at the end where blocks are complex.
    expand : Tensor, shape (K, B, rank, F_out)
        The second factor, where there is a rank.
    bias : Tensor, shape (K, C, H, W)
        The images b_k.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or a gradient has another shape than (N, C, H, W).
    """

    weights: torch.Tensor
    expand: torch.Tensor
    bias: torch.Tensor

    def __init__(
        self,
        structure: Structure,
        iterations: int,
        *,
        inputs: LinearInputs = "affine",
        form: LinearForm = "null_space",
        rank: int | None = None,
        after: After = "identity",
        damping: float = 1e-3,
        damping_noise: float | None = None,
    ) -> None:
        super().__init__()
        require_instance("structure", structure, Structure, "a Structure")
        require_count("iterations", iterations)
        require_choice("inputs", inputs, LINEAR_INPUTS)
        require_choice("form", form, LINEAR_FORMS)
        require_choice("after", after, AFTER)
        require_integer("rank", rank, lowest=1, none=True)
        self.base = base_of(form, damping, damping_noise)
        self.structure, self.iterations = structure, iterations
        self.inputs, self.form, self.rank, self.after = inputs, form, rank, after
        channels = structure.img_size[0]
        first = structure.features(channels if inputs == "gradient_only" else 2 * channels)
        last = structure.features(channels)
        numbers = iterations * structure.count * (first * (rank or last))
        require(numbers <= LARGEST, "rank", rank, f"a lower one: {numbers} > {LARGEST} weights of L_k in all")
        parts = (2,) if structure.complex_valued else ()
        lead = (iterations, structure.count)
        self.register_buffer("weights", torch.zeros(*lead, first, rank or last, *parts))
        if rank is not None:
            self.register_buffer("expand", torch.zeros(*lead, rank, last, *parts))
        self.register_buffer("bias", torch.zeros(iterations, *structure.img_size))

    def see(self, grad: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Return what L_k multiplies: [g; z], (N, 2 C, H, W), or g alone."""
        return grad if self.inputs == "gradient_only" else torch.cat([grad, z], dim=1)

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return P_k(grad; state.z), of the gradient's shape."""
        expected = self.structure.img_size
        self.require_precision(grad)
        require(grad.shape[1:] == expected, "grad.shape", tuple(grad.shape), f"(N, *{expected})")
        correction = self._correction(self.see(grad, state.z), state.k)
        if self.form != "free":
            correction = null_projection(state.physics, correction)
        return self.base(grad, state) + correction

    def _correction(self, seen: torch.Tensor, k: int | torch.Tensor) -> torch.Tensor:
        """L_k [g; z] + b_k, each image with its own iteration."""
        if not isinstance(k, torch.Tensor):
            return self._at(seen, k)
        correction = seen.new_zeros(len(seen), *self.structure.img_size)
        for iteration in k.unique().tolist():
            correction[k == iteration] = self._at(seen[k == iteration], iteration)
        return correction

    def _at(self, seen: torch.Tensor, k: int) -> torch.Tensor:
        """L_k [g; z] + b_k, all images at the same iteration."""
        if k >= self.iterations:
            if self.after == "identity":
                return seen.new_zeros(len(seen), *self.structure.img_size)
            k = self.iterations - 1
        return self.linear_part(seen, k) + self.bias[k]

    def linear_part(self, seen: torch.Tensor, k: int) -> torch.Tensor:
        """L_k [g; z], (N, C, H, W), for k < K."""
        require_integer("k", k, lowest=0, highest=self.iterations - 1)
        blocks = self.structure.blocks(seen) @ self._matrix("weights", k)
        if self.rank is not None:
            blocks = blocks @ self._matrix("expand", k)
        return self.structure.images(blocks)

    def _matrix(self, name: str, k: int) -> torch.Tensor:
        matrix = getattr(self, name)[k]
        return torch.view_as_complex(matrix) if self.structure.complex_valued else matrix

    @torch.no_grad()
    def fill(
        self, k: int, weights: torch.Tensor, bias: torch.Tensor, expand: torch.Tensor | None = None
    ) -> None:
        """Set L_k, as (B, F_in, F_out) or its two factors, and b_k, (C, H, W)."""
        require_integer("k", k, lowest=0, highest=self.iterations - 1)
        require(
            (expand is None) == (self.rank is None),
            "expand",
            type(expand).__name__,
            f"one for rank={self.rank}",
        )
        matrices = {"weights": weights} if expand is None else {"weights": weights, "expand": expand}
        for name, matrix in matrices.items():
            require_tensor(name, matrix, shape=tuple(self._matrix(name, k).shape))
            stored = torch.view_as_real(matrix) if self.structure.complex_valued else matrix
            getattr(self, name)[k] = stored
        require_tensor("bias", bias, shape=tuple(self.structure.img_size))
        self.bias[k] = bias
