"""What the drawing functions share: arrays from tensors, roles of curves, and legends."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ..arguments import require
from .style import CYCLE, LINE_STYLES, BookFigure, Numbers


def as_array(values: Numbers) -> NDArray[np.float64]:
    """Return ``values`` as a NumPy array of floats, tensors included."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)


def as_vector(values: Numbers, name: str) -> NDArray[np.float64]:
    """Return ``values`` as a one-dimensional NumPy array."""
    array = as_array(values)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}: expected a non-empty sequence of numbers")
    return array


def role_of(label: str, roles: Mapping[str, str] | None, position: int) -> str:
    """Return a curve's role: the one asked for, the one its label names, or the next of the cycle."""
    role = (roles or {}).get(label, label if label in LINE_STYLES else CYCLE[position % len(CYCLE)])
    require(role in LINE_STYLES, f"roles[{label!r}]", role, f"one of {sorted(LINE_STYLES)}")
    return role


def check_roles(series: Mapping[str, Any], roles: Mapping[str, str] | None) -> None:
    """Refuse an empty set of curves and roles given to curves that do not exist."""
    require(bool(series), "series", series, "at least one labelled curve")
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
