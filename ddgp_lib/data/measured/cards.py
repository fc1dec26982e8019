"""Cards of the measured data sets, as they stand in ``data/README.md``: written from the registry."""

from collections.abc import Mapping

from .records import ArraySpec, DataFile, MeasuredSet
from .registry import MEASURED

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
"""Lines of ``data/README.md`` between which the cards stand."""


def card_of(card: MeasuredSet) -> str:
    """Write the card of a set in Markdown.

    Examples
    --------
    >>> from ddgp_lib.data.measured import MEASURED
    >>> from ddgp_lib.data.measured.cards import card_of
    >>> card_of(MEASURED["car"]).splitlines()[0]
    '## `car`: a toy car, single-pixel camera with Hadamard patterns'
    """
    rows = [
        ("Content", "; ".join(_array(name, spec) for name, spec in card.arrays.items())),
        ("Size", f"{card.size / 1e6:.1f} MB"),
        *(("File", _file(file)) for file in card.files),
        ("Licence", card.licence),
        ("Credit", card.credit),
        ("Privacy", card.privacy),
    ]
    table = "\n".join(f"| {name} | {text} |" for name, text in rows)
    known = "\n".join(f"- {sentence}" for sentence in card.known)
    unknown = "\n".join(f"- {sentence}" for sentence in card.unknown)
    heading = f"## `{card.name}`: {card.title}\n\n| field | entry |\n|---|---|\n"
    return f"{heading}{table}\n\nKnown:\n\n{known}\n\nNot known:\n\n{unknown}\n"


def cards(sets: Mapping[str, MeasuredSet] = MEASURED) -> str:
    """Write the cards of all sets, one after another."""
    return "\n".join(card_of(card) for card in sets.values())


def with_cards(text: str, sets: Mapping[str, MeasuredSet] = MEASURED) -> str:
    """Return a page with the cards between the lines :data:`BEGIN` and :data:`END`, where others may stand.

    Raises
    ------
    ValueError
        If the page has not both lines once, in this order.
    """
    before, begin, rest = text.partition(f"{BEGIN}\n")
    old, end, after = rest.partition(f"{END}\n")
    if not begin or not end or BEGIN in old + after or END in before + after:
        raise ValueError(f"text: expected the lines {BEGIN} and {END}, once each")
    return f"{before}{begin}\n{cards(sets)}\n{end}{after}"


def _array(name: str, spec: ArraySpec) -> str:
    lengths = ", ".join(f"{axis} {n}" for axis, n in zip(spec.axes, spec.shape, strict=True))
    return f"`{name}`: {spec.kind} numbers ({lengths}), {spec.meaning}"


def _file(file: DataFile) -> str:
    what = "SHA-256 of its arrays" if file.repacked else "SHA-256"
    made = f"{file.repacked}; from " if file.repacked else ""
    place = f"[{file.repository} @ {file.commit[:10]}: {file.path}]({file.url})"
    return f"`{file.name}`, {file.size:,} bytes, {what} `{file.sha256}`, {made}{place}"
