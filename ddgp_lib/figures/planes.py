"""Complex numbers in their plane: closed curves, and clouds of points such as eigenvalues."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from ..arguments import require
from ._common import as_array, axes_for, check_roles, finish, require_frame, require_labelled, role_of
from .style import COLOURS, LINE_STYLES, BookFigure, Numbers, styled


@styled
def plane(
    curves: Mapping[str, Numbers],
    points: Mapping[str, Numbers],
    *,
    xlabel: str = "real part",
    ylabel: str = "imaginary part",
    roles: Mapping[str, str] | None = None,
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    legend: str | None = "above",
    height: float = 3.2,
    ax: Axes | None = None,
) -> BookFigure:
    """Draw curves and clouds of points in the complex plane; both axes have the same unit unless limits are given.

    Parameters
    ----------
    curves : mapping of label to array of shape (K, 2)
        Real and imaginary parts along each curve, such as ``torch.view_as_real`` gives.
    points : mapping of label to array of shape (K, 2)
        Real and imaginary parts of the points of each cloud.
    xlabel, ylabel : str
        Axis labels.
    roles : mapping of label to role, optional
        As in :func:`~ddgp_lib.figures.plots.curves`; clouds go on in the cycle where the curves end.
    xlim, ylim : tuple of float, optional
        Axis limits.
    legend : str or None
        Position of the legend, "above" to put it above the axes, or None for no legend.
    height : float
        Height in inches.
    ax : Axes, optional
        Axes made by :func:`~ddgp_lib.figures.style.axes`; a new figure by default.

    Returns
    -------
    BookFigure

    Raises
    ------
    ValueError
        If there is no curve, an array does not have the shape (K, 2), or a role is unknown.

    Examples
    --------
    >>> import torch
    >>> circle = torch.polar(torch.ones(100), torch.linspace(0, 6.3, 100))
    >>> figure = plane({"circle": torch.view_as_real(circle)}, {"point": [[0.5, 0.5]]})
    """
    require_labelled("curves", curves, "at least one labelled curve")
    require_labelled("points", points, "a mapping of labels to points", empty=True)
    check_roles({**curves, **points}, roles, "curves")
    require_frame(xlabel=xlabel, ylabel=ylabel, xlim=xlim, ylim=ylim, legend=legend, height=height, ax=ax)
    ax = axes_for(len(curves) + len(points), legend, height, ax)
    for position, (label, path) in enumerate(curves.items()):
        role = role_of(label, roles, position)
        ax.plot(
            *_pairs(path, f"curves[{label!r}]"),
            color=COLOURS[role],
            linestyle=LINE_STYLES[role].dashes,
            label=label,
        )
    for position, (label, cloud) in enumerate(points.items(), start=len(curves)):
        role = role_of(label, roles, position)
        real, imaginary = _pairs(cloud, f"points[{label!r}]")
        ax.scatter(
            real, imaginary, s=16, color=COLOURS[role], marker=LINE_STYLES[role].marker, label=label, zorder=3
        )
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if xlim is None and ylim is None:
        ax.set_aspect("equal", adjustable="datalim")
    return finish(ax, xlim, ylim, legend)


def _pairs(values: Numbers, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the two columns of an array (K, 2) of finite numbers."""
    table = as_array(values, name)
    require(
        table.ndim == 2 and table.shape[1] == 2, name, table.shape, "an array (K, 2), a row for each number"
    )
    require(bool(np.isfinite(table).all()), name, values, "finite numbers")
    return table[:, 0], table[:, 1]
