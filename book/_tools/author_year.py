"""Sphinx extension: the entries of the bibliography are labelled as the text cites them, by author and year."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from pybtex.database import Entry
from pybtex.plugin import register_plugin
from pybtex.richtext import Text
from pybtex.style.formatting.plain import Style as PlainStyle
from pybtex.style.labels import BaseLabelStyle

NAME = "author_year"


def names(entry: Entry) -> str:
    """Return the family names as they are cited: one, two, or the first of many."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    family = [
        str(Text.from_latex(" ".join([*person.prelast_names, *person.last_names]))) for person in people
    ]
    if not family:
        return str(Text.from_latex(entry.fields.get("title", entry.key)))
    if len(family) == 2:
        return " and ".join(family)
    return family[0] if len(family) == 1 else f"{family[0]} et al."


def labels(entries: list[Entry]) -> Iterator[str]:
    """Yield the label of each entry; a letter parts those that are cited alike."""
    plain = [f"{names(entry)}, {entry.fields.get('year', 'n.d.')}" for entry in entries]
    count, seen = Counter(plain), Counter[str]()
    for label in plain:
        yield label + (chr(ord("a") + seen[label]) if count[label] > 1 else "")
        seen[label] += 1


class AuthorYearLabels(BaseLabelStyle):
    """Labels such as "LeCun et al., 1998"."""

    def format_labels(self, sorted_entries: Any) -> Iterator[str]:
        """Yield the label of each entry."""
        return labels(list(sorted_entries))


class AuthorYearStyle(PlainStyle):
    """The plain style, with labels of author and year, sorted by them."""

    default_label_style = AuthorYearLabels
    default_sorting_style = "author_year_title"


def setup(app: Any) -> dict[str, bool]:
    """Register the style with pybtex."""
    register_plugin("pybtex.style.formatting", NAME, AuthorYearStyle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
