"""A lens-less camera's readings made into an operator and its measurements."""

import torch
from torch.nn import functional

from ...arguments import require, require_instance, require_integer, require_tensor
from ...operators.lensless import LenslessCamera
from .records import Measured

DARK = slice(5, 15)
"""Rows and columns, in pixels, of the corner in which the point spread function tells the dark level."""


def prepare_lensless(
    psf: torch.Tensor, image: torch.Tensor, factor: int = 8
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a point spread function and a picture of one sensor as a reconstruction takes them.

    As the tutorial of the DiffuserCam's authors describes it: the dark level, the mean of a corner of the point
    spread function where hardly any light falls, is subtracted from both; squares of ``factor`` pixels are averaged;
    and each is divided by its norm, since gain and exposure are unknown.  So the scene has no units.

    Parameters
    ----------
    psf : Tensor, shape (H, W)
        Readings with a point of light.
    image : Tensor, shape (H, W)
        Readings with the scene.
    factor : int
        Side of the squares, 1 or above; what is left over at the right and below is cut off.

    Returns
    -------
    psf, image : Tensor, shape (H // factor, W // factor)
        Each of norm 1, in single precision.

    Raises
    ------
    ValueError
        If an argument is not accepted, or nothing is left above the dark level.

    References
    ----------
    Antipa et al., "DiffuserCam: lensless single-exposure 3D imaging", Optica, 2018, and the tutorial beside it.
    """
    require_tensor("psf", psf, dimensions=2)
    require_tensor("image", image, shape=tuple(psf.shape))
    for name, readings in (("psf", psf), ("image", image)):
        require(not readings.is_complex(), f"{name}.dtype", readings.dtype, "real numbers")
    least = min(psf.shape)
    require(least >= DARK.stop, "psf.shape", tuple(psf.shape), f"sides of {DARK.stop} pixels or more")
    require_integer("factor", factor, lowest=1, highest=least)
    dark = psf[DARK, DARK].double().mean()
    return _binned("psf", psf.double() - dark, factor), _binned("image", image.double() - dark, factor)


def _binned(name: str, readings: torch.Tensor, factor: int) -> torch.Tensor:
    """Average squares of pixels, and divide by the norm."""
    binned = functional.avg_pool2d(readings[None, None], factor)[0, 0]
    norm = binned.norm()
    require(bool(norm > 0), name, readings, "readings that differ from the dark level")
    return (binned / norm).float()


def lensless_camera(measured: Measured, factor: int = 8) -> tuple[LenslessCamera, torch.Tensor]:
    """Return the operator of a measured lens-less camera, and what it measured.

    Parameters
    ----------
    measured : Measured
        A set with the arrays ``psf`` and ``image``: ``load_measured("diffusercam")``.
    factor : int
        Side of the squares of pixels that are averaged, 1 or above.

    Returns
    -------
    camera : LenslessCamera
        With the point spread function of norm 1.
    y : Tensor, shape (1, 1, H // factor, W // factor)
        The measurements, of norm 1.

    Raises
    ------
    ValueError
        If the set is none of a lens-less camera, or ``factor`` is outside what is accepted.

    Examples
    --------
    >>> from ddgp_lib.data import load_measured
    >>> from ddgp_lib.data.measured import lensless_camera
    >>> camera, y = lensless_camera(load_measured("diffusercam"))  # doctest: +SKIP
    >>> camera.sides["x"], y.shape  # doctest: +SKIP
    ((300, 400), torch.Size([1, 1, 150, 200]))
    """
    require_instance("measured", measured, Measured, "a measured set, from load_measured")
    wanted = "a set with the arrays psf and image, as diffusercam"
    require({"psf", "image"} <= set(measured.arrays), "measured", measured, wanted)
    psf, image = prepare_lensless(measured["psf"], measured["image"], factor)
    return LenslessCamera(psf), image[None, None]
