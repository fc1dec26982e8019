"""A task: images, a student operator, a teacher operator, and what PnP-FISTA needs to run on them.

:func:`make_task` makes one of any two linear operators of deepinv.  What is particular to a camera beyond that, how
its methods are trained, tuned and compared, stands in its :class:`Preset`; :mod:`ddgp_lib.presets` has the book's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from deepinv.models import Denoiser
from deepinv.physics import LinearPhysics

from .arguments import (
    require,
    require_callable,
    require_count,
    require_counts,
    require_images,
    require_img_size,
    require_instance,
    require_positive,
    require_seed,
)
from .checkpoints import require_name, weights_path
from .data import Split, perturb
from .data.augment import Augment
from .denoisers import DenoiserRecipe, load_denoiser
from .kinds import Kind, Setting, Settings
from .metrics import psnr, ssim
from .operators import LinearOperator, measure, squared_norm
from .operators._common import naming
from .preconditioners.base import like_images
from .recipes import AlternativeRecipe, DistillationRecipe, LinearRecipe
from .reprs import line, table

Recipe = DistillationRecipe | LinearRecipe

DEFAULT_RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "distilled": DistillationRecipe(steps=3000, batch_size=16, pool_size=256, momentum="none"),
        "distilled_gradient_only": DistillationRecipe(
            inputs="gradient_only", steps=1500, batch_size=16, pool_size=256, from_truth=0.5, momentum="none"
        ),
    }
)
"""What is distilled for a camera of which nothing else is said."""

Redraw = Callable[["Task", torch.Generator], "Task"]
"""A draw of operators from a family."""

SIGMAS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2)
"""Noise levels for the denoiser that are tried for every method where nothing else is said."""


@dataclass(frozen=True)
class Counts:
    """Images that methods are tuned, chosen and compared on; the larger the images, the fewer.

    Attributes
    ----------
    tuning : int
        Validation images that σ, the momentum and the fading are chosen on.
    validation : int
        Validation images behind the numbers that saved weights carry.
    evaluation : int
        Test images that methods are compared on where nothing else is said.
    study : pair of int
        Validation images that a study chooses σ on, and test images that it reports.
    """

    tuning: int = 20
    validation: int = 40
    evaluation: int = 80
    study: tuple[int, int] = (20, 40)

    def __post_init__(self) -> None:
        """Refuse what is no number of images."""
        require_counts(tuning=self.tuning, validation=self.validation, evaluation=self.evaluation)
        pair = isinstance(self.study, tuple) and len(self.study) == 2
        require(pair, "study", self.study, "two numbers of images, to choose on and to report")
        for count in self.study:
            require_count("study", count)


@dataclass(frozen=True)
class Variant:
    """What one row of a study changes.

    Attributes
    ----------
    recipe : mapping
        Fields of :class:`~ddgp_lib.recipes.distillation.DistillationRecipe` that differ from the preset's ``short``.
    options : mapping
        Options of the task.
    """

    recipe: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


def _no_images(task: "Task", count: int) -> dict[str, torch.Tensor]:
    return {}


def of_seed(kind: str, seed: int) -> str:
    """Return what the weights of a kind are filed under: the kind, and ``-seedN`` where the seed N is not 0.

    Examples
    --------
    >>> from ddgp_lib.tasks import of_seed
    >>> of_seed("distilled", 0), of_seed("distilled", 2)
    ('distilled', 'distilled-seed2')
    """
    require_name("kind", kind)
    require_seed("seed", seed)
    return kind if seed == 0 else f"{kind}-seed{seed}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Preset:
    """All that is particular to one camera: how its task is made, and how its methods are trained and compared.

    Attributes
    ----------
    name : str
        Begins the names of the camera's files; no number depends on it.
    make : callable, optional
        Makes the task: ``make(*, denoiser=None, **options)``.  The first line of its docstring describes the camera.
    images : callable, optional
        Gives the images that its denoiser is trained on.
    augment : callable
        (images, generator) ↦ images: the random change that makes more of few training images.
    denoiser : DenoiserRecipe, optional
        How its denoiser is trained; by default ``make`` brings a denoiser of its own.
    denoisers : mapping of str to DenoiserRecipe
        Further denoisers, by name, to study what becomes of a run with another one.  Each is trained where it is
        asked for, and filed under ``denoiser_NAME``.
    redraw : callable, optional
        (task, generator) ↦ task: the task with a student and a teacher that are drawn from a family, perhaps with a
        σ that suits them, and all else as it was.  A recipe with ``redraw_every`` takes it; by default there is no
        family.
    recipes : mapping of str to DistillationRecipe or LinearRecipe
        What is distilled, by kind.
    linear : LinearRecipe
        What :func:`~ddgp_lib.linear.distillation.distill_linear` takes where nothing else is said.
    alternatives : mapping of str to AlternativeRecipe
        Networks that a user would pick instead, by name.
    ablations : mapping of str to DistillationRecipe
        What is distilled to find out what a part of a recipe is good for, by kind; it is trained, tuned and run where
        it is asked for by name, and its weights may not be there.
    classical : tuple of str
        Methods without training: ``"none"`` first, then ``"newton"`` where a Newton step is not a scalar (A Aᵀ = I).
    rivals : mapping of str to Kind
        Further methods that learn no preconditioner, by name, each with its own grid, see :mod:`ddgp_lib.kinds.base`.
        They are tuned and loaded as all methods are.
    requested : mapping of str to Kind
        Kinds as those of ``rivals`` that are tuned, loaded and run where they are asked for by name, so that nothing
        else needs the weights that they read.
    counts : Counts
        Numbers of images.
    sigmas : tuple of float
        Noise levels for the denoiser that every method is tuned on; the best should lie inside.
    conditions : mapping of str to mapping
        Options of the task that no training saw, by the name of the condition.
    other_images : callable
        (task, count) ↦ images of other kinds by name, each (N, C, H, W).
    region : callable, optional
        True images (N, C, H, W) ↦ mask (N, 1, H, W) of bool: where reconstructions are judged beside the whole image,
        such as the head and not the black around it.  Its name heads the column of a table.
    short : mapping
        Fields of a recipe that all rows of a study share: short trainings, so that there can be many.
    studies : mapping of str to mapping of str to Variant
        Rows of each study by name.
    linear_operators : mapping of str to callable
        preset ↦ task: what linear preconditioners are studied on, by name.
    weights : Path
        Folder of its weights and tuned settings.
    """

    name: str
    make: Callable[..., "Task"] | None = None
    images: Callable[[], Split] | None = None
    augment: Augment = perturb
    denoiser: DenoiserRecipe | None = None
    denoisers: Mapping[str, DenoiserRecipe] = field(default_factory=dict)
    redraw: Redraw | None = None
    recipes: Mapping[str, Recipe] = field(default_factory=lambda: DEFAULT_RECIPES)
    linear: LinearRecipe = field(default_factory=LinearRecipe)
    alternatives: Mapping[str, AlternativeRecipe] = field(default_factory=dict)
    ablations: Mapping[str, DistillationRecipe] = field(default_factory=dict)
    classical: tuple[str, ...] = ("none", "newton")
    rivals: Mapping[str, Kind] = field(default_factory=dict)
    requested: Mapping[str, Kind] = field(default_factory=dict)
    counts: Counts = Counts()
    sigmas: tuple[float, ...] = SIGMAS
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    other_images: Callable[["Task", int], dict[str, torch.Tensor]] = _no_images
    region: Callable[[torch.Tensor], torch.Tensor] | None = None
    short: Mapping[str, Any] = field(default_factory=dict)
    studies: Mapping[str, Mapping[str, Variant]] = field(default_factory=dict)
    linear_operators: Mapping[str, Callable[["Preset"], "Task"]] = field(default_factory=dict)
    weights: Path = Path("weights")

    def __post_init__(self) -> None:
        """Refuse a name that is a path, since files are named after it, rivals that are none, and a name of two."""
        fits = isinstance(self.name, str) and self.name.isidentifier()
        require(fits, "name", self.name, "letters, digits and underscores")
        require_callable("region", self.region, "a function of true images", none=True)
        require_callable("redraw", self.redraw, "a function of a task and a generator", none=True)
        for name, rival in self.rivals.items():
            require(name not in self.kinds, "rivals", name, f"another name than those of {self.kinds}")
            require_instance(f"rivals[{name!r}]", rival, Kind, "a ddgp_lib.kinds.Kind")
        for name in self.ablations:
            require(name not in self.methods, "ablations", name, f"another name than those of {self.methods}")
        taken = (*self.methods, *self.ablations, *self.alternatives)
        for name, kind in self.requested.items():
            require(name not in taken, "requested", name, f"another name than those of {taken}")
            require_instance(f"requested[{name!r}]", kind, Kind, "a ddgp_lib.kinds.Kind")

    def __repr__(self) -> str:
        return line("Preset", {"": repr(self.name), "kinds": repr(self.kinds)})

    @property
    def kinds(self) -> tuple[str, ...]:
        """Methods that the results page compares, the baseline first."""
        return (*self.classical, *self.recipes, "teacher")

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods that a solver is loaded for and tuned: :attr:`kinds`, and the rivals beside the classical ones."""
        return (*self.classical, *self.rivals, *self.recipes, "teacher")

    @property
    def loadable(self) -> tuple[str, ...]:
        """All that a solver can be loaded for: :attr:`methods`, and what is run where it is asked for by name."""
        return (*self.methods, *self.ablations, *self.requested)

    @property
    def given(self) -> dict[str, Kind]:
        """Kinds that the preset says, and that are not made of a recipe: :attr:`rivals` and :attr:`requested`."""
        return {**self.rivals, **self.requested}

    def read_by(self, method: str) -> tuple[str, ...]:
        """Return what the weights of a method are filed under: its own name, or what its kind reads."""
        return self.given[method].reads if method in self.given else (method,)

    @property
    def all_denoisers(self) -> dict[str, DenoiserRecipe]:
        """Recipes of its denoiser, where it has one, and of further ones, by what their weights are filed under."""
        own = {} if self.denoiser is None else {"denoiser": self.denoiser}
        return own | {f"denoiser_{name}": recipe for name, recipe in self.denoisers.items()}

    @property
    def distilled(self) -> dict[str, Recipe]:
        """Recipes of all preconditioners, of the kinds and of the ablations."""
        return {**self.recipes, **self.ablations}

    @property
    def baselines(self) -> tuple[str, ...]:
        """Methods that learn no preconditioner: what a gain has to be counted from is the best of them."""
        return (*self.classical, *(name for name, rival in self.rivals.items() if not rival.learned))

    def setting(self, method: str, arguments: Mapping[str, Any]) -> Settings:
        """Return a method's tuned setting from its arguments by name; an empty one of a method that is not here.

        Raises
        ------
        ValueError
            If an argument is outside what is accepted, or the method does not have it.
        """
        if method in self.given:
            return self.given[method].setting(arguments)
        return Setting(**arguments) if method in (*self.kinds, *self.ablations) else Settings()

    @property
    def newton(self) -> tuple[float, float | None]:
        """λ of the method ``"newton"`` and the noise that it suits: those of the form that builds on it."""
        recipe = self.recipes.get("distilled", self.linear)
        return recipe.damping, recipe.damping_noise

    def path(self, kind: str, seed: int = 0) -> Path:
        """Return the file of a kind's weights: ``NAME-KIND``, or ``NAME-KIND-seedN`` of another training, N > 0."""
        return weights_path(self.name, of_seed(kind, seed), self.weights)

    def load(self, **options: Any) -> "Task":
        """Make the task with this preset's denoiser, or with another, ``denoiser=``.

        Raises
        ------
        ValueError
            If an option is outside what is accepted, or the preset does not say how its task is made.
        FileNotFoundError
            If the denoiser has not been trained.
        """
        if self.make is None:
            raise ValueError(f"make=None: expected a function that makes the task of preset {self.name!r}")
        if self.denoiser is not None and options.get("denoiser") is None:
            options["denoiser"] = load_denoiser(self.name, self.path("denoiser"))
        return replace(self.make(**options), preset=self)


@dataclass(frozen=True, repr=False)
class Task:
    """One imaging problem, ready for distillation and reconstruction; :func:`make_task` checks and makes one.

    Attributes
    ----------
    name : str
        The task's name, for labels and names of files.
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
    preset : Preset
        How its methods are trained, tuned and compared.
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
    preset: Preset
    augment: Augment = perturb
    complex_valued: bool = False

    @property
    def img_size(self) -> tuple[int, ...]:
        """Shape (C, H, W) of one image."""
        return tuple(self.train_images.shape[1:])

    @cached_property
    def stepsize(self) -> float:
        """α = 1/‖A_s‖²."""
        return 1 / squared_norm(self.student, self.img_size)

    @cached_property
    def teacher_stepsize(self) -> float:
        """1/‖A_t‖²."""
        return 1 / squared_norm(self.teacher, self.img_size)

    def measure(self, images: torch.Tensor, seed: int = 0) -> torch.Tensor:
        """Simulate the student's measurements y_s = A_s x + w of images (N, C, H, W).

        The same seed gives the same noise: a loop over batches should pass another for each, or all have noise alike.
        """
        return measure(self.student, images, seed)

    def region(self, truth: torch.Tensor) -> torch.Tensor | None:
        """Mask (N, 1, H, W) of the pixels of true images (N, C, H, W) that matter; None where all do.

        The preset says which; where it does not, the student may, by a method of this name.
        """
        find = self._region
        return None if find is None else find(truth)

    @property
    def region_name(self) -> str | None:
        """What a table calls the region, None where there is none."""
        return None if self._region is None else getattr(self._region, "__name__", "region")

    @property
    def _region(self) -> Callable[[torch.Tensor], torch.Tensor] | None:
        return self.preset.region or getattr(self.student, "region", None)

    def psnr(self, x: torch.Tensor, truth: torch.Tensor, within: torch.Tensor | None = None) -> torch.Tensor:
        """Peak signal-to-noise ratio of each image in dB, on [0, 1]; of magnitudes where images are complex.

        With ``within=task.region(truth)`` the pixels of the region alone count.
        """
        return psnr(x, truth, complex_valued=self.complex_valued, mask=within)

    def ssim(self, x: torch.Tensor, truth: torch.Tensor, within: torch.Tensor | None = None) -> torch.Tensor:
        """Structural similarity of each image; of magnitudes where images are complex, and ``within`` a region."""
        return ssim(x, truth, complex_valued=self.complex_valued, mask=within)

    def picture(self, x: torch.Tensor) -> torch.Tensor:
        """Return what is looked at: the magnitude (N, 1, H, W) of complex images, others as they are."""
        return x.norm(dim=1, keepdim=True) if self.complex_valued else x

    def _facts(self) -> dict[str, str]:
        """Say what a reader wants to know of a task, a line each."""
        counts = [len(part) for part in (self.train_images, self.val_images, self.test_images)]
        return {
            "student": type(self.student).__name__,
            "teacher": type(self.teacher).__name__,
            "images": f"{' + '.join(map(str, counts))} of {' × '.join(map(str, self.img_size))}",
            "denoiser": f"{type(self.denoiser).__name__}, σ = {self.sigma:g}",
        }

    def __repr__(self) -> str:
        return line("Task", {"": repr(self.name)} | self._facts())

    def _repr_html_(self) -> str:
        return table(f"Task {self.name}", self._facts().items())


def make_task(
    student: LinearPhysics,
    teacher: LinearPhysics,
    images: Split,
    denoiser: Denoiser | str | Path | None,
    sigma: float,
    *,
    name: str = "my_camera",
    preset: Preset | None = None,
    augment: Augment | None = None,
    complex_valued: bool = False,
    img_size: tuple[int, ...] | None = None,
) -> Task:
    """Make a task of any two linear operators.

    Parameters
    ----------
    student, teacher : LinearPhysics
        A_s and A_t, on images of one shape; any of deepinv's, or your own.
    images : Split
        Training, validation and test images, each (N, C, H, W) in [0, 1].
    denoiser : Denoiser, str, Path or None
        D_σ, called as ``denoiser(x, sigma)``; a file written by :func:`~ddgp_lib.denoisers.save_denoiser`; None takes
        the preset's.
    sigma : float
        Noise level for the denoiser where nothing else is said, above zero.
    name : str
        Begins the names of files, where there is no preset to say it: letters, digits and underscores.
    preset : Preset, optional
        How the camera's methods are trained, tuned and compared; by default as :class:`Preset` says.
    augment : callable, optional
        (images, generator) ↦ images: the random change that makes more of few training images; by default the
        preset's.
    complex_valued : bool
        Whether the two channels are the real and imaginary parts of a complex image.
    img_size : tuple of int, optional
        (C, H, W) that the images must have; by default that of the training images.

    Returns
    -------
    Task

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or an operator and the images do not fit each other.
    FileNotFoundError
        If there is no such denoiser.

    Examples
    --------
    >>> import ddgp_lib
    >>> from deepinv.physics import BlurFFT
    >>> from deepinv.physics.functional import gaussian_blur
    >>> blur, sharper = (BlurFFT((1, 64, 64), filter=gaussian_blur(sigma=std)) for std in (2.0, 1.0))
    >>> denoiser = ddgp_lib.load_task("super_resolution").denoiser
    >>> ddgp_lib.make_task(blur, sharper, ddgp_lib.data.load_faces(64), denoiser, sigma=0.03, name="blurred").name
    'blurred'
    """
    preset = Preset(name=name) if preset is None else preset
    require_instance("preset", preset, Preset, "None, or a Preset")
    augment = preset.augment if augment is None else augment
    require_callable("augment", augment, "a function of images and a generator")
    require_split(images, img_size, complex_valued=complex_valued)
    require_positive("sigma", sigma)
    for role, physics in {"student": student, "teacher": teacher}.items():
        _require_operator(role, physics, images.train[:1])
    if denoiser is None:
        denoiser = preset.path("denoiser")
    if isinstance(denoiser, str | Path):
        require(
            str(denoiser) != "", "denoiser", denoiser, "a denoiser, a task whose denoiser is taken, or a file"
        )
        denoiser = load_denoiser(denoiser)
    require(callable(denoiser), "denoiser", denoiser, "a denoiser, called as denoiser(x, sigma)")
    _require_denoiser(denoiser, images.train[:1], sigma)
    return Task(
        name=preset.name,
        student=student,
        teacher=teacher,
        train_images=images.train,
        val_images=images.val,
        test_images=images.test,
        denoiser=denoiser,
        sigma=sigma,
        preset=preset,
        augment=augment,
        complex_valued=complex_valued,
    )


def require_split(
    images: Split, img_size: tuple[int, ...] | None = None, *, complex_valued: bool = False
) -> None:
    """Refuse images of another shape than the task's, none at all, or on another scale than [0, 1].

    Parameters
    ----------
    images : Split
        The three parts.
    img_size : tuple of int, optional
        (C, H, W) that is asked for; by default that of the training images.
    complex_valued : bool
        Whether the channels are a real and an imaginary part, of either sign.

    Raises
    ------
    ValueError
        If a part is not as asked.
    """
    if img_size is not None:
        require_img_size("img_size", img_size)
    three = isinstance(images, tuple) and len(images) == 3
    require(three, "images", images, "a Split: images to train on, to choose on and to test")
    require_images("images.train", images[0])
    wanted = tuple(images[0].shape[1:]) if img_size is None else img_size
    for part, tensor in zip(Split._fields, images, strict=True):
        name = f"images.{part}"
        require_images(name, tensor)
        shape = tuple(tensor.shape)
        fits = shape[0] >= 1 and shape[1:] == wanted
        require(fits, f"{name}.shape", shape, f"(N, {', '.join(map(str, wanted))}) with N ≥ 1")
        require_scale(name, tensor, complex_valued=complex_valued, brightest=0.1)


def require_scale(
    name: str, images: torch.Tensor, *, complex_valued: bool = False, brightest: float = 0.0
) -> None:
    """Refuse images on another scale than [0, 1], such as 0 to 255.

    Parameters
    ----------
    name : str
        The argument's name.
    images : Tensor, shape (N, C, H, W)
        Images.
    complex_valued : bool
        Whether the channels are a real and an imaginary part, of either sign.
    brightest : float
        What the largest pixel must reach.

    Raises
    ------
    ValueError
        If a pixel, or its magnitude, is above 1 or below 0, a thousandth to spare, or all are too dark.
    """
    images = images.detach()
    values = images.norm(dim=1) if complex_valued else images
    lowest, largest = float(images.min()), float(values.max())
    in_range = brightest <= largest <= 1.001 and (lowest >= -0.001 or complex_valued)
    found = f"values from {lowest:.3g}, magnitudes up to {largest:.3g}"
    require(in_range, name, found, "the scale [0, 1]")


def chosen_sides(size: int | tuple[int, int] | None, images: Split | None, default: int) -> tuple[int, int]:
    """Return the height and width of a task's images: those that are asked for, the images' own, or the default."""
    if size is not None:
        return (size, size) if isinstance(size, int) else size
    if images is None:
        return default, default
    require_images("images.train", images.train)
    return images.train.shape[2], images.train.shape[3]


def _require_operator(role: str, physics: LinearPhysics, image: torch.Tensor) -> None:
    """Refuse an operator that is not linear in deepinv's sense, or that does not take images of this shape."""
    linear = isinstance(physics, LinearOperator) and hasattr(physics, "noise_model")
    require(linear, role, type(physics).__name__, "a linear operator of deepinv, with A and A_adjoint")
    given = image.clone()
    try:
        with torch.no_grad():
            back = physics.A_adjoint(physics.A(given))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise ValueError(
            f"{role}={type(physics).__name__}: expected an operator on images {tuple(image.shape)} ({error})"
        ) from error
    require(
        back.shape == image.shape,
        role,
        f"{type(physics).__name__}, whose A_adjoint gives {tuple(back.shape)}",
        f"an adjoint that gives images {tuple(image.shape)}",
    )
    name = type(physics).__name__
    wanted = "an operator that leaves what it is given as it was"
    require(torch.equal(given, image), role, f"{name}, whose A works in place", wanted)
    finite = bool(torch.isfinite(back).all())
    require(finite, role, f"{name}, which gives NaN or infinite values", "an operator with finite values")
    some = bool(back.any()) or squared_norm(physics, tuple(image.shape[1:])) > 0
    require(some, role, f"{name}, which is zero", "an operator that measures something")


def _require_denoiser(denoiser: Denoiser, image: torch.Tensor, sigma: float) -> None:
    """Refuse a denoiser that does not take images of this shape, or gives others."""
    name, shape = type(denoiser).__name__, tuple(image.shape)
    with torch.no_grad(), naming("denoiser", name, lambda: f"one of images {shape}"):
        made = like_images("denoiser(x, sigma)", denoiser(image.clone(), sigma), image)
    finite = bool(torch.isfinite(made).all())
    require(finite, "denoiser", f"{name}, which gives NaN or infinite values", "one with finite values")
