"""Presets: one module a camera, with all that is particular to it, registered here and nowhere else.

A type checker reads a camera's options in the overloads of :func:`load_task`; defaults stand in its function alone.
"""

from collections.abc import Mapping
from typing import Any, Literal, overload

from deepinv.models import Denoiser

from ..arguments import require_choice
from ..data import Split
from ..names import Filter, Ordering, TaskName
from ..tasks import Preset, Task
from . import deblurring, mri, single_pixel, super_resolution

PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (single_pixel.PRESET, mri.PRESET, super_resolution.PRESET, deblurring.PRESET)
}
"""The book's cameras by name."""


@overload
def load_task(
    name: Literal["single_pixel"],
    *,
    ratio: float = ...,
    teacher_ratio: float = ...,
    ordering: Ordering = ...,
    noise: float = ...,
    size: int = ...,
    sigma: float = ...,
    seed: int = ...,
    denoiser: Denoiser | None = ...,
    images: Split | None = ...,
) -> Task: ...
@overload
def load_task(
    name: Literal["mri"],
    *,
    acceleration: float = ...,
    teacher_acceleration: float = ...,
    center_fraction: float = ...,
    nested: bool = ...,
    coils: int = ...,
    noise: float = ...,
    size: int | tuple[int, int] | None = ...,
    sigma: float = ...,
    seed: int = ...,
    denoiser: Denoiser | None = ...,
    images: Split | None = ...,
) -> Task: ...
@overload
def load_task(
    name: Literal["super_resolution"],
    *,
    factor: int = ...,
    teacher_factor: int = ...,
    filter: Filter = ...,
    blur: float = ...,
    teacher_blur: float = ...,
    rtol: float = ...,
    framed: bool = ...,
    noise: float = ...,
    size: int | tuple[int, int] | None = ...,
    sigma: float = ...,
    seed: int = ...,
    denoiser: Denoiser | None = ...,
    persons: int | None = ...,
    images: Split | None = ...,
) -> Task: ...
@overload
def load_task(
    name: Literal["deblurring"],
    *,
    length: float = ...,
    teacher_exposure: float = ...,
    shake: int = ...,
    noise: float = ...,
    rtol: float = ...,
    size: int | tuple[int, int] | None = ...,
    sigma: float = ...,
    seed: int = ...,
    denoiser: Denoiser | None = ...,
    images: Split | None = ...,
) -> Task: ...
def load_task(name: TaskName, **options: Any) -> Task:
    """Build one of the book's tasks by its name; nothing is downloaded.

    Parameters
    ----------
    name : str
        A key of :data:`PRESETS`.
    **options
        The task's own arguments; see :func:`~ddgp_lib.presets.single_pixel.single_pixel`,
        :func:`~ddgp_lib.presets.mri.mri`, :func:`~ddgp_lib.presets.super_resolution.super_resolution` and
        :func:`~ddgp_lib.presets.deblurring.deblurring`.

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
    return preset_of(name).load(**options)


def preset_of(task: Task | Preset | str, argument: str = "name") -> Preset:
    """Return the preset of a task, or of one of the book's cameras by its name.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if isinstance(task, Preset):
        return task
    if isinstance(task, Task):
        return task.preset
    require_choice(argument, task, PRESETS)
    return PRESETS[task]


__all__ = ["PRESETS", "load_task", "preset_of"]
