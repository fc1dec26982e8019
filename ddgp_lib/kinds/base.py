"""What a kind of method is: how its solver is built, what of it is tuned, and on which values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from deepinv.physics import LinearPhysics

from ..arguments import require
from ..solvers import PreconditionedSolver

if TYPE_CHECKING:
    from ..tasks import Task

Grid = Mapping[str, Sequence[Any]]
"""Values that are tried for each argument of a setting; the last argument changes fastest."""

End = Literal["lowest", "highest"]
"""An end of what is tried for an argument."""

SCHEDULE = 20
"""Iterations of a schedule, after which its run ends: the first at which methods are compared."""


@dataclass(frozen=True)
class Settings:
    """What is tuned of a kind; a subclass has a field for each argument, and refuses what no solver takes."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A method that can be tuned, loaded and compared; a subclass says how, in :meth:`grid` and :meth:`solver`.

    Attributes
    ----------
    settings : type
        The class of its settings.
    limits : mapping of str to mapping of str to str
        By argument the ends of its grid, ``"lowest"`` or ``"highest"``, beyond which there is nothing else to try,
        with the reason.  At any other end of the grid a chosen number asks for a wider one.
    learned : bool
        Whether it has weights of its own beside the denoiser's: then no gain is counted from it.
    reads : tuple of str
        What its weights are filed under among those of the task, such as the name of an alternative.
    """

    settings: ClassVar[type[Settings]] = Settings
    limits: ClassVar[Mapping[str, Mapping[End, str]]] = {}
    learned: ClassVar[bool] = False
    reads: ClassVar[tuple[str, ...]] = ()

    def physics(self, task: "Task") -> LinearPhysics:
        """Return the operator that it runs on: the student."""
        return task.student

    def stepsize(self, task: "Task") -> float:
        """Return α: 1/‖A‖² of its operator."""
        return task.stepsize

    def grid(self, task: "Task") -> Grid:
        """Return the values that are tried for each argument of a setting."""
        raise NotImplementedError

    def solver(self, task: "Task", setting: Any, **options: Any) -> PreconditionedSolver:
        """Build the solver for a setting; options are arguments of the solver, and go before the setting.

        Parameters
        ----------
        task : Task
            The task.
        setting : Settings
            One of this kind's :attr:`settings`.
        **options
            Arguments of the solver, such as ``max_iter``.
        """
        raise NotImplementedError

    def setting(self, arguments: Mapping[str, Any]) -> Settings:
        """Return a setting of this kind from its arguments by name, as they are read from a file.

        Raises
        ------
        ValueError
            If an argument is missing, unknown, or outside what is accepted.
        """
        try:
            return self.settings(**arguments)
        except TypeError as error:
            raise ValueError(
                f"setting={arguments!r}: expected a setting of {type(self).__name__} ({error})"
            ) from error

    def is_tried(self, setting: Any) -> bool:
        """Say whether a combination of the grid's values is tried: all are where nothing else is said."""
        return True

    def tried(self, task: "Task", **replaced: Sequence[Any]) -> list[Settings]:
        """Return the settings that are tried, in the order of the grid.

        Parameters
        ----------
        task : Task
            The task.
        **replaced
            Values in the place of the grid's, by argument.

        Raises
        ------
        ValueError
            If there is no such argument, or a value is outside what is accepted.
        """
        grid = self.grid(task)
        for name in replaced:
            require(name in grid, "replaced", name, f"one of {tuple(grid)}")
        grid = {name: replaced.get(name, values) for name, values in grid.items()}
        combined = (
            self.settings(**dict(zip(grid, values, strict=True))) for values in product(*grid.values())
        )
        return [setting for setting in combined if self.is_tried(setting)]


def require_values(argument: str, values: Any, check: Callable[[str, Any], None]) -> None:
    """Refuse values of a grid that are none, or of which a check ``(argument, value)`` refuses one.

    Parameters
    ----------
    argument : str
        The argument's name.
    values : Any
        What was given: a tuple or a list.
    check : callable
        Raises a ``ValueError`` for a value that is outside what is accepted.

    Raises
    ------
    ValueError
        If the values are no sequence, none at all, or one is refused.
    """
    some = isinstance(values, tuple | list) and len(values) > 0
    require(some, argument, values, "one value or more, as a tuple")
    for value in values:
        check(argument, value)
