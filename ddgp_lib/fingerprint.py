"""What saved numbers depend on, in a few numbers: operators, noise, images, denoiser.

Raw hashes of floating-point numbers differ between machines, so an operator is known by a *sketch*: inner products of
its measurements of fixed random images with fixed random weights.  Two sketches are those of one operator where they
differ by less than :data:`RTOL` of their norm: rounding does not, another mask, filter or ordering does.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from deepinv.physics import GaussianNoise, LinearPhysics
from torch import nn

from .arguments import require, require_choice
from .data.augment import Augment
from .operators.iterative import parts
from .operators.known import found_once

if TYPE_CHECKING:
    from .tasks import Task

NUMBERS = 8
"""Numbers of a sketch."""

RTOL = 1e-3
"""Largest difference of two sketches of the same thing, over the larger of their norms."""

ATOL = 1e-6
"""Differences that count as none in any case, over the size of the weights."""

CHUNK = 256
"""Images that are sketched at once, in double precision."""

LEVEL = 0.05
"""σ at which denoisers are compared."""

PARTS: Mapping[str, str] = {
    "student": "another student operator",
    "teacher": "another teacher operator",
    "noise": "other noise",
    "images": "other images",
    "augment": "another way to change images",
    "denoiser": "another denoiser",
    "sigma": "another σ",
    "drawn": "another family of operators",
}
"""Parts of a fingerprint, and how a message calls a difference."""

Fingerprint = dict[str, Any]
"""JSON values by the names of :data:`PARTS`."""


class OperatorMismatch(UserWarning):
    """A preconditioner meets an operator that it was not trained for, and no safeguard watches it."""


def fingerprint(task: "Task", *, many: bool = False) -> Fingerprint:
    """Sketch all that a training for a task depends on beside its recipe.

    Nothing is drawn from the global generator, and the task stays as it is.  It takes milliseconds, and the time of
    the denoiser on two images.

    Parameters
    ----------
    task : Task
        The task.
    many : bool
        Whether the training draws operators anew, so that what it gives is for a family: the part ``"student"`` then
        says so, for :func:`foreign`.

    Returns
    -------
    dict
        JSON values by the names of :data:`PARTS`; ``"drawn"`` is a sketch of one draw of the preset's family, and
        None where it has none.
    """
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # for what draws from the global generator
        images = task.train_images
        pattern = _uniform((2, *task.img_size), 1).to(images)
        operators = _operators(task)
        if many:  # a copy, since the sketch is kept
            operators["student"] = operators["student"] | {"many": True}
        return {
            **operators,
            "images": of_images(images, task.val_images),
            "augment": _changed(task.augment, pattern),
            "denoiser": sketch(task.denoiser(pattern, LEVEL) - pattern),
            "sigma": task.sigma,
            "drawn": _drawn(task),
        }


def of_augment(augment: Augment, images: torch.Tensor) -> Fingerprint:
    """Sketch a random change of images, by what it makes of two fixed ones like those that are given."""
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # for what draws from the global generator
        return _changed(augment, _uniform((2, *images.shape[1:]), 1).to(images))


def _changed(augment: Augment, pattern: torch.Tensor) -> Fingerprint:
    return sketch(augment(pattern.clone(), torch.Generator().manual_seed(0)))


def _operators(task: "Task") -> Fingerprint:
    like = task.train_images[:1]
    return {
        "student": of_operator(task.student, like),
        "teacher": of_operator(task.teacher, like),
        "noise": {"student": _noise(task.student), "teacher": _noise(task.teacher)},
    }


def _drawn(task: "Task") -> Fingerprint | None:
    """Sketch one draw of the family: another family, or another way to draw, gives another."""
    if task.preset.redraw is None:
        return None
    drawn = task.preset.redraw(task, torch.Generator().manual_seed(0))
    own_sigma = None if drawn.sigma == task.sigma else drawn.sigma  # the task's is a part of its own
    return _operators(drawn) | {"sigma": own_sigma}


def of_operator(physics: LinearPhysics, like: torch.Tensor) -> Fingerprint:
    """Sketch an operator; it is found once for each state of its tensors.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    like : Tensor, shape (N, C, H, W)
        Images of the shape, type and device that it takes.

    Returns
    -------
    dict
        ``"operator"``, its class; ``"family"``, the module of this library that the class is of, or None; the shapes
        of an image and of its measurements; and the ``"sketch"``.
    """
    name, size = f"sketch in {like.dtype}", tuple(like.shape[1:])
    found: Fingerprint = found_once(physics, name, size, lambda: _sketch_operator(physics, like))
    return found


def _sketch_operator(physics: LinearPhysics, like: torch.Tensor) -> Fingerprint:
    images = (2 * _uniform((NUMBERS, *like.shape[1:]), 0) - 1).to(like)
    with torch.no_grad():
        measured = [
            parts(physics.A(image[None])) for image in images
        ]  # one by one: a mask may be of one image
    shapes = [list(part.shape) for part in measured[0]]
    weights = [2 * _uniform(_real(part).shape, seed) - 1 for seed, part in enumerate(measured[0], start=1)]
    kind = type(physics)
    return {
        "operator": kind.__name__,
        "family": kind.__module__ if kind.__module__.startswith("ddgp_lib.") else None,
        "img_size": list(like.shape[1:]),
        "measured": shapes,
        "sketch": [
            sum(float((_real(part) * weight).sum()) for part, weight in zip(y, weights, strict=True))
            for y in measured
        ],
    }


def sketch(images: torch.Tensor) -> Fingerprint:
    """Sketch images (N, C, H, W) in their order; a weight is the product of one by image and one by pixel."""
    numbers = torch.zeros(NUMBERS, dtype=torch.float64)
    by_image = 2 * _uniform((len(images), NUMBERS), 0) - 1
    by_pixel = 2 * _uniform((_real(images[:1]).numel(), NUMBERS), 1) - 1
    for some, weights in zip(images.split(CHUNK), by_image.split(CHUNK), strict=True):
        numbers += (weights * (_real(some).flatten(1) @ by_pixel)).sum(dim=0)
    return {"shape": list(images.shape), "sketch": numbers.tolist()}


def of_images(train: torch.Tensor, val: torch.Tensor) -> Fingerprint:
    """Sketch the images that something is trained and chosen on; those that it is tested on decide nothing."""
    return {"train": sketch(train), "val": sketch(val)}


def _real(tensor: torch.Tensor) -> torch.Tensor:
    real = torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor
    return real.detach().cpu().double()


def _uniform(shape: Sequence[int], seed: int) -> torch.Tensor:
    """Draw numbers from [0, 1) in double precision, which are the same on every machine."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(int(seed)), dtype=torch.float64)


def _noise(physics: LinearPhysics) -> list[Any]:
    """Write each noise model of an operator, and of those that it is stacked of, by its class and its numbers."""
    models = [part.noise_model for part in physics.modules() if isinstance(part, LinearPhysics)]
    return [[_kind(model), _numbers(model)] for model in models]


def _kind(model: Any) -> str:
    """Return the name of a noise model's class, of deepinv's where it is one of its kind."""
    kinds = type(model).__mro__
    return next((kind for kind in kinds if kind.__module__.startswith("deepinv")), kinds[0]).__name__


def _numbers(model: Any) -> dict[str, Any]:
    """Return what a noise model depends on, without the states of generators, which are bytes."""
    plain = {name: value for name, value in vars(model).items() if isinstance(value, float)}
    state = model.state_dict() if isinstance(model, nn.Module) else {}
    kept = {name: value for name, value in state.items() if value.is_floating_point()}
    return plain | {name: _real(value).flatten().tolist() for name, value in kept.items()}


def saved_noise(found: Any, role: str = "student") -> float | None:
    """Return the standard deviation of the Gaussian noise that a saved fingerprint has for an operator of its task.

    It is what :func:`~ddgp_lib.operators.noise.noise_of` says of that operator, to the same bits.

    Parameters
    ----------
    found : dict or None
        The fingerprint that was saved.
    role : str
        ``"student"`` or ``"teacher"``.

    Returns
    -------
    float or None
        None where the noise is not Gaussian, or nothing of it was saved.

    Raises
    ------
    ValueError
        If there is no such role.
    """
    require_choice("role", role, ("student", "teacher"))
    noise = found.get("noise") if isinstance(found, Mapping) else None
    models = noise.get(role) if isinstance(noise, Mapping) else None
    match models:
        case [[GaussianNoise.__name__, {"sigma": [_, *_] as levels}], *_]:
            return max(map(float, levels))
    return None


def differences(found: Any, wanted: Any) -> list[str]:
    """Say what two fingerprints differ in.

    Parameters
    ----------
    found : dict or None
        The fingerprint that was saved; None, or anything that is no fingerprint, differs in everything.
    wanted : dict
        That of what is asked for, or some parts of it, which alone are compared.

    Returns
    -------
    list of str
        Names of :data:`PARTS`, in its order.
    """
    saved = found if isinstance(found, Mapping) else {}
    return [name for name in PARTS if name in wanted and not _same(saved.get(name), wanted[name])]


def require_made_for(found: Fingerprint | None, task: "Task", wanted: Fingerprint) -> None:
    """Refuse to file what was trained for one task under another.

    Parameters
    ----------
    found : dict or None
        The fingerprint of the task that something was trained for; None is taken for anything.
    task : Task
        The task that it is to be filed under.
    wanted : dict
        The fingerprint of that one.

    Raises
    ------
    ValueError
        If they differ.
    """
    others = differences(wanted if found is None else found, wanted)
    expected = f"the task that it was trained for, not one with {told(others)}"
    require(not others, "task", task.name, expected)


def alike(kept: Any, now: Fingerprint) -> bool:
    """Say whether something that was saved is of the task at hand, where it was noted of which task it is.

    Parameters
    ----------
    kept : dict or None
        The fingerprint that was saved; None where there is none, as in files from before there were any.
    now : dict
        The fingerprint of the task at hand.

    Examples
    --------
    >>> [alike(kept, {"sigma": 0.05}) for kept in (None, {"sigma": 0.05}, {"sigma": 0.1})]
    [True, True, False]
    """
    return kept is None or not differences(kept, now)


def told(names: Sequence[str]) -> str:
    """Say names of :data:`PARTS` in words: ``another student operator, other noise``."""
    return ", ".join(PARTS[name] for name in names)


def _same(found: Any, wanted: Any) -> bool:
    """Compare JSON values: numbers exactly, sketches with a tolerance; classes of operators are names alone."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        names = {*found, *wanted} - {"operator", "family", "many"}
        return all(
            _close(found.get(name), wanted.get(name))
            if name == "sketch"
            else _same(found.get(name), wanted.get(name))
            for name in names
        )
    return bool(found == wanted)


def _close(found: Any, wanted: Any) -> bool:
    try:
        size = max(math.hypot(*found), math.hypot(*wanted))
        return len(found) == len(wanted) and math.dist(found, wanted) <= RTOL * size + ATOL
    except (TypeError, ValueError):
        return False


def fitted_for(description: Mapping[str, Any], task: "Task") -> list[str]:
    """Say what a task differs in from the one that a file's weights were trained for.

    Parameters
    ----------
    description : dict
        What :func:`~ddgp_lib.checkpoints.load_checkpoint` returns beside the tensors.
    task : Task
        The task.

    Returns
    -------
    list of str
        Names of :data:`PARTS`; all of them where the file does not say.
    """
    return differences(description.get("fingerprint"), fingerprint(task))


def foreign(made_for: Any, physics: LinearPhysics, like: torch.Tensor) -> bool:
    """Say whether an operator is another one than what something was made for, and not of its family.

    Operators of this library that stand in one module are a family: another ratio, mask, number of coils or blur of
    the same camera, and another size of its images, is a condition to study.  Classes of others, such as deepinv's
    ``BlurFFT``, say nothing of how alike two operators are; there, any difference counts.  The exception is what was
    trained for many: operators of the class that was drawn, on images of the same shape, are of its family.  Whether
    the family holds this one cannot be told from a sketch, and noise outside of its range goes unsaid.

    Parameters
    ----------
    made_for : dict or None
        The part ``"student"`` of a fingerprint; None is taken for anything.
    physics : LinearPhysics
        The operator.
    like : Tensor, shape (N, C, H, W)
        Images of the shape, type and device that it takes.
    """
    if not made_for:
        return False
    physics = getattr(physics, "whole", physics)  # some rows of an operator are that operator's
    family = made_for.get("family")
    if family is not None and family == type(physics).__module__:
        return False
    drawn = made_for.get("many") is True and made_for.get("operator") == type(physics).__name__
    if drawn and list(like.shape[1:]) == made_for.get("img_size"):
        return False
    return not _same(made_for, of_operator(physics, like))


def warn_if_foreign(
    made_for: Fingerprint | None,
    physics: LinearPhysics,
    like: torch.Tensor,
    stacklevel: int = 2,
    *,
    what: str = "preconditioner",
) -> None:
    """Warn where :func:`foreign` says so of the student in the ``made_for`` of a preconditioner, or of what else."""
    student = (made_for or {}).get("student")
    if student and foreign(student, physics, like):
        warnings.warn(
            f"physics={type(physics).__name__}: the {what} was trained for another operator, "
            f"{student.get('operator')} on images {tuple(student.get('img_size', ()))}"
            + ("; safeguard=True would watch it" if what == "preconditioner" else ""),
            OperatorMismatch,
            stacklevel=stacklevel + 1,
        )
