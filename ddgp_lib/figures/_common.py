"""What the drawing functions share: arrays from tensors, roles of curves, and legends."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from numpy.typing import NDArray

from ..arguments import require, require_choice, require_instance, require_number
from ..metrics import psnr
from .style import CYCLE, LARGEST_HEIGHT, LINE_STYLES, BookFigure, Numbers, axes


def as_array(values: Numbers, name: str) -> NDArray[np.float64]:
    """Return ``values`` as a NumPy array of floats, tensors included; what holds no numbers is refused."""
    given = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
    try:
        numbers = np.asarray(given)
        real = numbers.dtype.kind in "fiu" or (numbers.dtype.kind == "b" and numbers.ndim > 0)
    except (TypeError, ValueError):  # such as rows of several lengths
        real = False
    require(real, name, values, "real numbers, as an array, a tensor or a sequence")
    return numbers.astype(np.float64)


def as_vector(values: Numbers, name: str) -> NDArray[np.float64]:
    """Return ``values`` as a one-dimensional NumPy array."""
    array = as_array(values, name)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}: expected a non-empty sequence of numbers")
    return array


def as_picture(image: Numbers, name: str) -> NDArray[np.float64]:
    """Return an image as (H, W) or (H, W, 3); a complex one as its magnitude."""
    if isinstance(image, torch.Tensor):
        image = image.detach().cpu().resolve_conj().numpy()
    array = np.asarray(image)
    require(array.dtype.kind in "fiubc" and array.size > 0, name, image, "an image of numbers")
    if np.iscomplexobj(array):
        array = np.abs(array)
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[0] == 3:
        array = np.moveaxis(array, 0, -1)
    if (array.ndim == 3 and array.shape[-1] != 3) or array.ndim not in (2, 3):
        raise ValueError(
            f"{name} has shape {array.shape}: expected one grey (H, W) or colour (3, H, W) image"
        )
    return array.astype(np.float64)


def psnr_of(estimate: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return the PSNR in decibels for images on [0, 1]."""
    x, reference = (torch.from_numpy(np.ascontiguousarray(array))[None] for array in (estimate, truth))
    return float(psnr(x, reference, floor=0))


def role_of(label: str, roles: Mapping[str, str] | None, position: int) -> str:
    """Return a curve's role: the one asked for, the one its label names, or the next of the cycle."""
    role = (roles or {}).get(label, label if label in LINE_STYLES else CYCLE[position % len(CYCLE)])
    require_choice(f"roles[{label!r}]", role, sorted(LINE_STYLES))
    return role


def require_labelled(name: str, values: Any, expected: str, *, empty: bool = False) -> None:
    """Refuse what is no mapping of labels to something, or an empty one unless that is accepted."""
    labelled = isinstance(values, Mapping) and all(isinstance(label, str) for label in values)
    require(labelled and (empty or len(values) > 0), name, values, expected)


def require_numbers(name: str, values: Any, count: int = 1) -> None:
    """Refuse what is no mapping of labels to finite numbers, or to tuples of ``count`` of them."""
    require_labelled(name, values, "a mapping of labels to positions", empty=True)
    for label, value in values.items():
        place = f"{name}[{label!r}]"
        if count == 1:
            require_number(place, value)
        else:
            require_tuple(place, value, count)


def require_tuple(name: str, value: Any, count: int, *, none: bool = False) -> None:
    """Refuse what is no sequence of ``count`` finite numbers, or None where that is accepted."""
    if none and value is None:
        return
    sized = isinstance(value, Sequence | np.ndarray | torch.Tensor) and not isinstance(value, str)
    require(sized and len(value) == count, name, value, f"{count} numbers")
    for number in np.asarray(value).tolist():
        require_number(name, number)


def require_texts(**texts: Any) -> None:
    """Refuse labels that are no texts."""
    for name, text in texts.items():
        require_instance(name, text, str, "a text")


def require_axes(ax: Any) -> None:
    """Refuse what is no matplotlib axes, and not None."""
    require_instance("ax", ax, Axes, "axes made by ddgp_lib.figures.axes", none=True)


def require_frame(
    *,
    xlabel: Any,
    ylabel: Any,
    xlim: Any,
    ylim: Any,
    legend: Any,
    height: Any,
    ax: Any,
) -> None:
    """Refuse arguments of the axes around what is drawn: their labels, limits, legend and height."""
    require_texts(xlabel=xlabel, ylabel=ylabel)
    for name, limits in {"xlim": xlim, "ylim": ylim}.items():
        require_tuple(name, limits, 2, none=True)
    require_choice("legend", legend, ("above", *Legend.codes), none=True)
    require_number("height", height, above=0, highest=LARGEST_HEIGHT)
    require_axes(ax)


def check_roles(series: Mapping[str, Any], roles: Mapping[str, str] | None, name: str = "series") -> None:
    """Refuse an empty set of curves and roles given to curves that do not exist."""
    require_labelled(name, series, "at least one labelled curve")
    if roles is not None:
        require_labelled("roles", roles, "None, or a mapping of labels to roles", empty=True)
    unknown = set(roles or {}) - set(series)
    if unknown:
        raise ValueError(f"roles names {sorted(unknown)}: expected labels among {sorted(series)}")


def figure_of(ax: Axes) -> BookFigure:
    """Return the figure that ``ax`` belongs to."""
    figure = ax.figure
    if not isinstance(figure, BookFigure):
        raise ValueError(
            f"ax belongs to a {type(figure).__name__}: expected axes made by ddgp_lib.figures.axes"
        )
    return figure


def axes_for(entries: int, legend: str | None, height: float, ax: Axes | None) -> Axes:
    """Return ``ax``, or new axes of a height, with room for a legend of some entries where it stands above them."""
    if ax is not None:
        return ax
    return axes(height=height + (legend_height(entries) if legend == "above" else 0.0))[1][0]


def finish(
    ax: Axes, xlim: tuple[float, float] | None, ylim: tuple[float, float] | None, legend: str | None
) -> BookFigure:
    """Set the limits that are given, place the legend, and return the figure."""
    if xlim is not None:
        ax.set_xlim(*xlim)
    if ylim is not None:
        ax.set_ylim(*ylim)
    add_legend(ax, legend)
    return figure_of(ax)


def legend_height(entries: int) -> float:
    """Return the height in inches of a legend above the axes."""
    return 0.26 * (entries if entries <= 2 else -(-entries // 2))


def add_legend(ax: Axes, position: Any) -> None:
    """Place the legend, inside the axes or above them."""
    if position is None or not ax.get_legend_handles_labels()[1]:
        return
    if position == "above":
        columns = 2 if len(ax.get_legend_handles_labels()[1]) > 2 else 1
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns, borderaxespad=0.3)
    else:
        ax.legend(loc=position)
