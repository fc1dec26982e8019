"""A task: images, a student operator, a teacher operator, and what PnP-FISTA needs to run on them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from deepinv.loss.metric import PSNR, SSIM
from deepinv.models import Denoiser
from deepinv.physics import LinearPhysics
from torch.nn import functional

from .arguments import require, require_images
from .data import Split, load_brains, load_digits, load_faces, perturb, smooth_phase, to_complex
from .denoisers import load_denoiser
from .operators import (
    CartesianMRI,
    FourierDownsampling,
    HadamardCamera,
    MultiCoilCartesianMRI,
    measure,
    squared_norm,
)

Augment = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


@dataclass(frozen=True)
class Task:
    """One imaging problem, ready for distillation and reconstruction.

    Attributes
    ----------
    name : str
        The task's name.
    student : LinearPhysics
        A_s, the real and ill-posed operator.
    teacher : LinearPhysics
        A_t, the synthetic and better-conditioned operator; it exists only while training.
    train_images, val_images, test_images : Tensor
        Images to train on, to choose on, and to report on; each (N, C, H, W), in [0, 1].
    denoiser : Denoiser
        D_σ, the prior of every method in a comparison.
    sigma : float
        Noise level given to the denoiser where nothing else is said.
    stepsize : float
        α = 1/‖A_s‖².
    teacher_stepsize : float
        1/‖A_t‖².
    augment : callable
        (images, generator) ↦ images: the random change that makes more of few training images.
    complex_valued : bool
        Whether the two channels are the real and imaginary parts of a complex image, judged by its magnitude.
    """

    name: str
    student: LinearPhysics
    teacher: LinearPhysics
    train_images: torch.Tensor
    val_images: torch.Tensor
    test_images: torch.Tensor
    denoiser: Denoiser
    sigma: float
    stepsize: float
    teacher_stepsize: float
    augment: Augment = perturb
    complex_valued: bool = False

    @property
    def img_size(self) -> tuple[int, ...]:
        """Shape (C, H, W) of one image."""
        return tuple(self.train_images.shape[1:])

    def measure(self, images: torch.Tensor, seed: int = 0) -> torch.Tensor:
        """Simulate the student's measurements y_s = A_s x + w of images (N, C, H, W)."""
        return measure(self.student, images, seed)

    def psnr(self, x: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Peak signal-to-noise ratio of each image in dB, on [0, 1]; of magnitudes where images are complex."""
        return PSNR(max_pixel=1, complex_abs=self.complex_valued)(x, truth)

    def ssim(self, x: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Structural similarity of each image; of magnitudes where images are complex."""
        return SSIM(max_pixel=1, complex_abs=self.complex_valued)(x, truth)

    def picture(self, x: torch.Tensor) -> torch.Tensor:
        """Return what is looked at: the magnitude (N, 1, H, W) of complex images, others as they are."""
        return x.norm(dim=1, keepdim=True) if self.complex_valued else x


def load_task(name: str, **options: object) -> Task:
    """Build a task by its name; nothing is downloaded.

    Parameters
    ----------
    name : str
        ``"single_pixel"``, ``"mri"`` or ``"super_resolution"``.
    **options
        The task's own arguments; see :func:`single_pixel`, :func:`mri` and :func:`super_resolution`.

    Returns
    -------
    Task

    Raises
    ------
    ValueError
        If the name is unknown or an option is outside what is accepted.
    TypeError
        If the task has no such option.

    Examples
    --------
    >>> import ddgp_lib
    >>> task = ddgp_lib.load_task("single_pixel", ratio=0.2)
    >>> int(task.student.mask.sum())
    205
    """
    require(name in TASKS, "name", name, f"one of {tuple(TASKS)}")
    return TASKS[name](**options)


def single_pixel(
    *,
    ratio: float = 0.1,
    teacher_ratio: float = 0.4,
    ordering: str = "cake_cutting",
    noise: float = 0.01,
    size: int = 32,
    sigma: float = 0.07,
    seed: int = 0,
    denoiser: Denoiser | None = None,
    images: Split | None = None,
) -> Task:
    """MNIST digits seen by a single-pixel camera with a Hadamard basis.

    Parameters
    ----------
    ratio : float
        Fraction of the basis that the student measures, in (0, 1]; by default 0.1, 102 of 1,024 patterns.
    teacher_ratio : float
        Fraction that the teacher measures; at least ``ratio``, so that its patterns include the student's.
    ordering : str
        Order of the patterns, see :class:`~ddgp_lib.operators.HadamardCamera`.
    noise : float
        Standard deviation of the Gaussian noise on each measurement of either operator.  With the orthonormal
        basis a digit's 102 measurements have a norm of about 8.
    size : int
        Side of the images in pixels, a power of two; digits are resampled where it is not 32.
    sigma : float
        Noise level for the denoiser.
    seed : int
        Seed of the cameras' own noise generators.
    denoiser : Denoiser, optional
        Another denoiser than the shipped one.
    images : Split, optional
        Your own images instead of the embedded digits, each part (N, 1, size, size).

    Returns
    -------
    Task
    """
    require(teacher_ratio >= ratio, "teacher_ratio", teacher_ratio, f"at least ratio={ratio}")
    img_size = (1, size, size)
    student = HadamardCamera(ratio, img_size, ordering, noise, seed)
    teacher = HadamardCamera(teacher_ratio, img_size, ordering, noise, seed + 1)
    images = _own(images, img_size) or Split(*(_resample(part, size) for part in load_digits()))
    return _task("single_pixel", student, teacher, images, denoiser, sigma, perturb)


def mri(
    *,
    acceleration: float = 4,
    teacher_acceleration: float = 2,
    center_fraction: float = 0.08,
    nested: bool = True,
    coils: int = 1,
    noise: float = 0.01,
    size: int = 128,
    sigma: float = 0.03,
    seed: int = 0,
    denoiser: Denoiser | None = None,
    images: Split | None = None,
) -> Task:
    """Brain slices seen by a Cartesian MRI scanner that skips most columns of k-space.

    Images have two channels, the real and imaginary part; k-space, phase and noise are simulated.  Training and
    validation slices come from one volume, test slices from another.

    Parameters
    ----------
    acceleration : float
        Columns of k-space over columns that the student measures, above 1; by default 4.
    teacher_acceleration : float
        The same for the teacher; 1 or above, and at most ``acceleration``.
    center_fraction : float
        Fraction of the columns, around the centre, that are always measured, in (0, 1).
    nested : bool
        Whether the teacher's columns include the student's (default), or are drawn on their own.
    coils : int
        Number of receive coils: one (default), or several with simulated sensitivities.
    noise : float
        Standard deviation of the Gaussian noise on the real and the imaginary part of each k-space entry.
    size : int
        Side of the images in pixels; slices are resampled where it is not 128.
    sigma : float
        Noise level for the denoiser.
    seed : int
        Seed of the masks, the phases and the scanners' noise generators.
    denoiser : Denoiser, optional
        Another denoiser than the shipped one.
    images : Split, optional
        Your own images instead of the brain slices, each part (N, 2, size, size).

    Returns
    -------
    Task
    """
    require(
        teacher_acceleration <= acceleration,
        "teacher_acceleration",
        teacher_acceleration,
        f"at most acceleration={acceleration}",
    )
    img_size = (2, size, size)

    def scanner(factor: float, mask_seed: int, noise_seed: int) -> LinearPhysics:
        options: dict[str, Any] = {"center_fraction": center_fraction, "noise": noise}
        options |= {"mask_seed": mask_seed, "seed": noise_seed}
        if coils == 1:
            return CartesianMRI(factor, img_size, **options)
        return MultiCoilCartesianMRI(factor, img_size, coils=coils, **options)

    student = scanner(acceleration, seed, seed)
    teacher = scanner(teacher_acceleration, seed if nested else seed + 1, seed + 1)
    images = _own(images, img_size) or complex_brains(size, seed)
    return _task("mri", student, teacher, images, denoiser, sigma, turn_phase, complex_valued=True)


def super_resolution(
    *,
    factor: int = 4,
    teacher_factor: int = 2,
    filter: str = "gaussian",
    blur: float = 4.0,
    teacher_blur: float = 1.0,
    rtol: float = 0.03,
    noise: float = 0.001,
    size: int = 64,
    sigma: float = 0.03,
    seed: int = 0,
    denoiser: Denoiser | None = None,
    images: Split | None = None,
) -> Task:
    """Grey faces seen through a blur and decimation, to be enlarged again.

    Parameters
    ----------
    factor : int
        The student keeps one pixel in ``factor`` × ``factor``; by default 4.
    teacher_factor : int
        The same for the teacher, at most ``factor``; 1 is a blur without decimation.
    filter : str
        Kernel of the blur before decimation, see :class:`~ddgp_lib.operators.FourierDownsampling`.
    blur, teacher_blur : float
        Standard deviations of the student's and the teacher's Gaussian kernel in pixels of the image.
    rtol : float
        Singular values below ``rtol`` · ‖A‖ count as zero, so that the null space of both operators includes what the
        noise hides.
    noise : float
        Standard deviation of the Gaussian noise on each pixel that is kept; the default is about that of rounding to
        8 bits.
    size : int
        Side of the images in pixels, a multiple of 8.
    sigma : float
        Noise level for the denoiser.
    seed : int
        Seed of the cameras' noise generators.
    denoiser : Denoiser, optional
        Another denoiser than the shipped one.
    images : Split, optional
        Your own images instead of the faces, each part (N, 1, size, size).

    Returns
    -------
    Task
    """
    require(teacher_factor <= factor, "teacher_factor", teacher_factor, f"at most factor={factor}")

    def camera(factor: int, std: float, seed: int) -> FourierDownsampling:
        kernel = {"std": std} if filter == "gaussian" else {}
        return FourierDownsampling(
            factor, (1, size, size), filter=filter, noise=noise, seed=seed, rtol=rtol, **kernel
        )

    student, teacher = camera(factor, blur, seed), camera(teacher_factor, teacher_blur, seed + 1)
    images = _own(images, (1, size, size)) or load_faces(size)
    return _task("super_resolution", student, teacher, images, denoiser, sigma, perturb_face)


def _own(images: Split | None, img_size: tuple[int, int, int]) -> Split | None:
    """Refuse images of another shape than the task's, none at all, or on another scale than [0, 1]."""
    for part, tensor in zip(Split._fields, images or (), strict=False):
        name = f"images.{part}"
        require_images(name, tensor)
        shape = tuple(tensor.shape)
        fits = shape[0] >= 1 and shape[1:] == img_size
        require(fits, f"{name}.shape", shape, f"(N, {', '.join(map(str, img_size))}) with N ≥ 1")
        lowest, largest = float(tensor.min()), float(tensor.norm(dim=1).max())
        in_range = 0.1 <= largest <= 1.001 and (lowest >= 0 or img_size[0] == 2)
        found = f"values from {lowest:.3g}, magnitudes up to {largest:.3g}"
        require(in_range, name, found, "the scale [0, 1]")
    return images


def _task(
    name: str,
    student: LinearPhysics,
    teacher: LinearPhysics,
    images: Split,
    denoiser: Denoiser | None,
    sigma: float,
    augment: Augment,
    *,
    complex_valued: bool = False,
) -> Task:
    img_size = tuple(images.train.shape[1:])
    return Task(
        name=name,
        student=student,
        teacher=teacher,
        train_images=images.train,
        val_images=images.val,
        test_images=images.test,
        denoiser=denoiser or load_denoiser(name),
        sigma=sigma,
        stepsize=1 / squared_norm(student, img_size),
        teacher_stepsize=1 / squared_norm(teacher, img_size),
        augment=augment,
        complex_valued=complex_valued,
    )


def complex_brains(size: int = 128, seed: int = 0) -> Split:
    """Load the brain slices with a simulated smooth phase, as real and imaginary channels (N, 2, size, size)."""
    generator = torch.Generator().manual_seed(seed)
    magnitudes = (_resample(part, size) for part in load_brains())
    return Split(*(to_complex(part, smooth_phase(len(part), size, generator)) for part in magnitudes))


def turn_phase(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Perturb complex images (N, 2, H, W), mirror half of them, and turn each one's phase by a random angle."""
    real, imaginary = perturb(images, generator, flip=True).unbind(dim=1)
    angle = 2 * math.pi * torch.rand(len(images), 1, 1, generator=generator)
    cosine, sine = angle.cos(), angle.sin()
    return torch.stack([cosine * real - sine * imaginary, sine * real + cosine * imaginary], dim=1)


def perturb_face(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Perturb faces, mirror half of them, and reflect what lies beyond the edge."""
    return perturb(images, generator, flip=True, padding="reflection")


def _resample(images: torch.Tensor, size: int) -> torch.Tensor:
    if images.shape[-1] == size:
        return images
    return functional.interpolate(images, size=(size, size), mode="bilinear", antialias=True).clamp(0, 1)


TASKS: dict[str, Callable[..., Task]] = {
    "single_pixel": single_pixel,
    "mri": mri,
    "super_resolution": super_resolution,
}

IMAGES: dict[str, Callable[[], Split]] = {
    "single_pixel": load_digits,
    "mri": complex_brains,
    "super_resolution": load_faces,
}
"""Images of each task, which its denoiser is trained on."""
