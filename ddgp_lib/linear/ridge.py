r"""Ridge regressions of many outputs, for every weight of the ridge from one eigendecomposition.

With one row for each sample, inputs X and outputs Y, the weights of least
:math:`\lVert Y - X W \rVert^2 + c \lVert W \rVert^2` are

.. math::

    W = (X^* X + c I)^{-1} X^* Y = V\, (S^2 + c I)^{-1} S\, U^* Y, \qquad X = U S V^* .

S and V follow from the eigenvectors of :math:`X^* X`, or of :math:`X X^*` where samples are fewer than features.
"""

import torch

from ..arguments import require, require_integer, require_number, require_tensor

VANISHING = 1e-12
"""Eigenvalues of a Gram matrix below this fraction of the largest count as zero."""


class Ridge:
    r"""Regressions :math:`Y \approx X W`, one for each block, prepared for any ridge ε.

    The ridge is relative: :math:`c = \varepsilon q`, where q is a scale of the squares of the inputs.

    Parameters
    ----------
    X : Tensor, shape (B, M, F)
        Inputs, real or complex: B blocks, M samples, F features.
    Y : Tensor, shape (B, M, D)
        Outputs.
    scale : float, optional
        q, above zero.  By default the mean eigenvalue of :math:`X^* X` over all blocks and features.  Where
        inputs can vanish but for rounding errors, a scale from elsewhere keeps these from being taken for signal.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    References
    ----------
    Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal problems", 1970; Hastie, Tibshirani and
    Friedman, "The elements of statistical learning", 2nd edition, 2009, sections 3.4 and 18.3.5 (more features than
    samples).
    """

    def __init__(self, X: torch.Tensor, Y: torch.Tensor, scale: float | None = None) -> None:
        for name, rows in {"X": X, "Y": Y}.items():
            require_tensor(name, rows, dimensions=3)
            require(rows.numel() > 0, f"{name}.shape", tuple(rows.shape), "a tensor with entries")
        require_number("scale", scale, above=0, none=True)
        fits = X.shape[:2] == Y.shape[:2]
        require(fits, "Y.shape", tuple(Y.shape), f"(B, M, D) with B and M of X.shape={tuple(X.shape)}")
        if X.shape[2] <= X.shape[1]:
            squares, self.V = torch.linalg.eigh(X.mH @ X)
            self.scores = self.V.mH @ (X.mH @ Y)  # S U* Y
        else:
            squares, U, S, self.V = _from_rows(X)
            self.scores = S.mT * (U.mH @ Y)
        self.squares = squares.clamp(min=0)[:, :, None]
        self.scale = float(self.squares.sum()) / (X.shape[0] * X.shape[2]) if scale is None else scale

    def weights(self, ridge: float) -> torch.Tensor:
        """Return W, (B, F, D), for a ridge ε of 0 or above; with ε = 0 the weights of least norm."""
        return self.V @ self._shrunk(ridge)

    def low_rank_weights(self, ridge: float, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
        r"""Return two factors W Q, (B, F, rank), and Q*, (B, rank, D), of weights of a given rank.

        The columns of Q are the leading right singular vectors of :math:`(S^2 + c I)^{1/2} V^* W`.  No matrix of that
        rank has a lower value of what W makes least.

        References
        ----------
        Izenman, "Reduced-rank regression for the multivariate linear model", 1975; Mukherjee and Zhu, "Reduced rank
        ridge regression and its kernel extensions", 2011.
        """
        require_integer("rank", rank, lowest=1)
        shrunk = self._shrunk(ridge)
        Q = right_singular_vectors((self.squares + ridge * self.scale).sqrt() * shrunk, rank)
        return self.V @ (shrunk @ Q), Q.mH

    def _shrunk(self, ridge: float) -> torch.Tensor:
        """(S² + c I)⁻¹ S U* Y, (B, min(M, F), D)."""
        require_number("ridge", ridge, lowest=0)
        damped = self.squares + ridge * self.scale
        floor = VANISHING * max(float(self.squares.max()), self.scale)
        return self.scores / torch.where(damped > floor, damped, torch.inf)


def right_singular_vectors(matrix: torch.Tensor, rank: int) -> torch.Tensor:
    """Leading right singular vectors of matrices (B, R, D), as columns (B, D, rank), by the smaller Gram matrix.

    Where a matrix has a lower rank, the columns beyond it are zero or any.
    """
    if matrix.shape[2] <= matrix.shape[1]:
        vectors = torch.linalg.eigh(matrix.mH @ matrix)[1].flip(-1)[..., :rank]
    else:
        vectors = _from_rows(matrix)[3].flip(-1)[..., :rank]
    missing = rank - vectors.shape[-1]
    return torch.cat([vectors, vectors.new_zeros(*vectors.shape[:2], missing)], dim=2)


def _from_rows(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return S² (B, R), U, S (B, 1, R) and V of matrices U S V* (B, R, D) from the Gram matrix of their rows.

    In rising order; S and the columns of V are zero where S² vanishes.
    """
    squares, U = torch.linalg.eigh(matrix @ matrix.mH)
    S = torch.where(squares > VANISHING * squares.max(), squares, 0.0).sqrt()[:, None, :]
    return squares, U, S, (matrix.mH @ U) / torch.where(S > 0, S, torch.inf)
