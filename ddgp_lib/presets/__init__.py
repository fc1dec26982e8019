"""Presets: one module a camera, with all that is particular to it, registered here and nowhere else."""

from collections.abc import Mapping
from typing import Any

from ..arguments import require
from ..tasks import Preset, Task
from . import deblurring, mri, single_pixel, super_resolution

PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (single_pixel.PRESET, mri.PRESET, super_resolution.PRESET, deblurring.PRESET)
}
"""The book's cameras by name."""


def load_task(name: str, **options: Any) -> Task:
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
    require(task in PRESETS, argument, task, f"one of {tuple(PRESETS)}")
    return PRESETS[task]


__all__ = ["PRESETS", "load_task", "preset_of"]
