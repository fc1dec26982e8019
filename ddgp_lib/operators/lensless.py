"""A camera without a lens: a point spread function as large as the sensor, of which the sensor sees a part."""

from typing import Any

import torch
from deepinv.physics import LinearPhysics

from ..arguments import LARGEST_SIDE, require, require_instance, require_tensor
from ._common import OldNames, require_fixed, require_sides, single_precision
from .iterative import largest_eigenvalue
from .known import found_once
from .noise import gaussian_noise


class LenslessCamera(OldNames, LinearPhysics):
    r"""Convolve a scene with a measured point spread function and crop it to the sensor, :math:`A = C H`.

    Every point of the scene spreads over the whole sensor, and points outside the sensor's field reach it too.  So
    the image has twice the sensor's sides: pixels of the sensor then see each other's scene through no periodic
    boundary, and A is the linear convolution, exactly.  H multiplies the frequencies of the image by those of
    the point spread function, which is padded by zeros; C keeps the middle.  Real Fourier transforms take
    O(n log n) operations for n pixels.

    Images are (N, C, 2h, 2w), measurements (N, C, h, w), with the sensor at the rows and columns that
    :attr:`sensor` names.

    Parameters
    ----------
    psf : Tensor, shape (h, w), (1, h, w) or (C, h, w)
        The point spread function on the sensor, for all channels or one for each; in any units, and of any sign, as
        noise around a dark level has both.  A point in the middle of the scene has its centre at pixel
        (h // 2, w // 2).
    noise : float
        Standard deviation of the white Gaussian noise on each measurement, in the measurements' units.
    seed : int
        Seed of the operator's own noise generator.
    used : Tensor of bool, shape (h, w), optional
        Pixels of the sensor that are read, by default all; C then returns 0 at the others, which are defective or
        held out.  :math:`C^\top C` keeps eigenvalues of 0 and 1.

    Attributes
    ----------
    sensor : pair of slice
        Rows and columns of the image that the sensor covers.
    sides : dict
        Height and width of images, ``"x"``, and of measurements, ``"y"``.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or an image is not of the sides above.

    References
    ----------
    Antipa et al., "DiffuserCam: lensless single-exposure 3D imaging", Optica, 2018; Almeida and Figueiredo,
    "Deconvolving images with unknown boundaries using the alternating direction method of multipliers", 2013.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.operators import LenslessCamera
    >>> camera = LenslessCamera(torch.rand(6, 8, generator=torch.Generator().manual_seed(0)))
    >>> camera.A(torch.zeros(1, 3, 12, 16)).shape
    torch.Size([1, 3, 6, 8])
    """

    psf: torch.Tensor
    response: torch.Tensor
    used: torch.Tensor | None

    def __init__(
        self, psf: torch.Tensor, noise: float = 0.0, seed: int = 0, used: torch.Tensor | None = None
    ) -> None:
        require_psf("psf", psf)
        if used is not None:
            require_used("used", used, tuple(psf.shape[-2:]))
        super().__init__(noise_model=gaussian_noise(noise, seed))
        psf = psf.detach().reshape(-1, *psf.shape[-2:])
        height, width = psf.shape[-2:]
        self.sides = {"x": (2 * height, 2 * width), "y": (height, width)}
        self.sensor = (
            slice(height // 2, height // 2 + height),
            slice(width // 2, width // 2 + width),
        )
        padded = torch.zeros(len(psf), 2 * height, 2 * width, dtype=torch.float64, device=psf.device)
        padded[:, :height, :width] = psf
        centred = padded.roll((-(height // 2), -(width // 2)), (-2, -1))
        self.register_buffer("psf", psf.clone())
        self.register_buffer(
            "response", torch.view_as_real(torch.fft.rfft2(centred)).to(psf.dtype), persistent=False
        )
        self.register_buffer("used", None if used is None else used.clone(), persistent=False)

    @property
    def channels(self) -> int | None:
        """Channels of its images, None for any number."""
        return None if len(self.psf) == 1 else len(self.psf)

    @property
    def transfer(self) -> torch.Tensor:
        """Spectrum ĥ of H, complex, shape (1, 2h, w + 1) or (C, 2h, w + 1), as ``torch.fft.rfft2`` orders it."""
        return torch.view_as_complex(self.response)

    @property
    def spectrum(self) -> torch.Tensor:
        """Eigenvalues of HᵀH, the squared moduli of :attr:`transfer`, in its order: AᵀA never exceeds HᵀH."""
        return self.transfer.abs().square()

    @property
    def squared_norm(self) -> float:
        """‖A‖², by power iteration, found once; it is at most the largest |ĥ|²."""
        shape = (len(self.psf), *self.sides["x"])
        return found_once(self, "squared norm", shape, lambda: self._find_norm(shape))

    def _find_norm(self, shape: tuple[int, ...]) -> float:
        psf = self.psf
        return largest_eigenvalue(self.A_adjoint_A, shape, dtype=psf.dtype, device=psf.device)

    @single_precision
    def blur(self, x: torch.Tensor) -> torch.Tensor:
        """H x of images (N, C, 2h, 2w), before the crop: their periodic convolution."""
        self._require("x", x)
        return self._filtered(x, self.transfer)

    @single_precision
    def blur_adjoint(self, x: torch.Tensor) -> torch.Tensor:
        """Hᵀx of images (N, C, 2h, 2w)."""
        self._require("x", x)
        return self._filtered(x, self.transfer.conj())

    def crop(self, x: torch.Tensor) -> torch.Tensor:
        """C x: the sensor's part (N, C, h, w) of images (N, C, 2h, 2w)."""
        self._require("x", x)
        return self._read(x[..., self.sensor[0], self.sensor[1]])

    def pad(self, y: torch.Tensor) -> torch.Tensor:
        """Cᵀy: images (N, C, 2h, 2w) that are zero beyond the sensor."""
        self._require("y", y)
        image = y.new_zeros(*y.shape[:-2], *self.sides["x"])
        image[..., self.sensor[0], self.sensor[1]] = self._read(y)
        return image

    @single_precision
    def A(self, x: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Measurements A x, (N, C, h, w), of images (N, C, 2h, 2w)."""
        self.update_parameters(**kwargs)
        return self.crop(self.blur(x))

    @single_precision
    def A_adjoint(self, y: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Images Aᵀy, (N, C, 2h, 2w), of measurements (N, C, h, w)."""
        self.update_parameters(**kwargs)
        return self.blur_adjoint(self.pad(y))

    @single_precision
    def A_adjoint_A(self, x: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """AᵀA x of images (N, C, 2h, 2w)."""
        return self.A_adjoint(self.A(x, **kwargs))

    def update_parameters(self, **kwargs: Any) -> None:
        """Refuse another point spread function or other pixels: make another operator instead."""
        require_fixed(psf=kwargs.pop("psf", None), used=kwargs.pop("used", None))
        super().update_parameters(**kwargs)

    def _read(self, y: torch.Tensor) -> torch.Tensor:
        """Set pixels of the sensor that are not read to 0."""
        return y if self.used is None else y * self.used

    def _filtered(self, x: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
        return torch.fft.irfft2(torch.fft.rfft2(x) * gains, s=self.sides["x"])

    def _require(self, name: str, batch: torch.Tensor) -> None:
        """Refuse images ``"x"``, or measurements ``"y"``, of other sides, channels or another type."""
        require_sides(name, batch, self.sides[name], (self.psf.dtype,))
        fits = self.channels is None or batch.shape[1] == self.channels
        expected = f"{self.channels} channels, as the point spread function"
        require(fits, f"{name}.shape", tuple(batch.shape), expected)


def require_psf(argument: str, psf: Any) -> None:
    """Raise a ``ValueError`` unless ``psf`` is a point spread function that an image of twice its sides fits to."""
    expected = f"(h, w) or (C, h, w), sides from 1 to {LARGEST_SIDE // 2}"
    require_tensor(argument, psf)
    fits = psf.ndim in (2, 3) and psf.numel() > 0 and max(psf.shape) <= LARGEST_SIDE // 2
    require(fits, f"{argument}.shape", tuple(psf.shape), expected)
    real = psf.dtype in (torch.float32, torch.float64)
    require(real, f"{argument}.dtype", psf.dtype, "torch.float32 or torch.float64")
    seen = bool(psf.flatten(-2).abs().amax(-1).min() > 0)
    require(seen, argument, psf, "a response in each channel, that is entries other than 0")


def require_used(argument: str, used: Any, sides: tuple[int, ...]) -> None:
    """Raise a ``ValueError`` unless ``used`` says of each of the sensor's pixels whether it is read, and one is."""
    wanted = f"None, or a tensor of bool, shape {sides}, with one pixel or more that is read"
    require_instance(argument, used, torch.Tensor, wanted)
    fits = used.dtype == torch.bool and tuple(used.shape) == sides and bool(used.any())
    require(fits, argument, used, wanted)
