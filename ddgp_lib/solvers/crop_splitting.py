r"""ADMM that takes the crop of a lens-less camera and nonnegativity apart: the classical method for such cameras.

A = C H is hard to invert, but C (a mask) and H (a filter) alone are easy.  With copies v of H x and w of x,

.. math:: \min_{x, v, w}\ \tfrac12 \lVert C v - y \rVert^2 + \iota_{w \ge 0} \quad
   \text{such that } v = H x,\ w = x,

each step is a division: by a mask for v, by a filter for x.  The methods of the DiffuserCam's authors have total
variation as a third part; here it is left out, so that all methods solve one problem.
"""

from collections.abc import Iterator

import torch

from ..arguments import require_flag, require_instance, require_integer, require_positive
from ..operators.lensless import LenslessCamera
from .measurements import back_project


def crop_admm(
    camera: LenslessCamera,
    y: torch.Tensor,
    steps: int,
    *,
    penalty: float = 0.3,
    coupling: float = 0.01,
    nonnegative: bool = True,
) -> Iterator[torch.Tensor]:
    r"""Yield the images w_1, w_2, … of ADMM on ½‖C H x − y‖², with or without x ≥ 0, from x = 0.

    With scaled dual variables d and e, μ = ``penalty`` and ν = ``coupling`` μ max|ĥ|², an iteration is

    .. math::

        x &= (\mu H^\top H + \nu I)^{-1} \bigl(\mu H^\top (v - d) + \nu (w - e)\bigr) \\
        v &= (C^\top C + \mu I)^{-1} \bigl(C^\top y + \mu (H x + d)\bigr), \qquad d \leftarrow d + H x - v \\
        w &= \max(x + e, 0), \qquad e \leftarrow e + x - w .

    It converges for all μ, ν > 0, x and w to one solution; w is nonnegative at every iteration.  Without the
    constraint w is x, and ν holds x near the one before.  An iteration takes four Fourier transforms, as a gradient
    does.

    Parameters
    ----------
    camera : LenslessCamera
        A = C H.
    y : Tensor, shape (N, C, h, w)
        Measurements.
    steps : int
        Number of iterations.
    penalty : float
        μ, above zero.
    coupling : float
        ν/(μ max|ĥ|²), above zero.
    nonnegative : bool
        Whether x ≥ 0.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or y is not what the camera measures.

    References
    ----------
    Almeida and Figueiredo, "Deconvolving images with unknown boundaries using the alternating direction method of
    multipliers", 2013; Antipa et al., "DiffuserCam: lensless single-exposure 3D imaging", 2018; Boyd et al.,
    "Distributed optimization and statistical learning via the alternating direction method of multipliers", 2011.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.operators import LenslessCamera
    >>> from ddgp_lib.solvers import crop_admm
    >>> camera = LenslessCamera(torch.rand(6, 8, generator=torch.Generator().manual_seed(0)))
    >>> y = camera.A(torch.rand(1, 1, 12, 16, generator=torch.Generator().manual_seed(1)))
    >>> *_, x = crop_admm(camera, y, steps=100)
    >>> bool((x >= 0).all()), bool((camera.A(x) - y).norm() < 0.1 * y.norm())
    (True, True)
    """
    require_instance("camera", camera, LenslessCamera, "a LenslessCamera")
    require_integer("steps", steps, lowest=1)
    require_positive("penalty", penalty)
    require_positive("coupling", coupling)
    require_flag("nonnegative", nonnegative)
    back_project(y, camera)
    return _run(camera, y, steps, penalty, coupling * float(camera.spectrum.max()), nonnegative)


def _run(
    camera: LenslessCamera, y: torch.Tensor, steps: int, penalty: float, pull: float, nonnegative: bool
) -> Iterator[torch.Tensor]:
    """Yield the iterates; the normal equations of x are divided by μ, so ``pull`` is ν/μ."""
    data, seen = camera.pad(y), camera.pad(torch.ones_like(y))
    v = data / (seen + penalty)
    w, d, e = torch.zeros_like(data), torch.zeros_like(data), torch.zeros_like(data)
    transfer, gains = camera.transfer, 1 / (camera.spectrum + pull)
    sides = camera.sides["x"]
    for _ in range(steps):
        with torch.no_grad():
            right = transfer.conj() * torch.fft.rfft2(v - d) + pull * torch.fft.rfft2(w - e)
            frequencies = gains * right
            x = torch.fft.irfft2(frequencies, s=sides)
            blurred = torch.fft.irfft2(transfer * frequencies, s=sides)
            v = (data + penalty * (blurred + d)) / (seen + penalty)
            d = d + blurred - v
            w = (x + e).clamp(min=0) if nonnegative else x
            e = e + x - w
        yield w
