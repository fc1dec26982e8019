"""Short descriptions of what holds much: one line, or a table in a notebook."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from html import escape
from typing import Any, ClassVar

import torch
from torch import nn

LIMIT = 300
"""Characters of a line at most."""

LONG = 40
"""Characters from which on a value within a line is told by its class."""


def line(name: str, facts: Mapping[str, str]) -> str:
    """Write ``Name(fact=text, …)``, cut where it is longer than :data:`LIMIT`; the fact ``""`` is its text alone."""
    told = [f"{fact}={text}" if fact else text for fact, text in facts.items()]
    text = f"{name}({', '.join(told)})"
    return text if len(text) <= LIMIT else f"{text[: LIMIT - 2]}…)"


def table(caption: str, rows: Iterable[Sequence[str]], columns: Sequence[str] = ()) -> str:
    """Write an HTML table of texts, of any characters; the first of each row heads it, and ``columns`` head all."""
    head = _row("".join(f'<th scope="col">{escape(text)}</th>' for text in columns)) if columns else ""
    body = "".join(
        _row(f'<th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(text)}</td>" for text in others))
        for first, *others in rows
    )
    return f"<table><caption>{escape(caption)}</caption>{head}{body}</table>"


def _row(cells: str) -> str:
    return f"<tr>{cells}</tr>"


def brief(value: Any) -> str:
    """Say what a value is in a few words: a tensor by its shape, a module and what is long by their class."""
    if isinstance(value, torch.Tensor):
        return f"Tensor{tuple(value.shape)}"
    if isinstance(value, nn.Module):
        return type(value).__name__
    text = repr(value)
    return text if len(text) <= LONG else f"{type(value).__name__}(…)"


def differences(recipe: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that are not at their defaults, or that have none."""
    values = {field.name: (getattr(recipe, field.name), _default(field)) for field in fields(recipe)}
    return {name: value for name, (value, default) in values.items() if value != default}


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


class Brief:
    """A base of dataclasses made with ``repr=False``: their fields in one line, by :func:`brief`.

    A field made with ``repr=False`` is left out.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __repr__(self) -> str:
        return line(
            type(self).__name__,
            {field.name: brief(getattr(self, field.name)) for field in fields(self) if field.repr},
        )
