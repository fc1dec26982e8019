"""A task: images, a student operator, a teacher operator, and what PnP-FISTA needs to run on them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from deepinv.loss.metric import PSNR, SSIM
from deepinv.models import Denoiser
from deepinv.physics import LinearPhysics
from torch.nn import functional

from .checks import require
from .data import load_digits
from .denoisers import load_denoiser
from .operators import HadamardCamera, measure, squared_norm


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
    complex_valued : bool
        Whether the two channels are the real and imaginary parts of a complex image, which is judged by its magnitude.
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
        """What is looked at: the magnitude (N, 1, H, W) of complex images, others as they are."""
        return x.norm(dim=1, keepdim=True) if self.complex_valued else x


def load_task(name: str, **options: object) -> Task:
    """Build a task by its name; nothing is downloaded.

    Parameters
    ----------
    name : str
        ``"single_pixel"``.
    **options
        The task's own arguments; see :func:`single_pixel`.

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
        basis a digit's measurements have a norm of about 9.
    size : int
        Side of the images in pixels, a power of two; digits are resampled where it is not 32.
    sigma : float
        Noise level for the denoiser.
    seed : int
        Seed of the cameras' own noise generators.
    denoiser : Denoiser, optional
        Another denoiser than the shipped one.

    Returns
    -------
    Task
    """
    require(teacher_ratio >= ratio, "teacher_ratio", teacher_ratio, f"at least ratio={ratio}")
    img_size = (1, size, size)
    student = HadamardCamera(ratio, img_size, ordering, noise, seed)
    teacher = HadamardCamera(teacher_ratio, img_size, ordering, noise, seed + 1)
    train, val, test = (_resample(part, size) for part in load_digits())
    return Task(
        name="single_pixel",
        student=student,
        teacher=teacher,
        train_images=train,
        val_images=val,
        test_images=test,
        denoiser=denoiser or load_denoiser("single_pixel"),
        sigma=sigma,
        stepsize=1 / squared_norm(student, img_size),
        teacher_stepsize=1 / squared_norm(teacher, img_size),
    )


def _resample(images: torch.Tensor, size: int) -> torch.Tensor:
    if images.shape[-1] == size:
        return images
    return functional.interpolate(images, size=(size, size), mode="bilinear", antialias=True).clamp(0, 1)


TASKS: dict[str, Callable[..., Task]] = {"single_pixel": single_pixel}
