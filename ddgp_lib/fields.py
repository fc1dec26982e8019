"""The fields of a recipe: one table says for each what is accepted."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, fields
from functools import partial
from typing import Any

import numpy as np

from .arguments import (
    require,
    require_choice,
    require_flag,
    require_integer,
    require_number,
    require_positive,
    require_seed,
)

Check = Callable[[str, Any], None]
"""Takes a field's name and value, and raises a ``ValueError`` unless it is accepted."""

count: Check = partial(require_integer, lowest=1)
"""An integer, 1 or above."""
count_or_none: Check = partial(require_integer, lowest=1, none=True)
size: Callable[..., None] = partial(require_integer, lowest=1, highest=2**24)
"""A number of images, 1 or above."""
size_or_none: Check = partial(require_integer, lowest=1, highest=2**24, none=True)
whole: Check = partial(require_integer, lowest=0)
"""An integer, 0 or above."""
positive: Check = require_positive
positive_or_none: Check = partial(require_number, above=0, none=True)
not_negative: Check = partial(require_number, lowest=0)
share: Check = partial(require_number, lowest=0, highest=1)
"""A number from 0 to 1."""
share_below_one: Check = partial(require_number, lowest=0, below=1)
"""A number from 0 to 1, without 1."""
flag: Check = require_flag
seed: Check = require_seed


def one_of(names: Collection[str]) -> Check:
    """Accept one of some names."""
    return partial(require_choice, accepted=names)


def several(check: Check) -> Check:
    """Accept a tuple of at least one value, each of which a check accepts."""

    def check_all(name: str, values: Any) -> None:
        require(isinstance(values, tuple) and len(values) >= 1, name, values, "a tuple of at least one value")
        for value in values:
            check(name, value)

    return check_all


def range_or_none(name: str, value: Any) -> None:
    """Accept None, or a pair of numbers above zero in rising order."""
    if value is None:
        return
    expected = "None, or (lowest, highest) above 0"
    require(isinstance(value, tuple) and len(value) == 2, name, value, expected)
    for bound in value:
        require_positive(name, bound)
    require(value[0] <= value[1], name, value, expected)


def check_fields(recipe: Any, table: Mapping[str, Check]) -> None:
    """Hold the fields of a frozen dataclass against a table, after turning them into plain Python.

    NumPy's numbers become Python's, and lists, which JSON gives back, become tuples; so a recipe is equal to the one
    that is read from its JSON.

    Parameters
    ----------
    recipe : dataclass
        The recipe, in its ``__post_init__``.
    table : mapping of str to callable
        What is accepted in each field, by its name.

    Raises
    ------
    ValueError
        If a field is of another type or out of range; it names the field.
    """
    for name, check in table.items():
        value = plain(getattr(recipe, name))
        check(name, value)
        object.__setattr__(recipe, name, value)


def plain(value: Any) -> Any:
    """Return NumPy's numbers as Python's, and lists as tuples, also within tuples and mappings."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        return tuple(map(plain, value))
    if isinstance(value, Mapping):
        return {plain(key): plain(entry) for key, entry in value.items()}
    return value


def defaults(recipe: Any) -> dict[str, Any]:
    """Return what a recipe's fields are where nothing is said, as JSON has them: what was written before has fewer.

    Parameters
    ----------
    recipe : dataclass
        The class; fields without a default are left out.
    """
    plain = {one.name: one.default for one in fields(recipe) if one.default is not MISSING}
    made = {one.name: one.default_factory() for one in fields(recipe) if one.default_factory is not MISSING}
    found: dict[str, Any] = json.loads(json.dumps(plain | made))
    return found
